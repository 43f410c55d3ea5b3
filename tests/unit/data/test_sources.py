"""Sources: archives, IDX and NumPy files, objects in memory; hostile ones too."""

from __future__ import annotations

import gzip
import struct
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganwright.core.errors import DataError
from ganwright.data.opening import open_source
from ganwright.data.sources.memory import Memory

PIXELS = np.arange(5 * 12 * 10, dtype=np.uint64).reshape(5, 12, 10).astype(np.uint8)


def png(value: int, size: tuple[int, int] = (10, 12)) -> bytes:
    stream = BytesIO()
    Image.new("L", size, value).save(stream, "PNG")
    return stream.getvalue()


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def payloads(data: object) -> np.ndarray:
    source = open_source(data)
    return np.stack([np.asarray(record.payload) for record in source.read(0, len(source))])


# Zip archives


def test_zip_order_and_skips(tmp_path: Path) -> None:
    names = ("set/10.png", "set/9.png", "set/readme.txt", "set/.hidden/2.png", "__MACOSX/set/._9.png", "../../set/1.png")
    with zipfile.ZipFile(tmp_path / "set.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, png(1))
    source = open_source(tmp_path / "set.zip")
    assert source.name == "set"
    assert [record.name for record in source.read(0, 9)] == ["../../set/1.png", "set/9.png", "set/10.png"]
    assert [skipped.reason for skipped in source.skipped] == ["not a picture (.txt)"]


def test_zip_labels(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for name in ("train/dog/10.png", "train/dog/9.png", "train/cat/1.png"):
            archive.writestr(name, png(1))
    records = open_source(tmp_path / "set.zip").read(0, 3)
    assert [(record.name, record.conditions["label"]) for record in records] == [
        ("train/cat/1.png", "cat"),
        ("train/dog/9.png", "dog"),
        ("train/dog/10.png", "dog"),
    ]


def test_a_damaged_member_is_a_fault_of_its_record(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(3):
            archive.writestr(f"{i}.png", png(i))
    content = bytearray(path.read_bytes())
    content[content.index(b"IDAT") + 6] ^= 0xFF
    path.write_bytes(content)
    assert [record.fault for record in open_source(path).read(0, 3)] == ["damaged in the archive", "", ""]


def test_a_locked_zip_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("1.png", png(1))
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="password"):
        open_source(path)


def test_a_zip_member_larger_than_allowed_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganwright.data.file_zip.LARGEST_FILE_BYTES", 1 << 20)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0.png", png(0))
        with archive.open("1.png", "w") as member:
            member.write(bytes(1 << 21))
    source = open_source(tmp_path / "a.zip")
    assert len(source) == 1
    assert [skipped.reason for skipped in source.skipped] == ["file larger than 1 MB"]


def test_zip_is_read_from_several_threads(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(60):
            archive.writestr(f"{i}.png", png(i))
    source = open_source(tmp_path / "a.zip")
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda i: source.read(i % 60, i % 60 + 1)[0].payload, range(240)))
    assert found == [png(i % 60) for i in range(240)]


def test_a_fingerprint_follows_the_content(tmp_path: Path) -> None:
    digests = []
    for value in (1, 1, 2):
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr("1.png", png(value))
        digests.append(open_source(tmp_path / "a.zip").fingerprint())
    assert digests[0] == digests[1] != digests[2]


# IDX


