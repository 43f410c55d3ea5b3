"""Threads that work beside the one that computes, without slowing it, or that compute side by side."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

Item = TypeVar("Item")
Made = TypeVar("Made")
AHEAD = 2
"""Items for each thread that may be made before they are asked for."""


def background_thread(name: str) -> ThreadPoolExecutor:
    """One thread for what can be done meanwhile; torch computes in it without any help."""
    return background_threads(name, 1)


def background_threads(name: str, count: int) -> ThreadPoolExecutor:
    """So many threads, in each of which torch computes without any help.

    Left alone, each would get a pool of OpenMP threads of its own. With more of them than cores, OpenMP lets none wait
    actively, those of the calling thread neither: a training on two cores then loses a third of its pace, and to its end.
    """
    background = ThreadPoolExecutor(count, name)
    all_there = threading.Barrier(count)
    started = [background.submit(_compute_alone, all_there) for _ in range(count)]
    usual = max(each.result() for each in started)
    # What is set in any thread is what threads to come begin with; in one of its own it changes no other.
    restoring = threading.Thread(target=torch.set_num_threads, args=(usual,))
    restoring.start()
    restoring.join()
    return background


def side_by_side(name: str, make: Callable[[Item], Made], items: Iterable[Item], count: int) -> Generator[Made]:
    """make(item) of each, in order, made by so many threads, a few ahead of what is asked for."""
    threads = background_threads(name, count)
    waiting: deque[Future[Made]] = deque()
    try:
        for item in items:
            waiting.append(threads.submit(make, item))
            if len(waiting) > AHEAD * count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        threads.shutdown(cancel_futures=True)


def _compute_alone(all_there: threading.Barrier) -> int:
    """How many threads torch would have used here."""
    usual = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.get_num_threads()  # a thread takes the number over when it first asks, and then keeps it
    all_there.wait()
    return usual
