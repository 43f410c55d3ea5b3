"""Changes that happen to some records of a batch."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def change_some(x: Tensor, changed: Tensor, how: Tensor, change: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """`x` (B, ...) with rows of `change(x, how)` where `changed` (bool (B,)) holds, to the last bit as it was elsewhere.

    On a CPU only those rows are worked on. A GPU works on all: to ask it which ones they are would be to wait for it.
    """
    if x.device.type != "cpu":
        return torch.where(changed.view(-1, *[1] * (x.dim() - 1)), change(x, how), x)
    rows = changed.nonzero()[:, 0]
    return x.index_copy(0, rows, change(x.index_select(0, rows), how.index_select(0, rows))) if len(rows) else x
