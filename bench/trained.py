"""A training by the command line, judged: what benchmarks of whole trainings do again and again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def core_of(cores: list[int], beside: int) -> Generator[int | None]:
    """A core of those that are free, for as long as it is needed; None where trainings do not run beside each other."""
    core = cores.pop() if beside > 1 else None
    try:
        yield core
    finally:
        if core is not None:
            cores.append(core)


def trained_and_judged(folder: Path, data: str, words: list[str], samples: int, core: int | None) -> dict[str, Any] | None:
    """What `evaluate` says of a run in `folder`, trained as `words` say; None where that failed, which is told.

    A run that is there already is not trained again, and one that was cut off goes on. grid8.png is to be looked at.
    """
    checkpoints, status = folder / "checkpoints", folder / "status.json"
    try:
        if status.is_file() and json.loads(status.read_text())["state"] == "finished":
            pass
        elif checkpoints.is_dir() and any(checkpoints.iterdir()):
            command(["resume", str(folder)], core)
        else:
            shutil.rmtree(folder, ignore_errors=True)
            command(["train", data, *words, "--run", str(folder)], core)
        judged = command(["evaluate", str(folder), data, "--features", "self", "-n", str(samples)], core)
        command(["sample", str(folder), "--grid", "8x8", "--seed", "1", "-o", str(folder / "grid8.png")], core)
        return judged
    except subprocess.CalledProcessError as error:
        print(f"{folder.name}: {error}\n{error.stderr}", file=sys.stderr, flush=True)
        return None


def command(words: list[str], core: int | None) -> dict[str, Any]:
    """What a command of ours answers with --json; on one core, if that is given."""
    environment = {**os.environ, **({"OMP_NUM_THREADS": "1"} if core is not None else {})}
    whole = [
        *(["taskset", "-c", str(core)] if core is not None else []),
        sys.executable,
        "-m",
        "ganwright",
        *words,
        "--json",
    ]
    done = subprocess.run(whole, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)
