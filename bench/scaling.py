"""What more processes bring, and what they tell each other.

    python bench/scaling.py --rows default64,dcgan64 --seconds 30    # two processes beside one, in turns
    python bench/scaling.py --paper                                  # efficiency of many GPUs, reckoned

Prints one JSON line a row: images a second of two processes with a thread each, of one with two threads and of one with one,
in turns, with the ratios of each round; what two processes reach that share nothing but the machine, each with its half of
the batch, which is what can be had; the bytes that a process hands to the others in a step, beside the least there is, which
is each gradient once. `--paper` reckons, from such bytes and a step's seconds, what is left of 8, 64 and 1,024 GPUs.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from in_turns import ROUNDS, AtOnce, Program, in_turns
from machine import describe_machine
from step import DATA, pictures_of

HERE = Path(__file__).resolve().parent
BATCH = 64
LATENCY_SECONDS = 20e-6
"""Of one message between two machines."""
NODE_GPUS, ETHERNET, NVLINK = 8, 12.5e9, 450e9
"""GPUs of a machine; bytes a second of its one 100 Gbit/s line, and of each of its GPUs to the others (an H100's)."""
PAPER = {
    "r3gan-cifar10": {"parameters": 20.8e6 + 21.3e6, "seconds_per_image": 0.011, "images": 64},
    "dcgan-published": {"parameters": 3.6e6 + 2.8e6, "seconds_per_image": 0.0001, "images": 128},
}
"""Images are those of one GPU in a step. R3GAN's seconds are its authors' own, on an L40; DCGAN's are assumed."""


def main() -> int:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="default64,dcgan64")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--paper", action="store_true")
    options = parser.parse_args()
    if options.paper:
        for name, facts in PAPER.items():
            for gpus in (8, 64, 1024):
                print(json.dumps({"row": name, **on_paper(gpus, **facts)}))
        return 0
    with tempfile.TemporaryDirectory() as keep:
        for row in options.rows.split(","):
            print(json.dumps(measure(row, pictures_of(row, options.data, Path(keep)), options.seconds)), flush=True)
    return 0


def measure(row: str, pictures: Path, seconds: float) -> dict[str, Any]:
    """The three in turns."""

    def program(processes: int, threads: int, batch: int = BATCH) -> Program:
        words = [sys.executable, str(HERE / "scaling_worker.py"), row, str(pictures), str(processes), str(batch)]
        return Program(words, {"OMP_NUM_THREADS": str(threads)})

    programs = {
        "two": program(2, 1),
        "one_of_two_threads": program(1, 2),
        "one": program(1, 1),
        "two_apart": AtOnce([program(1, 1, BATCH // 2) for _ in range(2)]),
    }
    rates = in_turns(programs, seconds)
    told = json.loads((pictures.parent / f"{row}.told.json").read_text(encoding="utf-8"))

    def ratio(other: str) -> dict[str, float]:
        each = [mine / theirs for mine, theirs in zip(rates["two"], rates[other], strict=True)]
        return {"median": round(median(each), 3), "least": round(min(each), 3), "most": round(max(each), 3)}

    return {
        "row": row,
        "images_per_second": {name: round(median(each), 1) for name, each in rates.items()},
        "to_one_of_two_threads": ratio("one_of_two_threads"),
        "to_one": ratio("one"),
        "to_two_apart": ratio("two_apart"),
        "bytes_per_step": told["bytes"],
        "exchanges_per_step": told["exchanges"],
        "least_bytes": told["least"],
        "protocol": f"{ROUNDS} rounds, {seconds:g} s of each program in all",
        "machine": describe_machine(),
    }


def on_paper(gpus: int, parameters: float, seconds_per_image: float, images: int) -> dict[str, Any]:
    """Efficiency of so many GPUs, each with the same number of images, when nothing is sent while gradients are computed.

    Gradients are added within a machine, then around a ring of machines, then handed out again (rings: Patarasuk and Yuan
    2009, doi:10.1016/j.jpdc.2008.09.002).
    """
    size, nodes = 4 * parameters, max(1, gpus // NODE_GPUS)
    within = 2 * (NODE_GPUS - 1) / NODE_GPUS * size / NVLINK
    between = 2 * (nodes - 1) / nodes * size / ETHERNET + 2 * (nodes - 1) * LATENCY_SECONDS if nodes > 1 else 0.0
    order = math.log2(gpus) * LATENCY_SECONDS
    step = images * seconds_per_image
    return {
        "gpus": gpus,
        "step_seconds": round(step, 4),
        "exchange_seconds": round(within + between + order, 5),
        "efficiency": round(step / (step + within + between + order), 3),
        "assumed": f"{images} images a GPU, {nodes} machine(s) of {NODE_GPUS} GPUs, NVLink 450 GB/s, 100 Gbit/s a machine",
    }


if __name__ == "__main__":
    sys.exit(main())
