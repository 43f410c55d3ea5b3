"""How good sampled time series are, by the protocol of TimeGAN (Yoon et al. 2019), with floors.

    python bench/series.py stock --minutes 20               # Google stock in windows of 24 days
    python bench/series.py stock --recipe doppelganger --minutes 20
    python bench/series.py stock --real                     # real windows in the samples' place: what the judges say of them
    python bench/series.py stock --model RUN                # of a model that was trained before
    python bench/series.py pollution --minutes 20           # Beijing's air in windows of 48 hours, with its gaps

Prints one JSON line for each training seed. As published: numbers scaled to 0..1; a recurrent network (half as wide as there
are columns) learns in 2,000 steps of 128 to tell as many real windows from made ones, tried on a fifth of both, |accuracy -
1/2|; another learns in 5,000 steps from made windows what the last column is a day later, and is tried on all real windows,
mean absolute error. Five networks of each, that start differently. Windows lie over each other, as published: those that are
tried have neighbours among those that were learned from.
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

from ganwright import GAN, Series, load
from ganwright.data.preparation import prepare
from ganwright.data.series.values import SeriesValues
from ganwright.metrics.courses import Courses
from ganwright.metrics.marginals import Marginals
from ganwright.metrics.parts.post_hoc import Scaled, Training, look_ahead, tell_apart
from ganwright.runtime.keys import Key

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "series"
TASKS = {
    "stock": ("google_stock.csv", Series(window=24)),
    "pollution": ("beijing_pollution.csv", Series(window=48, stride=12, drop=("No", "year", "month", "day", "hour"))),
}
PUBLISHED = 2_000, 5_000
"""Steps of the two judges."""
RATE = 1e-3


def main() -> int:
    """Print JSON lines; 0 when measured, or skipped for want of the data."""
    parser = argparse.ArgumentParser(description="Time series by the protocol of TimeGAN.")
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("--data", type=Path, default=FOLDER, help="the folder of the files")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--recipe")
    parser.add_argument("--training-seeds", type=int, default=3)
    parser.add_argument("--judges", type=int, default=5, help="networks of each kind")
    parser.add_argument("--steps", type=int, nargs=2, default=PUBLISHED, help="of the two judges")
    parser.add_argument("--keep", type=Path, help="a folder for the models")
    parser.add_argument("--model", type=Path, help="a model that was trained before")
    parser.add_argument("--real", action="store_true", help="judge real windows")
    options = parser.parse_args()
    name, modality = TASKS[options.task]
    if not (options.data / name).is_file():
        print(f"series: skipped: there is no file {options.data / name}", file=sys.stderr)
        return 0
    dataset = prepare(options.data / name, modality)
    codec = dataset.codec
    real = codec.series(codec.expand(dataset.batch(np.arange(len(dataset)))))
    assert real is not None
    shared = {"task": options.task, "judges": options.judges, "judge_steps": options.steps, "machine": describe_machine()}
    if options.real:
        half = np.random.default_rng(0).permutation(len(real))
        first, second = (real.take(some) for some in np.array_split(half, 2))
        print(json.dumps({"samples": "real", **judged(first, second, options.judges, options.steps), **shared}))
        return 0
    for seed in range(1 if options.model else options.training_seeds):
        began = time.monotonic()
        facts: dict[str, Any] = {}
        if options.model:
            model = load(options.model)
            facts = {"model": options.model.name}
        else:
            gan = GAN(options.recipe, seed=seed, modality=modality).fit(options.data / name, minutes=options.minutes)
            model = gan.model_
            facts = {"recipe": gan.config_.recipe, "seed": seed, "seconds": round(time.monotonic() - began, 1)}
            facts |= {"steps": gan.ended_.step, "kept_step": gan.ended_.kept_step}
            if options.keep:
                options.keep.mkdir(parents=True, exist_ok=True)
                gan.save(options.keep / f"{options.task}-{gan.config_.recipe}-{seed}.safetensors")
        parts = [found for x in model.tensors(len(real), seed=0) if (found := model.codec.series(x)) is not None]
        made = SeriesValues.join(parts)
        print(json.dumps({"samples": "made", **judged(real, made, options.judges, options.steps), **facts, **shared}))
        sys.stdout.flush()
    return 0


def judged(real: SeriesValues, made: SeriesValues, judges: int, steps: tuple[int, int]) -> dict[str, float]:
    """Means and standard deviations over the judges, and what needs none."""
    scaled = Scaled(real)
    keys = [Key(0, turn="bench", step=place) for place in range(judges)]
    told = [tell_apart(real, made, scaled, Training(steps[0], RATE, half_of(real), None), key) for key in keys]
    ahead = [look_ahead(made, real, scaled, Training(steps[1], RATE, half_of(real), None), key) for key in keys]
    figures = {
        "discriminative": [abs(each.accuracy - 0.5) for each in told],
        "auc": [each.auc for each in told],
        "predictive": ahead,
    }
    means = {name: round(float(np.mean(each)), 4) for name, each in figures.items()}
    spreads = {f"{name}_spread": round(float(np.std(each)), 4) for name, each in figures.items()}
    others = {**Courses().against(real)(made), **Marginals().against(real)(made)}
    return means | spreads | {name: round(value, 4) for name, value in others.items()}


def half_of(series: SeriesValues) -> int:
    """As wide as published."""
    return max(1, len(series.names) // 2)


if __name__ == "__main__":
    sys.exit(main())
