"""How much memory does training hold, beside what it cannot do without?

    python bench/memory.py --rows dcgan64,default64 --steps 10

A line a row. `counted` is what mathematics asks for: weights, their gradients, what the optimizers remember, the average
generator, and what the backward passes keep, at most at once, as autograd's own hooks say. `peak` is the largest resident
set of a process of its own over some steps, less what it had before there were networks; `code` is the part of it that is
torch's own, read from its files as it is first used. The same is measured once more with every block of memory mapped and
given back by itself: the difference is what lies between blocks.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import torch
from machine import describe_machine
from ready import Ready, noise_pictures, ready
from torch import Tensor

from ganwright.runtime.allocator import keep_freed_memory

ROWS: dict[str, tuple[str, dict[str, Any]]] = {
    "dcgan64": ("dcgan-published", {}),
    "default64": ("dcgan", {"network": {"width": 16}}),
}
SIDE = 64
MAPPED = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
"""Makes glibc map every block above 64 KB by itself, and give it back when it is freed."""


def main() -> int:
    """A line a row."""
    parser = argparse.ArgumentParser(description="How much memory does training hold?")
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--batch", type=int, help="instead of the recipe's own")
    parser.add_argument("--alone", choices=("kept", "mapped"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not Path("/proc/self/clear_refs").is_file():
        print(json.dumps({"skipped": "only Linux says what a process holds at most"}))
        return 0
    if options.alone:
        print(json.dumps(held_by(options.rows, options.steps, options.batch, options.alone == "kept")))
        return 0
    for row in options.rows.split(","):
        print(json.dumps(measure(row, options.steps, options.batch)), flush=True)
    return 0


def measure(row: str, steps: int, batch: int | None) -> dict[str, Any]:
    """All that is said of a row."""
    kept, mapped = (held_apart(row, steps, batch, way) for way in ("kept", "mapped"))
    counted = kept.pop("counted")
    mapped.pop("counted")
    whole = sum(counted.values())
    return {
        "row": row,
        "megabytes": {"counted": counted, "kept": kept, "mapped": mapped},
        "ratio": round(kept["peak"] / whole, 2),
        "ratio_mapped": round(mapped["peak"] / whole, 2),
        "ratio_without_code": round((kept["peak"] - kept["code"]) / whole, 2),
        "protocol": f"peak resident memory over {steps} steps, less that before the networks were built; one process each",
        "machine": describe_machine(),
    }


def held_apart(row: str, steps: int, batch: int | None, way: str) -> dict[str, Any]:
    """As `held_by`, of a process of its own."""
    words = [sys.executable, __file__, "--rows", row, "--steps", str(steps), "--alone", way]
    words += ["--batch", str(batch)] if batch else []
    environment = {**os.environ, **(MAPPED if way == "mapped" else {})}
    return json.loads(subprocess.run(words, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout)


def held_by(row: str, steps: int, batch: int | None, kept: bool) -> dict[str, Any]:
    """What training holds, in megabytes; this process has trained nothing before."""
    if kept:
        keep_freed_memory()
    recipe, settings = ROWS[row]
    dataset = noise_pictures(SIDE)
    before = resident()
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted anew from here on
    training = ready(dataset, recipe, {**settings, **({"batch": batch} if batch else {})})
    for _ in range(steps):
        training.step()
    after = resident()
    figures = {"peak": after["VmHWM"] - before["VmRSS"], "code": after["RssFile"] - before["RssFile"]}
    figures = {name: round(value, 1) for name, value in figures.items()}
    return {**figures, "before": round(before["VmRSS"], 1), "counted": counted(training)}


def resident() -> dict[str, float]:
    """Megabytes of this process, by Linux's names."""
    lines = (line.split() for line in Path("/proc/self/status").read_text().splitlines())
    return {words[0].rstrip(":"): int(words[1]) / 1024 for words in lines if words[-1] == "kB"}


def counted(training: Ready) -> dict[str, float]:
    """Megabytes that a step cannot do without."""
    state = training.state
    weights = [each for network in (state.generator, state.discriminator) for each in network.parameters()]
    optimizers = (state.generator_optimizer, state.discriminator_optimizer)
    moments = [each for optimizer in optimizers for memory in optimizer.state.values() for each in memory.values()]
    figures = {
        "weights": bytes_of(weights),
        "gradients": bytes_of(weights),
        "optimizers": bytes_of([each for each in moments if isinstance(each, Tensor)]),
        "average": bytes_of(list(state.average.generator.parameters())),
        "activations": activations(training, {each.untyped_storage().data_ptr() for each in weights}),
    }
    return {name: round(value / 2**20, 1) for name, value in figures.items()}


def bytes_of(tensors: list[Any]) -> int:
    """Of their values."""
    return sum(each.numel() * each.element_size() for each in tensors)


def activations(training: Ready, weights: set[int]) -> int:
    """Bytes that the backward passes of a cycle of the lazy penalties keep besides weights, the most at once."""
    books = Books(weights)
    cycle = max([regularizer.interval for regularizer in training.config.regularizers], default=1)
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: Kept(tensor, books), lambda kept: kept.tensor):
        for _ in range(cycle):
            training.step()
    return books.most


class Books:
    """Which storages are kept, how often, and how many bytes they are together."""

    def __init__(self, left_out: set[int]) -> None:
        self.left_out = left_out
        self.times: Counter[int] = Counter()
        self.held = self.most = 0


class Kept:
    """A tensor that autograd keeps, entered in the books for as long."""

    def __init__(self, tensor: Tensor, books: Books) -> None:
        self.tensor, self._books = tensor, books
        self._place = tensor.untyped_storage().data_ptr()
        if self._place not in books.left_out:
            books.times[self._place] += 1
            if books.times[self._place] == 1:
                books.held += tensor.untyped_storage().nbytes()
                books.most = max(books.most, books.held)

    def __del__(self) -> None:
        if self._place not in self._books.left_out:
            self._books.times[self._place] -= 1
            if not self._books.times[self._place]:
                self._books.held -= self.tensor.untyped_storage().nbytes()


if __name__ == "__main__":
    sys.exit(main())
