"""Evaluations and folders to tell of, made by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ganwright.data.ownership import save_picture
from ganwright.evaluation.result import Evaluation
from ganwright.metrics.parts.measurement import Better, Measurement

PROTOCOL = (
    "Between Gaussians fitted to the features of as many samples as real records, in float64; its error from 20 subsets."
)
HOSTILE = "<script>alert('x')</script>&\x1b[31m"


def a_measurement(value: float, better: Better = "lower", error: float | None = None, **changes: Any) -> Measurement:
    """2,000 samples, held against as many records; without a floor unless `changes` have one."""
    return replace(Measurement(value, better, count=2000, reference=2000, protocol=PROTOCOL, error=error), **changes)


def with_floor(value: float, better: Better, error: float, at_floor: float, floor: float) -> Measurement:
    """The same with a floor of 500 held-out records."""
    return a_measurement(
        value, better, error, floor=floor, floor_error=error * 1.4, floor_count=500, at_floor_count=at_floor
    )


MEASUREMENTS = {
    "frechet": with_floor(48.31, "lower", 0.62, 52.7, 6.04),
    "frechet_unbiased": with_floor(44.9, "lower", 0.9, 45.2, 0.31),
    "kernel_distance": with_floor(0.02114, "lower", 0.0008, 0.0212, -0.00002),
    "cmmd": with_floor(1.262, "lower", 0.04, 1.27, 0.011),
    "precision": with_floor(0.7123, "higher", 0.011, 0.702, 0.811),
    "recall": with_floor(0.3811, "higher", 0.013, 0.352, 0.795),
    "density": with_floor(0.893, "higher", 0.02, 0.88, 1.01),
    "coverage": with_floor(0.612, "higher", 0.012, 0.63, 0.96),
    "diversity": with_floor(0.804, "near one", 0.01, 0.806, 1.001),
    "near_duplicates": a_measurement(0.012, "lower", 0.002),
    "duplicates": a_measurement(0.0, "lower"),
    "copying": a_measurement(0.52, "lower", 0.011),
    "copying_p": a_measurement(0.00003, "higher"),
    "copies": a_measurement(0.013, "lower", 0.004),
    "class_balance": a_measurement(0.94, "higher", 0.01),
    "label_agreement": a_measurement(0.88, "higher", 0.012, floor=0.97),
    "some_new_thing": a_measurement(1234.5, "lower"),
}
CLASSES = {
    f"class {i:02d}": {"share": 0.05, "real_share": 0.06, "kernel_distance": 0.01 * (i % 7), "agreement": 0.8}
    for i in range(20)
}


def an_evaluation(**changes: Any) -> Evaluation:
    """One with every kind of finding."""
    evaluation = Evaluation(
        subject="runs/2026-11-22-emoji72-72px-1a2b/model.safetensors",
        data="emoji72",
        data_fingerprint="a737f55d0c46139c068fd4ab42d6bee3",
        features="random-v1-4x72x72",
        about_features="a fixed random network; its figures compare only with others of the same features",
        counts={"train": 3083, "held_out": 500, "samples": 2000},
        seed=0,
        measurements=MEASUREMENTS,
        failed={"conditional_frechet": "at least 10 records of each side are needed, not 4"},
        by_class=CLASSES,
        notes=(
            "The samples are far from the data: the Fréchet distance is 8.7 times that of held-out real records.",
            "No sign of copying: the samples lie no nearer to the training records than held-out ones do.",
            "Below 5,000 records the figures are noisy: compare runs with them, not papers.",
        ),
        seconds=72.4,
        made="2026-11-22T20:40:00+00:00",
        versions={"ganwright": "0.1.0", "torch": "2.13.0"},
    )
    return replace(evaluation, **changes)


def a_picture(path: Path, size: tuple[int, int] = (320, 240), seed: int = 0) -> Path:
    """A colourful PNG of ours at `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    save_picture(Image.fromarray(small).resize(size, Image.Resampling.NEAREST), path)
    return path


def an_evaluated_folder(path: Path, **changes: Any) -> Path:
    """A folder with an evaluation and a grid of samples."""
    path.mkdir(parents=True, exist_ok=True)
    an_evaluation(**changes).write(path)
    a_picture(path / "grid.png", seed=len(path.name))
    return path


def score_lines(count: int = 12, best: int = 8) -> str:
    """scores.jsonl of a run that got better and then worse."""
    lines: list[str] = []
    for i in range(count):
        distance = 60 + 3.0 * abs(i - best) + (i % 3)
        numbers = {"frechet": distance, "recall": 0.04 * min(i, best), "diversity": 0.3 + 0.05 * i}
        lines.append(json.dumps({"step": 100 * (i + 1), "samples_seen": 3200 * (i + 1), **numbers, "kept": i <= best}))
    return "\n".join(lines) + "\n"


def a_run_folder(path: Path, name: str = "emoji72", **changes: Any) -> Path:
    """A run folder with all that a report is made from, `name` being what a stranger called the data."""
    an_evaluated_folder(path, data=name, **changes)
    a_picture(path / "nearest.png", (480, 320), seed=1)
    a_picture(path / "curves.png", (900, 585), seed=2)
    a_picture(path / "samples" / "000100.png", seed=3)
    a_picture(path / "samples" / "001200.png", seed=4)
    (path / "config.toml").write_text(
        f"[data]\nname = {json.dumps(name)}\nrecords = 3583\n\n"
        '[train]\nrecipe = "dcgan"\nbatch = 32\ndiscriminator_steps = 1\ntotal_samples = 38400\nseed = 7\n'
        'device = "cpu"\nprecision = "fp32"\nthreads = 2\n'
    )
    report = {
        "name": name,
        "place": f"photos/{name}.zip",
        "noun": "pictures",
        "found": 3600,
        "used": 3583,
        "size": "72x72 colour (the size of all pictures)",
        "skipped": [{"reason": "damaged picture (.png)", "count": 17, "examples": [f"{name}/a.png"]}],
        "notes": ["10 exact duplicates; --dedupe keeps one of each"],
        "seconds": 3.8,
        "cached": False,
        "streamed": False,
    }
    (path / "data_report.json").write_text(json.dumps(report))
    status = {"state": "finished", "why": "all planned samples were seen", "step": 1200, "samples_seen": 38400}
    (path / "status.json").write_text(json.dumps({**status, "seconds": 812.0, "health": "ok"}))
    (path / "scores.jsonl").write_text(score_lines())
    (path / "MODEL_CARD.md").write_text(f"# {name}\n\nA generative adversarial network.\n")
    return path
