"""The loop around the step: when to look, when to speak, when to stop.

Nothing in here changes what is learned. Pictures, snapshots and progress depend on the clock; weights on the config alone.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ganwright.core.errors import DivergedError
from ganwright.data.dataset import Dataset
from ganwright.data.held_out import Split
from ganwright.data.spec import DataSpec
from ganwright.model.model import Model
from ganwright.runtime.events import Events
from ganwright.runtime.interrupt import Stopped, StopRequest
from ganwright.runtime.memory import give_back, is_out_of_memory
from ganwright.training import crew
from ganwright.training.adaptive import Adaptive
from ganwright.training.average import LOOK_STATISTICS_BATCHES, STATISTICS_BATCHES, estimate_generator_statistics
from ganwright.training.batches import Batches
from ganwright.training.by_heart import learned_by_heart
from ganwright.training.config import TrainConfig
from ganwright.training.events import (
    Checkpointed,
    Ended,
    Ending,
    Kept,
    Pictures,
    Progress,
    Reconfigured,
    Snapshot,
    Warned,
    WentBack,
)
from ganwright.training.health import ADVICE, TICKS_WITHOUT, Variety, diagnose
from ganwright.training.looking import COLUMNS, View
from ganwright.training.making import model_of
from ganwright.training.memory import Memory
from ganwright.training.run_spec import run_spec
from ganwright.training.saver import Commit, Saver
from ganwright.training.selection import Selection
from ganwright.training.state import TrainState

FIRST_LOOK_SECONDS = 15.0
CHECKPOINT_SECONDS = 30.0
"""Between two checkpoints, at least,"""
CHECKPOINT_SHARE = 0.01
"""and what they may take of the time."""
TRIES = 3
"""How often a sitting goes back after numbers that are not finite."""
LOOKS_PER_RUN = 25


@dataclass
class Loop:
    """Trains `state` on `dataset` as `config` says, until samples or time are used up, or someone asks to stop."""

    config: TrainConfig
    dataset: Dataset
    state: TrainState
    events: Events
    stop: StopRequest = field(default_factory=StopRequest)
    deadline: float | None = None
    """On the clock `now`: then this alone ends the run, its last look and save included. Schedules end with the planned
    samples all the same, and stay at their last values."""
    epochs: bool = False
    """Speak at the end of each pass over the data too."""
    look_every_samples: float | None = None
    """Look and save whenever so many more samples were seen, and not by the clock."""
    split: Split | None = None
    """Where `dataset` is what was left by holding records out: how the others are found."""
    commit: Commit | None = None
    """Writes what going on needs, now and then, in a thread of its own; None where nothing is written."""
    memory: Memory = field(default_factory=Memory)
    """Of the loop that `state` was trained by so far."""
    kept_so_far: Model | None = None
    """The model that it kept by its scores."""
    now: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self.spec: DataSpec = run_spec(self.config, self.dataset)
        self._batches = Batches(self.dataset, self.config)
        self._recent: deque[dict[str, Tensor]] = deque()
        self._pace: deque[tuple[float, int]] = deque(maxlen=30)
        self._gaps: deque[float] = deque(maxlen=TICKS_WITHOUT)
        self._variety = Variety(recall=self.memory.recall, best_recall=self.memory.best_recall)
        self._held_out = Batches(self.split.held_out, self.config) if self.split and self.split.held_out else None
        self._by_heart: float | None = None
        self._health = "ok"
        self._warned: set[str] = set(self.memory.warned)
        # What the last look and the last snapshot took; a guess before there was one.
        self._look_seconds = 1.0
        self._snapshot_seconds = 2.5
        self._view = View.of(self.dataset, self.spec)
        self._selection = Selection(self.config, self.dataset, self.split.held_out if self.split else None)
        self._selection.go_on(self.memory.scores, self.memory.gaps, self.kept_so_far)
        self._saver = Saver(self.commit)
        self._score_seconds = 0.0
        self._save_seconds = 0.0
        self._saved_step = self.state.step
        self._looked_step: int | None = None
        self._went_back = 0
        # As if all that was trained before had been trained just now.
        self._started = self.now() - self.memory.seconds
        self._next_tick = self._next_look = self._next_save = 0.0
        self._seconds = 0.0

    def run(self) -> Ended:
        """Train; gives back how it ended.

        Numbers that are no longer finite send it back to the last good copy of its state, to take other draws from there;
        memory that runs out sends it back too, to work on batches in smaller parts.

        Raises:
            DivergedError: it went back three times, in vain; what is kept is from before.
            ResourceError: there is not enough memory for any part of a batch.
        """
        self._started = self.now() - self.memory.seconds
        self._saver.hold(self.state)
        crew.begin(self.config, self.state)
        try:
            while True:
                ended = self._try()
                if ended is not None:
                    self.events.emit(ended)
                    return ended
        finally:
            self._saver.close()

    def _try(self) -> Ended | None:
        """Train to the end; None where it went back instead."""
        try:
            return self._close(self._train())
        except DivergedError as error:
            diverged = error
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            diverged = None
        # Outside of the handlers, which hold on to everything that the failed step had made.
        if diverged is None:
            self._use_less_memory()
        else:
            self._take_another_way(diverged)
        return None

    def _train(self) -> Ending:
        """Step after step, until there is a reason to end."""
        if self._looked_step is None:
            self._look()
            if self._due_score() and not self._scored_now():
                self._score()  # which the run was asked to stop in
        self._next_tick, self._next_look = self.now() + 1.0, self.now() + FIRST_LOOK_SECONDS
        self._next_save = self.now() + CHECKPOINT_SECONDS
        self._pace.append((self.now(), self.state.samples_seen))

        ending = self._ending()
        while ending is None:
            self._recent.append(crew.step(self.state, self.config, self.spec, self._batches))

            # Score, at places of the run that do not depend on the clock, and keep the best.
            if self._due_score():
                self._score()

            # Say where we are, about once a second.
            if self.now() >= self._next_tick or self._epoch_ended():
                self._tick()
                self._next_tick = self.now() + 1.0

            # Look at the same latents again, and keep the model.
            by_the_clock = self.look_every_samples is None and self.now() >= self._next_look
            if by_the_clock or self._completed(self.look_every_samples):
                self._look()
                self._snapshot()
                self._next_look = self.now() + self._look_interval()

            # Keep what going on needs.
            self._settle()
            if self.now() >= self._next_save:
                self._save()
            ending = self._ending()
        return ending

    def _close(self, ending: Ending) -> Ended:
        """Save, and leave a last look and the model to keep; who is told to hurry saves only."""
        if self.state.step > self._saved_step:
            self._save()
        self._settle(wait=True)
        if ending != "preempted":
            # The last word is that of the best-estimated average generator.
            if ending == "finished" and self.config.scoring.every_samples and not self._scored_now():
                self._score()
            self._look(final=True)
            if self._recent:
                self._tick()
            self._snapshot()
            self._keep_finally()
        elif self._selection.kept is None:
            self.events.emit(Kept(self.state.step, self.model().copy()))
        self._seconds = self.now() - self._started
        return self._ended(ending, self._seconds)

    def _take_another_way(self, error: DivergedError) -> None:
        """Back to the last good copy, with other draws from there on; the error again when that was tried enough."""
        step, attempt = self.state.step, self.state.attempt
        self._go_back(error.what)
        if self._went_back == TRIES:
            if self._selection.kept is None:
                self.events.emit(Kept(self.state.step, self.model().copy()))
            self._seconds = self.now() - self._started
            why = f"{error.why}; going back {TRIES} times, to take the data in another order, did not help"
            raise DivergedError(error.code, error.what, why=why, hints=error.hints)
        self._went_back += 1
        self.state.attempt = attempt + 1
        self.events.emit(
            Warned(
                f"{error.what}; went back from step {step:,} to step {self.state.step:,}, to take the data in another order"
                f" ({self._went_back} of {TRIES} times)"
            )
        )

    def _use_less_memory(self) -> None:
        """Back to the last good copy, with each batch in twice as many parts."""
        self.config = self.config.in_smaller_parts()
        give_back(self.config.device)
        self._go_back("out of memory")
        self.events.emit(Reconfigured(self.config))
        self.events.emit(Warned(f"out of memory; {self.config.parts_in_words}"))

    def _go_back(self, why: str) -> None:
        """The last good copy becomes the state again; the attempt that it was of, too."""
        self._saver.settle(wait=True)
        good, step = self._saver.good, self.state.step
        assert good is not None
        for network in (self.state.generator, self.state.discriminator):
            network.requires_grad_(False)
        good.restore(self.state)
        crew.begin(self.config, self.state)
        self._recent.clear()
        self._pace.clear()
        self._saved_step = self.state.step
        self.events.emit(WentBack(step, self.state.step, why))

    @property
    def kept(self) -> Model:
        """The best model by its score, or the latest one of a run that was not scored."""
        return self._selection.kept or self.model()

    def model(self) -> Model:
        """The average generator as a model; its weights are shared with the state, which goes on changing."""
        seconds = self._seconds or self.now() - self._started
        scored = self._selection.scores[-1] if self._scored_now() else None
        return model_of(self.state, self.config, self.spec, self.dataset, self.split, seconds, scored)

    def _scored_now(self) -> bool:
        scores = self._selection.scores
        return bool(scores) and scores[-1].step == self.state.step

    def _due_score(self) -> bool:
        return self.state.step > 0 and self._completed(self.config.scoring.every_samples or None)

    def _ending(self) -> Ending | None:
        if self.stop:
            return "preempted" if self.stop.hurried else "stopped"
        if self._selection.out_of_patience:
            return "finished"
        if self.deadline is not None and self.state.step > 0:  # one step at least, however little time there was
            return "finished" if self.now() + self._closing_seconds() >= self.deadline else None
        return "finished" if self.state.samples_seen >= self.config.total_samples else None

    def _closing_seconds(self) -> float:
        """What the last look (with more draws than the earlier ones), the last snapshot and leaving will take."""
        look = self._look_seconds * STATISTICS_BATCHES / LOOK_STATISTICS_BATCHES
        return look + self._score_seconds + self._snapshot_seconds + self._save_seconds + 1.0

    def _ended(self, ending: Ending, seconds: float) -> Ended:
        share = self.state.samples_seen / max(1, self.config.total_samples)
        if ending in ("stopped", "preempted"):
            why = f"asked to stop ({self.stop.signal_name}), after {share:.0%} of the planned samples"
        elif self._selection.out_of_patience:
            why = f"no score of the last {self.config.scoring.patience} was better, after {share:.0%} of the planned samples"
        elif self.deadline is None:
            why = "all planned samples were seen"
        else:
            why = f"the time is up, after {share:.0%} of the samples that its first seconds promised"
        kept_step = self._selection.kept_step(self.state.step)
        return Ended(ending, why, self.state.step, self.state.samples_seen, seconds, self._health, kept_step)

    def _tick(self) -> None:
        """Read the numbers since the last tick (the only place that waits for the device) and emit progress."""
        names = {name for report in self._recent for name in report}
        gathered = {name: torch.stack([r[name] for r in self._recent if name in r]).mean() for name in sorted(names)}
        self._recent.clear()
        numbers = {name: float(value) for name, value in gathered.items()}
        if not all(math.isfinite(value) for value in numbers.values()):
            raise self._diverged(", ".join(name for name, value in numbers.items() if not math.isfinite(value)))
        now, seen = self.now(), self.state.samples_seen
        self._pace.append((now, seen))
        (then, seen_then), total = self._pace[0], self.config.total_samples
        rate = (seen - seen_then) / max(now - then, 1e-9)
        left = (total - seen) / max(rate, 1e-9) if self.deadline is None else max(0.0, self.deadline - now)
        strength = self.config.augmentation_strength
        adaptive = strength if isinstance(strength, Adaptive) else None
        self._gaps.append(numbers["real_logits"] - numbers["fake_logits"])
        self._health = diagnose(numbers, self._variety, seen, self._by_heart, adaptive, tuple(self._gaps))
        self.events.emit(
            Progress(
                step=self.state.step,
                samples_seen=seen,
                total_samples=total,
                elapsed_seconds=now - self._started,
                seconds_left=left,
                records_per_second=rate,
                epoch=self._epoch(),
                health=self._health,
                diversity=self._variety.diversity,
                by_heart=self._by_heart,
                numbers=numbers,
                epoch_ended=self._epoch_ended(),
            )
        )
        complaint = [f"{self._health}: {ADVICE[self._health]}"] if self._health in ADVICE else []
        compiled = self.state.compiled
        failed = [compiled.failure] if compiled is not None and compiled.failure else []
        for text in (*complaint, *failed, *self.dataset.notes):
            self._warn_once(text)

    def _look(self, final: bool = False) -> None:
        """Draw the fixed latents with the average generator."""
        began = self.now()
        batches = STATISTICS_BATCHES if final else LOOK_STATISTICS_BATCHES
        self.state.average.estimate_statistics(self.config.seed, self.config.device, batches)
        samples = self._view.samples(self.model(), self.config.seed)
        if not bool(samples.isfinite().all()):
            raise self._diverged("what the generator makes")
        self._variety.diversity = self._view.diversity(samples)
        if self._held_out is not None:
            self._by_heart = learned_by_heart(self.state, self.config, self.spec, self._batches, self._held_out)
        codec = self.dataset.codec
        made = codec.decode(samples)
        shown = codec.preview(made, COLUMNS), codec.lines(made), codec.aloud(made)
        self.events.emit(Pictures(self.state.step, self._epoch(), *shown))
        self._looked_step = self.state.step
        self._look_seconds = self.now() - began

    def _diverged(self, what: str) -> DivergedError:
        return DivergedError(
            "E-TRAIN-01",
            f"training diverged at step {self.state.step:,}: {what} is no longer a finite number",
            why="the two networks pushed each other out of range; the last saved model is from before",
            hints=("another --seed", "--precision fp32"),
        )

    def _snapshot(self) -> None:
        began = self.now()
        model = self.model()
        self.events.emit(Snapshot(self.state.step, self._epoch(), model))
        if self._selection.kept is None:
            self.events.emit(Kept(self.state.step, model.copy()))
        self._snapshot_seconds = self.now() - began

    def _save(self) -> None:
        """Copy the state, and have the copy checked and written while training goes on."""
        self._settle(wait=True)
        began = time.perf_counter()
        memory = Memory(
            seconds=self.now() - self._started,
            scores=tuple(self._selection.scores),
            gaps=self._selection.gaps,
            recall=self._variety.recall,
            best_recall=self._variety.best_recall,
            warned=tuple(sorted(self._warned)),
        )
        self._saver.save(self.state, memory, self._selection.kept)
        self._saved_step = self.state.step
        self._save_seconds = time.perf_counter() - began
        self._next_save = self.now() + CHECKPOINT_SECONDS

    def _settle(self, wait: bool = False) -> None:
        """Hear what became of the last copy; one that is not finite is never written."""
        saved = self._saver.settle(wait)
        if saved is None:
            return
        if saved.broken:
            raise self._diverged(saved.broken)
        self._save_seconds += saved.seconds
        self._next_save = max(self._next_save, self.now() + self._save_seconds / CHECKPOINT_SHARE)
        if saved.error is not None:
            why = saved.error.strerror or str(saved.error)
            self._warn_once(f"could not write a checkpoint ({why}); training goes on, and the older ones stay as they are")
        elif self.commit is not None:
            self.events.emit(Checkpointed(saved.step))

    def _score(self) -> None:
        """Score the average generator; a metric that fails does not end the run."""
        began = self.now()
        self.state.average.estimate_statistics(self.config.seed, self.config.device, LOOK_STATISTICS_BATCHES)
        try:
            scored = self._selection.consider(self.model(), self.state.step, self.state.samples_seen, self.now, self.stop)
        except Stopped:
            return
        except FloatingPointError:
            raise self._diverged("what the generator makes") from None
        except Exception as error:
            self._warn_once(f"the model could not be scored ({type(error).__name__}: {error}); training goes on")
            return
        self._variety.add_recall(scored.recall)
        self._score_seconds = self.now() - began
        self.events.emit(scored)
        if scored.kept and self._selection.kept is not None:
            self.events.emit(Kept(scored.step, self._selection.kept))

    def _keep_finally(self) -> None:
        """Give the kept model statistics of as many draws as the last one has."""
        if self._selection.kept is None:
            return
        kept = self._selection.kept = self._selection.kept.copy()
        estimate_generator_statistics(kept.generator, self.spec.conditions, self.config.seed, self.config.device)
        self.events.emit(Kept(self._selection.kept_step(self.state.step), kept))

    def _warn_once(self, text: str) -> None:
        sentence = text.lstrip("0123456789, ")  # a count goes up; its sentence is said once
        if sentence not in self._warned:
            self._warned.add(sentence)
            self.events.emit(Warned(text))

    def _look_interval(self) -> float:
        """Looks are spread over the run, and never take more than a thirtieth of its time."""
        share = self.state.samples_seen / max(self.config.total_samples, 1)
        if self.deadline is not None:
            expected = self.deadline - self._started
        else:
            expected = (self.now() - self._started) / share if share > 0 else 0.0
        return max(FIRST_LOOK_SECONDS, expected / LOOKS_PER_RUN, 30 * (self._look_seconds + self._snapshot_seconds))

    def _epoch(self) -> float | None:
        """Passes over the data so far; an endless stream has none."""
        return None if self.dataset.endless else self.state.samples_seen / len(self.dataset)

    def _epoch_ended(self) -> bool:
        """Whether the last step completed a pass, where that is to be told."""
        return self.epochs and self._completed(len(self.dataset))

    def _completed(self, samples: float | None) -> bool:
        """Whether the last step completed so many samples once more."""
        now = self.state.samples_seen
        return samples is not None and now // samples > (now - self.config.samples_per_step) // samples
