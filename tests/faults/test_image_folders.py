"""What people have in folders of pictures. The names are the rows of the table of faults."""

from __future__ import annotations

import os
import random
import socket
import struct
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganwright.core.errors import DataError
from ganwright.data.dataset import Dataset
from ganwright.data.decoding_workers import DecodingWorkers
from ganwright.data.modalities.image import Image as Pictures
from ganwright.data.picture_decoding import PictureFault, decode, look
from ganwright.data.preparation import prepare

Make = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with six good pictures, 24 px square and each of one colour, good0.png to good5.png."""
    root = tmp_path / "photos"
    root.mkdir()
    for i in range(6):
        Image.new("RGB", (24, 24), (40 * i, 255 - 40 * i, 30)).save(root / f"good{i}.png")
    return root


def photo(size: tuple[int, int], mode: str = "RGB", seed: int = 0) -> Image.Image:
    bands = len(Image.new(mode, (1, 1)).getbands())
    noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], bands), np.uint8)
    return (
        Image.fromarray(noise[..., 0] if bands == 1 else noise, mode="CMYK")
        if mode == "CMYK"
        else Image.fromarray(noise[..., 0] if bands == 1 else noise)
    )


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    stream = BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def skipped(data: Dataset) -> dict[str, int]:
    return {group.reason: group.count for group in data.report.skipped}


def pixels(data: Dataset, index: int) -> np.ndarray:
    return data.batch(np.array([index]))["x"][0].numpy()


def bomb(side: int) -> bytes:
    """A 1-bit PNG of side x side black pixels: a few kilobytes that unpack to many megabytes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((side + 7) // 8 + 1) * side, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_I1_empty_files_and_web_pages_are_skipped_and_listed(folder: Path) -> None:
    (folder / "empty.jpg").touch()
    (folder / "page.jpg").write_text("<!DOCTYPE html><html><body>403</body></html>")
    (folder / "noise.jpg").write_bytes(random.Random(0).randbytes(500))
    (folder / "notes.txt").write_text("hello")
    (folder / "Thumbs.db").write_bytes(b"x")
    data = prepare(folder)
    assert len(data) == 6
    assert skipped(data) == {
        "empty file": 1,
        "web page named as a picture": 1,
        "damaged picture": 1,
        "not a picture (.txt)": 1,
        "not a picture (.db)": 1,
    }
    lines = data.report.lines()
    assert lines[0].startswith(f"Found 11 files in {folder}")
    assert "use 6 · skip 5 → 2 not pictures (.db, .txt) · 1 damaged picture" in lines[1]
    assert {name for group in data.report.skipped for name in group.examples} >= {"page.jpg", "notes.txt"}


def test_I2_a_picture_cut_in_half_is_skipped(folder: Path) -> None:
    whole = encoded(photo((200, 200)), "JPEG")
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    assert skipped(prepare(folder)) == {"damaged picture": 1}


def test_I3_a_flipped_byte_never_stops_the_preparation(folder: Path) -> None:
    whole = bytearray(encoded(photo((64, 64)), "JPEG"))
    whole[len(whole) // 2] ^= 0x10
    (folder / "flipped.jpg").write_bytes(whole)
    assert len(prepare(folder)) in (6, 7)


@pytest.mark.parametrize("side", [9_500, 13_400])
def test_I4_decompression_bombs_are_refused(folder: Path, side: int) -> None:
    (folder / "bomb.png").write_bytes(bomb(side))
    assert skipped(prepare(folder)) == {"larger than 89 megapixels": 1}


def test_I4_one_very_long_side_is_refused(folder: Path) -> None:
    Image.new("1", (16_385, 16)).save(folder / "long.png")
    assert skipped(prepare(folder)) == {"longer than 16,384 px": 1}


def test_I4_a_picture_that_needs_too_much_memory_does_not_stop_the_others() -> None:
    good = encoded(photo((24, 24)), "PNG")
    task = {"do": "decode", "policy": {"height": 24, "width": 24, "channels": 3}}
    workers = DecodingWorkers(most=1, memory_bytes=600 << 20)
    try:
        answers = workers.run(task, [(good, "a.png"), (bomb(9_400), "b.png"), (good, "c.png")])
    finally:
        workers.close()
    assert [answer.fault for answer in answers] == ["", "needs too much memory", ""]
    assert answers[2].content == answers[0].content


def test_I5_other_formats_under_a_pictures_name_are_refused(folder: Path) -> None:
    (folder / "a.png").write_bytes(encoded(photo((24, 24)), "TIFF"))
    (folder / "b.png").write_bytes(encoded(photo((24, 24)), "EPS"))
    (folder / "c.png").write_bytes(b"SIMPLE  =                    T".ljust(80) + b"END".ljust(2800))
    data = prepare(folder)
    assert skipped(data) == {"TIFF named .png": 1, "EPS named as a picture": 1, "FITS named as a picture": 1}


def test_I5_a_jpeg_named_png_is_harmless(folder: Path) -> None:
    (folder / "a.png").write_bytes(encoded(photo((24, 24)), "JPEG"))
    assert len(prepare(folder)) == 7


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_I6_pictures_are_turned_upright(tmp_path: Path, kind: str) -> None:
    sideways = Image.new("L", (40, 20))
    sideways.paste(255, (0, 0, 20, 20))  # White on the left, which is on top once it is upright.
    exif = Image.Exif()
    exif[0x0112] = 6
    for i in range(4):
        sideways.save(tmp_path / f"{i}.{kind.lower()}", kind, exif=exif)
    data = prepare(tmp_path)
    assert data.codec.spec.shape == (1, 40, 20)
    assert pixels(data, 0)[:15].mean() > 250
    assert pixels(data, 0)[25:].mean() < 5
    assert "4 turned upright by their camera tag" in data.report.notes


def test_I7_16_bit_grey_is_rescaled(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 32 * 32).round().astype(np.uint16).reshape(32, 32)
    for i in range(4):
        Image.fromarray(ramp).save(tmp_path / f"{i}.png")
    data = prepare(tmp_path)
    assert data.codec.spec.shape == (1, 32, 32)
    assert abs(pixels(data, 0)[..., 0].astype(float) - ramp / 257).max() <= 0.5
    assert "4 16-bit grey rescaled to 8 bits" in data.report.notes


def test_I8_16_bit_colour_is_noted(tmp_path: Path) -> None:
    header = struct.pack(">IIBBBBB", 16, 16, 16, 2, 0, 0, 0)
    row = b"\0" + struct.pack(">H", 0x1234) * 48

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(row * 16)) + chunk(b"IEND", b"")
    for i in range(4):
        (tmp_path / f"{i}.png").write_bytes(png)
    data = prepare(tmp_path)
    assert (pixels(data, 0) == 18).all()
    assert "4 16-bit colour read as 8 bits" in data.report.notes


@pytest.mark.parametrize("background", ["white", "black"])
@pytest.mark.parametrize("size", [24, 12])
def test_I9_colour_hidden_under_transparency_never_shows(folder: Path, background: str, size: int) -> None:
    hidden = Image.new("RGBA", (24, 24), (12, 200, 33, 0))
    hidden.save(folder / "z-rgba.png")
    Image.new("LA", (24, 24), (77, 0)).save(folder / "z-la.png")
    palette = Image.new("P", (24, 24), 0)
    palette.putpalette([12, 200, 33] * 256)
    palette.save(folder / "z-palette.png", transparency=0)
    data = prepare(folder, Pictures(background=background, size=size))  # type: ignore[arg-type]
    assert data.codec.spec.shape == (3, size, size)
    for index in (6, 7, 8):
        assert (pixels(data, index) == (255 if background == "white" else 0)).all()
    assert f"3 transparent: drawn on {background}" in data.report.notes


def test_I9_transparency_kept_hides_the_colour_and_mixes_no_edge(tmp_path: Path) -> None:
    half = Image.new("RGBA", (48, 48), (12, 200, 33, 0))
    half.paste((250, 0, 0, 255), (0, 0, 24, 48))
    for i in range(4):
        half.save(tmp_path / f"{i}.png")
    same, smaller = prepare(tmp_path), prepare(tmp_path, Pictures(size=15))
    assert same.codec.spec.shape == (4, 48, 48)
    assert not ((pixels(same, 0) == (12, 200, 33, 0)).all(-1)).any()
    shown = pixels(smaller, 0)[pixels(smaller, 0)[..., 3] > 8]
    assert (shown[:, 0] > 230).all()
    assert (shown[:, 1] < 20).all()


def test_I9_cmyk_is_converted(folder: Path) -> None:
    Image.new("CMYK", (24, 24), (0, 255, 255, 0)).save(folder / "z.jpg")
    data = prepare(folder)
    red, green, blue = pixels(data, 6)[12, 12]
    assert red > 200 > 60 > max(green, blue)
    assert "1 converted from CMYK" in data.report.notes


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.tif"])
def test_I10_of_several_frames_the_first_is_taken(folder: Path, name: str) -> None:
    frames = [Image.new("RGB", (24, 24), colour) for colour in ("red", "blue", "lime")]
    frames[0].save(folder / name, save_all=True, append_images=frames[1:])
    data = prepare(folder)
    red, _, blue = pixels(data, 0)[12, 12]
    assert red > 200
    assert blue < 60
    assert "1 animated or of several pages: first one taken" in data.report.notes


def test_I11_mixed_sizes_get_one_policy_that_is_said(tmp_path: Path) -> None:
    for i, size in enumerate([(50, 40), (90, 60), (300, 200), (40, 80), (1, 1), (1, 5000)]):
        photo(size, seed=i).save(tmp_path / f"{i}.png")
    data = prepare(tmp_path)
    assert data.codec.spec.shape == (3, 40, 40)
    assert skipped(data) == {"smaller than 8 px": 2}
    assert "short side resized, centre kept" in data.report.size
    assert "from 4 sizes" in data.report.size


def test_I11_the_centre_is_kept(tmp_path: Path) -> None:
    wide = Image.new("L", (96, 32), 255)
    wide.paste(100, (32, 0, 64, 32))
    for i in range(4):
        wide.save(tmp_path / f"{i}.png")
    assert (pixels(prepare(tmp_path, Pictures(size=32)), 0) == 100).all()


def test_I12_exact_duplicates_are_counted_and_removed_on_request(folder: Path) -> None:
    for i in range(4):
        (folder / f"twin{i}.png").write_bytes((folder / "good0.png").read_bytes())
    counted = prepare(folder)
    assert len(counted) == 10
    assert "4 exact duplicates; --dedupe keeps one of each" in counted.report.notes
    removed = prepare(folder, Pictures(dedupe=True))
    assert len(removed) == 6
    assert skipped(removed) == {"exact duplicate": 4}


def test_I13_loops_special_files_and_odd_names(folder: Path) -> None:
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "self").symlink_to(folder / "self")
    elsewhere = folder.parent / "elsewhere"
    elsewhere.mkdir()
    photo((24, 24), seed=1).save(elsewhere / "far.png")
    (folder / "out").symlink_to(elsewhere, target_is_directory=True)
    (folder / "linked.png").symlink_to(elsewhere / "far.png")
    (folder / "broken.png").symlink_to(folder / "nowhere.png")
    os.mkfifo(folder / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(folder)  # The address of a socket must be short.
        try:
            server.bind("s.png")
        finally:
            os.chdir(here)
        for i, name in enumerate(["new\nline.png", "中文 ü.PNG", "LOUD.JPG", "bell\a.png"]):
            photo((24, 24), seed=i + 2).save(folder / name)
        photo((24, 24), seed=9).save(os.fsencode(folder) + b"/latin-\xe9.png")
        (folder / ".hidden.png").write_bytes(b"")
        data = prepare(folder)
    assert len(data) == 12
    assert skipped(data) == {
        "link to a folder elsewhere": 1,
        "broken link": 1,
        "no ordinary file": 2,
        "not a picture (no extension)": 1,
    }


def test_I13_unreadable_files_are_skipped(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    really_open = os.open

    def refusing_open(path: os.PathLike[str], *rest: Any) -> int:
        if os.fspath(path).endswith("good0.png"):
            raise PermissionError(13, "Permission denied")
        return really_open(path, *rest)

    monkeypatch.setattr(os, "open", refusing_open)  # Not chmod: root, who runs tests in containers, may read all files.
    assert skipped(prepare(folder)) == {"cannot be read": 1}


def test_I13_many_small_files_take_seconds(tmp_path: Path) -> None:
    content = encoded(photo((16, 16)), "PNG")
    for i in range(2_000):
        (tmp_path / f"{i}.png").write_bytes(content)
    assert len(prepare(tmp_path)) == 2_000


def test_I13_names_are_read_in_natural_order(tmp_path: Path) -> None:
    for i in (10, 9, 2, 1, 100):
        Image.new("L", (16, 16), i).save(tmp_path / f"p{i}.png")
    data = prepare(tmp_path)
    assert data.batch(np.arange(5))["x"][:, 0, 0, 0].tolist() == [1, 2, 9, 10, 100]


def test_I14_files_may_vanish_once_packed(folder: Path) -> None:
    data = prepare(folder)
    before = data.batch(np.arange(6))["x"]
    for path in folder.iterdir():
        path.write_bytes(b"gone")
    assert (data.batch(np.arange(6))["x"] == before).all()


def test_I14_a_file_that_vanishes_during_the_scan_is_skipped(folder: Path) -> None:
    def delete_one(what: str, done: int, total: int) -> None:
        (folder / "good3.png").unlink(missing_ok=True)

    data = prepare(folder, progress=delete_one)
    assert len(data) == 5
    assert skipped(data) == {"cannot be read": 1}


def test_I14_a_changed_file_is_noticed_at_the_next_start(folder: Path) -> None:
    assert len(prepare(folder)) == 6
    assert prepare(folder).report.cached
    (folder / "good0.png").unlink()
    again = prepare(folder)
    assert len(again) == 5
    assert not again.report.cached


@pytest.mark.parametrize("usable", [0, 1, 3])
def test_I15_too_few_pictures_is_a_clear_error_and_leaves_nothing(folder: Path, own_cache: Path, usable: int) -> None:
    for i in range(usable, 6):
        (folder / f"good{i}.png").write_text("<html>")
    with pytest.raises(DataError) as caught:
        prepare(folder)
    assert caught.value.code == "E-DATA-02"
    assert caught.value.exit_code == 3
    text = str(caught.value)
    assert f"{usable or 'no'} usable pictures in {folder}" in text
    assert f"looked at 6 files: {6 - usable} web pages named as a picture; nothing was created" in text
    assert len(text.splitlines()) <= 6
    assert not [path for path in own_cache.rglob("*") if path.is_file()]


def test_I15_unsupported_pictures_get_a_hint(tmp_path: Path) -> None:
    for i in range(3):
        (tmp_path / f"{i}.heic").write_bytes(b"\0\0\0 ftypheic")
    with pytest.raises(DataError, match="no usable pictures") as caught:
        prepare(tmp_path)
    assert "3 unsupported pictures (.heic)" in caught.value.why
    assert "convert" in caught.value.hints[0]


def test_I15_missing_and_misspelt_paths(tmp_path: Path) -> None:
    (tmp_path / "cats").mkdir()
    with pytest.raises(DataError, match=r"there is no folder .*cast") as caught:
        prepare(tmp_path / "cast")
    assert caught.value.code == "E-PATH-01"
    assert f"did you mean {tmp_path / 'cats'}?" in caught.value.hints


def test_I15_an_empty_folder_and_other_files(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no pictures in"):
        prepare(tmp_path / "empty")
    (tmp_path / "notes.docx").write_text("hello")
    with pytest.raises(DataError, match="cannot train on") as caught:
        prepare(tmp_path / "notes.docx")
    assert "a folder of pictures" in caught.value.hints[0]
    (tmp_path / "bad.zip").write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(DataError, match="cannot read the zip"):
        prepare(tmp_path / "bad.zip")


def test_I15_a_zip_is_as_good_as_a_folder(folder: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, f"photos/{path.name}")
        archive.writestr("__MACOSX/photos/._good0.png", b"junk")
        archive.writestr("../../evil.png", (folder / "good1.png").read_bytes())
    data = prepare(tmp_path / "photos.zip")
    assert len(data) == 7
    assert not list(tmp_path.parent.rglob("evil.png"))


def test_random_bytes_and_random_damage_never_escape_as_other_errors() -> None:
    draw = random.Random(1)
    samples = [encoded(photo((24, 24)), kind) for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")]
    from ganwright.data.picture_decoding import PicturePolicy

    for i in range(400):
        content = bytearray(draw.choice(samples))
        for _ in range(draw.randint(1, 8)):
            content[draw.randrange(min(len(content), 200))] = draw.randrange(256)
        try:
            look(bytes(content), f"{i}.tif")
            found, _ = decode(bytes(content), f"{i}.tif", PicturePolicy(16, 16, 3))
            assert found.shape == (16, 16, 3)
        except (PictureFault, MemoryError):
            pass
