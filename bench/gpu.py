"""What does a GPU make of it? Builds, checks and measures within ten minutes; on a CPU the same at tiny sizes.

    python bench/gpu.py --out gpu/
    python bench/gpu.py --device cpu --tiny --out tiny/

JSON lines, each with the device's name:
  check     a matrix product, and ten steps of training, beside the same on the CPU in fp32
  rates     what the device does at most: matrix products in fp32 and bf16, and copies
  step      the rows of bench/step.py, timed by the device's own events; the achieved share of the bf16 product's rate and of
            the copies' bandwidth, for each way of calling the networks (as they are, compiled, compiled with CUDA graphs)
  training  DCGAN at 64x64 and R3GAN's preset for CIFAR-10: seconds a thousand images, and a grid of samples as a PNG
What fails is a line with `failed`; the rest is measured all the same.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from in_turns import spread
from machine import describe_machine
from ready import Ready, ready
from roofline import limits_of, measure_rates
from step_ours import CHOICES, RECIPES, ready_row

from ganwright.data.dataset import Dataset
from ganwright.data.preparation import prepare
from ganwright.runtime.compiling import Compile
from ganwright.runtime.device import find_machine, product_error
from ganwright.runtime.memory import give_back, peak_bytes
from ganwright.timing import time_steps_in_memory
from ganwright.training.batches import Batches
from ganwright.training.looking import COLUMNS, View
from ganwright.training.making import model_of
from ganwright.training.state import initial_state

ROWS = tuple(row for row in RECIPES if row != "default64")
SIDES = {"dcgan28": 28}
TINY_SIDE = 16
WAYS: tuple[Compile, ...] = ("off", "kernels", "graphs")
TRAININGS: dict[str, tuple[int, str, dict[str, Any]]] = {
    "dcgan64": (64, "dcgan", {}),
    "r3gan-cifar10": (32, "r3gan-cifar10", {}),
}
TINY_NETWORKS: dict[str, dict[str, Any]] = {
    "dcgan64": {"network": {"width": 4}, "batch": 4},
    "r3gan-cifar10": {"network": {"width": 16, "max_width": 16}, "batch": 4},
}
PICTURES = 4096
WARM_STEPS = 3
ROUNDS = 5
LIMIT_SECONDS = 540.0
CHECKED_STEPS, CHECK_TOLERANCE = 10, 0.02


def main() -> int:
    """Line after line."""
    parser = argparse.ArgumentParser(description="What does a GPU make of it?")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--tiny", action="store_true", help="tiny sizes, to see that all is there; a CPU wants them")
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--seconds", type=float, default=5.0, help="of steps, for each row and way")
    parser.add_argument("--train", type=float, default=45.0, help="seconds of training before the samples")
    parser.add_argument("--out", type=Path, default=Path("gpu"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    about = {"device": find_machine(options.device).name, "machine": describe_machine()}
    for name, work in parts_of(options):
        late = time.monotonic() - began > LIMIT_SECONDS
        line: dict[str, Any] = {"failed": f"not begun: {LIMIT_SECONDS:.0f} s are over"} if late else attempted(work)
        give_back(options.device)
        text = json.dumps({**name, **line, **about})
        print(text, flush=True)
        with (options.out / "results.jsonl").open("a", encoding="utf-8") as results:
            results.write(text + "\n")
    return 0


def attempted(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What it says, or why it did not."""
    try:
        return work()
    except Exception as error:
        return {"failed": f"{type(error).__name__}: {str(error)[:300]}"}


def parts_of(options: argparse.Namespace) -> Iterator[tuple[dict[str, str], Callable[[], dict[str, Any]]]]:
    """What is done, in order: its name, and the work."""
    device = options.device
    yield {"name": "check"}, lambda: check(device)
    rates: list[Any] = []

    def measured_rates() -> dict[str, Any]:
        rates.append(measure_rates(device))
        return {"fp32": rates[0].fp32, "bf16": rates[0].bf16, "bandwidth": rates[0].bandwidth}

    yield {"name": "rates"}, measured_rates
    for name in TRAININGS:
        yield {"name": "training", "preset": name}, lambda name=name: train(name, options)
    for row in filter(None, options.rows.split(",")):
        path = options.out / f"{row}.npy"
        side = TINY_SIDE if options.tiny and row not in CHOICES else SIDES.get(row, 64)
        np.save(path, discs(side, 512, 1 if row == "dcgan28" else 3).transpose(0, 3, 1, 2))
        for way in options.ways.split(","):
            yield (
                {"name": "step", "row": row, "compiled": way},
                lambda row=row, path=path, way=way: step(row, str(path), way, rates[0], options),
            )
        path.unlink()


def check(device: str) -> dict[str, Any]:
    """How far the device's results are from the CPU's."""
    dataset = prepare(discs(TINY_SIDE, 64, 3))
    losses: list[list[float]] = []
    for where in ("cpu", device):
        settings = {"network": {"width": 8}, "batch": 16, "precision": "fp32", "device": where, "mirror": True}
        training = ready(dataset, "dcgan", settings, device=where)
        losses.append([float(training.go()["discriminator_loss"]) for _ in range(CHECKED_STEPS)])
    apart = max(abs(a - b) / max(abs(a), 1e-3) for a, b in zip(*losses, strict=True))
    return {"product_error": product_error(device), "losses_apart": apart, "agrees": apart < CHECK_TOLERANCE}


