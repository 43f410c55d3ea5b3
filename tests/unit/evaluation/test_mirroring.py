"""Whether a set of pictures may be mirrored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from support import tiny_dataset

from ganwright.data.dataset import Dataset
from ganwright.data.preparation import prepare
from ganwright.evaluation import mirroring
from ganwright.evaluation.mirroring import FEWEST, kept_mirroring, mirroring_fits


def letters(words: str, count: int, side: int = 20) -> np.ndarray:
    """Letters in the middle, a little moved to either side, (N, side, side) uint8."""
    random = np.random.default_rng(0)
    found = np.zeros((count, side, side), np.uint8)
    for picture in found:
        canvas = Image.new("L", (side, side))
        place = (side / 2 + random.integers(-2, 3), side / 2 + random.integers(-2, 3))
        ImageDraw.Draw(canvas).text(place, str(random.choice(list(words))), 255, ImageFont.load_default(15), anchor="mm")
        picture[:] = np.asarray(canvas)
    return found


def with_either_side(pictures: np.ndarray) -> np.ndarray:
    """Half of them mirrored, so that neither side is the usual one."""
    turned = pictures.copy()
    turned[::2] = turned[::2, :, ::-1]
    return turned


def test_letters_are_not_to_be_mirrored() -> None:
    found = mirroring_fits(prepare(letters("BCDEFGJKLPQRS", 300)))
    assert not found.fits
    assert found.share > 0.02
    assert found.p_value < 0.01
    assert "look different" in found.reason


def test_what_comes_either_way_round_may_be_mirrored() -> None:
    found = mirroring_fits(prepare(with_either_side(letters("BCDEFGJKLPQRS", 300))))
    assert found.fits
    assert found.share < 0.01
    assert found.pictures == 300


def test_one_side_that_is_brighter_is_seen() -> None:
    noise = np.random.default_rng(0).integers(0, 200, (400, 16, 16, 3))
    assert mirroring_fits(prepare(noise.astype(np.uint8))).fits
    assert not mirroring_fits(prepare((noise * np.linspace(0.9, 1.2, 16)[:, None]).astype(np.uint8))).fits


def test_chance_rarely_says_no() -> None:
    """A test at one in a hundred, of pictures without sides."""
    noise = prepare(np.random.default_rng(1).integers(0, 256, (100, 8, 8, 1), np.uint8))
    assert sum(not mirroring_fits(noise, seed).fits for seed in range(20)) <= 1


def test_large_and_wide_pictures_are_looked_at_too() -> None:
    side = np.zeros((40, 60, 130, 3), np.uint8)
    side[:, :, :50] = np.random.default_rng(0).integers(100, 256, (40, 1, 1, 3), np.uint8)
    assert not mirroring_fits(prepare(side)).fits


def test_the_same_seed_gives_the_same_answer() -> None:
    data = tiny_dataset(80)
    assert mirroring_fits(data, seed=3) == mirroring_fits(data, seed=3)
    assert mirroring_fits(data, seed=3).share != mirroring_fits(data, seed=4).share


def test_what_is_no_picture_or_too_little_is_left_as_it_is() -> None:
    rows = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    assert not mirroring_fits(prepare(rows)).fits
    found = mirroring_fits(tiny_dataset(FEWEST - 1))
    assert not found.fits
    assert "too few to tell" in found.reason


@pytest.mark.parametrize(("name", "fits"), [("mnist", False), ("images/cats64.zip", True)])
def test_digits_and_faces(name: str, fits: bool, shared_data: Callable[[str], Path]) -> None:
    assert mirroring_fits(prepare(shared_data(name), limit=600)).fits == fits


def test_the_same_records_are_asked_about_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And again where what was kept cannot be read, or nothing can be kept."""
    asked: list[int] = []

    def counted(dataset: Dataset) -> mirroring.Mirroring:
        asked.append(len(dataset))
        return mirroring_fits(dataset)

    monkeypatch.setenv("GANWRIGHT_CACHE", str(tmp_path))
    monkeypatch.setattr(mirroring, "mirroring_fits", counted)
    some, fewer = (prepare(letters("BCD", count)) for count in (FEWEST, FEWEST - 1))
    first = kept_mirroring(some)
    assert kept_mirroring(some) == first
    assert kept_mirroring(fewer) != first
    assert asked == [FEWEST, FEWEST - 1]
    for path in (tmp_path / "mirroring").iterdir():
        path.write_text('{"fits": "perhaps"}')
    assert kept_mirroring(some) == first
    monkeypatch.setenv("GANWRIGHT_CACHE", "/dev/null/nowhere")
    assert kept_mirroring(some) == first
    assert asked == [FEWEST, FEWEST - 1, FEWEST, FEWEST]
