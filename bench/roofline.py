"""What a piece of work would take at least: every operation either computes or moves bytes as fast as the machine can.

The sum over operations of max(FLOPs / rate, bytes / bandwidth) (Williams et al. 2009, doi:10.1145/1498765.1498785). An
operation reads its tensors and writes its results once; views cost nothing; nothing stays in a cache in between, so that
work on small tensors can be faster than its limit.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

SIDES = {"cpu": (256, 512, 1024, 2048), "cuda": (2048, 4096, 8192)}
"""Of the matrices that rates are measured with, by the device."""
SLOW = 1.0
COPIED = 1 << 28
"""Bytes of the block that bandwidth is measured with."""
REPEATS = 7
NAMED = 6
"""Operations that are told apart, those with the highest limits."""


@dataclass(frozen=True)
class Rates:
    """What the machine can do, on all threads; the best of some tries."""

    fp32: float
    """FLOPs a second of a matrix product."""
    bf16: float
    bandwidth: float
    """Bytes a second, read and written alike."""


def measure_rates(device: str = "cpu") -> Rates:
    """The machine's, now."""
    block = torch.zeros(COPIED // 4, device=device)
    target = torch.empty_like(block)
    bandwidth = 2 * COPIED / best(lambda: target.copy_(block), device)
    return Rates(product_rate(torch.float32, device), product_rate(torch.bfloat16, device), bandwidth)


def product_rate(kind: torch.dtype, device: str) -> float:
    """FLOPs a second of a product of square matrices, of the largest side whose product takes no more than SLOW seconds."""
    rate = 0.0
    for side in SIDES[device]:
        a, b = torch.randn(2, side, side, device=device).to(kind)
        seconds = best(lambda a=a, b=b: a @ b, device)
        rate = 2 * side**3 / seconds
        if seconds > SLOW / 8:
            break
    return rate


def best(work: Callable[[], object], device: str) -> float:
    """Seconds of the quickest of some tries."""
    seconds: list[float] = []
    for _ in range(REPEATS):
        _wait(device)
        began = time.perf_counter()
        work()
        _wait(device)
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def limits_of(work: Callable[[], object], rates: Rates) -> dict[str, Any]:
    """The least seconds of `work`, its FLOPs and bytes, and the operations that take most of that time."""
    with Counting(rates) as counted:
        work()
    largest = sorted(counted.seconds.items(), key=lambda item: -item[1])[:NAMED]
    return {
        "seconds": sum(counted.seconds.values()),
        "flops": counted.flops,
        "bytes": counted.bytes,
        "computing": counted.computing / max(1e-12, sum(counted.seconds.values())),
        "operations": dict(largest),
        "rates": asdict(rates),
    }


class Counting(TorchDispatchMode):
    """Counts every operation that torch carries out while it is entered, those of backward passes too."""

    def __init__(self, rates: Rates) -> None:
        super().__init__()
        self.rates = rates
        self.flops = self.bytes = 0
        self.computing = 0.0
        """Seconds of the limit that belong to operations whose FLOPs are what limits them."""
        self.seconds: dict[str, float] = defaultdict(float)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func.is_view:
            return result
        # In-place operations on lists give nothing back, and write all the same.
        written = result if func._schema.returns else [args[i] for i in written_to(func)]
        moved = size_of((args, kwargs)) + size_of(written)
        count = flop_registry.get(func._overloadpacket)
        flops = count(*args, **(kwargs or {}), out_val=result) if count is not None else 0
        narrow = any(each.dtype == torch.bfloat16 for each in tensors(args))
        computing, moving = flops / (self.rates.bf16 if narrow else self.rates.fp32), moved / self.rates.bandwidth
        self.flops += flops
        self.bytes += moved
        self.seconds[func._overloadpacket.__name__] += max(computing, moving)
        self.computing += computing if computing > moving else 0.0
        return result


def written_to(func: Any) -> list[int]:
    """The places of the arguments that an operation changes."""
    arguments = enumerate(func._schema.arguments)
    return [i for i, each in arguments if each.alias_info is not None and each.alias_info.is_write]


def size_of(tree: Any) -> int:
    """Bytes of all tensors in it."""
    return sum(each.numel() * each.element_size() for each in tensors(tree))


def tensors(tree: Any) -> Iterator[Tensor]:
    """All of them, each once."""
    seen: set[int] = set()
    for leaf in tree_leaves(tree):
        if isinstance(leaf, Tensor) and id(leaf) not in seen:
            seen.add(id(leaf))
            yield leaf


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()
