"""How the training loop speaks: it emits events, and whoever subscribed decides what to show or store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

Subscriber = Callable[[object], None]


@dataclass
class Events:
    """A list of subscribers; each gets every event, in order, and picks those it knows by their type."""

    subscribers: list[Subscriber] = field(default_factory=list)

    def emit(self, event: object) -> None:
        """Hand `event` to every subscriber."""
        for subscriber in self.subscribers:
            subscriber(event)
