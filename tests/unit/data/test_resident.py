"""Records in a GPU's memory, here in that of a CPU: the same rows, copied once, and only where there is room."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support import tiny_dataset

from ganwright.data import resident
from ganwright.data.dataset import Dataset
from ganwright.data.resident import Resident, bytes_of, nearest
from ganwright.data.subset import Subset

INDICES = np.array([5, 0, 17, 5])


def test_batches_are_those_of_the_dataset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resident, "CHUNK", 7)
    whole = tiny_dataset(20)
    for dataset in (whole, Subset(whole, np.arange(19, -1, -1))):
        expected, found = dataset.batch(INDICES), Resident(dataset, "cpu").batch(INDICES)
        assert list(found) == list(expected)
        for name, rows in expected.items():
            assert torch.equal(found[name], rows)
    assert list(Resident(whole, "cpu").batch(INDICES, ())) == []


def test_records_are_copied_once_where_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[int] = []

    class Counted(Resident):
        def __init__(self, dataset: Dataset, device: str) -> None:
            copied.append(len(dataset))

    monkeypatch.setattr(resident, "Resident", Counted)
    small, large = tiny_dataset(20), tiny_dataset(21)
    room = int(bytes_of(small) / resident.SHARE) + 1
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (room, room))
    assert nearest(small, "cuda") is nearest(small, "cuda") is not small
    assert nearest(large, "cuda") is large
    assert nearest(small, "cpu") is small
    assert copied == [20]


def test_some_of_the_records_take_some_of_the_room() -> None:
    whole = tiny_dataset(20)
    assert bytes_of(Subset(whole, np.arange(5))) * 4 == bytes_of(whole) > 0
