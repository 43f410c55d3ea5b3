"""Samples held against real records: gathering the evidence, measuring, drawing the neighbours."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image as PillowImage
from torch import Tensor

from ganwright.core.config import from_plain
from ganwright.core.errors import DataError
from ganwright.data.dataset import Dataset
from ganwright.data.held_out import Split
from ganwright.data.modalities.base import Codec
from ganwright.data.ownership import save_picture
from ganwright.data.pictures import with_title
from ganwright.data.progress import Progress, no_progress
from ganwright.data.series.values import SeriesValues
from ganwright.data.table_rows import TableRows
from ganwright.data.texts.lines import Texts
from ganwright.evaluation.columns import look_at_columns, plots
from ganwright.evaluation.nearest_rows import draw_rows
from ganwright.evaluation.nearest_texts import draw_texts, nearest_texts, texts_shown
from ganwright.evaluation.real import real_records
from ganwright.evaluation.report import write_report
from ganwright.evaluation.result import Evaluation
from ganwright.evaluation.samples import Recorded, Samples
from ganwright.evaluation.verdicts import verdicts
from ganwright.features.base import Extractor, Features
from ganwright.metrics.base import METRICS, Described, Evidence, NotMeasurable
from ganwright.metrics.classes import by_class
from ganwright.metrics.memorisation import nearness
from ganwright.metrics.parts.measurement import Measurement
from ganwright.metrics.parts.neighbours import nearest
from ganwright.runtime.allocator import keep_freed_memory
from ganwright.runtime.device import versions
from ganwright.runtime.keys import Key

FeaturesChoice = str | Mapping[str, Any] | Features
"""By name, by name and settings ({"name": "dinov2", "weights": "folder/"}), or as an object."""
MOST_RECORDS = 50_000
"""Training records that samples are held against; of more, a random part."""
FEWEST_SAMPLES = 50
ROWS = 4096
"""Of a table, decoded at a time."""
SHOWN = 8
"""Rows of nearest.png: samples that look most like copies, and as many taken as they come."""
SHOWN_ROWS = 2
"""The same of a table, each beside one neighbour."""
NEIGHBOURS = 5
Drawing = tuple[PillowImage.Image, bytes]
"""Records as a picture and, where they can be heard, as a WAV file."""


@dataclass(frozen=True)
class Question:
    """What is to be evaluated."""

    subject: str
    """What made the samples, for people."""
    split: Split
    """The real records; those held out are the floor."""
    samples: Samples
    features: Features
    seed: int = 0
    device: str = "cpu"
    unseen: bool = False
    """Whether the maker of the samples learned from `split.train` and not from what is held out."""
    notes: tuple[str, ...] = ()
    """What is known before anything is measured."""
    samples_seen: int = 0
    """As `Evaluation` has it."""


@dataclass
class Answer:
    """What was found, with pictures."""

    evaluation: Evaluation
    nearest: PillowImage.Image
    """Samples beside their nearest training records."""
    grid: PillowImage.Image
    """Some samples."""
    sounds: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    """WAV files of what the pictures show, by the picture's name: of records that can be heard."""

    def write(self, folder: Path) -> list[Path]:
        """evaluation.json, nearest.png, grid.png (of sounds also .wav) and report.html in `folder`; gives their paths."""
        folder.mkdir(parents=True, exist_ok=True)
        pictures = {folder / "nearest.png": self.nearest, folder / "grid.png": self.grid}
        for path, picture in pictures.items():
            save_picture(picture, path)
        heard = [folder / f"{name}.wav" for name in self.sounds]
        for path, content in zip(heard, self.sounds.values(), strict=True):
            path.write_bytes(content)
        return [self.evaluation.write(folder), *pictures, *heard, write_report(folder)]


@dataclass
class _Gathering:
    """The evidence while it is gathered."""

    question: Question
    extractor: Extractor
    progress: Progress
    _orders: dict[str, np.ndarray] = field(default_factory=dict)

    def records(self, what: str, dataset: Dataset) -> Recorded:
        """Up to MOST_RECORDS of a dataset in random order."""
        key = Key(self.question.seed, turn="evaluate")
        order = key.generator(f"order {what}").permutation(len(dataset))[:MOST_RECORDS]
        return Recorded(dataset, order)

    def described(self, what: str, samples: Samples) -> Described:
        """Features and labels of samples or records."""
        total, done = len(samples), 0

        def watched() -> Iterable[Tensor]:
            nonlocal done
            for batch in samples.batches():
                yield batch
                done += len(batch)
                self.progress(f"describing {what}", done, total)

        natural = _Natural(self.question.split.train.codec)
        features = self.extractor.extract(natural.passing(watched()))
        if not bool(features.isfinite().all()):
            raise DataError("E-EVALUATE-04", f"{what} hold values that are not finite numbers")
        return Described(features, samples.labels, natural.rows(), natural.texts(), natural.series())


