"""Tensors that nothing is learned of: made once, and kept."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import ParamSpec, Protocol, cast

import torch
from torch import Tensor

P = ParamSpec("P")


class _Cached(Protocol):
    def __call__(self, *args: object, **kwargs: object) -> Tensor: ...


def kept(make: Callable[P, Tensor]) -> Callable[P, Tensor]:
    """`make`, a function of hashable arguments, whose tensors are kept for the next time.

    Not while somebody traces the network, to export it: what is made then is no tensor that could serve elsewhere.
    """
    cached = cast(_Cached, cache(make))

    @wraps(make)
    def get(*args: P.args, **kwargs: P.kwargs) -> Tensor:
        if traced():
            return make(*args, **kwargs)
        with torch.inference_mode(False):  # first asked for while sampling, it must serve training too
            return cached(*args, **kwargs)

    return get


def traced() -> bool:
    """Whether the operations are being written down (torch.export, torch.jit.trace) instead of, or while, done."""
    return torch.compiler.is_compiling() or torch.jit.is_tracing()  # pyright: ignore[reportPrivateImportUsage]
