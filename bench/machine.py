"""The machine that a bench ran on, for the line that it prints."""

from __future__ import annotations

import platform
from pathlib import Path

import torch

from ganwright.runtime.cores import usable_cores
from ganwright.runtime.device import find_machine


def describe_machine() -> dict[str, object]:
    """The processor's model, cores that this process may use, torch's version, threads and precision, and a GPU if any."""
    facts: dict[str, object] = {
        "cpu": _cpu_model(),
        "cores": usable_cores(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "precision": find_machine().precision("auto"),
    }
    if torch.cuda.is_available():
        facts["gpu"] = torch.cuda.get_device_name()
    return facts


def _cpu_model() -> str:
    """The model as Linux names it; elsewhere what Python knows, which may be only the architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()
