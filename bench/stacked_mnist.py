"""How many of a thousand kinds does a GAN draw? Three random digits, one in each colour: stacked MNIST.

    python bench/stacked_mnist.py --minutes 60 [--recipe rpgan] [--keep run/]
    python bench/stacked_mnist.py --model run/

Srivastava et al. 2017 (arXiv:1705.07761), after Metz et al. 2017 (arXiv:1611.02163): 25,600 samples, the judge of judge.py
reads each colour, and three digits make a kind. Prints one JSON line: the kinds that were drawn, and the Kullback-Leibler
divergence of their shares from those of the training pictures, in nats, with what as many real pictures get.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from judge import Bytes, Judge, JudgeError, MnistMissing, load_judge, read_mnist
from machine import describe_machine

from ganwright import GAN, load
from ganwright.model.model import Model

KINDS = 1_000
SAMPLES = 25_600
PICTURES = 128_000
SEED = 1_000


def main() -> int:
    """Print one JSON line; 0 when measured or skipped for want of the default MNIST, 2 for a mistake."""
    parser = argparse.ArgumentParser(description="Count the kinds of stacked digits that a GAN draws.")
    parser.add_argument("--recipe", help="default: what is taken for pictures")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--images", type=float, help="instead of minutes: pictures that are seen")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", help="a model or run that was trained already")
    parser.add_argument("--keep", type=Path, help="the run's folder")
    parser.add_argument("--mnist", type=Path, help="the folder of the four IDX .gz files; default ../shared/data/mnist")
    options = parser.parse_args()
    try:
        referee, digits = load_judge(options.mnist), read_mnist(options.mnist)
    except (JudgeError, OSError) as error:
        skipped = isinstance(error, MnistMissing) and options.mnist is None
        print(f"stacked_mnist: {'skipped: ' if skipped else ''}{error}", file=sys.stderr)
        return 0 if skipped else 2
    real = stacked(digits.train_images, PICTURES, SEED)
    began = time.monotonic()
    model = load(options.model) if options.model else trained(real, options)
    seconds = time.monotonic() - began
    real_kinds = kinds_of(real, referee)
    made = [np.stack([np.asarray(picture) for picture in block]) for block in model.stream(SAMPLES, seed=options.seed)]
    kinds = kinds_of(np.concatenate(made), referee)
    others = kinds_of(stacked(digits.train_images, SAMPLES, SEED + 1), referee)
    recipe = model.facts.get("recipe")
    line = {
        "recipe": recipe,
        "modes": len(np.unique(kinds)),
        "kl": round(divergence(kinds, real_kinds), 4),
        "floor_modes": len(np.unique(others)),
        "floor_kl": round(divergence(others, real_kinds), 4),
        "samples": SAMPLES,
        "seconds": round(seconds),
        "seed": options.seed,
        "judge_id": referee.identity,
        "protocol": f"{PICTURES} stacked training digits; kinds of {SAMPLES} samples as the judge reads them;"
        " KL(samples || training pictures)",
        "machine": describe_machine(),
    }
    print(json.dumps(line))
    return 0


def trained(real: Bytes, options: argparse.Namespace) -> Model:
    """The model of a run on the stacked digits."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "stacked.npy"
        np.save(path, real)
        length: dict[str, Any] = {"images": int(options.images)} if options.images else {"minutes": options.minutes}
        return GAN(options.recipe, seed=options.seed).fit(path, **length, run=options.keep or Path(scratch) / "run").model_


def stacked(digits: Bytes, count: int, seed: int) -> Bytes:
    """`count` colour pictures (count, 28, 28, 3), each of three digits drawn at random with repetition."""
    chosen = np.random.default_rng(seed).integers(0, len(digits), (count, 3))
    return np.stack([digits[chosen[:, colour]] for colour in range(3)], axis=-1)


def kinds_of(pictures: Bytes, referee: Judge) -> np.ndarray:
    """Of each picture (N, 28, 28, 3) the number that its three digits spell, 0..999."""
    read = [referee.read(np.ascontiguousarray(pictures[..., colour])).digits.astype(np.int64) for colour in range(3)]
    return 100 * read[0] + 10 * read[1] + read[2]


def divergence(kinds: np.ndarray, real: np.ndarray) -> float:
    """KL(shares of `kinds` || shares of `real`) in nats; every kind is among the real ones."""
    p, q = (np.bincount(each, minlength=KINDS) / len(each) for each in (kinds, real))
    drawn = p > 0
    return float((p[drawn] * np.log(p[drawn] / q[drawn])).sum())


if __name__ == "__main__":
    sys.exit(main())
