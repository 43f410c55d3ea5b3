"""What does a GAN make of a hundred pictures? With what the recipe changes of them for the discriminator, and without.

    python bench/few_pictures.py --minutes 60 [--recipe fastgan] [--keep out/]

Trains on 100 of the cat faces, twice: as the recipe says, and with nothing changed. A thousand others are what copies are
told by. Prints a JSON line each: how varied samples are beside the pictures (pairwise distance), and whether they copy them.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from machine import describe_machine

from ganwright import GAN
from ganwright.data.preparation import prepare

CATS = Path(__file__).resolve().parents[2] / "shared" / "data" / "images" / "cats64.zip"
FEW, OTHERS = 100, 1_000
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
    parser.add_argument("--only", choices=("augmented", "plain"))
    options = parser.parse_args()
    if not options.pictures.exists():
        print(f"few_pictures: skipped: there is no {options.pictures}", file=sys.stderr)
        return 0
    x = np.asarray(prepare(options.pictures).columns["x"])
    order = np.random.default_rng(0).permutation(len(x))
    few, others = x[order[:FEW]], x[order[FEW : FEW + OTHERS]]
    for kind in ("augmented", "plain"):
        if options.only in (None, kind):
            print(json.dumps(trained(few, others, kind, options)), flush=True)
    return 0


def trained(few: np.ndarray, others: np.ndarray, kind: str, options: argparse.Namespace) -> dict[str, Any]:
    """What became of one training."""
    folder = options.keep / kind
    folder.mkdir(parents=True, exist_ok=True)
    settings: dict[str, Any] = {} if kind == "augmented" else {"augmentations": []}
    length: dict[str, Any] = {"images": int(options.images)} if options.images else {"minutes": options.minutes}
    began = time.monotonic()
    gan = GAN(options.recipe, seed=options.seed, settings=settings).fit(few, **length, run=folder / "run", holdout=False)
    seconds = time.monotonic() - began
    found = gan.model_.evaluate(few, held_out=others, n=SAMPLES, features="random", folder=folder, seed=options.seed)
    gan.model_.grid(8, 8, seed=options.seed).save(folder / "grid8.png")
    measured = found.measurements
    return {
        "kind": kind,
        "recipe": gan.config_.recipe,
        "seen": gan.ended_.samples_seen,
        "seconds": round(seconds),
        **{name: [measured[name].value, measured[name].error] for name in MEASURES if name in measured},
        "features": found.features,
        "protocol": f"{FEW} cat faces; {SAMPLES} samples; copies told by {OTHERS} faces that were not learned from",
        "seed": options.seed,
        "machine": describe_machine(),
    }


if __name__ == "__main__":
    sys.exit(main())
