"""Copies of the state that a run can go back to, checked and written while it goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from ganwright.model.model import Model
from ganwright.runtime.background import background_thread
from ganwright.training.checkpoint import Checkpoint
from ganwright.training.memory import Memory
from ganwright.training.state import TrainState

Commit = Callable[[Checkpoint, Memory, Model | None], object]
"""Writes a checkpoint with what the loop knows and the model to keep so far; raises OSError where the disk refuses."""


@dataclass(frozen=True)
class Saved:
    """What became of a copy."""

    step: int
    broken: str = ""
    """A tensor that is not finite: then nothing was written, and the copy was thrown away."""
    error: OSError | None = None
    """Why it was not written."""
    seconds: float = 0.0
    """That checking and writing took, beside the training."""


class Saver:
    """Holds the last good copy, and has each new one checked and written in a thread of its own, one after another."""

    def __init__(self, commit: Commit | None) -> None:
        """Where to write, or None to hold copies only."""
        self.good: Checkpoint | None = None
        """The newest copy that was found finite."""
        self._commit = commit
        self._spare: Checkpoint | None = None
        self._pending: tuple[Checkpoint, Future[Saved]] | None = None
        self._thread = background_thread("ganwright-saver")

    @property
    def busy(self) -> bool:
        """Whether a copy is not settled yet."""
        return self._pending is not None

    def hold(self, state: TrainState) -> None:
        """Take a copy as the good one, as it is; nothing is written."""
        self.good = Checkpoint.of(state)

    def save(self, state: TrainState, memory: Memory, kept: Model | None) -> None:
        """Copy the state and begin to check and write it; the copy before must be settled. `kept` must not change."""
        assert not self.busy
        copy = Checkpoint.of(state, self._spare)
        self._spare = None
        self._pending = copy, self._thread.submit(self._write, copy, memory, kept)

    def settle(self, wait: bool = False) -> Saved | None:
        """What became of the copy under way, once it is known; None before, or where there is none."""
        if self._pending is None or not (wait or self._pending[1].done()):
            return None
        (copy, future), self._pending = self._pending, None
        saved = future.result()
        if saved.broken:
            self._spare = copy
        else:
            self._spare, self.good = self.good, copy
        return saved

    def close(self) -> None:
        """Wait for what is being written."""
        self._thread.shutdown()

    def _write(self, copy: Checkpoint, memory: Memory, kept: Model | None) -> Saved:
        began, step = time.perf_counter(), int(copy.facts["step"])
        if broken := copy.broken:
            return Saved(step, broken=broken[0])
        try:
            if self._commit is not None:
                self._commit(copy, memory, kept)
        except OSError as error:
            return Saved(step, error=error, seconds=time.perf_counter() - began)
        return Saved(step, seconds=time.perf_counter() - began)
