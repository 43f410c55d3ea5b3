"""What an evaluation found, as plain values that a file can hold."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from ganwright.core.config import from_plain
from ganwright.core.errors import DataError
from ganwright.core.text import in_shell
from ganwright.metrics.parts.measurement import Measurement
from ganwright.runtime.files import write_atomically

FILE = "evaluation.json"
VERSION = 1


@dataclass(frozen=True)
class ColumnPlot:
    """How a column of a table is spread in the data and in samples."""

    name: str
    kind: str
    """For people: "whole", "category"."""
    form: Literal["histogram", "bars"]
    texts: tuple[str, ...]
    """The two ends of a histogram, or what each bar stands for."""
    real: tuple[float, ...]
    """Share of training rows in each part; missing numbers are left out."""
    fake: tuple[float, ...]
    """The same of samples."""


@dataclass(frozen=True)
class Evaluation:
    """Samples held against real records."""

    subject: str
    """What made the samples: a model's path, or a folder of samples."""
    data: str
    """What they were held against."""
    data_fingerprint: str
    """Of the real records, held-out ones included."""
    features: str
    """The identity of the features: figures compare only within one."""
    about_features: str
    """The same in a sentence."""
    counts: dict[str, int]
    """Records that were looked at: "train", "held_out", "samples"."""
    seed: int
    """Of the samples and of every random choice."""
    measurements: dict[str, Measurement]
    """By name, in the order in which they are told."""
    failed: dict[str, str] = field(default_factory=dict)
    """Why a metric could not be measured, by its name."""
    by_class: dict[str, dict[str, float]] = field(default_factory=dict)
    """Numbers about each class, by its name: "share", "real_share", "kernel_distance", "agreement"."""
    by_column: dict[str, dict[str, float]] = field(default_factory=dict)
    """Of a table: numbers about each column, by its name: "alike", "alike_as_many", "real", "missing", "real_missing"."""
    by_pair: dict[str, dict[str, float]] = field(default_factory=dict)
    """The same of the pairs of columns that are least alike, those first."""
    plots: tuple[ColumnPlot, ...] = ()
    """What the plots of a table's columns show."""
    lines: tuple[str, ...] = ()
    """Of texts: the first samples."""
    nearest_lines: tuple[tuple[str, str], ...] = ()
    """Of texts: samples, each with the training text nearest to it, those most like copies first."""
    notes: tuple[str, ...] = ()
    """What a reader must know, in sentences: verdicts first."""
    samples_seen: int = 0
    """In training, by the model that made the samples; 0 where nobody knows."""
    seconds: float = 0.0
    made: str = ""
    """When, in ISO 8601."""
    versions: dict[str, str] = field(default_factory=dict)
    """Of what the figures depend on besides."""

    @property
    def same_scale(self) -> tuple[Any, ...]:
        """What two evaluations must share for their figures to be compared: features, data and counts."""
        return self.features, self.data_fingerprint, tuple(sorted(self.counts.items()))

    def plain(self) -> dict[str, Any]:
        """JSON values."""
        return {"version": VERSION, **asdict(self)}

    def write(self, folder: Path) -> Path:
        """evaluation.json in `folder`; gives back its path."""
        text = json.dumps(self.plain(), indent=2, ensure_ascii=False, allow_nan=False)
        write_atomically(folder / FILE, (text + "\n").encode())
        return folder / FILE

    @classmethod
    def read(cls, folder: Path) -> Evaluation:
        """The evaluation that was written to `folder`.

        Raises:
            DataError: there is none, or it is not one that `write` gives.
        """
        path = folder / FILE
        try:
            plain = json.loads(path.read_text(encoding="utf-8"))
            if plain.pop("version") != VERSION:
                raise ValueError("it is of another version")
            return from_plain(cls, plain, FILE)
        except FileNotFoundError:
            hints = (f"ganwright evaluate {in_shell(folder)}",)
            raise DataError("E-EVALUATE-01", f"{folder} has not been evaluated", hints=hints) from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise DataError("E-EVALUATE-02", f"{path} cannot be read", why=str(error)) from error
