"""What works beside the training leaves it its cores."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from ganwright import GAN
from ganwright.runtime.background import background_thread


def many_finite() -> bool:
    """Work that torch shares among as many threads as it may use."""
    return bool(torch.zeros(1 << 20).isfinite().all())


def pool_threads() -> int:
    """Threads of this process that Python knows nothing of, such as OpenMP's."""
    return len(os.listdir("/proc/self/task")) - threading.active_count()


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
