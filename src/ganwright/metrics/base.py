"""A measure: a function of what is known of real and generated records."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

import numpy as np
import torch
from torch import Tensor

from ganwright.core.config import Part
from ganwright.core.registry import Registry
from ganwright.data.series.values import SeriesValues
from ganwright.data.spec import Condition
from ganwright.data.table_rows import TableRows
from ganwright.data.texts.lines import Texts
from ganwright.metrics.parts.coded import Coded, coded
from ganwright.metrics.parts.measurement import Better, Measurement
from ganwright.metrics.parts.subsets import LARGEST, error_at, subset_share, subsets
from ganwright.runtime.keys import Key

METRICS = Registry("metric", "ganwright.metrics")
NEIGHBOURS_SUBSET = 1_250
"""Samples in a subset at most where shares of records are counted: these always scatter as the root of 1/n, so a smaller
subset tells their error as well, and four times as quickly."""


class Takeable(Protocol):
    """Records of which some can be taken."""

    def __len__(self) -> int: ...

    def take(self, places: Any) -> Self: ...


Natural = TypeVar("Natural", bound=Takeable)


class NotMeasurable(Exception):
    """What was asked for cannot be measured on this evidence; its text says why, in half a sentence for people."""


@dataclass(frozen=True)
class Described:
    """Records as measures see them."""

    features: Tensor
    """(N, D) float32 on the CPU, in an order that means nothing: the first n are a random n of them."""
    labels: np.ndarray | None = None
    """int64 (N,): places in the condition's classes, -1 for unknown; of samples, the class that was asked for. None without
    classes, and for samples of a model that is not told any."""
    rows: TableRows | None = None
    """Of a table: the same records in natural values."""
    texts: Texts | None = None
    """Of texts: the same records as strings."""
    series: SeriesValues | None = None
    """Of time series: likewise."""

    def __len__(self) -> int:
        return len(self.features)

    def first(self, count: int) -> Described:
        """The first `count` of them."""
        labels = None if self.labels is None else self.labels[:count]
        rows = None if self.rows is None else self.rows.take(slice(count))
        texts = None if self.texts is None else self.texts.take(slice(count))
        series = None if self.series is None else self.series.take(slice(count))
        return Described(self.features[:count], labels, rows, texts, series)


@dataclass(frozen=True)
class Tables:
    """The rows of all records in one coding."""

    train: Coded
    fake: Coded
    held_out: Coded | None


@dataclass(frozen=True)
class AllTexts:
    """The texts of all records."""

    train: Texts
    fake: Texts
    held_out: Texts | None


@dataclass(frozen=True)
class AllSeries:
    """All records as time series."""

    train: SeriesValues
    fake: SeriesValues
    held_out: SeriesValues | None


@dataclass(frozen=True)
class Evidence:
    """All that a measure may look at."""

    train: Described
    """Real records, those that the generator learned from where that is known."""
    fake: Described
    """Samples."""
    held_out: Described | None = None
    """Other real records."""
    unseen: bool = False
    """Whether it is known that the generator learned from `train` and not from `held_out`: only then copying can be told."""
    condition: Condition | None = None
    """What `labels` mean."""
    seed: int = 0
    """Every random choice follows from it."""

    @cached_property
    def tables(self) -> Tables:
        """The rows.

        Raises:
            NotMeasurable: the records are none.
        """
        sides = [self.train, self.fake, *([self.held_out] if self.held_out is not None else [])]
        rows = [side.rows for side in sides if side.rows is not None]
        if len(rows) < len(sides):
            raise NotMeasurable("the records are no rows with columns")
        train, fake, *held_out = coded(*rows)
        return Tables(train, fake, held_out[0] if held_out else None)

    @property
    def texts(self) -> AllTexts:
        """The texts.

        Raises:
            NotMeasurable: the records are none.
        """
        train, fake = self.train.texts, self.fake.texts
        if train is None or fake is None:
            raise NotMeasurable("the records are no texts")
        return AllTexts(train, fake, None if self.held_out is None else self.held_out.texts)

    @property
    def series(self) -> AllSeries:
        """The series.

        Raises:
            NotMeasurable: the records are none.
        """
        train, fake = self.train.series, self.fake.series
        if train is None or fake is None:
            raise NotMeasurable("the records are no time series")
        return AllSeries(train, fake, None if self.held_out is None else self.held_out.series)


class Metric(Part, ABC):
    """A frozen dataclass of settings that measures evidence."""

    registry = METRICS

    @abstractmethod
    def measure(self, evidence: Evidence) -> dict[str, Measurement]:
        """Measurements by name.

        Raises:
            NotMeasurable: the evidence does not allow it.
        """


class Comparison(Metric):
    """A measure that is a function of two sets of features: intervals and floors are made here, the same way for all.

    The standard error at n samples comes from random subsets of m < n drawn without replacement (Politis and Romano 1994,
    doi:10.1214/aos/1176325770): their variance times m / (n - m), with the same share of both sides. Drawing with
    replacement would repeat records, which breaks measures that look at neighbours, and shrinks covariances. The floor puts
    held-out real records in the samples' place; where there are fewer of them, the samples are measured at that number too,
    since most of these measures depend on it.
    """

    equal_counts: ClassVar[bool] = True
    """Whether as many real records as samples are taken; otherwise all of them are."""
    fewest: ClassVar[int] = 10
    """Records of each side that it needs."""
    largest_subset: ClassVar[int] = LARGEST
    """Samples in a subset at most. Where there is no difference, a distance scatters as 1/n, and not as its root: its error
    is then told too large by about the root of n/m + 1, so m is half of n where that is affordable."""
    better: ClassVar[dict[str, Better]]
    """What is better, of each measurement by name."""

    @property
    @abstractmethod
    def protocol(self) -> str:
        """How it is measured, in one sentence."""

    @abstractmethod
    def compare(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        """The measurements of fake (M, D) against real (N, D) features; deterministic."""

    def compare_subsets(self, real: Tensor, fake: Tensor, drawn: Sequence[tuple[Tensor, Tensor]]) -> list[dict[str, float]]:
        """The same of subsets, given as int64 places of both: of all that is looked at, where that is quicker at once."""
        return [self.compare(real[some_real], fake[some_fake]) for some_real, some_fake in drawn]

    def measure(self, evidence: Evidence) -> dict[str, Measurement]:
        train, fake, held_out = evidence.train.features, evidence.fake.features, evidence.held_out
        self._require(len(train), len(fake))
        key = Key(evidence.seed, turn="metrics")
        values = self.compare(self._reference(train, len(fake)), fake)
        errors = self._errors(train, fake, key)
        floors: dict[str, float] = {}
        floor_errors: dict[str, float | None] = {}
        at_floor: dict[str, float] = {}
        floor_count = 0
        if held_out is not None and len(held_out) >= self.fewest:
            floor_count = min(len(held_out), len(fake))
            real = held_out.features[:floor_count]
            floors = self.compare(self._reference(train, floor_count), real)
            floor_errors = self._errors(train, real, key)
            at_floor = self._mean_at(floor_count, train, fake, key) if floor_count < len(fake) else values
        reference = len(self._reference(train, len(fake)))
        return {
            name: Measurement(
                value=value,
                better=self.better[name],
                count=len(fake),
                reference=reference,
                protocol=self.protocol,
                error=errors.get(name),
                floor=floors.get(name),
                floor_error=floor_errors.get(name),
                floor_count=floor_count or None,
                at_floor_count=at_floor.get(name),
            )
            for name, value in values.items()
        }

    def _reference(self, train: Tensor, count: int) -> Tensor:
        return train[:count] if self.equal_counts else train

    def _require(self, *counts: int) -> None:
        if min(counts) < self.fewest:
            raise NotMeasurable(f"at least {self.fewest} records of each side are needed, not {min(counts)}")

    def _errors(self, train: Tensor, fake: Tensor, key: Key) -> dict[str, float | None]:
        """The standard error of each measurement of all of `fake`, None where there are too few for subsets."""
        real = self._reference(train, len(fake))
        share = subset_share(len(fake), self.largest_subset)
        sizes = int(share * len(real)), int(share * len(fake))
        if min(sizes) < self.fewest:
            return {}
        drawn = zip(subsets(len(real), sizes[0], key, "real"), subsets(len(fake), sizes[1], key, "fake"), strict=True)
        values = self.compare_subsets(real, fake, list(drawn))
        return {name: error_at(share, [each[name] for each in values]) for name in values[0]}

    def _mean_at(self, count: int, train: Tensor, fake: Tensor, key: Key) -> dict[str, float]:
        real = self._reference(train, count)
        everything = torch.arange(len(real))
        drawn = [(everything, some) for some in subsets(len(fake), count, key, "floor")]
        values = self.compare_subsets(real, fake, drawn)
        return {name: float(np.mean([each[name] for each in values])) for name in values[0]}


class NaturalComparison(Metric, Generic[Natural]):
    """A measure of samples in natural values against training records: intervals and floors are made here, as `Comparison`
    makes them.

    The training records are always taken whole: they are what samples should be like, and the error is what other samples
    would make of the measure. Held-out records take the samples' place for the floor.
    """

    fewest: ClassVar[int] = 10
    """Records of each side that it needs."""
    largest_subset: ClassVar[int] = LARGEST
    """Samples in a subset at most."""
    noun: ClassVar[str] = "rows"
    better: ClassVar[dict[str, Better]]
    """What is better, of each measurement by name."""

    @abstractmethod
    def sides(self, evidence: Evidence) -> tuple[Natural, Natural, Natural | None]:
        """Training records, samples, and held-out records.

        Raises:
            NotMeasurable: the records are none of the kind.
        """

    @abstractmethod
    def protocols(self, real: Natural) -> dict[str, str]:
        """How each is measured, in one sentence."""

    @abstractmethod
    def against(self, real: Natural) -> Callable[[Natural], dict[str, float]]:
        """What gives the measurements of samples against these records; deterministic.

        Raises:
            NotMeasurable: not against such records.
        """

    def measure(self, evidence: Evidence) -> dict[str, Measurement]:
        train, fake, held_out = self.sides(evidence)
        if (fewest := min(len(train), len(fake))) < self.fewest:
            raise NotMeasurable(f"at least {self.fewest} {self.noun} of each side are needed, not {fewest}")
        measured = self.against(train)
        key = Key(evidence.seed, turn="metrics")
        values, errors = measured(fake), self._errors(measured, fake, key)
        floors: dict[str, float] = {}
        floor_errors: dict[str, float] = {}
        at_floor: dict[str, float] = {}
        floor_count = 0
        if held_out is not None and len(held_out) >= self.fewest:
            floor_count = min(len(held_out), len(fake))
            others = held_out.take(slice(floor_count))
            floors, floor_errors, at_floor = measured(others), self._errors(measured, others, key), values
            if floor_count < len(fake):
                some = [measured(fake.take(each.numpy())) for each in subsets(len(fake), floor_count, key, "floor")]
                at_floor = {name: float(np.mean([each[name] for each in some])) for name in values}
        protocols = self.protocols(train)
        return {
            name: Measurement(
                value=value,
                better=self.better[name],
                count=len(fake),
                reference=len(train),
                protocol=protocols[name],
                error=errors.get(name),
                floor=floors.get(name),
                floor_error=floor_errors.get(name),
                floor_count=floor_count or None,
                at_floor_count=at_floor.get(name),
            )
            for name, value in values.items()
        }

    def _errors(self, measured: Callable[[Natural], dict[str, float]], fake: Natural, key: Key) -> dict[str, float]:
        share = subset_share(len(fake), self.largest_subset)
        size = int(share * len(fake))
        if size < self.fewest // 2:
            return {}
        found = [measured(fake.take(each.numpy())) for each in subsets(len(fake), size, key, "fake")]
        return {name: error_at(share, [each[name] for each in found]) for name in found[0]}


class RowComparison(NaturalComparison[Coded]):
    """A measure of sampled rows of a table."""

    def sides(self, evidence: Evidence) -> tuple[Coded, Coded, Coded | None]:
        tables = evidence.tables
        return tables.train, tables.fake, tables.held_out


class SeriesComparison(NaturalComparison[SeriesValues]):
    """A measure of sampled time series."""

    noun: ClassVar[str] = "series"

    def sides(self, evidence: Evidence) -> tuple[SeriesValues, SeriesValues, SeriesValues | None]:
        series = evidence.series
        return series.train, series.fake, series.held_out
