"""What does training cost as work grows: with the batch, the pictures' side, the networks' width, the number of records?

    python bench/cost.py measure --results cost.jsonl        # all axes; --axes batch,records for some
    python bench/cost.py draw cost.jsonl docs/performance/cost.svg

A line a point. Of a step: processor milliseconds an image, which other programs on the machine disturb less than the clock,
and the FLOPs of the same step as counted; `growth` is how many times the time grew since the point before, over how many
times the FLOPs did, so that 1 is what mathematics asks for. The points of an axis train in turns, in whole cycles of the
lazy penalties. Of records: processor seconds of packing them, of opening what was packed, and of a start, and
microseconds of drawing a batch.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from in_turns import spread
from machine import describe_machine
from ready import Ready, noise_pictures, ready
from roofline import Counting, Rates

from ganwright.data.preparation import prepare
from ganwright.runtime.allocator import keep_freed_memory
from ganwright.training.batches import Batches

BASE = {"batch": 16, "side": 32, "width": 16}
"""Of the recipe `dcgan`; one of them is varied at a time."""
POINTS = {"batch": (4, 16, 64, 256), "side": (16, 32, 64, 128), "width": (8, 16, 32, 64)}
TITLES = {"batch": "records in a batch", "side": "side of a picture", "width": "width", "records": "records in all"}
"""What is below each panel of the drawing."""
RECORDS = (1_000, 10_000, 100_000, 1_000_000)
RECORD_SIDE = 16
DRAWS, DRAWN = 200, 64
"""Batches that are drawn, and records in each."""
ROUNDS = 3
START = """
import sys, time
import ganwright, ganwright.gan, ganwright.plan  # everything that takes long to import
began = time.process_time()
first = []
def told(event):
    if type(event).__name__ == "PlanReady":
        first.append(time.process_time() - began)
