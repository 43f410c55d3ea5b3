"""How fast are pictures sampled: one from a cold start, and ten thousand beside what generator and PNG encoder do alone?

    python bench/sampling.py

A line for each; the model is a dcgan for 64x64 colour pictures, trained for a moment. `share` is the command's pace over
that of the slower of generator and encoder, each alone and on all cores, the encoder with Pillow's usual settings. Where
both need all cores, as on a CPU, no command with these can reach 1: `bound` is what is left when each takes its part of the
cores. Ours compresses more quickly than usual, and may pass it.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from in_turns import spread
from machine import describe_machine
from step import CATS, DATA

STARTS = 5
FEW, MANY = 1_000, 10_000
ROUNDS = 3


def main() -> int:
    """Two lines."""
    parser = argparse.ArgumentParser(description="How fast are pictures sampled?")
    parser.add_argument("--data", type=Path, default=DATA)
    options = parser.parse_args()
    if not options.data.is_dir():
        print(json.dumps({"skipped": f"there is no folder {options.data}"}))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        ganwright("train", str(options.data / CATS), "--recipe", "dcgan", "--steps", "20", "--run", str(run))
        for line in (cold_start(run), throughput(run)):
            print(json.dumps({**line, "machine": describe_machine()}), flush=True)
    return 0


def cold_start(run: Path) -> dict[str, Any]:
    """Seconds from the command to one picture, beside those that importing torch takes by itself."""
    seconds: dict[str, list[float]] = {"one picture": [], "import torch": []}
    for _ in range(STARTS):
        seconds["import torch"].append(timed(lambda: subprocess.run([sys.executable, "-c", "import torch"], check=True)))
        seconds["one picture"].append(timed(lambda: ganwright("sample", str(run), "-n", "1", "-o", str(run / "one"))))
    figures = {name: spread(each) for name, each in seconds.items()}
    return {"name": "cold start", "seconds": figures, "protocol": f"{STARTS} starts in turns; median, least and most"}


def throughput(run: Path) -> dict[str, Any]:
    """Pictures a second once the command is under way, and what it holds of memory."""
    from ganwright.model.model import Model

    model = Model.load(run / "model.safetensors")
    pictures = [picture for block in model.stream(FEW) for picture in block]
    paces: dict[str, list[float]] = {"generator": [], "encoder": [], "command": []}
    shares: list[float] = []
    bounds: list[float] = []
    memory: dict[int, float] = {}
    for number in range(ROUNDS):
        generator = FEW / timed(lambda: sum(len(block) for block in model.tensors(FEW)))
        encoder = FEW / timed(lambda: encode(pictures))
        seconds = {}
        for count in (FEW, MANY):
            out = run / f"{number}-{count}"
            began = time.perf_counter()
            memory[count] = ganwright("sample", str(run), "-n", str(count), "-o", str(out))
            seconds[count] = time.perf_counter() - began
        command = (MANY - FEW) / (seconds[MANY] - seconds[FEW])
        for name, pace in zip(paces, (generator, encoder, command), strict=True):
            paces[name].append(pace)
        shares.append(command / min(generator, encoder))
        bounds.append(1 / (1 / generator + 1 / encoder) / min(generator, encoder))
    return {
        "name": "ten thousand",
        "per_second": {name: spread(each) for name, each in paces.items()},
        "share": spread(shares),
        "bound": spread(bounds),
        "mebibytes": {count: round(held) for count, held in memory.items()},
        "protocol": f"{ROUNDS} rounds in turns, the command from {FEW} to {MANY} pictures; median, least and most",
    }


def encode(pictures: list[Any]) -> None:
    """As PNG in memory, with Pillow's usual settings, on all cores."""

    def one(picture: Any) -> None:
        picture.save(io.BytesIO(), "PNG")

    with ThreadPoolExecutor() as pool:
        list(pool.map(one, pictures))


def ganwright(*words: str) -> float:
    """Our command line, in a process of its own; the most mebibytes that it held."""
    process = subprocess.Popen([sys.executable, "-m", "ganwright", *words], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = status
    if status:
        raise RuntimeError(f"ganwright {' '.join(words)}: ended with {status}")
    return used.ru_maxrss / 1024


def timed(work: Callable[[], object]) -> float:
    """Seconds that it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
