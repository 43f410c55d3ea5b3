"""A row of bench/scaling.py by so many processes: python bench/scaling_worker.py ROW PICTURES.npy PROCESSES BATCH

Trains whenever a line with seconds comes in. Of two, the first writes beside the pictures what they told.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.distributed
from step_ours import ready_row
from step_worker import Work, serve
from torch import Tensor

from ganwright.core.config import from_plain
from ganwright.runtime.allocator import keep_freed_memory
from ganwright.runtime.group import join
from ganwright.runtime.launching import launch
from ganwright.runtime.nearby import Nearby
from ganwright.training import crew
from ganwright.training.config import TrainConfig


class Counted:
    """Counts what goes through exchanges."""

    def __init__(self) -> None:
        self.bytes = self.calls = 0

    def watch(self, owner: Any, name: str) -> None:
        """From now on, those that `owner` has by that name."""
        real: Callable[..., Any] = getattr(owner, name)

        def counted(*given: Any) -> Any:
            self.bytes += next(value for value in given if isinstance(value, Tensor)).nbytes
            self.calls += 1
            return real(*given)

        setattr(owner, name, counted)


def build(row: str, pictures: str) -> Work:
    """The row's training, led by this process."""
    keep_freed_memory()
    training = ready_row(row, pictures, batch=int(sys.argv[4]))
    crew.begin(training.config, training.state)
    counted, steps = Counted(), 0
    for name in ("all_reduce", "broadcast"):
        counted.watch(torch.distributed, name)
    for name in ("add", "gathered"):
        counted.watch(Nearby, name)

    def step() -> None:
        nonlocal steps
        report = crew.step(training.state, training.config, training.spec, training.batches)
        float(report["generator_loss"])
        steps += 1
        if steps == 3 and "RANK" in os.environ:
            players = (training.state.generator, training.state.discriminator)
            least = 4 * sum(weight.numel() for network in players for weight in network.parameters())
            told = {"bytes": counted.bytes // 3, "exchanges": round(counted.calls / 3, 1), "least": least}
            Path(pictures).with_name(f"{row}.told.json").write_text(json.dumps(told), encoding="utf-8")

    return Work(step, training.config.batch)


def main() -> int:
    """As this file's docstring says."""
    row, pictures, processes = sys.argv[1:4]
    if "RANK" not in os.environ and processes != "1":
        return launch(sys.argv[1:], int(processes), program=(__file__,))
    us = join()
    if us is not None and us.place.rank:
        training = ready_row(row, pictures, batch=int(sys.argv[4]))
        crew.follow(training.batches.dataset, lambda plain: from_plain(TrainConfig, plain, "train"), lambda: None)
        return 0
    serve(build)
    if us is not None:
        crew.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
