"""Which records are kept from training: by their content, and found again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support import tiny_dataset

from ganwright.data import dataset as dataset_module
from ganwright.data.dataset import Dataset
from ganwright.data.held_out import Split, hold_out, record_digests, split_below
from ganwright.data.modalities.image import Image
from ganwright.data.modalities.numbers import Numbers
from ganwright.data.preparation import prepare
from ganwright.data.subset import Subset


def contents(dataset: Dataset | None) -> set[bytes]:
    """The pixels of each record."""
    assert dataset is not None
    return {row.tobytes() for row in dataset.batch(np.arange(len(dataset)))["x"].numpy()}


@pytest.mark.parametrize(
    ("records", "held_out"),
    [(8_000, 400), (4_000, 200), (3_000, 200), (2_000, 200), (1_999, 199), (500, 50), (100, 10), (10, 1), (9, 0), (4, 0)],
)
def test_a_twentieth_is_held_out_but_at_least_200_and_at_most_a_tenth(records: int, held_out: int) -> None:
    split = hold_out(tiny_dataset(records, height=4, width=4))
    assert (0 if split.held_out is None else len(split.held_out)) == held_out
    assert len(split.train) == records - held_out


def test_no_record_is_on_both_sides_and_none_is_lost() -> None:
    data = tiny_dataset(300)
    split = hold_out(data)
    assert not contents(split.train) & contents(split.held_out)
    assert contents(split.train) | contents(split.held_out) == contents(data)


def test_the_split_does_not_depend_on_the_order_of_the_records() -> None:
    data = tiny_dataset(300)
    shuffled = Subset(data, np.random.default_rng(5).permutation(300))
    assert contents(hold_out(data).held_out) == contents(hold_out(shuffled).held_out)


def test_the_threshold_finds_the_same_records_again_among_more() -> None:
    """Someone adds photos to the folder: what was trained on is still told from what was not."""
    more = tiny_dataset(400)
    first = Subset(more, np.arange(300))
    split = hold_out(first)
    again = split_below(more, split.below)
    assert contents(split.held_out) <= contents(again.held_out)
    assert contents(split.train) <= contents(again.train)


def test_equal_pictures_lie_on_one_side() -> None:
    data = tiny_dataset(300)
    twice = Subset(data, np.concatenate([np.arange(300), np.arange(300)]))
    split = hold_out(twice)
    assert not contents(split.train) & contents(split.held_out)


def test_a_picture_that_is_there_too_often_is_not_held_out() -> None:
    data = tiny_dataset(2)
    many = Subset(data, np.array([0] * 150 + [1] * 150))
    assert hold_out(many) == Split(many)


def test_frequent_rows_of_a_table_are_held_out_in_their_share() -> None:
    values = np.repeat(np.array([[0.0, 1.0], [1.0, 0.0], [0.5, 0.5]]), [4000, 3000, 1000], axis=0)
    data = prepare(values, Numbers())
    held_out = hold_out(data).held_out
    assert held_out is not None
    counts = np.unique(held_out.batch(np.arange(len(held_out)))["x"].numpy(), axis=0, return_counts=True)[1]
    assert sorted(counts / counts.sum()) == pytest.approx([1 / 8, 3 / 8, 4 / 8], abs=0.08)


def test_a_small_class_gives_none_of_its_records() -> None:
    data = tiny_dataset(2_000, classes=("common", "rare"))
    labels = np.zeros(2_000, np.int64)
    labels[:15] = 1
    data.columns["label"] = labels
    split = hold_out(data)
    assert split.held_out is not None
    assert split.held_out.labels is not None
    assert (split.held_out.labels == 0).all()
    assert split.train.labels is not None
    assert int((split.train.labels == 1).sum()) == 15


def test_where_all_classes_are_small_records_are_held_out_all_the_same() -> None:
    data = tiny_dataset(240, classes=tuple(f"breed {i}" for i in range(20)))
    data.columns["label"] = np.arange(240) % 20
    split = hold_out(data)
    assert split.held_out is not None
    assert len(split.held_out) == 24
    assert split_below(data, split.below).held_out is not None


def test_digests_are_of_the_content_alone() -> None:
    plain, labelled = tiny_dataset(20), tiny_dataset(20, classes=("a", "b"))
    assert np.array_equal(record_digests(plain), record_digests(labelled))
    assert len(set(record_digests(plain).tolist())) == 20


def test_a_part_gives_the_records_of_the_whole() -> None:
    data = tiny_dataset(30, classes=("a", "b", "c"))
    places = np.array([7, 3, 20])
    part = Subset(data, places)
    assert len(part) == 3
    expected = data.batch(places)
    found = part.batch(np.arange(3))
    assert all(np.array_equal(expected[name], found[name]) for name in ("x", "label"))
    assert np.array_equal(part.labels if part.labels is not None else [], expected["label"])
    assert len(part.some(2)["x"]) == 2
    assert part.whole is data
    assert part.fingerprint not in (data.fingerprint, Subset(data, places[::-1]).fingerprint)


def test_data_can_be_packed_as_other_data_were(tmp_path: Path) -> None:
    """Samples of another tool come in another size and in colour: they are made like the real ones."""
    random = np.random.default_rng(0)
    grey = prepare(random.integers(0, 256, (30, 12, 10), np.uint8))
    other = prepare(random.integers(0, 256, (20, 24, 24, 3), np.uint8), codec=grey.codec)
    assert other.codec.state() == grey.codec.state()
    assert other.batch(np.arange(20))["x"].shape == (20, 12, 10, 1)
    again = prepare(random.integers(0, 256, (20, 24, 24, 3), np.uint8), codec=grey.codec)
    assert again.fingerprint != other.fingerprint, "another content is not taken from the cache"


def test_data_packed_by_their_own_codec_have_their_own_fingerprint() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (30, 12, 10), np.uint8)
    first = prepare(pictures)
    assert prepare(pictures, codec=first.codec).fingerprint == first.fingerprint


@pytest.mark.parametrize("dedupe", [False, True])
def test_digests_are_kept_with_packed_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dedupe: bool) -> None:
    """So that a start need not read all records; where they are damaged or cannot be kept, they are made again."""
    pictures = np.random.default_rng(3).integers(0, 256, (60, 8, 8, 3), np.uint8)
    pictures[40:50] = pictures[7]
    np.save(tmp_path / "pictures.npy", pictures)

    def opened() -> Dataset:
        return prepare(tmp_path / "pictures.npy", Image(dedupe=dedupe), cache=tmp_path / "cache")

    with monkeypatch.context() as forbidding:
        forbidding.setattr(Dataset, "batch", None)
        first = opened()
        digests = record_digests(first)
    assert len(digests) == len(first) == (50 if dedupe else 60)
    assert len(set(digests.tolist())) == 50
    assert first.folder is not None
    kept = first.folder / "digests.npy"
    for damage in (b"", b"junk", kept.read_bytes()[:-8]):
        kept.write_bytes(damage)
        assert np.array_equal(record_digests(opened()), digests)
    with monkeypatch.context() as forbidding:
        forbidding.setattr(Dataset, "batch", None)
        assert np.array_equal(record_digests(opened()), digests), "kept again"
    kept.unlink()

    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(dataset_module, "write_atomically", full)
    assert np.array_equal(record_digests(opened()), digests)
    assert not kept.exists()
