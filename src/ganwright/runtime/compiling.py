"""Networks whose calls go through torch's compiler, where one is at hand; without one they are called as they are."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import nn

from ganwright.runtime.files import cache_root

Compile = Literal["off", "kernels", "graphs"]
"""kernels: operations in a row become one; graphs: on a GPU, a whole call is also recorded once and played back."""


class CompiledCalls:
    """Calls networks by what torch made of them; one whose compiling fails is called plainly from then on.

    Their modules stay as they are, with their names and their hooks, so that nothing else need know. A backward pass through
    a compiled call cannot be differentiated once more: where a penalty does that, call the network itself.
    """

    def __init__(self, how: Compile) -> None:
        # What was compiled is found again by the next run.
        os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(cache_root() / "compiled"))
        self._mode = "reduce-overhead" if how == "graphs" else "default"
        self._compiled: dict[nn.Module, Callable[..., Any]] = {}
        self.failure: str | None = None
        """Why nothing is compiled any more, in one line."""

    def __call__(self, network: nn.Module, *inputs: Any) -> Any:
        """As `network(*inputs)`."""
        if self.failure is not None:
            return network(*inputs)
        if network not in self._compiled:
            self._compiled[network] = torch.compile(network, mode=self._mode, dynamic=False)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the compiler looks at gradients that nobody asked for, and is warned
                return self._compiled[network](*inputs)
        except _failures() as error:
            self.failure = f"the networks are not compiled: {_first_line(error)}"
            return network(*inputs)


def compiled_calls(how: Compile) -> CompiledCalls | None:
    """None where nothing is to be compiled; the compiler, which takes seconds to import, then stays out."""
    return None if how == "off" else CompiledCalls(how)


def why_not_compiled(device: str) -> str | None:
    """What keeps torch's compiler from working on `device`, tried on a small layer; None where it works."""
    calls = CompiledCalls("kernels")
    with torch.no_grad():
        calls(nn.Sequential(nn.Linear(2, 2), nn.ReLU()).to(device), torch.ones(2, 2, device=device))
    return calls.failure


def _failures() -> tuple[type[Exception], ...]:
    from torch._dynamo.exc import TorchDynamoException
    from torch._inductor.exc import InductorError

    return TorchDynamoException, InductorError


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:160] if lines else type(error).__name__
