"""Which recipe is the best for the time? Every recipe against every other, on three sets of pictures.

    python bench/bakeoff.py plan             # what each gets of its time, on a machine that does nothing else
    python bench/bakeoff.py run              # the rounds; may be stopped at any time, and goes on where it was
    python bench/bakeoff.py table            # what was found, as Markdown

First every recipe for 5 minutes, one seed; then the best two and a DCGAN for 20 minutes, two seeds; then the winner for 60
minutes on cats. The published DCGAN is too wide to learn anything in such times on a CPU, so the yardstick is a small one,
far better there and otherwise as published. A minute is as many pictures as the recipe sees in one on two calm cores, with
networks as wide as it gets them there (`plan`), so that a machine that is busy with other things takes longer and finds the
same.
Runs are kept in --keep, and what was found is a JSON line each in --results; what was planned anew since is run again.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from hashlib import sha256
from math import log
from pathlib import Path
from typing import Any

from machine import describe_machine
from trained import core_of, trained_and_judged

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
SETS = {"cats64": "images/cats64.zip", "cifar10": "images/cifar10_jpeg.zip", "mnist": "mnist"}
RECIPES = ("mlp", "dcgan-published", "dcgan-small", "dcgan", "rpgan", "resnet", "fastgan", "r3gan")
SETTINGS = {"dcgan-small": ("dcgan-published", ("network.width=16", "batch=16"))}
"""A recipe with other settings, by its name here: as small as ours, and otherwise as published."""
YARDSTICK = "dcgan-small"
ROUNDS = {1: (5.0, (0,)), 2: (20.0, (0, 1)), 3: (60.0, (0,))}
"""Minutes and seeds."""
FINALISTS = 2
LAST, LAST_SET = 3, "cats64"
SAMPLES = 5_000
MEASURES = ("frechet", "kernel_distance", "precision", "recall", "copying")


Planned = tuple[str, str, float]
"""Recipe, set, minutes."""


@dataclass(frozen=True)
class Entry:
    """One training."""

    recipe: str
    data: str
    minutes: float
    seed: int

    @property
    def name(self) -> str:
        """Of its run's folder."""
        return f"{self.recipe}-{self.data}-{self.minutes:g}m-{self.seed}"


def main() -> int:
    """Run what is asked for; 0 unless a training failed."""
    parser = argparse.ArgumentParser(description="Which recipe is the best for the time?")
    parser.add_argument("what", choices=("plan", "run", "table"))
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--results", type=Path, default=ROOT / "docs" / "bakeoff" / "results.jsonl")
    parser.add_argument("--keep", type=Path, default=Path.home() / ".cache" / "ganwright" / "bench" / "bakeoff")
    parser.add_argument("--recipes", default=",".join(RECIPES))
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--rounds", default="1,2,3")
    parser.add_argument("--seeds", default="0,1", help="of those that a round has")
    parser.add_argument("--beside", type=int, default=1, help="trainings at once, each on a core of its own")
    options = parser.parse_args()
    if not options.data.is_dir():
        print(json.dumps({"skipped": f"there is no folder {options.data}"}))
        return 0
    options.results.parent.mkdir(parents=True, exist_ok=True)
    return {"plan": plan, "run": run, "table": table}[options.what](options)


def plan(options: argparse.Namespace) -> int:
    """What a user would get who gives a recipe so much time: how wide, and how many pictures are seen."""
    from ganwright.cli.settings import parse_settings
    from ganwright.core.budget import Budget
    from ganwright.data.preparation import prepare
    from ganwright.plan import make_plan
    from ganwright.runtime.device import find_machine

    for number in map(int, options.rounds.split(",")):
        minutes, _ = ROUNDS[number]
        for data in options.sets.split(","):
            dataset = prepare(options.data / SETS[data])
            for recipe in options.recipes.split(","):
                if number == LAST and data != LAST_SET:
                    continue
                name, given = SETTINGS.get(recipe, (recipe, ()))
                budget = Budget(seconds=60 * minutes)
                planned = make_plan(dataset, find_machine("cpu"), recipe=name, budget=budget, settings=parse_settings(given))
                config = planned.config
                settings = {"network.width": getattr(config.network, "width", None), "images": config.total_samples}
                said = json.dumps([digest_of(name, dataset), given, settings]).encode()
                line = {"plan": sha256(said).hexdigest()[:8], "recipe": recipe, "data": data, "minutes": minutes, **settings}
                per_second = round(config.samples_per_step / planned.seconds_per_step, 1)
                write(options.results, {**line, "per_second": per_second, "machine": describe_machine()})
    return 0


def run(options: argparse.Namespace) -> int:
    """The rounds, one after another; each training that is not there yet."""
    failed = 0
    cores = list(range(options.beside))
    for number in map(int, options.rounds.split(",")):
        plans = plans_of(options.results)
        todo = [entry for entry in entries(number, options) if not found(options.results, entry, plans)]
        with ThreadPoolExecutor(options.beside) as pool:
            lines = pool.map(partial(train_and_judge, options=options, plans=plans, cores=cores), todo)
            failed += sum(line is None for line in lines)
    return int(failed > 0)


def plans_of(results: Path) -> dict[Planned, dict[str, Any]]:
    """The newest plan of each recipe, set and length."""
    return {(line["recipe"], line["data"], line["minutes"]): line for line in lines_of(results) if "per_second" in line}


