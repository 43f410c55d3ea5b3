"""Threads that work beside the one that computes, without slowing it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import torch


def background_thread(name: str) -> ThreadPoolExecutor:
    """One thread for what can be done meanwhile; torch computes in it without any help.

    Left alone, it would get a pool of OpenMP threads of its own. With more of them than cores, OpenMP lets none wait
    actively, those of the calling thread neither: a training on two cores then loses a third of its pace, and to its end.
    """
    threads = torch.get_num_threads()
    background = ThreadPoolExecutor(1, name)
    background.submit(_compute_alone).result()
    torch.set_num_threads(threads)  # what was set in the other thread is what threads to come begin with
    return background


def _compute_alone() -> None:
    torch.set_num_threads(1)
    torch.get_num_threads()  # a thread takes the number over when it first asks, and then keeps it
