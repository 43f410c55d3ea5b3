"""Where the networks of a run began, when they were not made anew."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Origin:
    """A model that a run was started from."""

    model: str
    """The name of its file, or of its run and the step."""
    fingerprint: str
    """SHA-256 of the file that the weights were read from, in hex."""
    data: str = ""
    """What that model was trained on, by name."""
