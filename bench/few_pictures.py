"""What does a GAN make of a hundred pictures? With what the recipe changes of them for the discriminator, and without.

    python bench/few_pictures.py --minutes 60 [--recipe fastgan] [--few 1000] [--augment adaptive] [--keep out/]

Trains on 100 of the cat faces, twice: with the augmentation asked for, or what is taken for so few, and with none; a
thousand others tell copies. Prints a JSON line each: how varied samples are beside the pictures (pairwise distance), whether
they copy them, and how many stand upright (as others tell), since an augmentation that leaks turns them.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any, get_args

import numpy as np
from machine import describe_machine
from orientation import upright

from ganwright import GAN
from ganwright.data.preparation import prepare
from ganwright.training.augmenting import AugmentChoice

CATS = Path(__file__).resolve().parents[2] / "shared" / "data" / "images" / "cats64.zip"
FEW, OTHERS, TURNED = 100, 1_000, 2_000
"""Faces: to learn from, others, and for who tells how upright they stand."""
SAMPLES = 1_000
MEASURES = ("diversity", "copying", "copying_p", "copies", "frechet", "kernel_distance", "recall")


def main() -> int:
    """Print two JSON lines; 0 when measured, or skipped for want of the pictures."""
    parser = argparse.ArgumentParser(description="Train on a hundred pictures.")
    parser.add_argument("--recipe", help="default: what is taken for so few pictures")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--images", type=float, help="instead of minutes: pictures that are seen")
    parser.add_argument("--pictures", type=Path, default=CATS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path("few_pictures"))
    parser.add_argument("--few", type=int, default=FEW, help="pictures to learn from")
    parser.add_argument("--width", type=int, help="of the networks; default: the recipe's, or what the minutes suffice for")
    parser.add_argument("--augment", choices=get_args(AugmentChoice), help="default: what is taken for so few")
    parser.add_argument("--only", choices=("augmented", "plain"))
    options = parser.parse_args()
    if not options.pictures.exists():
        print(f"few_pictures: skipped: there is no {options.pictures}", file=sys.stderr)
        return 0
    x = np.asarray(prepare(options.pictures).columns["x"])
    order = np.random.default_rng(0).permutation(len(x))
    few, others, turned = np.split(x[order[: options.few + OTHERS + TURNED]], [options.few, options.few + OTHERS])
    for kind in ("augmented", "plain"):
        if options.only in (None, kind):
            print(json.dumps(trained(few, others, turned, kind, options)), flush=True)
    return 0


def trained(
    few: np.ndarray, others: np.ndarray, turned: np.ndarray, kind: str, options: argparse.Namespace
) -> dict[str, Any]:
    """What became of one training."""
    folder = options.keep / kind
    folder.mkdir(parents=True, exist_ok=True)
    augment = options.augment if kind == "augmented" else "none"
    settings = {"network": {"width": options.width}} if options.width else {}
    length: dict[str, Any] = {"images": int(options.images)} if options.images else {"minutes": options.minutes}
    began = time.monotonic()
    gan = GAN(options.recipe, seed=options.seed, augment=augment, settings=settings).fit(
        few, **length, run=folder / "run", holdout=False
    )
    seconds = time.monotonic() - began
    found = gan.model_.evaluate(few, held_out=others, n=SAMPLES, features="random", folder=folder, seed=options.seed)
    gan.model_.grid(8, 8, seed=options.seed).save(folder / "grid8.png")
    made = np.concatenate([np.stack([np.asarray(one) for one in block]) for block in gan.model_.stream(SAMPLES, seed=1)])
    measured = found.measurements
    return {
        "kind": kind,
        "recipe": gan.config_.recipe,
        "seen": gan.ended_.samples_seen,
        "seconds": round(seconds),
        **{name: [measured[name].value, measured[name].error] for name in MEASURES if name in measured},
        "upright": [round(upright(turned, each), 4) for each in (made, others)],
        "features": found.features,
        "protocol": f"{len(few)} cat faces; {SAMPLES} samples; copies told by {OTHERS} faces that were not learned from;"
        f" upright: samples, real faces, as a classifier of quarter turns sees them that learned from {TURNED}",
        "seed": options.seed,
        "machine": describe_machine(),
    }


if __name__ == "__main__":
    sys.exit(main())