@pytest.mark.parametrize("zipped", [True, False])
def test_idx_folder_takes_the_training_pair(tmp_path: Path, zipped: bool) -> None:
    def write(name: str, array: np.ndarray) -> None:
        content = idx(array)
        (tmp_path / (name + (".gz" if zipped else ""))).write_bytes(gzip.compress(content) if zipped else content)

    write("t10k-images-idx3-ubyte", PIXELS[:2])
    write("train-images-idx3-ubyte", PIXELS)
    write("train-labels-idx1-ubyte", np.array([3, 1, 4, 1, 5], np.uint8))
    source = open_source(tmp_path)
    records = source.read(0, 9)
    assert (np.stack([np.asarray(record.payload) for record in records]) == PIXELS).all()
    assert [record.conditions["label"] for record in records] == ["3", "1", "4", "1", "5"]
    assert any("t10k" in note and "left out" in note for note in source.notes)
    alone = open_source(tmp_path / ("train-images-idx3-ubyte" + (".gz" if zipped else "")))
    assert alone.read(2, 3)[0].conditions == {"label": "4"}
    assert alone.name == "train-images"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\0\x08",
        b"\0\0\x08\x03\0\0",
        idx(PIXELS)[:-1],
        idx(PIXELS) + b"x",
        b"\0\0\x0d\x03" + idx(PIXELS)[4:],
        b"\0\0\x08\x03" + b"\xff" * 12,
        b"\0\0\x08\x03" + b"\0" * 12,
        gzip.compress(b"\0\0\x08\x03" + b"\0\xff\xff\xff" * 3),
        gzip.compress(idx(PIXELS))[:-20],
        gzip.compress(idx(PIXELS) + b"x"),
        gzip.compress(idx(PIXELS))[:12],
        b"\x1f\x8b" + b"junk" * 9,
    ],
    # Not by content: gzip writes the time into it, and two test processes must agree on the names.
    ids=[f"content{number}" for number in range(13)],
)
def test_hostile_idx_is_a_data_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x-images-idx3-ubyte").write_bytes(content)
    with pytest.raises(DataError) as caught:
        open_source(tmp_path / "x-images-idx3-ubyte").read(0, 1)
    assert len(str(caught.value).splitlines()) <= 6


def test_idx_labels_alone_are_no_pictures(tmp_path: Path) -> None:
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(PIXELS[0, 0]))
    with pytest.raises(DataError, match="holds labels"):
        open_source(tmp_path / "train-labels-idx1-ubyte")


def test_idx_labels_of_another_length_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "a-images-idx3-ubyte").write_bytes(idx(PIXELS))
    (tmp_path / "a-labels-idx1-ubyte").write_bytes(idx(PIXELS[0, 0]))
    source = open_source(tmp_path)
    assert source.read(0, 1)[0].conditions == {}
    assert any("not one per picture" in note for note in source.notes)


# NumPy files