def judged(results: Path) -> Iterator[dict[str, Any]]:
    """What was found of trainings by the newest plan of their recipe, set and length."""
    plans = plans_of(results)
    for line in lines_of(results):
        planned = plans.get((line["recipe"], line["data"], line["minutes"]))
        if "frechet" in line and planned and line["plan"] == planned["plan"]:
            yield line


def entries(number: int, options: argparse.Namespace) -> Iterator[Entry]:
    """The trainings of a round, which may follow from the round before."""
    minutes, seeds = ROUNDS[number]
    seeds = [seed for seed in seeds if str(seed) in options.seeds.split(",")]
    sets = options.sets.split(",")
    recipes = options.recipes.split(",")
    if number == 2:
        found = [recipe for recipe in best(options, ROUNDS[1][0]) if recipe != YARDSTICK]
        recipes = [found[0], YARDSTICK, *found[1:FINALISTS]]
    if number == LAST:
        recipes, sets = best(options, ROUNDS[2][0])[:1], [LAST_SET]
    yield from (Entry(recipe, data, minutes, seed) for data in sets for recipe in recipes for seed in seeds)


def best(options: argparse.Namespace, minutes: float) -> list[str]:
    """Recipes of a round, the best first: by the mean, over sets and seeds, of the logarithm of the Frechet distance."""
    scores: dict[str, list[float]] = {}
    for line in judged(options.results):
        if line["minutes"] == minutes:
            scores.setdefault(line["recipe"], []).append(log(line["frechet"][0]))
    whole = max(map(len, scores.values()), default=0)
    return sorted((name for name, each in scores.items() if len(each) == whole), key=lambda name: sum(scores[name]))


def train_and_judge(
    entry: Entry, options: argparse.Namespace, plans: dict[Planned, dict[str, Any]], cores: list[int]
) -> dict[str, Any] | None:
    """Train, or go on with it; evaluate; write the line. None where that failed."""
    planned = plans[entry.recipe, entry.data, entry.minutes]
    width = planned["network.width"]
    recipe, given = SETTINGS.get(entry.recipe, (entry.recipe, ()))
    given += (f"network.width={width}",) if width is not None else ()
    words = ["--recipe", recipe, "--images", str(planned["images"]), "--seed", str(entry.seed)]
    words += [word for setting in given for word in ("--set", setting)]
    folder, data = options.keep / f"{entry.name}-{planned['plan']}", str(options.data / SETS[entry.data])
    began = time.monotonic()
    with core_of(cores, options.beside) as core:
        judged = trained_and_judged(folder, data, words, SAMPLES, core)
    if judged is None:
        return None
    measured = judged["measurements"]
    line = {**asdict(entry), "plan": planned["plan"], "width": width, "images": planned["images"]}
    line["features"] = judged["features"]
    for name in MEASURES:
        each = measured[name]
        line[name] = [each["value"], each.get("error"), each.get("floor")]
    line |= {"samples": SAMPLES, "wall_seconds": round(time.monotonic() - began), "machine": describe_machine()}
    write(options.results, line)
    return line


def table(options: argparse.Namespace) -> int:
    """Markdown: a row a recipe and length, a column a set; of recipes as they were planned last."""
    lines = list(judged(options.results))
    sets = [name for name in SETS if any(line["data"] == name for line in lines)]
    print("| recipe | minutes | seeds |" + "".join(f" {name}: Frechet | recall |" for name in sets))
    print("|---|---|---|" + "---|---|" * len(sets))
    for minutes, recipe in sorted({(line["minutes"], line["recipe"]) for line in lines}):
        cells = ""
        seeds: set[int] = set()
        for name in sets:
            some = [line for line in lines if (line["minutes"], line["recipe"], line["data"]) == (minutes, recipe, name)]
            seeds |= {line["seed"] for line in some}
            cells += " {} | {} |".format(*(spread([line[key][0] for line in some]) for key in ("frechet", "recall")))
        print(f"| {recipe} | {minutes:g} | {len(seeds)} |{cells}")
    return 0


def spread(values: list[float]) -> str:
    """A mean, and the furthest from it."""
    if not values:
        return "-"
    mean = sum(values) / len(values)
    return f"{mean:.3g}" + (f" ± {max(abs(value - mean) for value in values):.2g}" if len(values) > 1 else "")


def config_of(recipe: str, dataset: Any) -> Any:
    """The recipe's config for the data on this machine."""
    from ganwright.core.budget import Budget
    from ganwright.recipes.registry import RECIPES as KNOWN
    from ganwright.runtime.device import find_machine

    return KNOWN.get(recipe)(dataset.codec.spec, find_machine("cpu"), Budget())


def digest_of(recipe: str, dataset: Any) -> str:
    """Of all that the recipe says for the data: a result is of that recipe as it was."""
    from ganwright.core.config import to_plain

    return sha256(json.dumps(to_plain(config_of(recipe, dataset)), sort_keys=True).encode()).hexdigest()[:8]


def found(results: Path, entry: Entry, plans: dict[Planned, dict[str, Any]]) -> bool:
    """Whether the training was judged already."""
    wanted = {**asdict(entry), "plan": plans[entry.recipe, entry.data, entry.minutes]["plan"]}
    return any(wanted.items() <= line.items() for line in lines_of(results) if "frechet" in line)


def lines_of(results: Path) -> list[dict[str, Any]]:
    """Everything that was found so far."""
    return [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()] if results.is_file() else []


def write(results: Path, line: dict[str, Any]) -> None:
    """Append a line, and say it."""
    text = json.dumps(line)
    with results.open("a", encoding="utf-8") as file:
        file.write(text + "\n")
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
