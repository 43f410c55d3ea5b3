"""From raw numbers to columns: one mode of each, chosen with the gradient of a soft choice, and values beside it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ganwright.data.blocks import BlockLayout

Bound = Callable[[Tensor], Tensor]
"""From raw values (B, V) to values."""


def gumbel(layout: BlockLayout, choices: Tensor) -> Tensor:
    """(B, W): uniform noise in -1..1 for each mode, (B, modes), as Gumbel noise in its place; 0 at values."""
    uniform = ((choices + 1) / 2).clamp(1e-7, 1 - 1e-7)
    spread = choices.new_zeros(len(choices), layout.width)
    spread[:, layout.on(choices.device).is_mode] = -(-uniform.log()).log()
    return spread


def chosen(layout: BlockLayout, logits: Tensor, noise: Tensor, temperature: float, bound: Bound = torch.tanh) -> Tensor:
    """(B, W): modes one-hot, with the gradient of the soft choice (Jang et al. 2017, arXiv:1611.01144); values beside a
    chosen first mode.

    Args:
        noise: as `gumbel` gives it.
    """
    soft = layout.log_softmax((logits + noise) / temperature).exp() * layout.on(logits.device).is_mode
    still = soft.detach()
    return with_values(layout, logits, largest(layout, still) + (soft - still), bound)


def largest(layout: BlockLayout, scores: Tensor) -> Tensor:
    """(B, W) of `layout`: 1 at the mode with the largest score of each column, 0 elsewhere."""
    return ((scores >= layout.largest(scores)) & layout.on(scores.device).is_mode).to(scores.dtype)


def with_values(layout: BlockLayout, logits: Tensor, modes: Tensor, bound: Bound = torch.tanh) -> Tensor:
    """(B, W) of `layout`: the modes, and values beside a chosen first mode."""
    places = layout.on(logits.device)
    first = torch.where(places.written[places.valued], modes[:, places.beside], 1)
    values = torch.zeros_like(logits).index_copy(1, places.values, bound(logits[:, places.values]) * first)
    return torch.where(places.is_mode, modes, values)
