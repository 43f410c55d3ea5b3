"""The optimizer of the first Wasserstein GANs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import Parameter

from ganwright.optimizers.base import Optimizer, eager


@dataclass(frozen=True, kw_only=True)
class Rmsprop(Optimizer):
    """RMSprop (Tieleman and Hinton 2012, lecture 6.5 of "Neural networks for machine learning")."""

    decay: float = 0.99
    """Of the gradient's square."""
    momentum: float = 0.0
    """Share of the last change that is made again."""
    epsilon: float = 1e-8
    """Added to the denominator."""
    form: Literal["torch", "keras"] = "torch"
    """Where epsilon is added: to the root of the mean square (torch), or under it (keras)."""

    def __post_init__(self) -> None:
        if not (0 <= self.decay < 1 and 0 <= self.momentum < 1 and self.epsilon > 0):
            raise ValueError("decay and momentum must lie in 0..1 (1 left out), epsilon above zero")

    def build(self, parameters: Iterable[Parameter], device: str) -> torch.optim.Optimizer:
        settings: dict[str, Any] = {"alpha": self.decay, "eps": self.epsilon, "momentum": self.momentum}
        kind = torch.optim.RMSprop if self.form == "torch" else KerasRmsprop
        return eager(kind)(parameters, lr=0.0, **settings)


class KerasRmsprop(torch.optim.Optimizer):
    """Keras scales the gradient by the rate before momentum, and adds epsilon under the root."""

    def __init__(self, parameters: Iterable[Parameter], **settings: Any) -> None:
        super().__init__(parameters, settings)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._move(parameter, parameter.grad, group)

    def _move(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["square"] = torch.zeros_like(parameter)
            state["velocity"] = torch.zeros_like(parameter)
        square = state["square"].mul_(group["alpha"]).addcmul_(gradient, gradient, value=1 - group["alpha"])
        change = gradient * group["lr"] / (square + group["eps"]).sqrt()
        if group["momentum"] > 0:
            change = state["velocity"].mul_(group["momentum"]).add_(change)
        parameter.sub_(change)
