"""A run under way: who listens to it, who writes it down, and its training to the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ganwright.core.errors import DivergedError
from ganwright.data.held_out import Split
from ganwright.milestones import Preparing
from ganwright.model.model import Model
from ganwright.resuming import GoingOn, environment
from ganwright.runtime.events import Events, Subscriber
from ganwright.runtime.group import group
from ganwright.runtime.interrupt import watched
from ganwright.training.config import TrainConfig
from ganwright.training.events import Ended, Progress, Scored, WentBack
from ganwright.training.loop import Loop
from ganwright.training.recorder import Recorder
from ganwright.training.request import Request
from ganwright.training.run_folder import RunFolder
from ganwright.training.state import TrainState


class Course:
    """What becomes of one call of `fit` or `resume`."""

    def __init__(self, subscribers: Sequence[Subscriber], handle_signals: bool) -> None:
        self.history: list[Progress] = []
        self.scores: list[Scored] = []
        self.model: Model | None = None
        """What was kept; None before the end, and of a run that failed unless it left the range of numbers."""
        self.events = Events([*subscribers, self._remember])
        self.recorder: Recorder | None = None
        self._handle_signals = handle_signals

    def preparing(self) -> Callable[[str, int, int], None]:
        """What is told of reading the data."""
        return lambda what, done, total: self.events.emit(Preparing(what, done, total))

    def record(self, folder: RunFolder | None, config: TrainConfig, split: Split, request: Request) -> Recorder | None:
        """Whoever writes the run into its folder, from now on; None where it has none."""
        if folder is not None:
            about = environment(config, split.train)
            self.recorder = Recorder(folder, self.events, about, request.keep_discriminator, request.keep)
            self.events.subscribers.append(self.recorder)
        return self.recorder

    def train(
        self,
        config: TrainConfig,
        split: Split,
        request: Request,
        deadline: float | None,
        state: TrainState,
        start: GoingOn | None = None,
    ) -> tuple[Ended, TrainConfig, str]:
        """Train `state` to the end, with what is known from before it was interrupted.

        Returns: how it ended, the config that it ended with, and the signal that ended it, "" for none.
        """
        start = start or GoingOn()
        recorder = self.recorder
        with watched(self._handle_signals) as stop:
            loop = Loop(
                config,
                split.train,
                state,
                self.events,
                stop,
                deadline=deadline,
                epochs=request.epochs,
                look_every_samples=request.look_every_samples,
                split=split,
                commit=recorder.commit if recorder is not None and not split.train.endless else None,
                memory=start.memory,
                kept_so_far=start.kept,
            )
            if (us := group()) is not None:
                us.asked = stop
                if recorder is not None:
                    us.last_words.append(lambda error: recorder.failed(error, loop.state))
            try:
                ended = loop.run()
            except BaseException as error:
                if isinstance(error, DivergedError):
                    self.model = loop.kept
                if recorder is not None:
                    recorder.failed(error, loop.state)
                raise
            finally:
                if recorder is not None:
                    recorder.close()
        self.model = loop.kept
        return ended, loop.config, stop.signal_name

    def _remember(self, event: object) -> None:
        if isinstance(event, Progress):
            self.history.append(event)
        if isinstance(event, Scored):
            self.scores.append(event)
        if isinstance(event, WentBack):
            self.history[:] = [each for each in self.history if each.step <= event.to_step]
