"""From a generator's raw output to a record, as the data's spec says."""

from __future__ import annotations

import torch
from torch import Tensor

from ganwright.data.spec import DataSpec
from ganwright.networks.parts.quick_tanh import quick_tanh


def apply_output(spec: DataSpec, raw: Tensor) -> Tensor:
    """The spec's output activation on raw (B, *shape)."""
    if spec.output == "blocks":
        return _columns(spec, raw)
    if spec.output == "softmax":
        return raw.softmax(1)
    return quick_tanh(raw) if spec.output == "tanh" else raw


def _columns(spec: DataSpec, raw: Tensor) -> Tensor:
    parts: list[Tensor] = []
    for block, part in zip(spec.blocks, raw.split([block.width for block in spec.blocks], 1), strict=True):
        value, modes = part[:, : block.valued], part[:, block.valued :]
        parts += [value.tanh(), modes.softmax(1)]
    return torch.cat(parts, 1)
