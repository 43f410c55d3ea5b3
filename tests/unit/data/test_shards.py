"""Records dealt out to shards."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from support import tiny_config

from ganwright.core.errors import DataError, UsageError
from ganwright.data.held_out import hold_out
from ganwright.data.preparation import prepare
from ganwright.data.sampler import Dealt
from ganwright.data.shards import Shards, is_packed, write_shards
from ganwright.data.subset import Subset
from ganwright.runtime import distributed
from ganwright.runtime.keys import Key
from ganwright.training.batches import Batches

COUNT = 4000


@pytest.fixture
def packed(tmp_path: Path) -> tuple[Path, np.ndarray]:
    """A folder of eight shards, and what was dealt out to them: pictures that are all different."""
    pictures = np.random.default_rng(0).integers(0, 256, (COUNT, 8, 8, 1), np.uint8)
    labels = np.arange(COUNT) % 3
    dataset = prepare((pictures, labels), cache=tmp_path / "cache")
    write_shards(dataset, tmp_path / "shards", 8)
    return tmp_path / "shards", pictures


def test_every_record_is_there_with_what_is_known_of_it(packed: tuple[Path, np.ndarray]) -> None:
    folder, pictures = packed
    assert is_packed(folder)
    found = prepare(str(folder))
    assert len(found) == COUNT
    whole = found.batch(np.arange(COUNT))
    by_content = {picture.tobytes(): place % 3 for place, picture in enumerate(pictures)}
    assert len(by_content) == COUNT
    rows = whole["x"].numpy()
    assert {row.tobytes() for row in rows} == set(by_content)
    classes = [int(found.codec.conditions[0].classes[place]) for place in whole["label"].tolist()]
    assert classes == [by_content[row.tobytes()] for row in rows]


def test_those_held_out_are_the_same_as_of_data_that_were_not_packed(
    packed: tuple[Path, np.ndarray], tmp_path: Path
) -> None:
    folder, pictures = packed
    plain = hold_out(prepare((pictures, np.arange(COUNT) % 3), cache=tmp_path / "cache")).held_out
    dealt = hold_out(prepare(folder)).held_out
    assert plain is not None
    assert isinstance(dealt, Subset)
    contents = [{row.tobytes() for row in each.batch(np.arange(len(each)))["x"].numpy()} for each in (plain, dealt)]
    assert contents[0] == contents[1]
    assert dealt.places.tolist() == list(range(COUNT - len(dealt), COUNT)), (
        "shards hold what is learned from, and nothing else"
    )


def test_an_epoch_sees_each_record_once_whoever_draws(
    packed: tuple[Path, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    train = hold_out(prepare(packed[0])).train
    assert len(train) % 8 == 0
    config = tiny_config(batch=40, mirror=False)
    seen: dict[int, list[bytes]] = {}
    for size in (1, 2, 4):
        monkeypatch.setattr(distributed, "world_size", lambda size=size: size)
        steps: list[list[bytes]] = [[] for _ in range(2 * len(train) // 40)]
        for rank in range(size):
            monkeypatch.setattr(distributed, "rank", lambda rank=rank: rank)
            batches = Batches(train, config)
            for step, contents in enumerate(steps):
                x, _ = batches.real(Key(3, step=step, turn="discriminator"), distributed.share_of(40))
                contents += [row.numpy().tobytes() for row in x]
        for epoch in range(2):
            half = len(steps) // 2
            counts = Counter(row for contents in steps[epoch * half : (epoch + 1) * half] for row in contents)
            assert set(counts.values()) == {1}
            assert len(counts) == len(train)
        seen[size] = [row for contents in steps for row in sorted(contents)]
    assert seen[1] == seen[2] == seen[4]


def test_a_process_needs_the_shards_of_its_rank_only(
    packed: tuple[Path, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = packed
    for shard in range(0, 8, 2):
        (folder / f"shard-{shard:05d}.npy").unlink()
    train = hold_out(prepare(folder)).train
    monkeypatch.setattr(distributed, "world_size", lambda: 2)
    monkeypatch.setattr(distributed, "rank", lambda: 1)
    batches = Batches(train, tiny_config(batch=8))
    for step in range(50):
        batches.real(Key(0, step=step, turn="discriminator"), distributed.share_of(8))
    train.some(10)  # whatever is looked at is taken from what is here
    monkeypatch.setattr(distributed, "rank", lambda: 0)
    with pytest.raises(DataError, match="not on this machine"):
        batches.real(Key(0, step=0, turn="discriminator"), distributed.share_of(8))


def test_readers_of_unequal_length_draw_each_of_theirs_once_a_pass() -> None:
    readers = np.array([0, 1, 1, 5, 1, 0])
    sampler = Dealt(readers)
    drawn = sampler.draw(Key(0), range(36))
    assert [readers[place] for place in drawn.tolist()] == [0, 1, 5] * 12
    for reader in (0, 1, 5):
        mine = drawn[readers[drawn] == reader]
        count = int((readers == reader).sum())
        for start in range(0, 12, count):
            assert len(set(mine[start : start + count].tolist())) == count
    assert sampler.draw(Key(0), range(7, 36, 3)).tolist() == drawn[7:36:3].tolist()


def test_what_cannot_be_packed_is_said(packed: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    folder, _ = packed
    dataset = Shards(folder)
    with pytest.raises(UsageError, match="is not empty"):
        write_shards(dataset, folder, 4)
    with pytest.raises(UsageError, match="cannot be dealt out"):
        write_shards(dataset, tmp_path / "other", COUNT + 1)
    with pytest.raises(UsageError, match="was decided then"):
        prepare(folder, limit=10)


@pytest.mark.parametrize("damage", ["facts", "short shard", "columns"])
def test_damaged_shards_are_named(damage: str, packed: tuple[Path, np.ndarray]) -> None:
    folder, _ = packed
    if damage == "facts":
        (folder / "shards.json").write_text('{"version": 1, "rows": -3}')
    elif damage == "columns":
        np.save(folder / "digests.npy", np.zeros(3, np.uint64))
    else:
        np.save(folder / "shard-00002.npy", np.zeros((3, 8, 8, 1), np.uint8))
    with pytest.raises(DataError, match=r"cannot be opened|shard-00002.npy is damaged"):
        Shards(folder).batch(np.arange(COUNT))
