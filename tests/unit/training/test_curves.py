"""The course of a run as a picture, and what drawing it leaves behind."""

from __future__ import annotations

import gc
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

from ganwright.training.curves import draw_curves
from ganwright.training.events import Progress


def history(points: int) -> list[Progress]:
    numbers = {"real_logits": 0.5, "fake_logits": -0.5, "discriminator_loss": 1.0, "generator_loss": 0.7}
    return [
        Progress(
            step=step,
            samples_seen=16 * step,
            total_samples=16_000,
            elapsed_seconds=step,
            seconds_left=1.0,
            records_per_second=16.0,
            epoch=0.0,
            health="ok",
            diversity=0.5,
            by_heart=None,
            numbers=numbers,
            epoch_ended=False,
        )
        for step in range(points)
    ]


def figures() -> int:
    return sum(type(thing) is Figure for thing in gc.get_objects())  # isinstance would wake lazy modules


def test_a_figure_is_gone_once_it_is_drawn(tmp_path: Path) -> None:
    """Figures hold themselves, and megabytes; Python would look for such only after many more of them."""
    gc.collect()
    before = figures()
    gc.disable()
    try:
        draw_curves(history(10), [], tmp_path / "curves.png")
        assert figures() == before
        assert gc.get_freeze_count() == 0
    finally:
        gc.enable()
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.width > 500


def test_what_someone_froze_stays_frozen(tmp_path: Path) -> None:
    gc.freeze()
    try:
        frozen = gc.get_freeze_count()
        draw_curves(history(10), [], tmp_path / "curves.png")
        assert gc.get_freeze_count() > frozen / 2
    finally:
        gc.unfreeze()
