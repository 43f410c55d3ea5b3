"""What the programs of bench/step.py have in common: each is told when to train, and says how far it came.

Standard library alone, as they run in environments of their own.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

WARM_SECONDS = 3.0
WARM_STEPS = 3


class Work(NamedTuple):
    """A training that can go on step by step."""

    step: Callable[[], None]
    """One whole step of both players; returns when it is done."""
    images: int
    """Real pictures that a step sees."""


def serve(build: Callable[[str, str], Work]) -> None:
    """Build the training that argv asks for, (row, file of pictures), then train whenever a line with seconds comes in."""
    row, pictures = sys.argv[1:3]
    answers = sys.stdout
    sys.stdout = sys.stderr  # what libraries print is no answer
    work = build(row, pictures)
    began = time.perf_counter()
    done = 0
    while done < WARM_STEPS or time.perf_counter() - began < WARM_SECONDS:
        work.step()
        done += 1
    print(json.dumps({"ready": row}), file=answers, flush=True)
    for line in sys.stdin:
        wanted = float(line)
        began = time.perf_counter()
        done = 0
        while done == 0 or time.perf_counter() - began < wanted:
            work.step()
            done += 1
        seconds = time.perf_counter() - began
        print(json.dumps({"images": done * work.images, "seconds": seconds}), file=answers, flush=True)
