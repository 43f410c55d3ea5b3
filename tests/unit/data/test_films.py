"""Films, as other programs read them."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganwright.data.films import write_film
from ganwright.data.ownership import is_ours

MODES = {"L": (), "RGB": (3,), "RGBA": (4,)}


def pictures(count: int, mode: str, side: int = 150) -> Iterator[Image.Image]:
    """Plain colours that change from picture to picture, with a gradient across."""
    for number in range(count):
        pixels = np.zeros((side, side - 10, *MODES[mode]), np.uint8)
        ramp = np.linspace(0, 60, side - 10).astype(np.uint8)
        pixels[:] = (ramp[:, None] if MODES[mode] else ramp) + 20 * (number % 8)
        if mode == "RGBA":
            pixels[..., 3] = 255
            pixels[: side // 2, :, 3] = 0
        yield Image.fromarray(pixels)


def read(path: Path) -> tuple[list[np.ndarray], list[float]]:
    frames: list[np.ndarray] = []
    durations: list[float] = []
    with Image.open(path) as film:
        assert film.info["loop"] == 0
        for number in range(getattr(film, "n_frames", 1)):
            film.seek(number)
            film.load()
            durations.append(film.info["duration"])
            frames.append(np.asarray(film.convert("RGBA")).astype(int))
    return frames, durations


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
@pytest.mark.parametrize("mode", MODES)
def test_a_film_has_every_picture_in_its_colours(mode: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"film{suffix}"
    assert write_film(pictures(5, mode), path, fps=30) == 5
    frames, durations = read(path)
    assert len(frames) == 5
    # Rounded to what the format counts in, without losing time on the way.
    assert sum(durations) == pytest.approx(5000 / 30, abs=10)
    for found, told in zip(frames, pictures(5, mode), strict=True):
        expected = np.asarray(told.convert("RGBA")).astype(int)
        if mode == "RGBA" and suffix == ".gif":  # on white
            clear = expected[..., 3] == 0
            expected[clear] = 255
        shown = expected[..., 3] > 0
        assert found.shape == expected.shape
        assert np.abs(found[shown] - expected[shown]).mean() < 4
        assert (found[~shown][..., 3] == 0).all()
    assert is_ours(path)


def test_grey_pictures_keep_every_value_in_a_gif(tmp_path: Path) -> None:
    write_film(pictures(3, "L"), tmp_path / "film.gif", fps=10)
    for found, told in zip(read(tmp_path / "film.gif")[0], pictures(3, "L"), strict=True):
        assert np.array_equal(found[..., 0], np.asarray(told))


def test_tiny_pictures_are_enlarged_and_a_film_may_have_one(tmp_path: Path) -> None:
    assert write_film(pictures(1, "RGB", side=16), tmp_path / "film.gif", fps=10) == 1
    with Image.open(tmp_path / "film.gif") as film:
        assert film.size == (48, 128)


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_long_films_take_no_more_memory(suffix: str, tmp_path: Path) -> None:
    peaks: list[int] = []
    for count in (20, 400):
        tracemalloc.start()
        write_film(pictures(count, "RGB", side=40), tmp_path / f"{count}{suffix}", fps=30)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


def test_a_film_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def broken() -> Iterator[Image.Image]:
        yield from pictures(2, "RGB")
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        write_film(broken(), tmp_path / "film.gif", fps=10)
    assert list(tmp_path.iterdir()) == []