def test_npy_and_npz(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", PIXELS)
    np.savez_compressed(tmp_path / "a.npz", x_train=PIXELS, y_train=np.arange(5), x_test=PIXELS[:1])
    assert (payloads(tmp_path / "a.npy") == PIXELS).all()
    source = open_source(tmp_path / "a.npz")
    assert [record.conditions["label"] for record in source.read(0, 5)] == ["0", "1", "2", "3", "4"]
    assert (payloads(tmp_path / "a.npz") == PIXELS).all()
    assert "left out: x_test" in source.notes


def test_numpy_files_never_unpickle(tmp_path: Path) -> None:
    objects = np.array([{"a": 1}] * 4, dtype=object)
    np.save(tmp_path / "a.npy", objects, allow_pickle=True)
    np.savez(tmp_path / "a.npz", images=objects.reshape(1, 2, 2))
    for name in ("a.npy", "a.npz"):
        with pytest.raises(DataError, match="cannot read") as caught:
            open_source(tmp_path / name)
        assert "Python objects" in caught.value.why


def test_hostile_numpy_files_are_data_errors(tmp_path: Path) -> None:
    np.save(tmp_path / "good.npy", PIXELS)
    good = (tmp_path / "good.npy").read_bytes()
    huge = good.replace(b"(5, 12, 10), }       ", b"(999999999, 12, 10),}")
    assert huge != good
    for content in (b"", b"junk", good[:60], good[:-5], huge):
        (tmp_path / "bad.npy").write_bytes(content)
        with pytest.raises(DataError):
            open_source(tmp_path / "bad.npy")
        with zipfile.ZipFile(tmp_path / "bad.npz", "w") as archive:
            archive.writestr("images.npy", content)
        with pytest.raises(DataError):
            open_source(tmp_path / "bad.npz")


def test_npz_without_pictures_lists_what_is_there(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", table=np.zeros((4, 4)))
    with pytest.raises(DataError, match="no pictures") as caught:
        open_source(tmp_path / "a.npz")
    assert "table (4, 4)" in caught.value.why


# Objects in memory


COLOUR = np.random.default_rng(0).integers(0, 256, (5, 12, 10, 3), np.uint8)


@pytest.mark.parametrize(
    "same",
    [
        COLOUR,
        COLOUR.transpose(0, 3, 1, 2),
        torch.from_numpy(COLOUR),
        torch.from_numpy(COLOUR).permute(0, 3, 1, 2),
        COLOUR / 255,
        (COLOUR / 255).astype(np.float16),
        COLOUR / 127.5 - 1,
        torch.from_numpy(COLOUR).float() / 127.5 - 1,
        COLOUR.astype(np.float32),
        COLOUR.astype(np.int64),
        COLOUR.astype(np.uint16) * 257,
        list(COLOUR),
        [Image.fromarray(picture) for picture in COLOUR],
    ],
    ids=[
        "hwc",
        "chw",
        "tensor",
        "tensor-chw",
        "0..1",
        "half",
        "-1..1",
        "tensor -1..1",
        "whole",
        "int64",
        "16-bit",
        "list",
        "pil",
    ],
)
def test_all_the_ways_to_hold_the_same_pictures(same: object) -> None:
    assert (payloads(same) == COLOUR).all()


@pytest.mark.parametrize("labels", [[0, 1, 0, 1, 2], np.arange(5), torch.arange(5), list("abcde"), np.arange(5.0)[:, None]])
def test_labels_in_memory(labels: object) -> None:
    found = [record.conditions["label"] for record in open_source((COLOUR, labels)).read(0, 5)]
    assert len(found) == 5
    assert found[0] in ("0", "a")


@pytest.mark.parametrize(
    "bad",
    [
        np.zeros((0, 8, 8), np.uint8),
        np.zeros((4, 8, 8, 2), np.uint8),
        np.full((4, 8, 8), np.nan),
        np.full((4, 8, 8), 300.5),
        np.linspace(0, 200, 256).reshape(4, 8, 8),
        np.full((4, 8, 8), -5),
        np.zeros((4, 8, 8), complex),
        [np.zeros((8, 8)), np.zeros((9, 9))],
        [np.zeros((8, 8, 2), np.uint8), np.zeros((9, 9), np.uint8)],
        (COLOUR, [1, 2]),
        (COLOUR, [0.5] * 5),
    ],
)
def test_arrays_that_cannot_be_pictures(bad: object) -> None:
    with pytest.raises(DataError) as caught:
        open_source(bad)
    assert caught.value.code in ("E-DATA-04", "E-DATA-01")


def test_binary_pictures_are_black_and_white() -> None:
    found = payloads((PIXELS > 100).astype(np.int32))
    assert set(np.unique(found)) == {0, 255}
    assert (payloads(PIXELS > 100) == found).all()


def test_a_list_of_pictures_of_several_sizes_and_modes() -> None:
    pictures = [Image.new("RGB", (20, 30)), Image.new("LA", (9, 9)), Image.new("1", (8, 8)), Image.new("P", (8, 9))]
    shapes = [np.shape(record.payload) for record in open_source(pictures).read(0, 4)]
    assert shapes == [(30, 20, 3), (9, 9, 4), (8, 8), (9, 8, 3)]


def test_memory_fingerprint_is_of_the_content() -> None:
    assert Memory(COLOUR).fingerprint() == Memory(COLOUR.copy()).fingerprint()
    assert Memory(COLOUR).fingerprint() != Memory(COLOUR, [1, 2, 3, 4, 5]).fingerprint()


# Real data


def test_mnist_is_read(shared_data: Callable[[str], Path]) -> None:
    source = open_source(shared_data("mnist/train-images-idx3-ubyte.gz").parent)
    assert len(source) == 60_000
    first = source.read(0, 1)[0]
    assert first.conditions == {"label": "5"}
    assert np.asarray(first.payload).shape == (28, 28)
