"""Whether samples are worth as much as real rows to someone who learns from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ganwright.metrics.base import Evidence, Metric, NotMeasurable, Tables
from ganwright.metrics.parts.coded import Coded, CodedColumn
from ganwright.metrics.parts.measurement import Measurement
from ganwright.metrics.parts.trees import MOST_WORDS, learn_classes, learn_numbers
from ganwright.runtime.keys import Key

FEWEST = 30
"""Rows of each kind that it needs."""
MOST_TARGETS = 4
MOST_CLASSES = 20
"""Words of a target."""
USUAL_SHARE = 0.5
"""A column of which one word or number has a larger share is a target only where it is yes or no, or the last one."""
LEARNABLE = 0.05
"""What real rows teach of a target beyond independent columns, at least, where it says anything what samples do."""
RESAMPLED = 100
WORDS = {"auc": "area under the curve", "f1": "macro-averaged F1", "r2": "R2"}


@dataclass(frozen=True)
class Target:
    """What was learned of one column from all others, three times, and said of the held-out rows."""

    name: str
    truth: np.ndarray
    """Of held-out rows: words int64 (M,), numbers float64 (M,)."""
    from_samples: np.ndarray
    """Chances (M, K) of words, or numbers (M,)."""
    from_real: np.ndarray
    """By what learned from as many training rows."""
    from_independent: np.ndarray
    """By what learned from training rows each column of which was shuffled by itself."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """What is measured of it, what matters most first."""
        return ("auc", "f1") if self.from_real.ndim == 2 else ("r2",)

    def score(self, kind: str, said: np.ndarray, places: np.ndarray | slice = slice(None)) -> float:
        """Of what was said, over some of the held-out rows."""
        return {"auc": _auc, "f1": _f1, "r2": _r2}[kind](said[places], self.truth[places])

    def worth(self, places: np.ndarray | slice = slice(None)) -> float:
        """What samples teach beyond independent columns, as a share of what real rows do."""
        ways = (self.from_samples, self.from_real, self.from_independent)
        samples, real, independent = (self.score(self.kinds[0], said, places) for said in ways)
        return (samples - independent) / max(real - independent, LEARNABLE / 10)

    @property
    def learnable(self) -> bool:
        """Whether real rows teach anything."""
        real, independent = (self.score(self.kinds[0], said) for said in (self.from_real, self.from_independent))
        return real - independent >= LEARNABLE


@dataclass(frozen=True)
class Utility(Metric):
    """Train on synthetic, test on real (Esteban et al. 2017, arXiv:1706.02633), beside training on as many real rows."""

    most: int = 20_000
    """Rows that are learned from."""

    def __post_init__(self) -> None:
        if self.most < FEWEST:
            raise ValueError(f"most must be at least {FEWEST}, not {self.most}")

    def measure(self, evidence: Evidence) -> dict[str, Measurement]:
        tables = evidence.tables
        if tables.held_out is None:
            raise NotMeasurable("what is learned from samples has to be tried on held-out rows")
        sizes = (len(tables.train), len(tables.fake), len(tables.held_out))
        if min(sizes) < FEWEST:
            raise NotMeasurable(f"at least {FEWEST} rows of each kind are needed, not {min(sizes)}")
        targets = learned_targets(tables, self.most)
        if not targets:
            raise NotMeasurable(
                "no column is a plausible target: one of several words or many numbers, with others beside it"
            )
        shared = {"count": sizes[1], "reference": sizes[0], "floor_count": sizes[2]}
        draw = Key(evidence.seed, turn="metrics").generator("held-out rows").random((RESAMPLED, sizes[2]))
        how = (
            f"gradient-boosted trees that learned from at most {self.most:,} samples, or as many training rows, to tell a "
            "column from all others, are asked about held-out rows; intervals from resampling these"
        )
        return {**_worth(targets, draw, how, shared), **_scores(targets, draw, shared)}


def _worth(targets: Sequence[Target], draw: np.ndarray, how: str, shared: dict[str, int]) -> dict[str, Measurement]:
    learnable = [target for target in targets if target.learnable]
    if not learnable:
        return {}
    value = float(np.mean([target.worth() for target in learnable]))
    again = [float(np.mean([target.worth(_drawn(row, target)) for target in learnable])) for row in draw]
    of = ", ".join(target.name for target in learnable)
    protocol = (
        "what samples teach as a share of what training rows teach, each beyond what independently shuffled columns do, in "
        f"AUC or R2, mean over {of}: {how}"
    )
    measurement = Measurement(
        value, "higher", protocol=protocol, error=float(np.std(again, ddof=1)), floor=1.0, at_floor_count=value, **shared
    )
    return {"utility": measurement}


def _scores(targets: Sequence[Target], draw: np.ndarray, shared: dict[str, int]) -> dict[str, Measurement]:
    found: dict[str, Measurement] = {}
    for target in targets:
        for kind in target.kinds:
            samples, real = (
                (target.score(kind, said), float(np.std([target.score(kind, said, _drawn(row, target)) for row in draw])))
                for said in (target.from_samples, target.from_real)
            )
            independent = target.score(kind, target.from_independent)
            found[f"{kind} {target.name}"] = Measurement(
                samples[0],
                "higher",
                protocol=f"{WORDS[kind]} of trees that learned this column from samples, on held-out rows; real: learned "
                f"from training rows; {independent:.2f} from independently shuffled columns",
                error=samples[1],
                floor=real[0],
                floor_error=real[1],
                at_floor_count=samples[0],
                **shared,
            )
    return found


def _drawn(row: np.ndarray, target: Target) -> np.ndarray:
    """Places of held-out rows whose target is known, drawn with replacement."""
    return (row[: len(target.truth)] * len(target.truth)).astype(np.int64)


def learned_targets(tables: Tables, most: int) -> list[Target]:
    """What was learned of each plausible target from `most` rows at most."""
    held_out = tables.held_out
    assert held_out is not None
    count = min(len(tables.train), len(tables.fake), most)
    train, fake = tables.train.take(slice(count)), tables.fake.take(slice(count))
    draw = Key(0, turn="metrics").generator("independent columns")
    shuffled = Coded(train.columns, tuple(draw.permutation(values) for values in train.values))
    found: list[Target] = []
    for place in target_places(tables.train):
        known = ~held_out.missing(place)
        rows = held_out.take(known)
        if known.sum() < FEWEST // 2:
            continue
        said = [_learn(each, place, rows) for each in (fake, train, shuffled)]
        found.append(Target(train.columns[place].name, rows.values[place], *said))
    return found


def target_places(train: Coded) -> list[int]:
    """Columns that people may want to foretell: the last, where tables have them by habit, one of the other sort, then those
    of the fewest words, then of numbers."""
    if len(train.columns) < 2:
        return []
    last = len(train.columns) - 1
    numbers = [place for place in range(last, -1, -1) if _plausible(train, place, number=True)]
    words = [place for place in range(last, -1, -1) if _plausible(train, place, number=False)]
    words.sort(key=lambda place: len(train.columns[place].words or ()))
    chosen = [last] if last in (*numbers, *words) else []
    others = numbers[:1] if last in words else words[:1]
    return list(dict.fromkeys([*chosen, *others, *words, *numbers]))[:MOST_TARGETS]


def _plausible(train: Coded, place: int, *, number: bool) -> bool:
    column, values = train.columns[place], train.values[place]
    if column.is_number != number:
        return False
    present = values[~train.missing(place)]
    counts = np.unique(present, return_counts=True)[1]
    if number:
        return len(counts) > MOST_CLASSES and counts.max() <= USUAL_SHARE * len(present)
    several = 2 <= len(counts) <= MOST_CLASSES
    is_last = place == len(train.columns) - 1
    return several and (is_last or len(counts) == 2 or counts.max() <= (1 + USUAL_SHARE) / 2 * len(present))


def _learn(train: Coded, place: int, asked: Coded) -> np.ndarray:
    """What is said of the column at `place` of the rows `asked` by what learned it from `train`."""
    train = train.take(~train.missing(place))
    others = [at for at in range(len(train.columns)) if at != place]
    columns: list[CodedColumn] = [train.columns[at] for at in others]
    rows, questions = (each.numbers(MOST_WORDS)[:, others] for each in (train, asked))
    words = train.columns[place].words
    if words is None:
        return learn_numbers(rows, train.values[place], columns)(questions)
    return learn_classes(rows, train.values[place], len(words), columns)(questions)


def _auc(chances: np.ndarray, truth: np.ndarray) -> float:
    """Mean over the classes of the share of pairs, one of the class and one not, that are in the right order."""
    found: list[float] = []
    for place in np.unique(truth).tolist():
        mine, others = np.sort(chances[truth == place, place]), np.sort(chances[truth != place, place])
        if len(others):
            ordered = np.searchsorted(others, mine, "left") + np.searchsorted(others, mine, "right")
            found.append(float(ordered.mean()) / (2 * len(others)))
    return float(np.mean(found)) if found else 0.5


def _f1(chances: np.ndarray, truth: np.ndarray) -> float:
    """Mean over the classes that are there or are said to be."""
    said = chances.argmax(1)
    classes = chances.shape[1]
    right = np.bincount(truth[said == truth], minlength=classes)
    total = np.bincount(truth, minlength=classes) + np.bincount(said, minlength=classes)
    return float((2 * right[total > 0] / total[total > 0]).mean())


def _r2(said: np.ndarray, truth: np.ndarray) -> float:
    spread = float(np.square(truth - truth.mean()).sum())
    return 1 - float(np.square(truth - said).sum()) / spread if spread > 0 else 0.0
