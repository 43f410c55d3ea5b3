"""Where bfloat16 is not exact enough."""

from __future__ import annotations

import torch
from torch import Tensor


def at_least_single(x: Tensor) -> Tensor:
    """x in single precision, or in double where it is so already, as in tests that compare exactly."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
