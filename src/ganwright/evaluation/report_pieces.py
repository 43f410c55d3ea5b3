"""What a report is made from: whatever lies in the folder and can be read. What cannot be is named, never raised."""

from __future__ import annotations

import io
import json
import tomllib
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from PIL import Image

from ganwright.core.config import from_plain
from ganwright.core.errors import GanwrightError
from ganwright.data.report import DataReport
from ganwright.evaluation.result import FILE, Evaluation

MOST_BYTES = 30_000_000
"""Of one file: more makes a page that browsers struggle with."""
READABLE = (".png",)
T = TypeVar("T")


@dataclass(frozen=True)
class Picture:
    """A PNG file that was opened once and found whole."""

    name: str
    """Its path within the folder."""
    content: bytes
    width: int
    height: int


@dataclass(frozen=True)
class Recording:
    """A WAV file whose header was looked at."""

    name: str
    content: bytes


@dataclass(frozen=True)
class ScoreLine:
    """A line of scores.jsonl: how good the samples were at one step of training."""

    step: int
    samples_seen: int
    frechet: float | None = None
    recall: float | None = None
    diversity: float | None = None
    kept: bool = False
    """Whether its model was the one that was kept from then on."""


@dataclass
class Pieces:
    """All that was found in `folder`; None or empty for what is missing or damaged."""

    folder: Path
    evaluation: Evaluation | None = None
    nearest: Picture | None = None
    grid: Picture | None = None
    samples: Picture | None = None
    """The last that training drew."""
    nearest_aloud: Recording | None = None
    grid_aloud: Recording | None = None
    samples_aloud: Recording | None = None
    """The same to be heard, where that is possible."""
    curves: Picture | None = None
    config: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    """The same, parsed."""
    data: DataReport | None = None
    status: dict[str, Any] = field(default_factory=dict)
    scores: list[ScoreLine] = field(default_factory=list)
    card: str = ""
    troubles: list[str] = field(default_factory=list)
    """What is there but could not be read, in sentences."""

    def setting(self, name: str, kind: type[T]) -> T | None:
        """A setting of the training; None where it is not there or of another type."""
        value = table(self.settings, "train").get(name)
        return value if isinstance(value, kind) and not isinstance(value, bool) else None


def read_pieces(folder: Path) -> Pieces:
    """Everything in `folder` that a report shows."""
    pieces = Pieces(folder)

    def attempt(name: str, read: Callable[[Path], T], missing: T) -> T:
        path = folder / name
        if not path.is_file():
            return missing
        try:
            return read(path)
        # Files may be anyone's: nested too deep, or with numbers too large for a float.
        except (OSError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
            why = error.why or error.what if isinstance(error, GanwrightError) else str(error) or type(error).__name__
            pieces.troubles.append(f"{name} is left out, it cannot be read: {why}")
            return missing

    pieces.evaluation = attempt(FILE, lambda path: Evaluation.read(path.parent), None)
    for name in ("nearest", "grid", "curves"):
        setattr(pieces, name, attempt(f"{name}.png", read_picture, None))
    if last := last_samples(folder):
        pieces.samples = attempt(f"samples/{last.name}", read_picture, None)
        pieces.samples_aloud = attempt(f"samples/{last.stem}.wav", read_recording, None)
    for name in ("nearest", "grid"):
        setattr(pieces, f"{name}_aloud", attempt(f"{name}.wav", read_recording, None))
    pieces.config, pieces.settings = attempt("config.toml", _toml, ("", {}))
    pieces.data = attempt("data_report.json", lambda path: from_plain(DataReport, _json(path)), None)
    pieces.status = attempt("status.json", _json, {})
    pieces.scores = attempt("scores.jsonl", _scores, [])
    pieces.card = attempt("MODEL_CARD.md", _text, "")
    return pieces


def last_samples(folder: Path) -> Path | None:
    """The last grid that training drew: file names begin with the step, in six digits."""
    inside = folder / "samples"
    try:
        found = [path for path in inside.iterdir() if path.suffix.lower() in READABLE and not path.name.startswith(".")]
    except OSError:
        return None
    return max(found, key=lambda path: path.name, default=None)


def read_picture(path: Path) -> Picture:
    """The PNG file at `path`, looked at to its end.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no PNG, or damaged, or too large.
    """
    content = _content(path)
    try:
        # Decoded once: a picture that ends too early would show as a broken one.
        with warnings.catch_warnings(), Image.open(io.BytesIO(content), formats=["PNG"]) as picture:
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture.load()
            return Picture(path.name, content, picture.width, picture.height)
    except MemoryError:
        raise
    except Exception as error:  # Decoders raise whatever the bytes lead them to.
        raise ValueError("it is no whole PNG picture") from error


def read_recording(path: Path) -> Recording:
    """The WAV file at `path`.

    Raises:
        OSError: it cannot be read.
        ValueError: it is none, or too large.
    """
    content = _content(path)
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise ValueError("it is no WAV file")
    return Recording(path.name, content)


def table(values: dict[str, Any], name: str) -> dict[str, Any]:
    """The table `name` within `values`; an empty one where it is none."""
    found = values.get(name)
    return found if isinstance(found, dict) else {}


def _content(path: Path) -> bytes:
    if (size := path.stat().st_size) > MOST_BYTES:
        raise ValueError(f"it has {size / 1e6:,.0f} MB")
    return path.read_bytes()


def _text(path: Path) -> str:
    return _content(path).decode("utf-8")


def _json(path: Path) -> dict[str, Any]:
    value = json.loads(_text(path))
    if not isinstance(value, dict):
        raise ValueError("it holds no JSON object")
    return value


def _toml(path: Path) -> tuple[str, dict[str, Any]]:
    text = _text(path)
    return text, tomllib.loads(text)


def _scores(path: Path) -> list[ScoreLine]:
    """One for each line that is whole; a run that was killed leaves the last one cut."""
    found: list[ScoreLine] = []
    known = ScoreLine.__dataclass_fields__
    for line in _text(path).splitlines():
        try:
            plain = json.loads(line)
            found.append(from_plain(ScoreLine, {name: value for name, value in plain.items() if name in known}))
        except (ValueError, TypeError, AttributeError, ArithmeticError, RecursionError):
            continue
    if not found:
        raise ValueError("it has no line that is one of scores")
    return found
