"""Samples as files: kinds, marks, and nothing of anyone else's written over."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from ganwright.cli.writing import write_grid, write_samples
from ganwright.core.errors import DataError, UsageError
from ganwright.data.modalities.base import Codec
from ganwright.data.modalities.image import ImageCodec
from ganwright.data.modalities.numbers import Numbers
from ganwright.data.ownership import is_ours, mark, save_picture
from ganwright.data.picture_decoding import PicturePolicy
from ganwright.data.sources.rows import Rows

COLOUR, GREY, CLEAR = (ImageCodec(PicturePolicy(8, 8, channels)) for channels in (3, 1, 4))
NUMBERS = Numbers().fit(Rows.open(np.eye(3)), lambda *_: None)


class FakeModel:
    """What writing needs of a model: blocks of 64, as it gives them."""

    def __init__(self, codec: Codec) -> None:
        self.codec = codec
        self.told: dict[str, Any] = {}

    def stream(self, n: int, *, seed: int, **told: Any) -> Iterator[Any]:
        self.told = told
        for start in range(0, n, 64):
            x = torch.rand(64, *self.codec.spec.shape, generator=torch.Generator().manual_seed(seed + start)) * 2 - 1
            yield self.codec.decode(x)[: n - start]

    def grid(self, rows: int, columns: int, *, seed: int, **told: Any) -> PillowImage.Image:
        self.told = told
        return self.codec.preview(next(self.stream(rows * columns, seed=seed)), columns)


def model(codec: Codec) -> Any:
    return FakeModel(codec)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".jpeg"])
def test_pictures_carry_our_mark(tmp_path: Path, suffix: str) -> None:
    for colour, value in (("RGB", (200, 30, 90)), ("L", 77)):
        path = tmp_path / f"{colour}{suffix}"
        save_picture(PillowImage.new(colour, (16, 16), value), path)
        assert is_ours(path)
        with PillowImage.open(path) as picture:
            assert picture.format == ("PNG" if suffix == ".png" else "JPEG")
            assert picture.mode == colour
            assert np.abs(np.asarray(picture).astype(int) - value).max() <= 3
        PillowImage.new(colour, (16, 16)).save(path)
        assert not is_ours(path)
    assert not is_ours(tmp_path / f"nothing{suffix}")
    (tmp_path / f"junk{suffix}").write_bytes(b"junk")
    assert not is_ours(tmp_path / f"junk{suffix}")


def test_a_table_is_ours_until_someone_works_on_it(tmp_path: Path) -> None:
    path = tmp_path / "samples.csv"
    path.write_text("a\n1\n")
    assert not is_ours(path)
    mark(path)
    assert is_ours(path)
    os.utime(path, ns=(1, 1))
    assert not is_ours(path)
    mark(path)
    path.write_text("a\n1\n2\n")
    assert not is_ours(path)
    path.unlink()
    assert not is_ours(path)


@pytest.mark.parametrize("suffix", ["", ".png", ".jpg", ".JPG", ".jpeg"])
def test_samples_in_blocks_are_numbered_on(tmp_path: Path, suffix: str) -> None:
    for _ in range(2):  # What is ours is written over.
        paths = write_samples(model(COLOUR), 70, 0, tmp_path, suffix)
        assert [path.name for path in paths] == [f"{i:06d}{suffix.lower() or '.png'}" for i in range(70)]
        assert sorted(tmp_path.iterdir()) == paths


@pytest.mark.parametrize("name", ["cat.png", "cat.JPG", "cat.jpeg"])
def test_one_picture_may_go_to_a_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / "new" / name
    for _ in range(2):
        assert write_samples(model(COLOUR), 1, 0, path) == [path]
    with PillowImage.open(path) as picture:
        assert picture.format == ("PNG" if name == "cat.png" else "JPEG")
    with pytest.raises(UsageError, match="is one file, for 2 pictures") as caught:
        write_samples(model(COLOUR), 2, 0, path)
    assert "-o FOLDER" in caught.value.hints
    with pytest.raises(UsageError, match=r"is no \.bmp file|not \.bmp"):
        write_samples(model(COLOUR), 1, 0, path, ".bmp")
    path.write_bytes(b"mine")
    with pytest.raises(DataError, match="was not made by Ganwright"):
        write_samples(model(COLOUR), 1, 0, path)


def test_a_file_of_one_kind_is_none_of_another(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"a\.png is no \.jpg file"):
        write_samples(model(COLOUR), 1, 0, tmp_path / "a.png", ".jpg")
    for codec, name in ((COLOUR, "a.webp"), (COLOUR, "a.csv"), (NUMBERS, "a.xlsx"), (NUMBERS, "a.png")):
        with pytest.raises(UsageError, match=f"are written as .*, not {Path(name).suffix}"):
            write_samples(model(codec), 1, 0, tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["v1.5", "there.png"])
def test_folders_with_a_dot_are_folders(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    if name == "there.png":
        folder.mkdir()
    assert write_samples(model(COLOUR), 2, 0, folder) == [folder / "000000.png", folder / "000001.png"]


def test_rows_go_to_one_csv(tmp_path: Path) -> None:
    for count in (100, 70):
        assert write_samples(model(NUMBERS), count, 3, tmp_path) == [tmp_path / "samples.csv"]
        lines = (tmp_path / "samples.csv").read_text().splitlines()
        assert lines[0] == "x0,x1,x2"
        assert len(lines) == count + 1
    assert write_samples(model(NUMBERS), 0, 3, tmp_path / "none") == []


@pytest.mark.parametrize(("codec", "name"), [(COLOUR, "000065.png"), (NUMBERS, "samples.csv")])
def test_nothing_is_written_where_something_of_another_lies(tmp_path: Path, codec: Codec, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(DataError, match="was not made by Ganwright"):
        write_samples(model(codec), 70, 0, tmp_path)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, "mine")]


def test_jpeg_holds_no_transparency(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot hold transparency") as caught:
        write_samples(model(CLEAR), 3, 0, tmp_path / "out", ".jpg")
    assert "channels=3" in caught.value.hints[1]
    assert not (tmp_path / "out").exists()
    with pytest.raises(UsageError, match=r"pictures are written as \.png or \.jpg or \.jpeg, not \.gif"):
        write_samples(model(GREY), 3, 0, tmp_path, ".gif")


@pytest.mark.parametrize("name", ["a.png", "a.JPG", "b.jpeg", "folder"])
@pytest.mark.parametrize("codec", [COLOUR, CLEAR, NUMBERS])
def test_grids_of_every_kind(tmp_path: Path, name: str, codec: Codec) -> None:
    expected = tmp_path / "new" / name / ("grid.png" if name == "folder" else "")
    for _ in range(2):
        assert write_grid(model(codec), (2, 3), 0, tmp_path / "new" / name) == [expected]
    assert is_ours(expected)
    expected.write_bytes(b"mine")
    with pytest.raises(DataError, match="was not made by Ganwright"):
        write_grid(model(codec), (2, 3), 0, tmp_path / "new" / name)


def test_wishes_reach_the_model(tmp_path: Path) -> None:
    fake = FakeModel(GREY)
    write_samples(fake, 2, 0, tmp_path, sampling={"label": "cat"})  # type: ignore[arg-type]
    assert fake.told == {"label": "cat"}
    write_grid(fake, (1, 2), 0, tmp_path, {"title": "cats"})  # type: ignore[arg-type]
    assert fake.told == {}  # Asked of the grid, and this one asks its stream for nothing.


def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for write in (write_samples, write_grid):
        with pytest.raises(DataError, match="cannot write to"):
            write(model(GREY), (2, 2) if write is write_grid else 2, 0, tmp_path / "file")  # type: ignore[arg-type]
