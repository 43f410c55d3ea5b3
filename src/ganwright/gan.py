"""The door for programs: `GAN(...).fit(data)`, then `.sample(n)` and all else that a fitted one can do."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any, Self

from ganwright.choices import Choices, Network, PartChoice, half
from ganwright.core.budget import Budget
from ganwright.core.errors import UsageError
from ganwright.core.given import real_number, whole_number
from ganwright.course import Course
from ganwright.data.dataset import DataReport
from ganwright.data.held_out import Split
from ganwright.data.modalities.base import Modality
from ganwright.defaults import read_as
from ganwright.fitted import Fitted
from ganwright.losses.base import Loss
from ganwright.milestones import CarriedOver, DataReady, PlanReady, Resuming
from ganwright.model.locate import find_run
from ganwright.networks.base import Distribution
from ganwright.networks.own.module_pair import DiscriminatorOutput
from ganwright.optimizers.base import Optimizer
from ganwright.plan import Plan, make_plan
from ganwright.regularizers.base import Regularizer
from ganwright.resuming import (
    GoingOn,
    Half,
    alone,
    check_data,
    data_of,
    differences,
    going_on,
    lengthened,
    read_run,
    request_of,
)
from ganwright.runtime.allocator import keep_freed_memory
from ganwright.runtime.device import DeviceChoice, PrecisionChoice, find_machine, own_random_state
from ganwright.runtime.distributed import LEADER
from ganwright.runtime.events import Subscriber
from ganwright.starting import Carriage, halves_of, new_folder, read_again, read_start
from ganwright.together import Followed, begun_run, company, follow, hand_over, leading, note_run, records, stream_of
from ganwright.training.augmenting import AugmentChoice
from ganwright.training.config import TrainConfig
from ganwright.training.events import Ended, Progress, Scored, Warned
from ganwright.training.recorder import CHECKPOINTS
from ganwright.training.request import Request
from ganwright.training.run_spec import run_spec
from ganwright.training.state import TrainState, initial_state


class GAN(Fitted):
    """A generative adversarial network with scikit-learn's habits: the constructor only stores, learned things end in `_`.

    >>> gan = GAN(recipe="dcgan").fit("photos/", minutes=20)
    >>> gan.sample(16, seed=0)[0].save("new.png")
    """

    plan_: Plan
    """The resolved config, and why it is so; of a run that was not gone on with."""
    config_: TrainConfig
    """How it was trained."""
    data_report_: DataReport
    """What was found in the data."""
    carried_over_: Carriage
    """What was taken over from the model that `fit` started from."""
    history_: list[Progress]
    """The course of training, about a point a second."""
    scores_: list[Scored]
    """How good it was on the way; of the models that scored best, but for chance, the last one is kept."""
    ended_: Ended
    """How training ended."""
    run_: Path | None
    """The run folder, when one was asked for."""
    stop_signal_: str
    """The signal that ended training early, such as "SIGINT"; empty when none did."""

    def __init__(
        self,
        recipe: str | None = None,
        *,
        generator: Network | None = None,
        discriminator: Network | None = None,
        latent: int | tuple[int, ...] | None = None,
        noise: Distribution | None = None,
        loss: Loss | PartChoice | None = None,
        regularizers: Sequence[Regularizer | PartChoice] | None = None,
        optimizer: Optimizer | PartChoice | None = None,
        generator_optimizer: Optimizer | PartChoice | None = None,
        discriminator_optimizer: Optimizer | PartChoice | None = None,
        compile: str | None = None,
        augment: AugmentChoice | None = None,
        mirror: bool | None = None,
        discriminator_output: DiscriminatorOutput = "auto",
        conditional: bool | None = None,
        balance: bool = False,
        batch: int | None = None,
        seed: int = 0,
        device: DeviceChoice = "auto",
        precision: PrecisionChoice = "auto",
        modality: Modality | None = None,
        settings: dict[str, Any] | None = None,
    ) -> None:
        """Store how to train.

        Args:
            recipe: the name of a whole GAN; None takes the one that suits the data, or "plain" for networks of your own.
            generator: a network of your own: a `torch.nn.Module` from noise (B, latent) to records (B, *shape), pictures as
                (B, C, H, W) in -1..1; or `Layers([...])`, Keras-style layers as text. Modules are copied, never changed.
            discriminator: its opponent, from records to (B,) or (B, 1); it may end in a sigmoid.
            latent: length of the noise vector, or its shape. Default: the recipe's, the layers' own, or 100.
            noise: what the latent is drawn from: "normal", "uniform" (in -1..1), "truncated", "sphere" or "signs" (-1 or 1).
            loss: by name, with settings ({"name": "hinge"}), or as an object.
            regularizers: penalties, each likewise; an empty list takes away the recipe's.
            optimizer: of both players, likewise; `generator_optimizer` and `discriminator_optimizer` are for one of them.
            compile: loss and optimizer in Keras's words: "compile(loss='binary_crossentropy', optimizer=Adam(2e-4, 0.5))".
            augment: what the discriminator sees of pictures: "adaptive" (as much as is needed), "diffaugment" (always),
                "ada" or "pipeline" (with turns and sizes too), or "none"; None leaves it to the recipe, and takes "adaptive"
                where that has none and each picture will be seen very often.
            mirror: whether real pictures are mirrored half of the time; None finds out whether mirrored ones look like the
                others, and does so then.
            discriminator_output: what your discriminator module returns; "auto" looks for a sigmoid at its end.
            conditional: True tells the networks what is known of the records: classes, labels, numbers; None does so if the
                networks take them.
            balance: records are drawn so that every class comes equally often, however many records it has.
            batch: records per turn; None leaves it to the recipe.
            seed: every random number follows from it.
            device: where to compute; "auto" takes a GPU when there is one.
            precision: of the networks' products; "auto" takes bf16 where the hardware is fast at it.
            modality: how to read the data, such as `Image(size=(64, 48), channels=1)`; None finds out.
            settings: fields of the config to set anew, by nested names: `{"loss": {"name": "hinge"}}`.
        """
        self.recipe = recipe
        self.generator = generator
        self.discriminator = discriminator
        self.latent = tuple(latent) if isinstance(latent, tuple | list) else whole_number("latent", latent)
        self.noise: Distribution | None = noise
        self.loss = loss
        self.regularizers = regularizers
        self.optimizer = optimizer
        self.generator_optimizer = generator_optimizer
        self.discriminator_optimizer = discriminator_optimizer
        self.compile = compile
        self.augment: AugmentChoice | None = augment
        self.mirror = mirror
        self.discriminator_output: DiscriminatorOutput = discriminator_output
        self.conditional = conditional
        self.balance = balance
        self.batch = whole_number("batch", batch)
        self.seed = whole_number("seed", seed) or 0
        self.device: DeviceChoice = device
        self.precision: PrecisionChoice = precision
        self.modality = modality
        self.settings = settings

    def fit(
        self,
        data: Any,
        *,
        minutes: float | None = None,
        seconds: float | None = None,
        epochs: float | None = None,
        steps: int | None = None,
        images: int | None = None,
        limit: int | None = None,
        stream: bool = False,
        run: str | Path | bool = False,
        save_every_epochs: float | None = None,
        keep_discriminator: bool = False,
        start_from: str | Path | None = None,
        keep: int = CHECKPOINTS,
        holdout: bool = True,
        patience: int | None = None,
        processes: int | None = None,
        subscribers: Sequence[Subscriber] = (),
        handle_signals: bool = False,
        started: float | None = None,
    ) -> Self:
        """Train on `data` and keep the average generator as `model_`.

        Args:
            data: a path (folder of pictures or recordings, zip, IDX, .npy, .csv, .tsv, .jsonl, .parquet); arrays or tensors
                (N, H, W), (N, H, W, C) or (N, D), with labels as a pair (array, labels), or with more that is known of each
                as (array, {"age": ages}); pictures with a file of labels as (path, "labels.csv"); a DataFrame; a list of
                pictures; or any iterable of batches.
            minutes, seconds, epochs, steps, images: for how long, at most one of them: `epochs` are passes over the data,
                `images` samples seen. Without any it is ten minutes.
            limit: take that many records, for a quick check.
            stream: draw from an iterable of batches as training goes, instead of caching it first: for data without an end.
            run: a folder for config, metrics, pictures and the model as they come; True makes one under runs/.
            save_every_epochs: pictures and model after so many passes each, instead of by the clock.
            keep_discriminator: the run folder's model gets the discriminator too, for `score`.
            start_from: a trained model to go on from, on these data: a file, a run folder (whose newest checkpoint has the
                discriminator too), a run's name, or "last". Its networks and recipe are taken, fitted to the data.
            keep: checkpoints that the run folder holds, the newest ones; at least 2.
            holdout: keep some records from training (5%, at least 200, at most 10%), so that `evaluate` can tell whether
                it copies, and what real records would get.
            patience: stop after so many scores in a row that are no better than the best one.
            processes: on this machine, that share each batch; they are started, and end with the training. None is one, or
                as many as this program was started in (torchrun).
            subscribers: called with every event (`Progress`, `Pictures`, ...).
            handle_signals: the first Ctrl-C saves and stops.
            started: of `time.monotonic`; a time budget counts from then, or from the call.

        Raises:
            DataError: nothing usable in `data`.
            UsageError: settings that do not exist or do not fit.
            ResourceError: a device that is not there, or a full disk.
            DivergedError: training left the range of numbers, again and again; the last good model is kept, as `model_` too.
        """
        began = time.monotonic() if started is None else started
        budget = _budget(minutes, seconds, epochs, steps, images)
        limit, patience, processes = (
            whole_number(name, value) for name, value in (("limit", limit), ("patience", patience), ("processes", processes))
        )
        choices = Choices(**{field.name: getattr(self, field.name) for field in fields(Choices)})
        parts = choices.parts()
        machine = find_machine(self.device)
        keep_freed_memory()
        halves = half(self.generator), half(self.discriminator)
        with company(processes, halves, machine.device) as us:
            if us is not None and stream:
                raise UsageError(
                    "E-PEER-07", "several processes cannot share a stream", hints=("train on what can be read twice",)
                )
            if us is not None and us.place.rank != LEADER:
                return self._take_over(follow(us, data, halves, machine.device, handle_signals))
            if (run_before := begun_run()) is not None:
                go_on = partial(self.resume, run_before, data, subscribers=subscribers, handle_signals=handle_signals)
                again = go_on(generator=self.generator, discriminator=self.discriminator)
                vars(self).update({name: value for name, value in vars(again).items() if name.endswith("_")})
                return self
            course = self._new_course(subscribers, handle_signals)
            events = course.events
            with leading(), own_random_state(machine.device):
                start = None if start_from is None else read_start(start_from, *halves_of(parts.get("network")))
                own = "network" in parts
                recipe = self.recipe or (start and start.recipe) or ("plain" if own else None)
                request = request_of(
                    data,
                    modality=read_as(recipe, self.modality if start is None else start.modality(self.modality)),
                    limit=limit,
                    start_from="" if start is None else start.place,
                    as_numbers=own,
                    holdout=holdout,
                    epochs=epochs is not None,
                    keep_discriminator=keep_discriminator,
                    keep=keep,
                )
                split = (
                    stream_of(request, data, course.preparing()) if stream else records(request, data, course.preparing())
                )
                dataset = split.train
                self.data_report_ = dataset.whole.report
                events.emit(DataReady(self.data_report_, dataset, split.held_out))
                plan = make_plan(
                    dataset,
                    machine,
                    recipe=recipe,
                    budget=budget,
                    seed=self.seed,
                    batch=self.batch,
                    precision=self.precision,
                    parts=parts,
                    conditional=self.conditional if start is None else start.conditional(self.conditional, dataset),
                    balance=self.balance,
                    begin=None if start is None else partial(start.begin, asked=self.recipe or "", given=own),
                    settings=choices.settings(self.settings or {}),
                    patience=patience,
                    spent_seconds=time.monotonic() - began,
                )
                self.plan_, self.config_ = plan, plan.config
                deadline = None if plan.deadline_seconds is None else began + plan.deadline_seconds
                request = replace(
                    request,
                    train_seconds=None if deadline is None else deadline - time.monotonic(),
                    look_every_samples=None if save_every_epochs is None else save_every_epochs * len(dataset),
                )
                state = initial_state(self.config_, run_spec(self.config_, dataset))
                carriage = None if start is None else start.carry_into(state, self.config_, plan.spec)
                folder = new_folder(run, split, plan, request, carriage)
                with alone(folder) if folder else nullcontext():
                    self.run_ = folder.path if folder else None
                    course.record(folder, self.config_, split, request)
                    events.emit(PlanReady(plan, folder))
                    if carriage is not None:
                        self.carried_over_ = carriage
                        events.emit(CarriedOver(carriage))
                    self._train(course, split, request, deadline, state)
            return self

    @classmethod
    def resume(
        cls,
        run: str | Path = "last",
        data: Any = None,
        *,
        minutes: float | None = None,
        seconds: float | None = None,
        epochs: float | None = None,
        steps: int | None = None,
        images: int | None = None,
        generator: Network | None = None,
        discriminator: Network | None = None,
        processes: int | None = None,
        subscribers: Sequence[Subscriber] = (),
        handle_signals: bool = False,
    ) -> Self:
        """Go on with a run that was stopped, killed or cut off, from its newest checkpoint that is whole.

        With the same device, threads, versions and data the result is the one that a run without interruption would have
        had, to the last bit; otherwise the run goes on all the same, and what differs is said (as a `Warned` event).

        Args:
            run: the run folder, its name or unique prefix under runs/, or "last".
            data: as for `fit`, where the data have moved or were in memory.
            minutes, seconds, epochs, steps, images: train for so much more from where it is, at most one of them; also a
                run that is finished. Without any it comes to the end that was planned.
            generator, discriminator: of a run with your own modules, modules like those.
            processes, subscribers, handle_signals: as for `fit`.

        Raises:
            DataError: there is nothing to go on with, or the data hold other records.
            ModelFileError: no such run, or one of your own modules, which are not given.
            UsageError: the run is finished and nothing more is asked for, or in use, or its data were in memory.
        """
        halves = half(generator), half(discriminator)
        more, processes = _budget(minutes, seconds, epochs, steps, images), whole_number("processes", processes)
        device = find_machine().device
        with company(processes, halves, device) as us:
            if us is not None and us.place.rank != LEADER:
                return cls()._take_over(follow(us, data, halves, device, handle_signals))
            more = Budget() if begun_run() is not None else more  # which was given when it was begun
            with leading():
                return cls._go_on(find_run(str(run)), data, halves, more, subscribers, handle_signals)

    @classmethod
    def _go_on(
        cls,
        run: Path,
        data: Any,
        halves: tuple[Half, Half],
        more: Budget,
        subscribers: Sequence[Subscriber],
        handle_signals: bool,
    ) -> Self:
        found = read_run(run, *halves, finished=more != Budget())
        gan = cls(found.config.recipe, seed=found.config.seed, batch=found.config.batch, modality=found.request.modality)
        gan.config_, gan.run_ = found.config, found.folder.path
        machine = find_machine(found.config.device)
        keep_freed_memory()
        with alone(found.folder), own_random_state(machine.device):
            course = gan._new_course(subscribers, handle_signals)
            events = course.events
            start = going_on(found, halves[0])
            split = records(found.request, data_of(found.request, data), course.preparing())
            gan.data_report_ = split.train.whole.report
            check_data(found, split)
            found, longer = lengthened(found, start, more, len(split.train))
            gan.config_ = config = found.config
            request = found.request
            recorder = course.record(found.folder, config, split, request)
            assert recorder is not None
            state = initial_state(config, run_spec(config, split.train))
            if start.checkpoint is not None:
                start.checkpoint.restore(state)
            elif config.trained_from is not None:
                read_again(request, config, *halves).carry_into(state, config, run_spec(config, split.train))
            if start.attempt is not None:
                state.attempt = start.attempt
            recorder.cut_back(state.step, start.memory.scores)
            course.history[:], course.scores[:] = recorder.history, recorder.scores
            events.emit(Resuming(found.folder, state.step, config.total_steps, start.memory.seconds))
            changed = differences(start.environment, recorder.environment) if start.environment is not None else []
            inexact = f"goes on, but not exactly: {'; '.join(changed)}" if changed else ""
            for note in filter(None, (*start.notes, inexact, longer)):
                events.emit(Warned(note))
            left = None if request.train_seconds is None else request.train_seconds - start.memory.seconds
            deadline = None if left is None else time.monotonic() + left
            gan._train(course, split, request, deadline, state, start)
        return gan

    def _train(
        self,
        course: Course,
        split: Split,
        request: Request,
        deadline: float | None,
        state: TrainState,
        start: GoingOn | None = None,
    ) -> None:
        if self.run_ is not None:
            note_run(self.run_)
        try:
            self.ended_, self.config_, self.stop_signal_ = course.train(self.config_, split, request, deadline, state, start)
        finally:
            if course.model is not None:
                self.model_ = course.model
        hand_over(self.ended_, self.stop_signal_, self.config_, self.run_, course.model)

    def _take_over(self, followed: Followed) -> Self:
        """What is known of a training that another process led."""
        self.history_, self.scores_ = [], []
        self.ended_, self.config_, self.stop_signal_ = followed.ended, followed.config, followed.stop_signal
        self.data_report_, self.run_ = followed.split.train.whole.report, followed.run
        if followed.model is not None:
            self.model_ = followed.model
        return self

    def _new_course(self, subscribers: Sequence[Subscriber], handle_signals: bool) -> Course:
        course = Course(subscribers, handle_signals)
        self.history_, self.scores_ = course.history, course.scores
        return course

    def __repr__(self) -> str:
        silent = {"balance": False}
        stored = {
            name: value
            for name, value in vars(self).items()
            if not name.endswith("_") and value not in (None, "auto") and silent.get(name) is not value
        }
        # A module or a list of layers would fill the screen.
        long = ("generator", "discriminator")
        shown = {name: f"<{type(value).__name__}>" if name in long else repr(value) for name, value in stored.items()}
        return f"GAN({', '.join(f'{name}={text}' for name, text in shown.items())})"


def _budget(minutes: Any, seconds: Any, epochs: Any, steps: Any, images: Any) -> Budget:
    if minutes is not None and seconds is not None:
        raise UsageError("E-BUDGET-01", "minutes and seconds were given: choose one")
    minutes, seconds = real_number("minutes", minutes), real_number("seconds", seconds)
    return Budget(
        seconds=60 * minutes if minutes is not None else seconds,
        epochs=real_number("epochs", epochs),
        steps=whole_number("steps", steps),
        images=whole_number("images", images),
    )
