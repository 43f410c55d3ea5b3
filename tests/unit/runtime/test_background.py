"""What works beside the training leaves it its cores."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from ganwright import GAN
from ganwright.runtime.background import AHEAD, background_thread, side_by_side


def many_finite() -> bool:
    """Work that torch shares among as many threads as it may use."""
    return bool(torch.zeros(1 << 20).isfinite().all())


def pool_threads() -> int:
    """Threads of this process that Python knows nothing of, such as OpenMP's; one that has ended stays for a moment."""
    counts: list[int] = []
    for _ in range(20):
        counts.append(len(os.listdir("/proc/self/task")) - threading.active_count())
        time.sleep(0.005)
    return min(counts)


@pytest.fixture
def two_threads() -> Iterator[None]:
    """Torch on two threads, whose pool is there."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    many_finite()
    yield
    torch.set_num_threads(before)


counts_threads = pytest.mark.skipif(sys.platform != "linux", reason="counts threads in /proc")


@counts_threads
def test_torch_starts_no_threads_for_a_background_thread(two_threads: None) -> None:
    before = pool_threads()
    with ThreadPoolExecutor(1) as usual:
        usual.submit(many_finite).result()
        assert pool_threads() == before + 1  # so what is counted is what it is about
    with background_thread("one") as one, background_thread("two") as two:
        before = pool_threads()
        assert all(thread.submit(many_finite).result() for thread in (one, two))
        assert pool_threads() == before


def test_other_threads_compute_as_before(two_threads: None) -> None:
    with background_thread("background"), ThreadPoolExecutor(1) as later:
        assert torch.get_num_threads() == 2
        assert later.submit(torch.get_num_threads).result() == 2


def test_threads_of_a_background_thread_change_nothing_for_others(two_threads: None) -> None:
    """As where a run is scored beside it."""

    def work() -> int:
        assert list(side_by_side("many", lambda item: torch.get_num_threads(), range(5), 2)) == [1] * 5
        return torch.get_num_threads()

    with background_thread("background") as background, ThreadPoolExecutor(1) as later:
        assert background.submit(work).result() == 1
        assert torch.get_num_threads() == 2
        assert later.submit(torch.get_num_threads).result() == 2


@counts_threads
def test_threads_side_by_side_compute_alone_and_each_in_turn(two_threads: None) -> None:
    before = pool_threads()

    def work(item: int) -> tuple[int, str, int]:
        assert many_finite()
        return item, threading.current_thread().name, torch.get_num_threads()

    found = list(side_by_side("many", work, range(40), 3))
    assert [item for item, _, _ in found] == list(range(40))
    assert {threads for _, _, threads in found} == {1}
    assert threading.current_thread().name not in {name for _, name, _ in found}
    assert pool_threads() == before
    assert torch.get_num_threads() == 2


def test_only_a_few_are_made_ahead_and_none_after_the_last_that_is_wanted() -> None:
    made: list[int] = []
    results = side_by_side("many", lambda item: made.append(item) or item, range(10_000), 2)
    assert next(results) == 0
    results.close()
    assert len(made) <= AHEAD * 2 + 1
    assert not any(thread.name.startswith("many") for thread in threading.enumerate())


def test_what_goes_wrong_is_raised_in_its_turn() -> None:
    results = side_by_side("many", lambda item: 1 // (3 - item), range(10), 2)
    assert [next(results) for _ in range(3)] == [0, 0, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)


@counts_threads
def test_a_run_that_writes_has_no_more_threads_than_one_that_does_not(two_threads: None, tmp_path: Path) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (64, 32, 32, 3), np.uint8)
    seen: list[int] = []
    gan = GAN(recipe="dcgan", batch=16, seed=1)
    before = pool_threads()
    count = [lambda _: seen.append(pool_threads())]
    gan.fit(pictures, steps=4, run=tmp_path / "run", save_every_epochs=0.25, subscribers=count)
    assert max(seen) <= before
    assert (tmp_path / "run" / "model.safetensors").is_file()
    assert any((tmp_path / "run" / "checkpoints").iterdir())
