"""Records that come while they are trained on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from ganwright.core.errors import DataError, UsageError
from ganwright.data.modalities.numbers import Numbers
from ganwright.data.preparation import prepare
from ganwright.data.stream import open_stream

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(50, 3))
PICTURES = RANDOM.integers(0, 256, (50, 3, 9, 8), np.uint8)
LABELS = np.arange(50) % 2


class Again:
    """Batches that can be iterated over as often as one likes."""

    def __init__(self, *batches: Any) -> None:
        self.batches = batches
        self.passes = 0

    def __iter__(self) -> Iterator[Any]:
        self.passes += 1
        return iter(self.batches)


def batches_of(array: Any, size: int = 8) -> list[Any]:
    return [array[start : start + size] for start in range(0, len(array), size)]


def decoded(stream: Any, count: int) -> np.ndarray:
    return stream.codec.decode(stream.codec.expand(stream.batch(np.zeros(count, np.int64))))


def test_records_come_in_order_pass_after_pass(own_cache: Path) -> None:
    data = Again(*batches_of(ROWS))
    stream = open_stream(data, head_records=1000)
    assert stream.endless
    assert len(stream) == 50
    found = np.concatenate([decoded(stream, count) for count in (1, 30, 0, 60, 34, 25)])
    assert np.allclose(found, np.tile(ROWS, (3, 1)), atol=1e-6)
    assert data.passes == 3
    assert stream.notes == []
    assert not [path for path in own_cache.rglob("*") if path.is_file()]


@pytest.mark.parametrize("head_records", [1, 20, 50, 51])
def test_the_first_records_are_neither_lost_nor_given_twice(head_records: int) -> None:
    # All in one range, so that a head of any length knows it.
    rows = np.concatenate([[[-5.5] * 3, [5.5] * 3] * 4, ROWS])
    stream = open_stream(Again(*batches_of(rows)), head_records=head_records)
    assert np.allclose(decoded(stream, 116), np.tile(rows, (2, 1)), atol=1e-6)
    assert stream.head.columns["x"].shape[0] == min(-(-head_records // 8) * 8, 58)


def test_pictures_are_packed_as_an_array_would_be() -> None:
    floats = torch.from_numpy(PICTURES).float() / 127.5 - 1
    loader = DataLoader(TensorDataset(floats, torch.from_numpy(LABELS)), batch_size=16)
    stream, whole = open_stream(loader, head_records=30), prepare((PICTURES, LABELS))
    batch = stream.batch(np.arange(50))
    assert (batch["x"].numpy() == whole.columns["x"]).all()
    assert batch["label"].tolist() == LABELS.tolist()
    assert stream.codec.spec == whole.codec.spec
    assert stream.report.lines()[0].startswith("Looked at the first 32 pictures of the stream   read in ")
    assert stream.codec.conditions[0].counts == (16, 16)
    plain = open_stream(Again(*batches_of(PICTURES.transpose(0, 2, 3, 1))), head_records=8)
    assert (plain.batch(np.arange(50))["x"].numpy() == whole.columns["x"]).all()


def test_looking_takes_nothing_from_the_stream() -> None:
    stream = open_stream(Again(*batches_of(ROWS)), head_records=20)
    assert len(stream.some(7)["x"]) == 7
    assert len(stream.some(1000)["x"]) == 24
    for _ in range(3):
        assert len(stream.head.batch(np.arange(24))["x"]) == 24
    assert not stream.head.endless
    # Scaled by a head that did not see everything, so only its own records are sure to come back.
    assert np.allclose(decoded(stream, 24), ROWS[:24], atol=1e-6)


def test_names_alone_ask_for_the_batch_last_given() -> None:
    pairs = zip(batches_of(ROWS), batches_of(LABELS), strict=True)
    stream = open_stream(Again(*pairs), head_records=20)
    assert stream.batch(np.arange(3), {"label"})["label"].tolist() == [0, 1, 0]
    stream.batch(np.arange(7))
    last = stream.batch(np.arange(6))
    again = stream.batch(np.arange(6), ["label"])
    assert set(again) == {"label"}
    assert again["label"].tolist() == last["label"].tolist() == [1, 0, 1, 0, 1, 0]
    assert stream.batch(np.arange(8), ["label"])["label"].tolist() == [1, 0, 1, 0, 1, 0, 1, 0]
    assert set(stream.batch(np.arange(2), ["x"])) == {"x"}
    assert stream.batch(np.arange(1))["label"].tolist() == [1]  # The records went on by 7 + 6 + 2.
    last["label"].zero_()
    assert stream.batch(np.arange(1), ["label"])["label"].tolist() == [1]


def test_a_generator_ends_with_an_error_that_says_what_to_do() -> None:
    stream = open_stream(iter(batches_of(ROWS)), head_records=10)
    stream.batch(np.arange(48))
    with pytest.raises(DataError, match="the stream has ended") as caught:
        stream.batch(np.arange(8))
    assert "gave 50 records and cannot begin again" in caught.value.why
    assert "stream=False" in caught.value.hints[0]


def test_a_stream_that_is_all_in_its_head_goes_on() -> None:
    stream = open_stream(Again(ROWS[:10]), limit=6)
    assert np.allclose(decoded(stream, 18), np.tile(ROWS[:6], (3, 1)), atol=1e-6)
    with pytest.raises(DataError, match="ended"):
        open_stream(iter([ROWS])).batch(np.arange(51))


def test_something_that_is_empty_the_second_time_has_ended() -> None:
    class Once(Again):
        def __iter__(self) -> Iterator[Any]:
            self.passes += 1
            return iter(self.batches if self.passes == 1 else [])

    with pytest.raises(DataError, match="ended") as caught:
        open_stream(Once(ROWS)).batch(np.arange(100))
    assert "gave 50 records" in caught.value.why


def test_a_pass_without_a_usable_record_does_not_go_on_for_ever() -> None:
    class Spoilt(Again):
        def __iter__(self) -> Iterator[Any]:
            self.passes += 1
            return iter(self.batches if self.passes == 1 else [np.full((9, 3), np.nan)])

    with pytest.raises(DataError, match="ended") as caught:
        open_stream(Spoilt(ROWS)).batch(np.arange(100))
    assert "of 9 records none could be used" in caught.value.why


def test_values_that_the_head_did_not_have_are_clipped_and_counted() -> None:
    stream = open_stream(Again(ROWS[:10], ROWS[10:20] * 0 + 99, ROWS[:4]), head_records=10)
    found = decoded(stream, 24)
    assert (found[10:20] == ROWS[:10].max(0)).all()
    assert stream.notes == ["30 values beyond the range that was found, clipped to it"]

    dim = np.clip(PICTURES[:, 0], 0, 200) / 200 * 0.9
    shining = open_stream(Again(dim[:20], dim[20:] * 0 + 1.5), head_records=20)
    assert (shining.batch(np.arange(50))["x"].numpy()[20:] == 255).all()
    assert shining.notes == [f"{30 * 72:,} values beyond the range that was found, clipped to it"]


@pytest.mark.parametrize("kind", ["rows", "pictures"])
def test_records_that_are_no_numbers_are_left_out_and_counted(kind: str) -> None:
    good = ROWS if kind == "rows" else PICTURES[:, 0] / 255
    spoilt = good[10:20].copy()
    spoilt[4].flat[1], spoilt[6].flat[1] = np.nan, np.inf
    stream = open_stream(Again(good[:10], spoilt, good[20:]), head_records=10)
    x = stream.batch(np.arange(48))["x"].numpy()
    assert sum(stream.skipped.values()) == 2
    assert stream.notes[-1].startswith("2 records left out: value that is not a number")
    whole = open_stream(Again(good), head_records=10) if kind == "pictures" else stream
    if kind == "pictures":
        expected = whole.batch(np.arange(50))["x"].numpy()
        assert (x == np.delete(expected, [14, 16], axis=0)).all()


def test_a_class_that_the_head_did_not_have_is_unknown() -> None:
    stream = open_stream(Again((ROWS[:10], LABELS[:10]), (ROWS[:5], [7] * 5)), head_records=10)
    assert stream.batch(np.arange(15))["label"].tolist()[10:] == [-1] * 5
    assert "5 records of a class that the first ones do not have" in stream.notes


def test_a_limit_holds_for_each_pass() -> None:
    stream = open_stream(Again(*batches_of(np.abs(ROWS))), limit=20, head_records=12)
    assert np.allclose(decoded(stream, 40)[20:36], np.abs(ROWS[:16]), atol=1e-6)


def test_a_modality_may_be_given() -> None:
    stream = open_stream(Again(*batches_of(ROWS)), Numbers(scaling="all"))
    assert stream.codec.state()["scaling"] == "all"
    assert stream.report.size == "3 numbers a row"


@pytest.mark.parametrize("data", ["photos/", Path("a.csv"), ROWS, [ROWS], torch.zeros(4, 4)])
def test_what_is_no_iterable_is_not_streamed(data: Any) -> None:
    with pytest.raises(UsageError, match="only an iterable of batches") as caught:
        open_stream(data)
    assert "stream=True" in caught.value.hints[0]


def test_too_few_records() -> None:
    with pytest.raises(DataError, match="no batches"):
        open_stream(iter([]))
    with pytest.raises(DataError, match="only 3 usable rows"):
        open_stream(iter([ROWS[:3]]))


def test_another_shape_later_is_named() -> None:
    stream = open_stream(Again(ROWS[:10], ROWS[:10, :2]), head_records=10)
    with pytest.raises(DataError, match="batch 1 has another shape"):
        stream.batch(np.arange(20))


def test_the_fingerprint_is_of_the_first_records() -> None:
    same = [open_stream(Again(*batches_of(ROWS, size)), limit=16).fingerprint for size in (4, 8)]
    assert same[0] == same[1]
    assert open_stream(Again(ROWS + 1)).fingerprint != open_stream(Again(ROWS)).fingerprint


def test_a_plain_dataset_has_an_end() -> None:
    data = prepare((ROWS, LABELS))
    assert not data.endless
    assert data.head is data
    assert set(data.batch(np.arange(3), {"label"})) == {"label"}
    assert data.batch(np.arange(3), ()) == {}
    some = data.some(5)
    assert some["label"].tolist() == [LABELS[i] for i in (0, 12, 24, 36, 49)]
    assert len(data.some(1000)["x"]) == 50
