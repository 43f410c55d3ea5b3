"""Any iterable of batches as a source."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from ganwright.core.errors import DataError, ResourceError
from ganwright.data.opening import open_source
from ganwright.data.preparation import prepare
from ganwright.data.sources.batches import Batches

RANDOM = np.random.default_rng(0)
PICTURES = RANDOM.integers(0, 256, (30, 3, 9, 8), np.uint8)
ROWS = RANDOM.normal(size=(30, 5))
LABELS = np.arange(30) % 3


def in_batches(*arrays: Any, size: int = 7) -> Iterator[Any]:
    for start in range(0, len(arrays[0]), size):
        first, *others = (array[start : start + size] for array in arrays)
        yield (first, *others) if others else first


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("batches", "same"),
    [
        (lambda: DataLoader(TensorDataset(torch.from_numpy(PICTURES)), batch_size=7), PICTURES),
        (lambda: in_batches(torch.from_numpy(PICTURES).float() / 127.5 - 1), PICTURES),
        (lambda: in_batches(PICTURES.transpose(0, 2, 3, 1)), PICTURES),
        (lambda: in_batches(torch.from_numpy(PICTURES[:, 0])), PICTURES[:, 0]),
        (lambda: in_batches(ROWS), ROWS),
        (lambda: in_batches(torch.from_numpy(ROWS)), ROWS),
        (lambda: iter([ROWS]), ROWS),
        (lambda: in_batches(np.concatenate([ROWS[:0], ROWS]), size=30), ROWS),
        (lambda: map(np.asarray, in_batches(ROWS)), ROWS),
    ],
)
def test_batches_are_what_an_array_would_be(batches: Any, same: np.ndarray, own_cache: Path) -> None:
    expected, found = prepare(same), prepare(batches())
    assert found.fingerprint == expected.fingerprint
    assert len(found) == 30
    assert found.report.place == "memory"
    assert not [path for path in own_cache.rglob("*") if "batches" in path.name]


def test_labels_come_with_them() -> None:
    loader = DataLoader(TensorDataset(torch.from_numpy(ROWS), torch.from_numpy(LABELS)), batch_size=7)
    for batches in (loader, in_batches(ROWS, LABELS), in_batches(ROWS, list(map(str, LABELS)))):
        data = prepare(batches)
        assert data.fingerprint == prepare((ROWS, LABELS)).fingerprint
        assert data.codec.conditions[0].counts == (10, 10, 10)


def test_the_range_of_values_is_decided_over_all_batches() -> None:
    dark, bright = np.full((5, 8, 8), 0.25), np.full((5, 8, 8), -1.0)
    data = prepare(iter([dark, bright]))
    assert set(np.unique(data.columns["x"])) == {0, 159}


def test_equal_content_is_packed_once() -> None:
    assert not prepare(in_batches(ROWS)).report.cached
    assert prepare(in_batches(ROWS, size=11)).report.cached


def test_an_iterable_without_an_end_is_possible_with_a_limit() -> None:
    def endless() -> Iterator[np.ndarray]:
        while True:
            yield ROWS[:7]

    seen: list[tuple[str, int, int]] = []
    data = prepare(endless(), limit=18, progress=lambda *facts: seen.append(facts))
    assert len(data) == 18
    assert data.report.notes == ("only the first 18 records were read",)
    assert [fact for fact in seen if fact[0] == "reading batches"] == [("reading batches", n, 0) for n in (7, 14, 18)]
    assert prepare(in_batches(ROWS), limit=100).report.notes == ()


@pytest.mark.parametrize(
    ("batches", "words"),
    [
        ([], "there are no batches"),
        ([ROWS[:0]], "there are no batches"),
        ([ROWS[:4], ROWS[:4, :3]], "records have shape (3,) in batch 1, and (5,) before"),
        ([ROWS[:4], ROWS[:4].astype(np.float32)], "values are float32 in batch 1, and float64 before"),
        ([ROWS[:4], (ROWS[:4], [1] * 4)], "batch 1 has some, those before have none"),
        ([(ROWS[:4], [1] * 4), (ROWS[:4], [1] * 3)], "4 records and 3 labels"),
        ([(ROWS[:4], [0.5] * 4)], "cannot read the labels"),
        ([(ROWS[:4], [1] * 4, [1] * 4)], "a tuple of 3 things"),
        ([{"image": ROWS}], "of type dict"),
        (["text"], "of type str"),
        ([None], "of type NoneType"),
        ([np.array([["a"]])], "type <U1"),
        ([ROWS[0]], "its shape is (5,)"),
        ([np.float64(1)], "of type float64"),
        ([(PICTURES[0], 3)], "one record of shape (3, 9, 8) with the label 3"),
        ([PICTURES[0].transpose(1, 2, 0)], "that of a single picture"),
        ([torch.from_numpy(PICTURES[0])], "that of a single picture"),
        ([np.full((4, 8, 8), np.nan)], "not finite"),
        ([np.zeros((4, 2, 2, 2, 2))], "does not look like pictures"),
    ],
)
def test_what_is_no_iterable_of_batches(batches: list[Any], words: str, own_cache: Path) -> None:
    with pytest.raises(DataError) as caught:
        prepare(iter(batches))
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 6
    assert not files_in(own_cache)


def test_single_records_are_told_to_come_in_batches() -> None:
    with pytest.raises(DataError, match="TensorDataset") as caught:
        prepare(TensorDataset(torch.from_numpy(ROWS)))
    assert "DataLoader" in caught.value.why


def test_whole_things_are_no_iterables_of_batches() -> None:
    for data in ([ROWS], (ROWS,), {"a": ROWS}, {1}, "ab", b"ab", ROWS, torch.zeros(3), Path(), list, None):
        assert not Batches.can_open(data)


def test_what_the_iterable_raises_is_passed_on_and_nothing_is_left(own_cache: Path) -> None:
    def failing() -> Iterator[np.ndarray]:
        yield ROWS[:7]
        assert files_in(own_cache)
        raise OSError("mine")

    with pytest.raises(OSError, match="mine") as caught:
        prepare(failing())
    assert not isinstance(caught.value, ResourceError)
    assert not files_in(own_cache)


def test_a_memory_that_is_used_again_for_each_batch_is_no_danger() -> None:
    def reusing() -> Iterator[torch.Tensor]:
        buffer = torch.zeros(10, 5, dtype=torch.float64)
        for start in (0, 10, 20):
            buffer.copy_(torch.from_numpy(ROWS[start : start + 10]))
            yield buffer

    assert prepare(reusing()).fingerprint == prepare(ROWS).fingerprint


def test_too_little_disk_space_is_said(monkeypatch: pytest.MonkeyPatch, own_cache: Path) -> None:
    monkeypatch.setattr("ganwright.runtime.files.SPARE_BYTES", 1 << 60)
    with pytest.raises(ResourceError, match="disk space"):
        prepare(in_batches(ROWS))
    assert not files_in(own_cache)


def test_a_cache_that_is_a_file_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ResourceError, match="cannot write the packed data"):
        prepare(in_batches(ROWS), cache=tmp_path / "file")


def test_a_source_can_be_loaded_again_after_it_was_closed(tmp_path: Path) -> None:
    source = open_source(DataLoader(TensorDataset(torch.from_numpy(ROWS)), batch_size=4))
    for _ in range(2):
        source.load(tmp_path)
        source.load(tmp_path)
        assert len(source) == 30
        assert (np.stack([np.asarray(record.payload) for record in source.read(0, 30)]) == ROWS).all()
        source.close()
        source.close()
        assert not files_in(tmp_path)
