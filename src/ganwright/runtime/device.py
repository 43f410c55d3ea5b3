"""The machine: which device computes, how exactly, and with how much memory."""

from __future__ import annotations

import os
import platform
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch

from ganwright.core.errors import ResourceError, UsageError

DeviceChoice = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["fp32", "bf16"]
PrecisionChoice = Literal["auto", "fp32", "bf16"]
DEVICES: tuple[DeviceChoice, ...] = ("auto", "cpu", "cuda", "mps")
PRECISIONS: tuple[PrecisionChoice, ...] = ("auto", "fp32", "bf16")


@dataclass(frozen=True)
class Machine:
    """What a recipe and a plan may take into account."""

    device: str
    """torch's name of the device: "cpu", "cuda", "mps"."""
    name: str
    """For people: "CPU, 2 threads" or the GPU's name."""
    threads: int
    memory_bytes: int
    fast_bf16: bool
    """Whether bf16 products are faster than fp32 ones here (AMX or AVX-512 BF16; GPUs since Ampere)."""

    def precision(self, choice: PrecisionChoice, coarse: bool = True) -> Precision:
        """ "fp32" or "bf16": the choice itself, or for "auto" what is fast here and good enough for the data.

        Args:
            coarse: whether eight bits of a value are enough, as of pictures. Numbers that are drawn in bf16 are rounded to
                eight bits, and what draws them is too narrow to gain by it (0.8 times as fast).

        Raises:
            UsageError: no such precision.
        """
        if choice not in PRECISIONS:
            raise UsageError("E-SETTING-02", f"precision {choice!r} is not one of {', '.join(PRECISIONS)}")
        if choice == "auto":
            return "bf16" if self.fast_bf16 and coarse else "fp32"
        return choice


def find_machine(choice: str = "auto") -> Machine:
    """This machine with the chosen device.

    Raises:
        UsageError: no such device name.
        ResourceError: the device is not there, or does not compute.
    """
    if choice not in DEVICES:
        raise UsageError("E-SETTING-01", f"device {choice!r} is not one of {', '.join(DEVICES)}")
    device = choice if choice != "auto" else _best_device()
    if device == "cuda" and not torch.cuda.is_available():
        hint = "this torch was built without CUDA" if torch.version.cuda is None else "no NVIDIA driver answers"
        raise ResourceError("E-DEVICE-01", "no CUDA device here", why=hint, hints=("--device auto", "ganwright doctor"))
    if device == "mps" and not torch.backends.mps.is_available():
        raise ResourceError("E-DEVICE-01", "no Apple GPU (MPS) here", hints=("--device auto",))
    threads = torch.get_num_threads()
    if device == "cuda":
        properties = torch.cuda.get_device_properties(0)
        return Machine(device, properties.name, threads, properties.total_memory, torch.cuda.is_bf16_supported(False))
    name = "Apple GPU" if device == "mps" else f"CPU, {threads} thread{'s' if threads != 1 else ''}"
    return Machine(device, name, threads, _physical_memory(), device == "cpu" and _cpu_has_fast_bf16())


def product_error(device: str) -> float:
    """The largest relative error of a real matrix product on `device` against float64: a test that it computes."""
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(64, 64, generator=generator), torch.randn(64, 64, generator=generator)
    exact = a.double() @ b.double()
    result = (a.to(device) @ b.to(device)).cpu().double()
    return float((result - exact).abs().max() / exact.abs().max())


@contextmanager
def own_random_state(device: str) -> Generator[None]:
    """Put torch's global random state back in the end: training seeds it, and the caller's own draws go on undisturbed."""
    devices = [torch.cuda.current_device()] if device == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        yield


def versions() -> dict[str, str]:
    """What a result depends on besides its settings."""
    return {"python": platform.python_version(), "torch": torch.__version__, "platform": platform.platform()}


def _best_device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _cpu_has_fast_bf16() -> bool:
    checks = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    return any(getattr(torch.cpu, check, lambda: False)() for check in checks)


def _physical_memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return 0
