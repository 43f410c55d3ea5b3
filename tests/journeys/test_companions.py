"""Several processes from Python: started for one training, and gone with it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ganwright import GAN
from ganwright.core.errors import GanwrightError, UsageError
from ganwright.milestones import PlanReady
from ganwright.runtime.distributed import world_size
from ganwright.training.events import Progress

SETTINGS: dict[str, Any] = {"recipe": "mlp", "batch": 32, "seed": 3, "settings": {"network": {"generator_widths": [16]}}}
PICTURES = np.random.default_rng(0).integers(0, 256, (200, 8, 8, 1), np.uint8)


def children() -> set[int]:
    """Processes that this one has started and that are still there."""
    listed = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii")
    return {int(each) for each in listed.split()}


def what_may_change() -> tuple[dict[str, str], int, set[int]]:
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    return variables, torch.get_num_threads(), children()


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    """Neither processes nor variables, nor fewer threads."""
    before = what_may_change()
    yield
    assert what_may_change() == before
    assert world_size() == 1


def test_data_in_memory_train_as_in_one_process_and_can_be_gone_on_with(tmp_path: Path) -> None:
    alone = GAN(**SETTINGS).fit(PICTURES, steps=12)
    sizes: list[int] = []

    def count(event: object) -> None:
        if isinstance(event, PlanReady):
            sizes.append(world_size())

    together = GAN(**SETTINGS).fit(PICTURES, steps=12, processes=2, run=tmp_path / "run", subscribers=[count])
    assert sizes == [2]
    assert together.ended_.step == 12
    assert not together.stop_signal_
    for mine, theirs in zip(alone.sample(5, seed=1), together.sample(5, seed=1), strict=True):
        assert np.abs(np.asarray(mine, float) - np.asarray(theirs, float)).max() <= 2
    # Twice in one program, and of another number of processes.
    longer = GAN.resume(tmp_path / "run", PICTURES, steps=6, processes=3)
    assert longer.ended_.step == 18


def test_a_companion_that_dies_ends_the_training_and_not_this_process(tmp_path: Path) -> None:
    before = children()

    def kill(event: object) -> None:
        if isinstance(event, Progress) and event.step >= 5:
            for each in children() - before:
                os.kill(each, signal.SIGKILL)

    with pytest.raises(GanwrightError) as told:
        GAN(**SETTINGS).fit(PICTURES, steps=100_000, processes=2, run=tmp_path / "run", subscribers=[kill])
    assert told.value.exit_code == 5
    assert "rank 1" in str(told.value)
    assert GAN.resume(tmp_path / "run", PICTURES, steps=2).ended_.step >= 2


def test_what_companions_do_not_know_is_said() -> None:
    generator = nn.Sequential(nn.Linear(8, 64), nn.Unflatten(1, (1, 8, 8)))
    with pytest.raises(UsageError, match="your own networks"):
        GAN(generator=generator, discriminator=nn.Linear(64, 1)).fit(PICTURES, steps=1, processes=2)
    with pytest.raises(UsageError, match="at least 1"):
        GAN(**SETTINGS).fit(PICTURES, steps=1, processes=0)


def test_among_processes_that_were_started_elsewhere_no_more_are_started() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RANK", "0")
        with pytest.raises(UsageError, match="one of several already"):
            GAN(**SETTINGS).fit(PICTURES, steps=1, processes=2)
