"""Exchanges between processes of one machine, for which threads stand in; faults/test_several_processes.py has real ones."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch

from ganwright.runtime import nearby
from ganwright.runtime.nearby import HALF, Nearby, meet

pytestmark = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="memory without a name is Linux's")


class Board:
    """A store, as torch has them: who asks for what is not there yet waits."""

    def __init__(self) -> None:
        self._texts: dict[str, bytes] = {}
        self._written = threading.Condition()

    def set(self, key: str, value: str, /) -> None:
        with self._written:
            self._texts[key] = value.encode()
            self._written.notify_all()

    def get(self, key: str, /) -> bytes:
        with self._written:
            assert self._written.wait_for(lambda: key in self._texts, timeout=20)
            return self._texts[key]


def at_once(size: int, do: Callable[[int], Any]) -> list[Any]:
    """What each of so many ranks gives, all at the same time."""
    with ThreadPoolExecutor(size) as pool:
        return [each.result(timeout=60) for each in [pool.submit(do, rank) for rank in range(size)]]


def met(size: int) -> list[Nearby | None]:
    board = Board()
    return at_once(size, lambda rank: meet(rank, size, board))


@pytest.fixture
def ranks() -> Iterator[list[Nearby]]:
    """Three that have met."""
    found = [each for each in met(3) if each is not None]
    assert len(found) == 3
    yield found
    for each in found:
        each.close()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.int64])
def test_everyone_gets_what_everyone_has_in_the_order_of_ranks(ranks: list[Nearby], dtype: torch.dtype) -> None:
    mine = [torch.arange(6, dtype=dtype).view(2, 3) + 10 * rank for rank in range(3)]
    for each in at_once(3, lambda rank: ranks[rank].gathered(mine[rank])):
        assert torch.stack(each).equal(torch.stack(mine))


def test_sums_are_the_same_everywhere_and_larger_than_what_is_shown_at_a_time(ranks: list[Nearby]) -> None:
    count = 2 * HALF // 4 + 7
    mine = [torch.randn(count, generator=torch.Generator().manual_seed(rank)) for rank in range(3)]
    wanted = mine[0] + mine[1] + mine[2]
    at_once(3, lambda rank: ranks[rank].add(mine[rank]))
    assert all(each.equal(wanted) for each in mine)


def test_many_exchanges_in_a_row_never_mix(ranks: list[Nearby]) -> None:

    def go(rank: int) -> list[int]:
        totals: list[int] = []
        for step in range(300):
            value = torch.full((1 + step % 5,), rank + 3 * step)
            ranks[rank].add(value)
            totals.append(int(value[0]))
        return totals

    assert at_once(3, go) == [[3 + 9 * step for step in range(300)]] * 3


def test_what_does_not_fit_together_is_told(ranks: list[Nearby]) -> None:

    def go(rank: int) -> str:
        with pytest.raises(RuntimeError) as told:
            ranks[rank].gathered(torch.zeros(3 + rank))
        return str(told.value)

    assert "rank 1 shows 16 bytes where this process shows 12" in at_once(3, go)[0]


def test_a_process_that_ends_is_missed(ranks: list[Nearby]) -> None:
    ranks[1].close()
    with pytest.raises(RuntimeError, match="onnection closed"):
        ranks[0].gathered(torch.zeros(3))


def test_nothing_is_left_on_disk(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for each in met(2):
        assert each is not None
        each.close()
    assert not list(tmp_path.iterdir())


def test_those_of_other_machines_are_not_met(monkeypatch: pytest.MonkeyPatch) -> None:
    names = iter(["here", "there", "there"])
    monkeypatch.setattr(nearby, "_machine", lambda: next(names))
    assert met(3) == [None] * 3


def test_one_that_cannot_be_reached_sends_all_the_other_way(monkeypatch: pytest.MonkeyPatch) -> None:
    real = nearby._met

    def failing(rank: int, *others: Any) -> Nearby:
        if rank == 1:
            raise OSError("another file system")
        return real(rank, *others)

    monkeypatch.setattr(nearby, "_met", failing)
    monkeypatch.setattr(nearby, "MEETING_SECONDS", 0.5)
    assert met(3) == [None] * 3


def test_a_lone_process_and_very_many_have_no_need_of_it() -> None:
    assert meet(0, 1, Board()) is None
    assert meet(0, nearby.MOST + 1, Board()) is None
