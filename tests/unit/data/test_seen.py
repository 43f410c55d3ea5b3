"""Pictures are read and decoded once, and come out as if they had been looked at before they were decoded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage

from ganwright.data import seen
from ganwright.data.dataset import Dataset
from ganwright.data.modalities.image import Image
from ganwright.data.opening import open_source
from ganwright.data.preparation import prepare
from ganwright.data.record import Record
from ganwright.data.seen import Seen
from ganwright.data.sources.image_folder import ImageFolder

COUNT = 100


def picture(number: int, size: tuple[int, int] = (24, 20), mode: str = "RGB") -> PillowImage.Image:
    random = np.random.default_rng(number)
    pixels = random.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return PillowImage.fromarray(pixels).convert(mode)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A hundred alike, and among the later ones whatever differs."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(COUNT):
        picture(number).save(folder / f"{number:03}.png")
    return folder


def with_others(photos: Path) -> None:
    picture(1000, (40, 40)).save(photos / "041.png")
    picture(1001, mode="L").save(photos / "042.png")
    picture(1002, mode="RGBA").save(photos / "043.png")
    turned = picture(1003, (20, 24))
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(photos / "044.png", exif=exif)
    whole = (photos / "045.png").read_bytes()
    (photos / "045.png").write_bytes(whole[: len(whole) // 2])


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Counter[int]:
    """How often each record of a folder was read."""
    found: Counter[int] = Counter()
    read = ImageFolder.read

    def counted(self: ImageFolder, start: int, stop: int) -> Sequence[Record]:
        found.update(range(start, min(stop, len(self))))
        return read(self, start, stop)

    monkeypatch.setattr(ImageFolder, "read", counted)
    return found


def packed(photos: Path, cache: Path, **settings: Any) -> Dataset:
    return prepare(photos, Image(**settings), cache=cache)


def pixels(dataset: Dataset) -> np.ndarray:
    return np.asarray(dataset.columns["x"])


def test_pictures_that_need_no_change_are_read_once(photos: Path, tmp_path: Path, reads: Counter[int]) -> None:
    found = pixels(packed(photos, tmp_path / "cache"))
    assert found.shape == (COUNT, 20, 24, 3)
    assert (found[57] == np.asarray(picture(57))).all()
    assert {reads[place] for place in range(16, COUNT)} == {1}


@pytest.mark.parametrize(("sizes", "side"), [([(300, 200)], (64, 96)), ([(90, 70), (200, 80), (66, 120)], (64, 64))])
def test_photos_that_are_resized_are_read_once_too(
    tmp_path: Path, reads: Counter[int], sizes: list[tuple[int, int]], side: tuple[int, int]
) -> None:
    """What they will be turned into is clear from the first ones; a JPEG's decoder halves what is far too large."""
    for number in range(60):
        picture(number, sizes[number % len(sizes)]).save(tmp_path / f"{number:03}.jpg")
    once = packed(tmp_path, tmp_path / "cache")
    assert pixels(once).shape == (60, *side, 3)
    assert {reads[place] for place in range(16, 60)} == {1}
    alone = packed(tmp_path, tmp_path / "other", size=side)
    assert (pixels(once) == pixels(alone)).all()


@pytest.mark.parametrize(
    "settings", [{}, {"channels": 1}, {"channels": 4}, {"size": 16}, {"size": (20, 24)}, {"dedupe": True}], ids=str
)
def test_the_same_comes_out_as_from_two_looks(
    photos: Path, tmp_path: Path, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_others(photos)
    once = packed(photos, tmp_path / "once", **settings)
    monkeypatch.setattr(Seen, "remember", lambda self, place, record: False)
    twice = packed(photos, tmp_path / "twice", **settings)
    assert (pixels(once) == pixels(twice)).all()
    assert once.fingerprint == twice.fingerprint
    assert once.report.skipped == twice.report.skipped
    assert once.report.notes == twice.report.notes
    assert once.report.size == twice.report.size


def test_what_cannot_be_decoded_is_tried_once(photos: Path, tmp_path: Path, reads: Counter[int]) -> None:
    """It may have taken its decoder half a minute, and its life."""
    (photos / "050.png").write_bytes(b"junk")
    picture(0, (4, 4)).save(photos / "051.png")
    data = packed(photos, tmp_path / "cache", size=20)
    assert len(data) == COUNT - 2
    assert {group.reason: group.examples for group in data.report.skipped} == {
        "damaged picture": ("050.png",),
        "smaller than 8 px": ("051.png",),
    }
    assert reads[50] == reads[51] == 1


def test_what_is_of_no_use_is_forgotten(photos: Path, tmp_path: Path, reads: Counter[int]) -> None:
    for number in range(60, COUNT):  # So the size is not that of the first ones, after all.
        picture(number, (12, 12)).save(photos / f"{number:03}.png")
    found = pixels(packed(photos, tmp_path / "cache"))
    assert found.shape == (COUNT, 20, 20, 3)
    assert reads[30] == 2


def test_memory_has_an_end(photos: Path, tmp_path: Path, reads: Counter[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen, "MOST_BYTES", 10 * 20 * 24 * 3)
    found = pixels(packed(photos, tmp_path / "cache"))
    assert (found[99] == np.asarray(picture(99))).all()
    assert sum(reads[place] == 1 for place in range(COUNT)) == 10


def test_a_record_comes_back_as_it_was_remembered(photos: Path) -> None:
    source = Seen(open_source(photos))
    array = np.zeros((20, 24, 3), np.uint8)
    source.remember(3, Record("003.png", array))
    some = source.read(2, 5)
    assert [record.name for record in some] == ["002.png", "003.png", "004.png"]
    assert some[1].payload is array
    assert isinstance(some[0].payload, bytes)
    source.forget()
    assert isinstance(source.read(3, 4)[0].payload, bytes)
