"""`ganwright doctor`"""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from ganwright.cli.options import Debug, Json
from ganwright.cli.output import Output

Verdict = Literal["ok", "note", "problem"]
MARKS: dict[Verdict, str] = {"ok": "✓", "note": "!", "problem": "✗"}
LOW_DISK_BYTES = 1 << 30
LOW_MEMORY_BYTES = 2 << 30
PARTS = ("torch", "numpy", "pillow", "safetensors", "rich", "cyclopts", "matplotlib", "scikit-learn", "tomli-w")
OPTIONAL: dict[str, str] = {}
"""Optional parts by module name, with what each is for; none so far."""


@dataclass(frozen=True)
class Check:
    """One line of the report."""

    name: str
    verdict: Verdict
    what: str
    fix: str = ""


def doctor(*, json: Json = False, debug: Debug = False) -> int:
    """Look at the machine: versions, devices, memory, disk; each problem comes with its fix."""
    output = Output(json)
    results = [check for examine in EXAMINATIONS for check in examine()]
    for check in results:
        output.line(f"{MARKS[check.verdict]} {check.name:14}{check.what}")
        if check.fix:
            output.line(f"{'':16}try  {check.fix}")
    output.document({"ok": all(c.verdict != "problem" for c in results), "checks": [asdict(check) for check in results]})
    return 5 if any(check.verdict == "problem" for check in results) else 0


def _python() -> list[Check]:
    good = sys.version_info >= (3, 11)
    fix = "" if good else "Python 3.11 or newer"
    return [Check("python", "ok" if good else "problem", f"{platform.python_version()} on {platform.platform()}", fix)]


def _versions() -> list[Check]:
    checks: list[Check] = []
    found: list[str] = []
    for part in ("ganwright", *PARTS):
        try:
            found.append(f"{part} {version(part)}")
        except PackageNotFoundError:
            checks.append(Check(part, "problem", "not installed", "pip install ganwright"))
    return [Check("versions", "ok", ", ".join(found)), *checks]


def _devices() -> list[Check]:
    try:
        import torch

        from ganwright.runtime.device import find_machine, product_error
    except (ImportError, OSError) as error:
        return [Check("torch", "problem", f"does not import: {error}", "pip install --force-reinstall 'torch>=2.10,<2.14'")]
    checks: list[Check] = []
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    for device in [name for name, available in there.items() if available]:
        try:
            error = product_error(device)
            machine = find_machine(device)
        except RuntimeError as failure:
            fix = "a torch build that fits the driver, or --device cpu"
            checks.append(Check(device, "problem", f"does not compute: {str(failure).splitlines()[0]}", fix))
            continue
        good = error < 1e-2  # TF32 products are allowed
        bf16 = "fast bf16" if machine.fast_bf16 else "fp32 (bf16 is not faster here)"
        what = f"{machine.name}, {bf16}, a product is right to {error:.0e}"
        checks.append(Check(device, "ok" if good else "problem", what, "" if good else "check the driver and the hardware"))
    if not there["cuda"] and not there["mps"]:
        built = torch.version.cuda
        fix = (
            "a torch build with CUDA, if this machine has an NVIDIA GPU"
            if built is None
            else "nvidia-smi: does the driver answer?"
        )
        checks.append(Check("gpu", "note", "none that torch can use; everything works on the CPU, slower", fix))
    return checks


def _memory() -> list[Check]:
    from ganwright.runtime.device import find_machine

    size = find_machine("cpu").memory_bytes
    if not size:
        return []
    low = size < LOW_MEMORY_BYTES
    return [Check("memory", "note" if low else "ok", f"{size / 1e9:.1f} GB", "a small --batch and --size" if low else "")]


def _disk() -> list[Check]:
    from ganwright.runtime.files import cache_root

    return [_place("run folder", Path.cwd()), _place("cache", cache_root())]


def _place(name: str, folder: Path) -> Check:
    """Whether `folder` can be written to, how quickly, and how much room there is."""
    data = os.urandom(8 << 20)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        began = time.perf_counter()
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        rate = len(data) / 1e6 / (time.perf_counter() - began)
    except OSError as error:
        return Check(name, "problem", f"{folder}: {error.strerror or error}", "a folder that you may write to")
    low = free < LOW_DISK_BYTES
    what = f"{folder}: {free / 1e9:,.1f} GB free, writes {rate:,.0f} MB/s"
    return Check(name, "note" if low else "ok", what, "free some space" if low else "")


def _optional() -> list[Check]:
    missing = [name for name in OPTIONAL if importlib.util.find_spec(name) is None]
    return [Check(name, "note", f"not installed: {OPTIONAL[name]}", f"pip install 'ganwright[{name}]'") for name in missing]


EXAMINATIONS: tuple[Callable[[], list[Check]], ...] = (_python, _versions, _devices, _memory, _disk, _optional)