class _Natural:
    """Rows of a table, texts, or time series in natural values, gathered from the batches that pass by."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._waiting: list[Tensor] = []
        self._rows: list[TableRows] = []
        self._texts: list[Texts] = []
        self._series: list[SeriesValues] = []
        self._none = False

    def passing(self, batches: Iterable[Tensor]) -> Iterable[Tensor]:
        """The same batches."""
        for batch in batches:
            if not self._none:
                self._waiting.append(batch)
                if sum(map(len, self._waiting)) >= ROWS:
                    self._decode()
            yield batch
        if self._waiting:
            self._decode()

    def rows(self) -> TableRows | None:
        """All that have passed; None where records are no rows."""
        return TableRows.join(self._rows) if self._rows else None

    def texts(self) -> Texts | None:
        """All that have passed; None where records are no texts."""
        return Texts.join(self._texts) if self._texts else None

    def series(self) -> SeriesValues | None:
        """All that have passed; None where records are no time series."""
        return SeriesValues.join(self._series) if self._series else None

    def _decode(self) -> None:
        x, self._waiting = torch.cat(self._waiting), []
        if (rows := self._codec.rows(x)) is not None:
            self._rows.append(rows)
        elif (texts := self._codec.texts(x)) is not None:
            self._texts.append(texts)
        elif (series := self._codec.series(x)) is not None:
            self._series.append(series)
        else:
            self._none = True


def evaluate_samples(question: Question, progress: Progress = no_progress) -> Answer:
    """Measure everything that the kind of data asks for.

    Raises:
        DataError: too few samples, or none that are finite.
        UsageError: the features cannot be had.
    """
    began = time.monotonic()
    split, samples = question.split, question.samples
    if len(samples) < FEWEST_SAMPLES:
        what = f"{len(samples)} samples are too few to evaluate"
        raise DataError("E-EVALUATE-03", what, hints=(f"at least {FEWEST_SAMPLES}; 5,000 are usual",))
    keep_freed_memory()
    extractor = question.features.extractor(split.train, question.device, progress)
    gathering = _Gathering(question, extractor, progress)
    train = gathering.records("training records", split.train)
    evidence = Evidence(
        train=gathering.described("training records", train),
        fake=gathering.described("samples", samples),
        held_out=None
        if split.held_out is None
        else gathering.described("held-out records", gathering.records("held-out records", split.held_out)),
        unseen=question.unseen,
        condition=split.train.class_condition,
        seed=question.seed,
    )
    codec = split.train.codec
    # Of data without classes it need not be said that they were not measured.
    asked = [name for name in codec.metrics if name != "classes" or evidence.condition is not None]
    measurements, failed = measure(asked, evidence, progress)
    classes = _or_empty(lambda: by_class(evidence))
    tables = evidence.tables if evidence.train.rows is not None else None
    by_column, by_pair = look_at_columns(tables) if tables is not None else ({}, {})
    counts = {"train": len(evidence.train), "samples": len(samples)}
    counts["held_out"] = 0 if evidence.held_out is None else len(evidence.held_out)
    evaluation = Evaluation(
        subject=question.subject,
        data=split.train.report.place,
        data_fingerprint=split.train.whole.fingerprint,
        features=extractor.identity,
        about_features=extractor.about,
        counts=counts,
        seed=question.seed,
        measurements=measurements,
        failed=failed,
        by_class=classes,
        by_column=by_column,
        by_pair=by_pair,
        plots=plots(tables) if tables is not None else (),
        lines=texts_shown(evidence),
        nearest_lines=nearest_texts(evidence),
        notes=(*verdicts(measurements, failed, codec.noun), *question.notes),
        samples_seen=question.samples_seen,
        seconds=round(time.monotonic() - began, 1),
        made=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        versions=versions(),
    )
    near, near_aloud = draw_nearest(evidence, samples, train, split.train)
    grid, grid_aloud = draw_grid(samples, train, split.train)
    heard = {name: content for name, content in (("nearest", near_aloud), ("grid", grid_aloud)) if content}
    return Answer(evaluation, near, grid, heard)


def evaluate_beside(
    dataset: Dataset,
    samples: Samples,
    *,
    subject: str,
    held_out: Dataset | None = None,
    facts: Mapping[str, Any] | None = None,
    notes: tuple[str, ...] = (),
    samples_seen: int = 0,
    features: FeaturesChoice | None = None,
    seed: int = 0,
    device: str = "cpu",
    folder: str | Path | None = None,
    progress: Progress = no_progress,
) -> Evaluation:
    """Samples held against the records of `dataset`; what was found is also written into `folder`, if there is one.

    Args:
        subject: what made the samples, for people.
        held_out: records that it did not learn from.
        facts: what a model file tells of the data that it learned from.
        notes: what is to be known of the samples, in sentences.
        samples_seen: in training, by the model that made them.
        features: see `Model.evaluate`.

    Raises:
        DataError: too few samples, or none that are finite.
        UsageError: the features do not exist, or cannot be had.
    """
    real = real_records(dataset, held_out, facts)
    question = Question(
        subject=subject,
        split=real.split,
        samples=samples,
        features=features_named(dataset.codec.default_features if features is None else features),
        seed=seed,
        device=device,
        unseen=real.unseen,
        notes=(*real.notes, *notes),
        samples_seen=samples_seen,
    )
    answer = evaluate_samples(question, progress)
    if folder is not None:
        answer.write(Path(folder))
    return answer.evaluation


def measure(
    names: Iterable[str], evidence: Evidence, progress: Progress = no_progress
) -> tuple[dict[str, Measurement], dict[str, str]]:
    """Measurements by name, and why a metric gave none, by the metric's name; a failure takes no other metric along."""
    measurements: dict[str, Measurement] = {}
    failed: dict[str, str] = {}
    names = tuple(names)
    for done, name in enumerate(names):
        progress(f"measuring {name.replace('_', ' ')}", done, len(names))
        try:
            measurements |= METRICS.get(name)().measure(evidence)
        except NotMeasurable as reason:
            failed[name] = str(reason)
        except Exception as error:
            failed[name] = f"failed: {type(error).__name__}: {error}"
    return measurements, failed