def step(row: str, pictures: str, way: Compile, rates: Any, options: argparse.Namespace) -> dict[str, Any]:
    """Images a second, and which shares of the device's limits those are."""
    tiny = {"batch": 4} if options.tiny else {}
    training = ready_row(row, pictures, options.device, compiled=way, **tiny)
    began = time.monotonic()
    for _ in range(cycle_of(training) + WARM_STEPS):
        training.step()
    warm_seconds = time.monotonic() - began
    each = step_seconds(training, options.seconds)
    plain = ready_row(row, pictures, options.device, **tiny)
    plain.step()
    limits = limits_of(plain.step, rates)
    middle = spread(each)[0]
    compiled = training.state.compiled
    return {
        "images_per_second": spread([training.config.batch / seconds for seconds in each]),
        "milliseconds": spread([1e3 * seconds for seconds in each]),
        "share_of_bf16_peak": limits["flops"] / middle / rates.bf16,
        "share_of_bandwidth": limits["bytes"] / middle / rates.bandwidth,
        "share_of_roofline": limits["seconds"] / middle,
        "precision": training.config.precision,
        "batch": training.config.batch,
        "warm_seconds": round(warm_seconds, 2),
        "not_compiled": compiled.failure if compiled is not None else None,
        "most_held_bytes_so_far": peak_bytes(options.device),
        "protocol": f"{ROUNDS} rounds of {options.seconds / ROUNDS:g} s, by the device's events; median, least and most",
    }


def cycle_of(training: Ready) -> int:
    """Steps after which all penalties were due."""
    return max([each.interval for each in training.config.regularizers], default=1)


def step_seconds(training: Ready, seconds: float) -> list[float]:
    """Seconds of a step in each round, whole cycles of the lazy penalties."""
    cycle = cycle_of(training)
    once = elapsed(training, cycle) / cycle
    count = cycle * max(1, round(seconds / ROUNDS / max(once, 1e-9) / cycle))
    return [elapsed(training, count) / count for _ in range(ROUNDS)]


def elapsed(training: Ready, steps: int) -> float:
    """Seconds of so many steps, between two events of the device where it has such."""
    if training.config.device != "cuda":
        began = time.perf_counter()
        for _ in range(steps):
            training.step()
        return time.perf_counter() - began
    first, last = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda.synchronize()
    first.record()
    for _ in range(steps):
        training.go()
    last.record()
    torch.cuda.synchronize()
    return first.elapsed_time(last) / 1e3


def train(preset: str, options: argparse.Namespace) -> dict[str, Any]:
    """Seconds a thousand images, then a while of training, then a grid of samples."""
    side, recipe, settings = TRAININGS[preset]
    dataset = prepare(discs(TINY_SIDE if options.tiny else side, 64 if options.tiny else PICTURES, 3))
    planned = ready(dataset, recipe, TINY_NETWORKS[preset] if options.tiny else settings, device=options.device)
    config, seconds = time_steps_in_memory(planned.config, dataset, 1 if options.tiny else 1000)
    training = Ready(initial_state(config, planned.spec), config, planned.spec, Batches(dataset, config))
    began = time.monotonic()
    while time.monotonic() - began < options.train or training.state.step == 0:
        training.step()
    path = options.out / f"{preset}.png"
    save_grid(training, dataset, path)
    return {
        "seconds_per_kimg": 1e3 * seconds / config.samples_per_step,
        "batch": config.batch,
        "parts": config.micro_batches,
        "precision": config.precision,
        "steps": training.state.step,
        "grid": str(path),
        "most_held_bytes_so_far": peak_bytes(options.device),
    }


def save_grid(training: Ready, dataset: Dataset, path: Path) -> None:
    """Samples of the average generator."""
    training.state.average.estimate_statistics(training.config.seed, training.config.device)
    model = model_of(training.state, training.config, training.spec, dataset, None, 0.0, None)
    samples = View.of(dataset, training.spec).samples(model, training.config.seed)
    dataset.codec.preview(dataset.codec.decode(samples), COLUMNS).save(path)


def discs(side: int, count: int, channels: int) -> np.ndarray:
    """Pictures (count, side, side, channels), of a bright disc on a dark ground each: one sees whether that is learned."""
    random = np.random.default_rng(0)
    x, y, radius = random.uniform([0.3, 0.3, 0.1], [0.7, 0.7, 0.3], (count, 3)).T[:, :, None, None] * side
    rows, columns = np.mgrid[:side, :side]
    inside = ((rows - y) ** 2 + (columns - x) ** 2 < radius**2)[..., None]
    ground, colour = random.integers([[0], [128]], [[100], [256]], (count, 2, channels)).transpose(1, 0, 2)[:, :, None, None]
    return np.where(inside, colour, ground).astype(np.uint8)


if __name__ == "__main__":
    sys.exit(main())