ganwright.GAN("dcgan", seed=0).fit(sys.argv[1], steps=1, subscribers=[told])
print(first[0])
"""
CHUNK = 10_000


def main() -> int:
    """A line a point, or the drawing of such lines."""
    parser = argparse.ArgumentParser(description="What does training cost as work grows?")
    verbs = parser.add_subparsers(dest="verb", required=True)
    measuring = verbs.add_parser("measure")
    measuring.add_argument("--axes", default=",".join([*POINTS, "records"]))
    measuring.add_argument("--rounds", type=int, default=ROUNDS)
    measuring.add_argument("--most", type=float, default=1e6, help="records, or of any other axis, at most")
    measuring.add_argument("--results", type=Path, help="lines are added to it too")
    drawing = verbs.add_parser("draw")
    drawing.add_argument("results", type=Path)
    drawing.add_argument("picture", type=Path)
    options = parser.parse_args()
    if options.verb == "draw":
        draw([json.loads(line) for line in options.results.read_text(encoding="utf-8").splitlines()], options.picture)
        return 0
    for axis in options.axes.split(","):
        measured = of_records if axis == "records" else of_steps
        for line in measured(axis, options.rounds, options.most):
            text = json.dumps({"axis": axis, **line, "machine": describe_machine()})
            print(text, flush=True)
            if options.results:
                with options.results.open("a", encoding="utf-8") as results:
                    results.write(text + "\n")
    return 0


def of_steps(axis: str, rounds: int, most: float) -> list[dict[str, Any]]:
    """A line for each point of `axis`."""
    keep_freed_memory()
    trainings = {at: training_at(**{**BASE, axis: at}) for at in POINTS[axis] if at <= most}
    cycles = {at: max(1, *(each.interval for each in one.config.regularizers)) for at, one in trainings.items()}
    flops = {at: flops_of(one, cycles[at]) for at, one in trainings.items()}
    spent: dict[int, list[float]] = {at: [] for at in trainings}
    for _ in range(rounds):
        for at, one in trainings.items():
            seconds = processor_seconds(lambda one=one, at=at: [one.step() for _ in range(cycles[at])])
            spent[at].append(1e3 * seconds / cycles[at] / one.config.batch)
    lines: list[dict[str, Any]] = []
    for at, values in spent.items():
        line: dict[str, Any] = {"at": at, "milliseconds_per_image": spread(values), "megaflops_per_image": flops[at] / 1e6}
        if lines:
            before = lines[-1]
            slower = line["milliseconds_per_image"][0] / before["milliseconds_per_image"][0]
            line["growth"] = round(slower * before["megaflops_per_image"] / line["megaflops_per_image"], 2)
        lines.append(line)
    said = ", ".join(f"{name} {value}" for name, value in BASE.items() if name != axis)
    protocol = (
        f"dcgan, {said}; processor time, {rounds} rounds of {max(cycles.values())} steps in turns; median, least, most"
    )
    return [{**line, "protocol": protocol} for line in lines]


def training_at(batch: int, side: int, width: int) -> Ready:
    """A training of the recipe `dcgan`."""
    dataset = noise_pictures(side, max(256, batch))
    return ready(dataset, "dcgan", {"batch": batch, "network": {"width": width}})


def flops_of(training: Ready, steps: int) -> float:
    """FLOPs an image of a step, a mean over a cycle; it is warm afterwards."""
    with Counting(Rates(1.0, 1.0, 1.0)) as counted:
        for _ in range(steps):
            training.step()
    return counted.flops / steps / training.config.batch


def of_records(axis: str, rounds: int, most: float) -> Iterator[dict[str, Any]]:
    """A line for each number of records, grey pictures in one .npy file."""
    protocol = (
        f"{RECORD_SIDE}x{RECORD_SIDE} grey pictures in an .npy file; processor time; packing once, the rest {rounds} times"
    )
    for count in RECORDS:
        if count <= most:
            with tempfile.TemporaryDirectory() as folder:
                figures = cost_of_records(Path(folder), count, rounds)
            yield {"at": count, **figures, "protocol": f"{protocol}; median, least, most"}


def cost_of_records(folder: Path, count: int, rounds: int) -> dict[str, Any]:
    """What packing, opening, drawing and starting take."""
    path, cache = folder / "records.npy", folder / "cache"
    write_records(path, count)
    packing = processor_seconds(lambda: prepare(path, cache=cache))
    opening = [processor_seconds(lambda: prepare(path, cache=cache)) for _ in range(rounds)]
    training = ready(prepare(path, cache=cache), "dcgan", {"batch": DRAWN})
    drawing = [processor_seconds(lambda: draw_batches(training)) for _ in range(rounds)]
    return {
        "packing_seconds": round(packing, 3),
        "opening_seconds": spread(opening),
        "microseconds_per_batch": spread([1e6 * each / DRAWS for each in drawing]),
        "starting_seconds": spread([starting(path, folder) for _ in range(1 + rounds)][1:]),
    }


def write_records(path: Path, count: int) -> None:
    """Random ones, a part at a time."""
    file = np.lib.format.open_memmap(path, "w+", np.uint8, (count, RECORD_SIDE, RECORD_SIDE))
    random = np.random.default_rng(0)
    for first in range(0, count, CHUNK):
        part = file[first : first + CHUNK]
        part[:] = random.integers(0, 256, part.shape, dtype=np.uint8)
    file.flush()


def draw_batches(training: Ready) -> None:
    """As training does, each at a step of its own; the first from a fresh order."""
    batches = Batches(training.batches.dataset, training.config)
    for step in range(DRAWS):
        training.state.step = step
        batches.real(training.state.key("discriminator"))


def starting(path: Path, folder: Path) -> float:
    """Processor seconds from the call to the plan with its timed steps; the first start packs the data."""
    words = [sys.executable, "-c", START, str(path)]
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, cwd=folder, env=apart(folder))
    return float(done.stdout)


def apart(folder: Path) -> dict[str, str]:
    """This environment, with the cache in `folder`."""
    return {**os.environ, "GANWRIGHT_CACHE": str(folder / "started")}


def processor_seconds(work: Callable[[], object]) -> float:
    """Of all threads of this process, in `work`."""
    began = time.process_time()
    work()
    return time.process_time() - began


def draw(lines: list[dict[str, Any]], picture: Path) -> None:
    """A panel an axis: what was measured, and what the mathematics would have from its second point on."""
    import matplotlib

    matplotlib.use("svg" if picture.suffix == ".svg" else "agg")
    from matplotlib import pyplot
    from matplotlib.ticker import LogLocator, StrMethodFormatter

    matplotlib.rcParams["svg.fonttype"], matplotlib.rcParams["svg.hashsalt"] = "none", "cost"
    axes = [axis for axis in TITLES if any(line["axis"] == axis for line in lines)]
    figure, panels = pyplot.subplots(1, len(axes), figsize=(3.4 * len(axes), 3.2), layout="constrained", squeeze=False)
    for panel, axis in zip(panels[0], axes, strict=True):
        points = [line for line in lines if line["axis"] == axis]
        (draw_records if axis == "records" else draw_steps)(panel, points)
        panel.set(xscale="log", yscale="log", xlabel=TITLES[axis])
        panel.set_xticks([point["at"] for point in points], [f"{point['at']:,}" for point in points])
        panel.minorticks_off()
        panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if axis != "records" else (1,)))
        panel.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        panel.set_ylim(top=(30 if axis == "records" else 2) * panel.get_ylim()[1])  # room for the legend
        panel.grid(alpha=0.3)
        panel.legend(fontsize=8, loc="upper right" if axis == "batch" else "upper left")
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, metadata={"Date": None} if picture.suffix == ".svg" else None)


def draw_steps(panel: Any, points: list[dict[str, Any]]) -> None:
    """Milliseconds an image, beside a line that grows as the FLOPs do and meets the measured at the last point."""
    at = [point["at"] for point in points]
    middle, least, most = (np.array([point["milliseconds_per_image"][i] for point in points]) for i in range(3))
    flops = np.array([point["megaflops_per_image"] for point in points])
    panel.errorbar(at, middle, (middle - least, most - middle), marker="o", capsize=3, label="measured")
    panel.plot(at, flops * middle[-1] / flops[-1], "k--", label="as its FLOPs")
    panel.set_title("processor ms an image", fontsize=10)


def draw_records(panel: Any, points: list[dict[str, Any]]) -> None:
    """Seconds, and microseconds of a batch as seconds of a thousand batches."""
    at = [point["at"] for point in points]
    panel.plot(at, [point["packing_seconds"] for point in points], marker="o", label="packing")
    for name, label, scale in (
        ("opening_seconds", "opening", 1.0),
        ("starting_seconds", "a start, with its timing", 1.0),
        ("microseconds_per_batch", f"drawing 1,000 batches of {DRAWN}", 1e-3),
    ):
        panel.plot(at, [scale * statistics.median(point[name]) for point in points], marker="o", label=label)
    panel.set_title("processor seconds", fontsize=10)


if __name__ == "__main__":
    sys.exit(main())
