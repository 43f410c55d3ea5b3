"""Did a change make training steps faster? Two commits, or a commit and the working tree, training in turns.

    python bench/compare.py main~3 main --rows dcgan28,r3gan64 --seconds 30
    python bench/compare.py HEAD                        # what is not committed yet, beside HEAD

A line a row: images a second of both and the ratio, new beside old. With --least 0.95 the exit code is 1 where a row's ratio
is below that in every round but one: a check against growing slow.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from in_turns import Program, in_turns, protocol, ratios, spread
from machine import describe_machine
from step import DATA, HERE, KEEP, ROWS, pictures_of

ROOT = HERE.parent


def main() -> int:
    """A line a row; 1 where one is slower than --least allows."""
    parser = argparse.ArgumentParser(description="Did a change make training steps faster?")
    parser.add_argument("old")
    parser.add_argument("new", nargs="?", help="the working tree, unless given")
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--seconds", type=float, default=30.0, help="of training, for each side and row")
    parser.add_argument(
        "--rounds", type=int, default=15, help="more of them, and shorter ones, where the machine is restless"
    )
    parser.add_argument("--least", type=float, default=0.0)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--keep", type=Path, default=KEEP)
    options = parser.parse_args()
    if not options.data.is_dir():
        print(json.dumps({"skipped": f"there is no folder {options.data}"}))
        return 0
    slower = False
    with ExitStack() as stack:
        trees = {"old": stack.enter_context(tree_of(options.old))}
        trees["new"] = stack.enter_context(tree_of(options.new)) if options.new else ROOT
        for row in options.rows.split(","):
            words = [sys.executable, str(HERE / "step_ours.py"), row, str(pictures_of(row, options.data, options.keep))]
            programs = {name: Program(words, {"PYTHONPATH": str(tree / "src")}) for name, tree in trees.items()}
            rates = in_turns(programs, options.seconds, options.rounds)
            gained = ratios(rates["new"], rates["old"])
            line = {"row": row, "ratio": spread(gained), **{name: spread(each) for name, each in rates.items()}}
            print(
                json.dumps({**line, "protocol": protocol(options.seconds, options.rounds), "machine": describe_machine()}),
                flush=True,
            )
            slower |= sum(ratio >= options.least for ratio in gained) <= 1
    return int(slower)


@contextmanager
def tree_of(commit: str) -> Generator[Path]:
    """The commit's files, for a while."""
    with tempfile.TemporaryDirectory() as folder:
        packed = subprocess.run(["git", "-C", str(ROOT), "archive", commit], check=True, stdout=subprocess.PIPE)
        subprocess.run(["tar", "-x", "-C", folder], input=packed.stdout, check=True)
        yield Path(folder)


if __name__ == "__main__":
    sys.exit(main())
