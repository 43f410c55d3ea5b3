"""The door for programs: `GAN(...).fit(data)`, `.sample(n)`, `.save(path)`, and `load(path)`."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from PIL import Image as PillowImage

from ganwright.core.budget import Budget
from ganwright.core.config import to_plain
from ganwright.core.errors import GanwrightError, UsageError
from ganwright.data.dataset import DataReport, Dataset
from ganwright.data.modalities.base import Modality
from ganwright.data.preparation import prepare
from ganwright.model.locate import find_model
from ganwright.model.model import Model
from ganwright.plan import Plan, make_plan
from ganwright.runtime.allocator import keep_freed_memory
from ganwright.runtime.device import DeviceChoice, PrecisionChoice, find_machine
from ganwright.runtime.events import Events, Subscriber
from ganwright.runtime.interrupt import StopRequest, stop_on_signals
from ganwright.training.events import Ended, Progress
from ganwright.training.loop import Loop
from ganwright.training.recorder import Recorder
from ganwright.training.run_folder import RunFolder
from ganwright.training.state import initial_state


@dataclass(frozen=True)
class DataReady:
    """Emitted by `fit` once the data are packed."""

    report: DataReport
    dataset: Dataset


@dataclass(frozen=True)
class PlanReady:
    """Emitted by `fit` before the first step that counts."""

    plan: Plan
    run: RunFolder | None


@dataclass(frozen=True)
class Preparing:
    """Emitted by `fit` while the data are read: what is being done, how many are done, of how many."""

    what: str
    done: int
    total: int


class GAN:
    """A generative adversarial network with scikit-learn's habits: the constructor only stores, learned things end in `_`.

    >>> gan = GAN(recipe="dcgan").fit("photos/", minutes=20)
    >>> gan.sample(16, seed=0)[0].save("new.png")
    """

    model_: Model
    """The average generator, ready to sample."""
    plan_: Plan
    """The resolved config, and why it is so."""
    data_report_: DataReport
    """What was found in the data."""
    history_: list[Progress]
    """The course of training, about a point a second."""
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
        batch: int | None = None,
        seed: int = 0,
        device: DeviceChoice = "auto",
        precision: PrecisionChoice = "auto",
        modality: Modality | None = None,
        settings: dict[str, Any] | None = None,
    ) -> None:
        """Store how to train.

        Args:
            recipe: the name of a whole GAN; None takes the one that suits the data.
            batch: records per turn; None leaves it to the recipe.
            seed: every random number follows from it.
            device: where to compute; "auto" takes a GPU when there is one.
            precision: of the networks' products; "auto" takes bf16 where the hardware is fast at it.
            modality: how to read the data, such as `Image(size=(64, 48), channels=1)`; None finds out.
            settings: fields of the config to set anew, by nested names: `{"loss": {"name": "hinge"}}`.
        """
        self.recipe = recipe
        self.batch = batch
        self.seed = seed
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
        run: str | Path | bool = False,
        subscribers: Sequence[Subscriber] = (),
        handle_signals: bool = False,
        started: float | None = None,
    ) -> Self:
        """Train on `data`: a folder, zip, IDX or .npy path, or arrays (N, H, W) or (N, H, W, C).

        At most one of `minutes`, `seconds`, `epochs` (passes over the data), `steps` and `images` (samples seen) says for
        how long; without any it is ten minutes. `limit` takes that many records, for a quick check. `run` is a folder for
        config, metrics, pictures and the model as they come; True makes one under runs/, False writes nothing. `subscribers`
        are called with every event (`Progress`, `Pictures`, ...). `handle_signals` turns the first Ctrl-C into save and
        stop. A time budget counts from `started` (of `time.monotonic`), or from the call.

        Raises:
            DataError: nothing usable in `data`.
            UsageError: settings that do not exist or do not fit.
            ResourceError: a device that is not there, or a full disk.
            DivergedError: training left the range of numbers; the run folder keeps the last good model.
        """
        began = time.monotonic() if started is None else started
        seconds = _in_seconds(minutes, seconds)
        budget = Budget(seconds=seconds, epochs=epochs, steps=steps, images=images)
        machine = find_machine(self.device)
        keep_freed_memory()
        events = Events(list(subscribers))
        self.history_ = []
        events.subscribers.append(self._remember)

        dataset = prepare(data, self.modality, limit=limit, progress=_preparing(events))
        self.data_report_ = dataset.report
        events.emit(DataReady(dataset.report, dataset))
        plan = make_plan(
            dataset,
            machine,
            recipe=self.recipe or dataset.codec.default_recipe,
            budget=budget,
            seed=self.seed,
            batch=self.batch,
            precision=self.precision,
            settings=self.settings,
            spent_seconds=time.monotonic() - began,
        )
        self.plan_ = plan
        folder = _run_folder(run, dataset, plan)
        self.run_ = folder.path if folder else None
        if folder:
            events.subscribers.append(Recorder(folder, events))
        events.emit(PlanReady(plan, folder))

        state = initial_state(plan.config, dataset.codec.spec)
        deadline = None if plan.deadline_seconds is None else began + plan.deadline_seconds
        with stop_on_signals() if handle_signals else _no_signals() as stop:
            loop = Loop(plan.config, dataset, state, events, stop, deadline)
            try:
                self.ended_ = loop.run()
            except BaseException as error:
                if folder:
                    state_name = "diverged" if isinstance(error, GanwrightError) else "failed"
                    folder.write_status(state_name, why=str(error) or type(error).__name__, step=state.step)
                raise
        self.stop_signal_ = stop.signal_name
        self.model_ = loop.model(self.ended_.elapsed_seconds)
        return self

    def sample(self, n: int = 1, *, seed: int = 0) -> list[Any]:
        """`n` new natural objects; sample i of a seed is the same however many are asked for."""
        return self._fitted().sample(n, seed=seed)

    def grid(self, rows: int = 4, columns: int = 4, *, seed: int = 0) -> PillowImage.Image:
        """rows x columns samples in one picture."""
        return self._fitted().grid(rows, columns, seed=seed)

    def save(self, path: str | Path) -> Path:
        """Write the model file, which is all that sampling needs."""
        return self._fitted().save(path)

    def _fitted(self) -> Model:
        if not hasattr(self, "model_"):
            raise UsageError("E-MODEL-06", "this GAN has not been trained yet", hints=("gan.fit(data)", "load(path)"))
        return self.model_

    def _remember(self, event: object) -> None:
        if isinstance(event, Progress):
            self.history_.append(event)

    def _repr_png_(self) -> bytes | None:
        """What a notebook shows: samples, once there is a model."""
        return self.model_._repr_png_() if hasattr(self, "model_") else None

    def __repr__(self) -> str:
        stored = {
            name: value for name, value in vars(self).items() if not name.endswith("_") and value not in (None, "auto")
        }
        return f"GAN({', '.join(f'{name}={value!r}' for name, value in stored.items())})"


def load(reference: str | Path, device: DeviceChoice = "cpu") -> Model:
    """The model that `reference` names: a file, a run folder, a run's unique prefix, or "last".

    Raises:
        ModelFileError: there is none, or it is damaged or hostile.
    """
    return Model.load(find_model(str(reference)), find_machine(device).device)


def _in_seconds(minutes: float | None, seconds: float | None) -> float | None:
    if minutes is not None and seconds is not None:
        raise UsageError("E-BUDGET-01", "minutes and seconds were given; choose one of them")
    return 60 * minutes if minutes is not None else seconds


def _preparing(events: Events) -> Callable[[str, int, int], None]:
    return lambda what, done, total: events.emit(Preparing(what, done, total))


def _run_folder(run: str | Path | bool, dataset: Dataset, plan: Plan) -> RunFolder | None:
    if run is False:
        return None
    path = None if run is True else Path(run).expanduser()
    folder = RunFolder.create(path, dataset.name, dataset.codec.describe())
    data = {"name": dataset.name, "records": len(dataset), "fingerprint": dataset.fingerprint}
    folder.write_config(plan.config, data)
    folder.write_json("data_report.json", to_plain(dataset.report))
    folder.write_status("running", step=0)
    return folder


@contextmanager
def _no_signals() -> Generator[StopRequest]:
    yield StopRequest()
