"""Do the measures of an evaluation notice what they are for?

    python bench/metrics.py mnist --features random
    python bench/metrics.py images/cats64.zip --features self

Real records that were never described before are spoilt in known ways and evaluated as if a generator had made them. Prints
one JSON line per way: each measure, how far it moved from that of the unspoilt records in standard errors of that
difference, and whether it moved the way it should; then one line that counts them.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from machine import describe_machine
from torch import Tensor
from torch.nn import functional

from ganwright.data.dataset import Dataset
from ganwright.data.held_out import Split
from ganwright.data.preparation import prepare
from ganwright.data.subset import Subset
from ganwright.evaluation.evaluate import Question, evaluate_samples, features_named
from ganwright.evaluation.result import Evaluation
from ganwright.evaluation.samples import Recorded

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"
TRAIN, HELD_OUT, SPOILT = 4_000, 1_000, 1_000
"""Records that are held against, that give the floor, and that are spoilt: three parts with nothing in common."""
CLEAR = 3.0
"""Standard errors that a measure has to move to count as moved,"""
STILL = 4.0
"""and may move at most to count as unmoved: one of the very many unmoved ones may stray."""

UP, DOWN, SAME, NOT_UP = "up", "down", "same", "not up"
EXPECTED: dict[str, dict[str, str]] = {
    "blur": {"frechet": UP, "kernel_distance": UP, "cmmd": UP, "recall": DOWN, "coverage": DOWN, "copying": NOT_UP},
    "noise": {
        "frechet": UP,
        "kernel_distance": UP,
        "cmmd": UP,
        "precision": DOWN,
        "density": DOWN,
        "coverage": DOWN,
        "copying": NOT_UP,
    },
    "half the kinds": {
        "frechet": UP,
        "kernel_distance": UP,
        "cmmd": UP,
        "precision": SAME,
        "recall": DOWN,
        "coverage": DOWN,
        "copying": NOT_UP,
    },
    "each ten times": {"duplicates": UP, "near_duplicates": UP, "recall": DOWN, "coverage": DOWN, "precision": SAME},
    "training records": {"copying": UP, "copies": UP, "duplicates": SAME},
    "a tenth training records": {"copying": UP, "copies": UP},
    "training records, noisy": {"copying": UP, "copies": UP},
    "other records": dict.fromkeys(
        ("frechet", "kernel_distance", "cmmd", "precision", "recall", "density", "coverage", "copying"), SAME
    ),
}
"""What should happen to which measure. What is not named may do as it likes: blurred pictures may well lie among real ones,
and copies are the best pictures there are."""


@dataclass(frozen=True)
class Spoilt:
    """Records that went through `change`."""

    records: Recorded
    change: Callable[[Tensor], Tensor] | None = None

    def __len__(self) -> int:
        return len(self.records)

    @property
    def labels(self) -> None:
        """Nothing was asked for."""
        return

    def batches(self) -> Iterator[Tensor]:
        """As `Samples.batches`."""
        return (self._changed(batch) for batch in self.records.batches())

    def at(self, places: np.ndarray) -> Tensor:
        """As `Samples.at`."""
        return self._changed(self.records.at(places))

    def _changed(self, batch: Tensor) -> Tensor:
        return batch if self.change is None else self.change(batch)


def blurred(pictures: Tensor) -> Tensor:
    """Twice through [1 2 1]/4 along both sides: a deviation of one pixel."""
    channels = pictures.shape[1]
    row = torch.tensor([1.0, 2.0, 1.0]) / 4
    kernel = (row[:, None] * row).expand(channels, 1, 3, 3)
    for _ in range(2):
        pictures = functional.conv2d(functional.pad(pictures, (1, 1, 1, 1), "replicate"), kernel, groups=channels)
    return pictures


def noisy(deviation: float) -> Callable[[Tensor], Tensor]:
    """Gaussian noise, a function of the picture itself so that it can be asked for again."""

    def change(pictures: Tensor) -> Tensor:
        rows: list[Tensor] = []
        for picture in pictures:
            generator = torch.Generator().manual_seed(int(picture.double().sum().abs() * 1e6) % (1 << 62))
            rows.append((picture + deviation * torch.randn(picture.shape, generator=generator)).clamp(-1, 1))
        return torch.stack(rows)

    return change


def half_the_kinds(dataset: Dataset, places: np.ndarray) -> np.ndarray:
    """The places of one half of the classes, or without classes of the darker half of the pictures."""
    if dataset.labels is not None:
        labels = np.asarray(dataset.labels)[places]
        return places[labels < len(dataset.codec.conditions[0].classes) // 2]
    x = dataset.batch(places, ("x",))["x"].float()
    brightness = x.flatten(1).mean(1).numpy()
    return places[brightness < np.median(brightness)]


def ways(dataset: Dataset, train: np.ndarray, spare: np.ndarray) -> dict[str, Spoilt]:
    """Every way of spoiling, in SPOILT records each; `spare` are unseen records, more than enough of them."""
    base, kinds = spare[:SPOILT], half_the_kinds(dataset, spare)[:SPOILT]
    mixed = np.concatenate([train[: SPOILT // 10], base[SPOILT // 10 :]])
    return {
        "nothing": Spoilt(Recorded(dataset, base)),
        "other records": Spoilt(Recorded(dataset, spare[SPOILT : 2 * SPOILT])),
        "blur": Spoilt(Recorded(dataset, base), blurred),
        "noise": Spoilt(Recorded(dataset, base), noisy(0.1)),
        "half the kinds": Spoilt(Recorded(dataset, kinds)),
        "each ten times": Spoilt(Recorded(dataset, np.tile(base[: SPOILT // 10], 10))),
        "training records": Spoilt(Recorded(dataset, train[:SPOILT])),
        "a tenth training records": Spoilt(Recorded(dataset, mixed)),
        "training records, noisy": Spoilt(Recorded(dataset, train[:SPOILT]), noisy(0.02)),
    }


def moved(now: Evaluation, before: Evaluation, name: str) -> float:
    """How far a measure moved, in standard errors of the difference."""
    a, b = now.measurements[name], before.measurements[name]
    error = float(np.hypot(a.error or 0.0, b.error or 0.0))
    difference = a.value - b.value
    return difference / error if error > 0 else float(np.sign(difference)) * 99.0


def right(way: str, name: str, effect: float) -> bool | None:
    """Whether the measure did as it should; None where nothing is expected of it."""
    wanted = EXPECTED.get(way, {}).get(name)
    if wanted is None:
        return None
    return {UP: effect > CLEAR, DOWN: effect < -CLEAR, SAME: abs(effect) < STILL, NOT_UP: effect < STILL}[wanted]


def main() -> int:
    """Print the lines; 0 whatever they say, 2 for a mistake."""
    parser = argparse.ArgumentParser(description="Spoil real records in known ways and see what the measures say.")
    parser.add_argument("data", help="a path, or one below the real data beside the repository: mnist, images/cats64.zip")
    parser.add_argument("--features", default="random")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    path = Path(options.data) if Path(options.data).exists() else DATA / options.data
    if not path.exists():
        print(f"metrics: skipped: there is no {path}", file=sys.stderr)
        print(json.dumps({"name": options.data, "skipped": f"there is no {path}"}))
        return 0
    dataset = prepare(path)
    order = np.random.default_rng(options.seed).permutation(len(dataset))
    if len(order) < TRAIN + HELD_OUT + 4 * SPOILT:  # half the kinds need that many
        print(f"metrics: {len(order)} records are too few", file=sys.stderr)
        return 2
    train, held_out, spare = np.split(order, [TRAIN, TRAIN + HELD_OUT])
    split = Split(Subset(dataset, train), Subset(dataset, held_out))
    features = features_named(options.features)
    done: dict[str, Evaluation] = {}
    outcomes: list[bool] = []
    for way, spoilt in ways(dataset, train, spare).items():
        began = time.monotonic()
        question = Question(way, split, spoilt, features, options.seed, unseen=True)
        found = done[way] = evaluate_samples(question).evaluation
        effects = {name: moved(found, done["nothing"], name) for name in found.measurements}
        verdicts = {name: right(way, name, effect) for name, effect in effects.items()}
        outcomes += [verdict for verdict in verdicts.values() if verdict is not None]
        line = {
            "data": dataset.name,
            "way": way,
            "features": found.features,
            "measures": {name: _rounded(m.value) for name, m in found.measurements.items()},
            "errors": {name: _rounded(m.error or 0.0) for name, m in found.measurements.items()},
            "effects": {name: round(effect, 1) for name, effect in effects.items()},
            "expected": EXPECTED.get(way, {}),
            "wrong": [name for name, verdict in verdicts.items() if verdict is False],
            "failed": found.failed,
            "train": TRAIN,
            "held_out": HELD_OUT,
            "samples": len(spoilt),
            "seconds": round(time.monotonic() - began, 1),
            "machine": describe_machine(),
        }
        print(json.dumps(line), flush=True)
    print(json.dumps({"data": dataset.name, "features": options.features, "right": sum(outcomes), "of": len(outcomes)}))
    return 0


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


if __name__ == "__main__":
    sys.exit(main())
