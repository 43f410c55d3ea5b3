"""From a generator's raw output to a record, as the data's spec says."""

from __future__ import annotations

from torch import Tensor

from ganwright.data.spec import DataSpec


def apply_output(spec: DataSpec, raw: Tensor) -> Tensor:
    """The spec's output activation on raw (B, *shape)."""
    return raw.tanh() if spec.output == "tanh" else raw
