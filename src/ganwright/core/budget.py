"""How long to train, in the user's words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from ganwright.core.errors import UsageError

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_WORDS = {"seconds": "a time", "epochs": "a number of epochs", "steps": "a number of steps", "images": "a number of images"}
_THOUSANDS = {"": 1, "k": 1_000, "m": 1_000_000, "g": 1_000_000_000}


@dataclass(frozen=True)
class Budget:
    """At most one of the four is given; none means the recipe's own length."""

    seconds: float | None = None
    """Wall-clock time of the whole command: reading the data, planning, training, saving."""
    epochs: float | None = None
    """Passes over the data."""
    steps: int | None = None
    """Training steps: one discriminator and one generator turn each."""
    images: int | None = None
    """Records shown to the discriminator, repeats counted."""

    def __post_init__(self) -> None:
        given = {name: value for name, value in vars(self).items() if value is not None}
        if len(given) > 1:
            raise UsageError("E-BUDGET-01", f"{' and '.join(_WORDS[name] for name in given)} were given: choose one")
        for name, value in given.items():
            if not 0 < value < float("inf"):
                raise UsageError("E-BUDGET-02", f"{name} must be above zero, not {value}")


def parse_duration(text: str) -> float:
    """Seconds in "90", "90s", "20m", "1.5h", "1h30m" or "2d".

    Raises:
        UsageError: it is none of these.
    """
    compact = text.strip().lower().replace(" ", "")
    if re.fullmatch(r"\d+(\.\d+)?", compact):
        return float(compact)
    parts = re.findall(r"(\d+(?:\.\d+)?)([smhd])", compact)
    if not parts or "".join(number + unit for number, unit in parts) != compact:
        raise UsageError("E-BUDGET-03", f"{text!r} is no duration", hints=("write 90s, 20m, 1h30m or 2d",))
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def parse_count(text: str) -> int:
    """The whole number in "5000", "5_000", "5k", "1.5M" or "2e6".

    Raises:
        UsageError: it is none of these.
    """
    compact = text.strip().lower().replace("_", "")
    # A comma parts thousands only: "1,5k" may mean 1.5 thousand to its writer, and is refused.
    compact = compact.replace(",", "") if re.fullmatch(r"\d{1,3}(,\d{3})+", compact) else compact
    match = re.fullmatch(r"(\d+(?:\.\d+)?(?:e\d{1,2})?)([kmg]?)", compact)
    count = Decimal(match[1]) * _THOUSANDS[match[2]] if match else Decimal("NaN")
    if match is None or count != int(count):
        raise UsageError("E-BUDGET-04", f"{text!r} is no count", hints=("write 5000, 50k or 2M",))
    return int(count)


def format_duration(seconds: float) -> str:
    """Seconds for people, two units at most: "45 s", "12 m 30 s", "2 h 10 m"."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        minutes, rest = divmod(whole, 60)
        return f"{minutes} m {rest:02d} s" if rest else f"{minutes} m"
    hours, minutes = divmod(round(whole / 60), 60)
    return f"{hours} h {minutes:02d} m" if minutes else f"{hours} h"
