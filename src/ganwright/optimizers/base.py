"""How a player's weights follow their gradient."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from inspect import unwrap
from typing import Any

import torch
from torch.nn import Parameter
from torch.optim import Optimizer as TorchOptimizer

from ganwright.core.config import Part
from ganwright.core.registry import Registry
from ganwright.core.schedule import Schedule, value_at

OPTIMIZERS = Registry("optimizer", "ganwright.optimizers")


@dataclass(frozen=True, kw_only=True)
class Optimizer(Part, ABC):
    """The settings of an optimizer; the step sets what is scheduled anew every time."""

    learning_rate: float | Schedule = 2e-4
    """Step size."""

    registry = OPTIMIZERS

    @abstractmethod
    def build(self, parameters: Iterable[Parameter], device: str) -> TorchOptimizer:
        """The optimizer of `parameters`, which lie on `device` ("cpu", "cuda", "mps"); its rate is 0 until `follow`."""

    def follow(self, optimizer: TorchOptimizer, samples_seen: int, total_samples: int) -> None:
        """Set what is scheduled in `optimizer`, which was built by this, to its value after `samples_seen`."""
        for group in optimizer.param_groups:
            group["lr"] = value_at(self.learning_rate, samples_seen, total_samples)


@cache
def eager(kind: type[TorchOptimizer]) -> Any:
    """`kind`, whose methods do not ask torch's compiler to look away.

    To be asked, the compiler is imported, which takes one to two seconds, and is of no use where nothing is compiled.
    """
    names = ("add_param_group", "zero_grad", "state_dict", "load_state_dict")
    methods = {name: unwrap(getattr(kind, name)) for name in names}
    return type(kind.__name__, (kind,), {**methods, "step": torch.no_grad()(unwrap(kind.step))})


def has_fused(device: str) -> bool:
    """Whether torch steps all parameters of `device` in one kernel."""
    return device in ("cpu", "cuda")
