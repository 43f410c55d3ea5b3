"""Packing, the cache, the report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from ganwright.core.config import from_plain, to_plain
from ganwright.core.errors import DataError, ResourceError
from ganwright.data.columns import ColumnWriter
from ganwright.data.dataset import Dataset
from ganwright.data.modalities.base import Modality
from ganwright.data.modalities.image import Image
from ganwright.data.modalities.sound import Sound
from ganwright.data.modalities.table import Table
from ganwright.data.modalities.text import Text
from ganwright.data.preparation import prepare
from ganwright.data.report import DataReport, SkippedGroup, reasons

PICTURES = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3), np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("cats", "dogs"):
        (tmp_path / "set" / name).mkdir(parents=True)
    for i, picture in enumerate(PICTURES):
        PillowImage.fromarray(picture).save(tmp_path / "set" / ("cats" if i < 20 else "dogs") / f"{i}.png")
    return tmp_path / "set"


def test_a_folder_becomes_columns(folder: Path) -> None:
    data = prepare(str(folder))
    assert len(data) == 40
    batch = data.batch(np.array([39, 0, 0]))
    assert (batch["x"].numpy() == PICTURES[[39, 0, 0]]).all()
    assert batch["label"].tolist() == [1, 0, 0]
    assert batch["label"].dtype == torch.int64
    batch["x"].zero_()
    assert (data.batch(np.array([39]))["x"].numpy() == PICTURES[[39]]).all()


def test_the_second_start_reads_no_picture(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = prepare(folder)
    monkeypatch.setattr("ganwright.data.preparation.chunks", None)
    second = prepare(folder)
    assert second.report.cached
    assert not first.report.cached
    assert second.fingerprint == first.fingerprint
    assert "opened from the cache" in second.report.lines()[0]


def test_equal_content_has_an_equal_fingerprint_wherever_it_lies(folder: Path, tmp_path: Path) -> None:
    labels = ["cats"] * 20 + ["dogs"] * 20
    assert prepare(folder).fingerprint == prepare((PICTURES, labels)).fingerprint
    assert prepare(folder).fingerprint != prepare(PICTURES).fingerprint


def test_settings_and_limit_have_their_own_cache(folder: Path) -> None:
    assert prepare(folder, Image(size=16)).codec.spec.shape == (3, 16, 16)
    assert prepare(folder, Image(channels=1)).codec.spec.shape == (1, 8, 8)
    few = prepare(folder, limit=10)
    assert len(few) == 10
    assert few.labels is not None
    assert few.labels.sum() == 5
    assert "10 of 40 records taken, evenly spread" in few.report.notes
    assert len(prepare(folder)) == 40
    assert len(prepare(folder, limit=1000)) == 40


@pytest.mark.parametrize(
    ("modality", "said"),
    [(Sound(rate=8000), "pictures, no sounds"), (Text(length=20), "pictures, no texts"), (Table(drop=("a",)), "no rows")],
    ids=["sounds", "texts", "rows"],
)
def test_what_is_said_of_another_kind_of_data_is_told(folder: Path, tmp_path: Path, modality: Modality, said: str) -> None:
    with pytest.raises(DataError, match=said):
        prepare(folder, modality)
    table = tmp_path / "table.csv"
    table.write_text("a,b\n" + "1,x\n2,y\n" * 20)
    for other in (Sound(rate=8000), Image(size=16), Text(length=20)):
        with pytest.raises(DataError, match="holds rows, no"):
            prepare(table, other)


def test_damaged_cache_is_made_again(folder: Path, own_cache: Path) -> None:
    before = prepare(folder).fingerprint
    for name, content in (("x.npy", b"junk"), ("dataset.json", b"{}"), ("dataset.json", b"\xff")):
        next(own_cache.rglob(name)).write_bytes(content)
        again = prepare(folder)
        assert not again.report.cached
        assert again.fingerprint == before


def test_a_failed_preparation_leaves_nothing(folder: Path, own_cache: Path) -> None:
    def stop(what: str, done: int, total: int) -> None:
        if what.startswith("packing"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(folder, progress=stop)
    assert not [path for path in own_cache.rglob("*") if path.is_file()]


def test_progress_reaches_the_total(folder: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    prepare(folder, progress=lambda what, done, total: seen.append((what, done, total)))
    assert ("looking at pictures", 40, 40) in seen
    assert seen[-1] == ("packing pictures", 40, 40)


def test_too_little_disk_space_is_said_before_it_is_full(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganwright.runtime.files.SPARE_BYTES", 1 << 60)
    with pytest.raises(ResourceError, match="disk space") as caught:
        prepare(folder)
    assert "are free" in caught.value.why


def test_a_disk_that_fills_up_is_no_traceback(folder: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ColumnWriter, "append", full)
    with pytest.raises(ResourceError, match="cannot write the packed data") as caught:
        prepare(folder)
    assert "No space left" in caught.value.why
    assert not [path for path in own_cache.rglob("*") if path.is_file()]


def test_a_cache_that_is_a_file_is_no_traceback(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ResourceError):
        prepare(folder, cache=tmp_path / "file")


def test_abandoned_work_of_yesterday_is_cleared(folder: Path, own_cache: Path) -> None:
    for name, age in ((".tmp-old", 2 * 86400), (".tmp-new", 60)):
        (own_cache / "data" / name).mkdir(parents=True)
        os.utime(own_cache / "data" / name, (time.time() - age, time.time() - age))
    prepare(folder)
    assert not (own_cache / "data" / ".tmp-old").exists()
    assert (own_cache / "data" / ".tmp-new").exists()


def test_a_script_without_a_main_guard_works(folder: Path, tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(f"from ganwright.data.preparation import prepare\nprint(len(prepare({str(folder)!r})))")
    done = subprocess.run([sys.executable, "-W", "error", str(script)], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("40\n", "")


def test_threads_may_race(folder: Path) -> None:
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: prepare(folder).fingerprint, range(4)))
    assert len(set(found)) == 1


def test_a_dataset_of_another_version_is_refused(folder: Path, own_cache: Path) -> None:
    prepare(folder)
    path = next(own_cache.rglob("dataset.json"))
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": 99}))
    with pytest.raises(DataError, match="cannot be opened"):
        Dataset.open(path.parent)


def test_the_report_survives_json() -> None:
    report = DataReport(
        "cats", "./cats", "pictures", 10, 7, "64x64", (SkippedGroup("damaged picture", 3, ("a", "b")),), ("n",), 1.5
    )
    assert from_plain(DataReport, json.loads(json.dumps(to_plain(report)))) == report


def test_the_report_reads_like_a_sentence() -> None:
    groups = (
        SkippedGroup("not a picture (.txt)", 10),
        SkippedGroup("not a picture (.db)", 4),
        SkippedGroup("damaged picture", 5),
        SkippedGroup("smaller than 8 px", 3),
        SkippedGroup("exact duplicate", 2),
        SkippedGroup("TIFF named .png", 1),
    )
    report = DataReport("cats", "./cats", "pictures", 1043, 1018, "64x64 colour", groups, ("41 turned upright",), 1.84)
    assert report.lines() == [
        "Found 1,043 files in ./cats   scanned in 1.8 s",
        "  use 1,018 · skip 25 → 14 not pictures (.txt, .db) · 5 damaged pictures · 3 smaller than 8 px"
        " · 2 exact duplicates · 1 TIFF named .png",
        "  size  64x64 colour",
        "  note  41 turned upright",
    ]
    assert reasons([SkippedGroup("link to a folder elsewhere", 2)]) == "2 links to a folder elsewhere"


def test_columns_grow_to_plain_npy_files(tmp_path: Path) -> None:
    pieces = [np.random.default_rng(i).integers(0, 9, (i, 3, 2)) for i in (5, 0, 1, 300)]
    writer = ColumnWriter(tmp_path / "x.npy", pieces[0])
    for piece in pieces:
        writer.append(piece)
    writer.finish()
    found = np.load(tmp_path / "x.npy", mmap_mode="r", allow_pickle=False)
    assert (found == np.concatenate(pieces)).all()


# Real data


def test_real_photos(shared_data: Callable[[str], Path]) -> None:
    data = prepare(shared_data("images/cats64.zip"), limit=600)
    assert len(data) == 600
    assert data.codec.describe() == "64x64 colour"
    assert not data.report.skipped


def test_real_transparent_pictures(shared_data: Callable[[str], Path]) -> None:
    data = prepare(shared_data("images/emoji72.zip"), limit=400)
    assert data.codec.spec.shape == (4, 72, 72)
    pixels = data.batch(np.arange(len(data)))["x"]
    assert (pixels[pixels[..., 3] == 0][:, :3] == 255).all()


def test_real_classes(shared_data: Callable[[str], Path]) -> None:
    data = prepare(shared_data("images/cifar10_jpeg.zip"), limit=200)
    assert len(data.codec.conditions[0].classes) == 10
    assert data.labels is not None
    assert np.bincount(data.labels).tolist() == [20] * 10


def test_mnist_in_seconds(shared_data: Callable[[str], Path]) -> None:
    data = prepare(shared_data("mnist/train-images-idx3-ubyte.gz").parent)
    assert len(data) == 60_000
    assert data.codec.describe() == "28x28 grey"
    assert data.codec.conditions[0].classes == tuple("0123456789")
    assert data.report.seconds < 30  # 1.5 on two free cores; a busy machine must not fail the test
    assert prepare(shared_data("mnist/train-images-idx3-ubyte.gz").parent).report.cached
