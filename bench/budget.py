"""Does a plan keep its word? Planned against real time, for a run of steps and for a run of minutes.

    python bench/budget.py photos/ --steps 2000 --time 5m

Prints one JSON line per run. A run of steps should take what was said before its first step (within 20%); a run of minutes
should end with its minutes (within 5%), the whole process counted from the outside.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from machine import describe_machine

from ganwright.core.budget import parse_duration


def measure(data: str, flag: str, value: str, more: list[str]) -> dict[str, Any]:
    """One training in a process of its own: what it said, and what a clock on the wall says."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "ganwright", "train", data, flag, value, "--json"]
        command += ["--run", str(Path(folder) / "run"), *more]
        began = time.perf_counter()
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
        wall = time.perf_counter() - began
    told = json.loads(done.stdout)
    wanted = parse_duration(value) if flag == "--time" else told["planned_seconds"]
    taken = wall if flag == "--time" else told["seconds"]
    return {
        "name": f"budget {flag} {value}",
        "wanted_seconds": round(wanted, 1),
        "taken_seconds": round(taken, 1),
        "off_by": round(taken / wanted - 1, 4),
        "steps": told["steps"],
        "ending": told["ending"],
        "protocol": "whole process" if flag == "--time" else "training alone, against the estimate before its first step",
        "machine": describe_machine(),
    }


def main() -> None:
    """Measure what the flags ask for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--steps", action="append", default=[], help="a number of steps; may be repeated")
    parser.add_argument("--time", action="append", default=[], help="a duration; may be repeated")
    arguments, more = parser.parse_known_args()
    for flag, values in (("--steps", arguments.steps), ("--time", arguments.time)):
        for value in values:
            print(json.dumps(measure(arguments.data, flag, value, more)), flush=True)


if __name__ == "__main__":
    main()
