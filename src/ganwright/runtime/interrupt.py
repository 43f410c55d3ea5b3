"""Ctrl-C, and what schedulers and closed terminals send, as a request to save and stop, polled between steps."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

ASKING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1")
"""What people, schedulers and terminals send; Windows knows the first two."""


class Stopped(Exception):
    """Work was left because someone asked to stop."""


@dataclass
class StopRequest:
    """Whether someone asked to stop, and how."""

    signal_name: str = ""

    def __bool__(self) -> bool:
        return bool(self.signal_name)

    @property
    def hurried(self) -> bool:
        """Whether whoever asked will not wait long: anyone but a person at a keyboard."""
        return self.signal_name not in ("", "SIGINT")

    def heed(self) -> None:
        """For work that takes long and that can be done again.

        Raises:
            Stopped: someone asked to stop.
        """
        if self:
            raise Stopped


@contextmanager
def watched(handle: bool) -> Generator[StopRequest]:
    """`stop_on_signals`, or a request that nobody makes, where signals are somebody else's business."""
    if not handle:
        yield StopRequest()
        return
    with stop_on_signals() as stop:
        yield stop


@contextmanager
def stop_on_signals() -> Generator[StopRequest]:
    """Turn the first of each of these signals into a request; the second of its kind acts at once, as it did before.

    A SIGHUP that the process was told to ignore stays ignored (`nohup`). In a thread other than the main one Python takes no
    signals, and the request is never set.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    known = [signal.Signals[name] for name in ASKING if name in signal.Signals.__members__]
    handlers = {number: signal.getsignal(number) for number in known}
    ignored = [number for number in known if number.name == "SIGHUP" and handlers[number] is signal.SIG_IGN]
    previous = {number: handler for number, handler in handlers.items() if number not in ignored}

    def ask(number: int, frame: FrameType | None) -> None:
        request.signal_name = signal.Signals(number).name
        signal.signal(number, previous[signal.Signals(number)])

    for number in previous:
        signal.signal(number, ask)
    try:
        yield request
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
