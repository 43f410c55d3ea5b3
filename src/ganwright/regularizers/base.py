"""Penalties added to a player's loss, some of them only at every k-th step.

A lazy penalty, of interval k, is multiplied by k and rides in the same step of the optimizer as the loss. Karras et al. 2020
(arXiv:1912.04958), appendix B, take a step of its own for it, k + 1 steps in the place of k, and so lower the rate and raise
both betas to the power k / (k + 1). Here the optimizer takes one step for each of ours, whether a penalty is due or not: its
rate and betas mean what they say, and there is nothing to correct.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Literal, Protocol

import torch
from torch import Tensor
from torch.autograd import grad

from ganwright.core.config import Part
from ganwright.core.registry import Registry
from ganwright.core.schedule import Schedule
from ganwright.runtime.precision import at_least_single

REGULARIZERS = Registry("regularizer", "ganwright.regularizers")

Need = Literal["gradient_on_real", "gradient_on_fake", "features", "real", "reconstruction"]
"""real: the generator's turn has real records too. reconstruction: the discriminator is of a family that reconstructs."""
RegularizerState = dict[str, Tensor]


class Turn(Protocol):
    """What a regularizer sees of the turn that it is part of."""

    real: Tensor | None
    """(B, *shape), not augmented; requires grad when a regularizer of the turn needs a gradient on it."""
    fake: Tensor
    """(B, *shape), likewise."""
    real_logits: tuple[Tensor, ...]
    """One tensor per head, each (B,) or (B, patches), float32."""
    fake_logits: tuple[Tensor, ...]
    extras: Mapping[str, Tensor]
    """What the generator gave besides the fakes, for helper losses of its family."""

    def judge(self, x: Tensor) -> tuple[Tensor, ...]:
        """The discriminator's logits per head for `x` (B, *shape), under the turn's augmentation and conditions."""
        ...

    def reconstruct(self, x: Tensor) -> tuple[tuple[Tensor, Tensor], ...]:
        """What the discriminator draws again from its own maps of `x`, as the turn augments it: (drawn, meant) each."""
        ...

    def log_likelihood(self, x: Tensor) -> Tensor:
        """How likely the generator is to make records `x` of the turn's noise, under its conditions, (B,) in nats."""
        ...

    def uniform(self, purpose: str, shape: tuple[int, ...]) -> Tensor:
        """Numbers in [0, 1) that depend on the step and `purpose` only; rows belong to places of the batch."""
        ...


class Regularizer(Part, ABC):
    """One penalty, as a frozen dataclass of settings that has at least `weight` and `interval`."""

    registry = REGULARIZERS
    player: ClassVar[Literal["generator", "discriminator"]]
    needs: ClassVar[frozenset[Need]] = frozenset()
    """Read before the forward pass, so that gradients reach through the augmentation."""

    weight: float | Schedule
    interval: int

    def initial_state(self) -> RegularizerState:
        """What the penalty remembers between steps, saved in checkpoints: floats, as the rows' shares of them are added."""
        return {}

    @abstractmethod
    def penalty(self, turn: Turn, state: RegularizerState) -> tuple[Tensor, RegularizerState]:
        """The unweighted penalty, a value per record (B,), and the new state.

        A turn may be worked on in parts and by several processes. Each part gets the state from before the turn, and after
        it the state is the mean of what they gave, each by its rows: a moving average of means over rows comes out right.
        """


def squared_gradient(logits: tuple[Tensor, ...], x: Tensor) -> Tensor:
    """Squared L2 norm of d(sum of logits)/dx per record: (B,), float32, differentiable once more."""
    total = sum((head.sum() for head in logits[1:]), start=logits[0].sum())
    (gradient,) = grad(total, x, create_graph=True)
    return at_least_single(gradient).square().flatten(1).sum(1)


def slope(logits: tuple[Tensor, ...], x: Tensor) -> Tensor:
    """The L2 norm of d(sum of logits)/dx per record: (B,), differentiable once more, also where it is zero."""
    # The tiny constant keeps the square root's gradient finite where the critic is flat.
    return (squared_gradient(logits, x) + 1e-12).sqrt()


def mean_logit(logits: tuple[Tensor, ...]) -> Tensor:
    """The mean over heads and patches, (B,)."""
    return torch.stack([head.flatten(1).mean(1) if head.ndim > 1 else head for head in logits]).mean(0)


def check_interval(interval: int) -> None:
    """Raise ValueError unless the interval is a positive whole number of steps."""
    if interval < 1:
        raise ValueError(f"interval must be at least 1 step, not {interval}")
