"""The logit in front of a network's last sigmoid."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

SIGMOIDS = frozenset(
    (torch.sigmoid, torch.sigmoid_, Tensor.sigmoid, Tensor.sigmoid_, functional.sigmoid, torch.special.expit)
)


class WatchedSigmoids(TorchFunctionMode):
    """Remembers what goes into every sigmoid while it is entered, whether a module or a function computes it."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: list[tuple[Tensor, Tensor]] = []

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func not in SIGMOIDS:
            return func(*args, **(kwargs or {}))
        logits = args[0] if args else (kwargs or {})["input"]
        probability = torch.sigmoid(logits)  # never in place: the logits are what is wanted
        self._seen.append((logits, probability))
        return probability

    def logits_of(self, output: Tensor) -> Tensor | None:
        """The logits, in the shape of `output`, if it is a sigmoid's result or a view of one; None otherwise."""
        for logits, probability in reversed(self._seen):
            if probability.numel() == output.numel() and probability.data_ptr() == output.data_ptr():
                return logits.reshape(output.shape)
        return None