def draw_nearest(evidence: Evidence, samples: Samples, train: Samples, dataset: Dataset) -> Drawing:
    """A row a sample: itself, then its nearest training records. First those that look most like copies, then the first."""
    if evidence.fake.rows is not None and evidence.train.rows is not None:
        return _draw_nearest_rows(evidence, evidence.fake.rows, evidence.train.rows), b""
    if evidence.fake.texts is not None:
        return draw_texts(nearest_texts(evidence)), b""
    features = evidence.fake.features
    suspects = nearness(features, evidence.train.features).most_copied[:SHOWN].tolist()
    others = [place for place in range(len(samples)) if place not in set(suspects)][:SHOWN]
    shown = [*suspects, *others]
    near = nearest(features[shown], evidence.train.features, min(NEIGHBOURS, len(evidence.train))).places
    pieces: list[Tensor] = []
    for place, neighbours in zip(shown, near, strict=True):
        pieces += [samples.at(np.array([place])), train.at(neighbours.numpy())]
    codec = dataset.codec
    if couples := codec.beside(codec.decode(train.at(near[:, 0].numpy())), codec.decode(samples.at(np.array(shown)))):
        return with_title(couples, "samples, and in the same colour the nearest of the data"), b""
    title = "samples (left), nearest training records"
    objects = codec.decode(torch.cat(pieces))
    # To be heard, each sample beside the one nearest to it is enough.
    pairs = [objects[place] for place in range(len(objects)) if place % (1 + near.shape[1]) < 2] if codec.heard else []
    return codec.preview(objects, 1 + near.shape[1], title), codec.aloud(pairs)


def _draw_nearest_rows(evidence: Evidence, samples: TableRows, train: TableRows) -> PillowImage.Image:
    """Pairs of a sample and its nearest training row, those most like copies first."""
    features = evidence.fake.features
    suspects = nearness(features, evidence.train.features).most_copied[:SHOWN_ROWS].tolist()
    others = [place for place in range(len(samples)) if place not in set(suspects)][:SHOWN_ROWS]
    shown = np.array([*suspects, *others])
    near = nearest(features[shown], evidence.train.features).places[:, 0].numpy()
    return draw_rows(samples.take(shown), train.take(near), len(suspects))


def draw_grid(samples: Samples, train: Samples, dataset: Dataset) -> Drawing:
    """The first samples, as many as the codec shows; beside real records where it draws them so."""
    codec = dataset.codec
    objects, real = (codec.decode(each.at(np.arange(min(codec.shown, len(each))))) for each in (samples, train))
    return codec.beside(real, objects) or codec.preview(objects, 8), codec.aloud(objects)


def features_named(choice: FeaturesChoice) -> Features:
    """The features of that name, with their usual settings or those given; `Features` as they are.

    Raises:
        UsageError: there are none of that name, or no such setting.
    """
    if isinstance(choice, Features):
        return choice
    found: Features = from_plain(Features, choice if isinstance(choice, str) else dict(choice), "features")
    return found


def _or_empty(find: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return find()
    except NotMeasurable:
        return {}
