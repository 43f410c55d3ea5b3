"""Which gamma does R1 want, for pictures and batches of which size, and for how many steps?

    python bench/gamma.py run [--beside 2]       # may be stopped at any time, and goes on where it was
    python bench/gamma.py table                  # what was found, as Markdown

`dcgan` with networks of width 16 on cat faces, shrunk to several sizes, at several batches. Gamma is a quarter of
`gamma_for`, that, four times it, or rises from that to four times it. As many pictures are seen at every size (`--pictures`:
runs of several lengths stand beside each other). Frechet distances in learned features, with their errors; one seed. A JSON
line each in --results.
"""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from bakeoff import DATA, ROOT, SETS, lines_of, write
from machine import describe_machine
from trained import core_of, trained_and_judged

from ganwright.regularizers.r1 import gamma_for

SIDES, BATCHES = (32, 64), (8, 16, 64)
FACTORS = ((0.25, 0.25), (1.0, 1.0), (4.0, 4.0), (1.0, 4.0))
"""Of `gamma_for`, at the start and at the end."""
PICTURES = 60_000
SAMPLES = 2_000
WIDTH = 16
COLOURS = 3


def main() -> int:
    """Run what is asked for; 0 unless a training failed."""
    parser = argparse.ArgumentParser(description="Which gamma does R1 want?")
    parser.add_argument("what", choices=("run", "table"))
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--results", type=Path, default=ROOT / "docs" / "bakeoff" / "gamma.jsonl")
    parser.add_argument("--keep", type=Path, default=Path.home() / ".cache" / "ganwright" / "bench" / "gamma")
    parser.add_argument("--pictures", type=int, default=PICTURES, help="that each run sees")
    parser.add_argument("--beside", type=int, default=1, help="trainings at once, each on a core of its own")
    options = parser.parse_args()
    if not (options.data / SETS["cats64"]).exists():
        print(json.dumps({"skipped": f"there is no {options.data / SETS['cats64']}"}))
        return 0
    return {"run": run, "table": table}[options.what](options)


def run(options: argparse.Namespace) -> int:
    """Each training that is not there yet."""
    there = {place_of(line) for line in lines_of(options.results)}
    todo = [place for place in product(SIDES, BATCHES, FACTORS) if (*place, options.pictures) not in there]
    cores = list(range(options.beside))
    with ThreadPoolExecutor(options.beside) as pool:
        done = list(pool.map(partial(train_and_judge, options=options, cores=cores), todo))
    return int(not all(done))


def place_of(line: dict[str, Any]) -> tuple[int, int, tuple[float, float], int]:
    """What tells a result from others."""
    return line["side"], line["batch"], (line["factor"], line.get("end", line["factor"])), line["pictures"]


def train_and_judge(place: tuple[int, int, tuple[float, float]], options: argparse.Namespace, cores: list[int]) -> bool:
    """Train, evaluate, write the line; False where that failed."""
    side, batch, (start, end) = place
    gamma = gamma_for((COLOURS, side, side))
    data = str(options.data / SETS["cats64"])
    folder = options.keep / f"{side}-{batch}-{start:g}-{end:g}-{options.pictures}"
    settings = [f"network.width={WIDTH}", f"batch={batch}"]
    settings += [f"regularizers.0.weight.{when}={share * gamma}" for when, share in (("start", start), ("end", end))]
    words = ["--recipe", "dcgan", "--size", str(side), "--images", str(options.pictures), "--seed", "0"]
    words += [word for setting in settings for word in ("--set", setting)]
    with core_of(cores, options.beside) as core:
        judged = trained_and_judged(folder, data, words, SAMPLES, core)
    if judged is None:
        return False
    line: dict[str, Any] = {"side": side, "batch": batch, "factor": start, "end": end, "gamma": round(start * gamma, 5)}
    line |= {"pictures": options.pictures, "width": WIDTH, "samples": SAMPLES, "features": judged["features"]}
    for name in ("frechet", "recall"):
        each = judged["measurements"][name]
        line[name] = [each["value"], each.get("error"), each.get("floor")]
    write(options.results, {**line, "machine": describe_machine()})
    return True


def table(options: argparse.Namespace) -> int:
    """A row a size, batch and length, a column a gamma."""
    found = {place_of(line): line["frechet"] for line in lines_of(options.results)}
    print("| px | batch | steps |" + "".join(f" {start:g} to {end:g} |" for start, end in FACTORS))
    print("|---|---|---|" + "---|" * len(FACTORS))
    for side, batch, pictures in sorted({(side, batch, pictures) for side, batch, _, pictures in found}):
        cells = [found.get((side, batch, factors, pictures)) for factors in FACTORS]
        shown = [f"{cell[0]:.3f} ± {cell[1]:.3f}" if cell else "" for cell in cells]
        print(f"| {side} | {batch} | {pictures // batch:,} | {' | '.join(shown)} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
