"""Which layer of a module was at work, for errors that name it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn


@dataclass
class Trace:
    """Filled while a module runs."""

    at_work: list[str] = field(default_factory=list)
    """Descriptions of the layers that have begun and not ended, the innermost last."""
    last: str = ""
    """The innermost layer that ended last."""


@contextmanager
def traced(module: nn.Module) -> Generator[Trace]:
    """Notes which layers of `module` run; on an error, `at_work` still says where it was."""
    trace = Trace()
    handles: list[Any] = []

    def begin(name: str) -> Any:
        return lambda layer, inputs: trace.at_work.append(f"{_titled(name, layer)} got {_shapes(inputs)}")

    def end(name: str, leaf: bool) -> Any:
        def note(layer: nn.Module, inputs: Any, output: Any) -> None:
            trace.at_work.pop()
            if leaf:
                trace.last = _titled(name, layer)

        return note

    for name, layer in module.named_modules():
        handles.append(layer.register_forward_pre_hook(begin(name)))
        handles.append(layer.register_forward_hook(end(name, not any(layer.children()))))
    try:
        yield trace
    finally:
        for handle in handles:
            handle.remove()


def _titled(name: str, layer: nn.Module) -> str:
    kind = type(layer).__name__
    text = repr(layer) if not any(layer.children()) and len(repr(layer)) < 120 else kind
    return f"layer {name!r}, {text}," if name else text


def _shapes(inputs: Any) -> str:
    shapes = [str(tuple(each.shape)) for each in inputs if isinstance(each, Tensor)]
    return " and ".join(shapes) or "no tensor"


def first_line(error: Exception) -> str:
    """What torch says, without its advice."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def two_of(shape: tuple[int, ...]) -> Tensor:
    """Two records of seeded normal values, (2, *shape), within -1..1."""
    return torch.randn(2, *shape, generator=torch.Generator().manual_seed(0)).clamp(-1, 1)
