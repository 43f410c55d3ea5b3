"""Does a conditional model of MNIST draw the digit that it was asked for?

    python bench/labels.py MODEL

Asks for 100 of each digit and lets the judge of judge.py, trained on the real labels, read them. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from judge import JudgeError, MnistMissing, load_judge
from machine import describe_machine

from ganwright import load

EACH = 100


def main() -> int:
    """Print one JSON line; 0 when measured or skipped for want of the default MNIST, 2 for a mistake."""
    parser = argparse.ArgumentParser(description="Measure how often a conditional MNIST model draws the digit asked for.")
    parser.add_argument("model", help="a model file, a run folder, or last")
    parser.add_argument("--mnist", type=Path, help="the folder of the four IDX .gz files; default ../shared/data/mnist")
    parser.add_argument("--seed", type=int, default=0, help="which samples")
    options = parser.parse_args()
    try:
        referee = load_judge(options.mnist)
    except (JudgeError, OSError) as error:
        skipped = isinstance(error, MnistMissing) and options.mnist is None
        print(f"labels: {'skipped: ' if skipped else ''}{error}", file=sys.stderr)
        return 0 if skipped else 2
    asked = np.repeat(np.arange(10), EACH)
    pictures = load(options.model).sample(len(asked), seed=options.seed, label=asked)
    read = referee.read(np.stack([np.asarray(picture) for picture in pictures])).digits
    right = read == asked
    share = float(right.mean())
    line = {
        "name": options.model,
        "n": len(asked),
        "agreement": round(share, 4),
        "standard_error": round((share * (1 - share) / len(asked)) ** 0.5, 4),
        "by_digit": [round(float(right[asked == digit].mean()), 2) for digit in range(10)],
        "judge_accuracy": referee.accuracy,
        "judge_id": referee.identity,
        "seed": options.seed,
        "protocol": f"{EACH} samples of each digit, share that the judge's classifier reads as the digit asked for",
        "machine": describe_machine(),
    }
    print(json.dumps(line))
    return 0


if __name__ == "__main__":
    sys.exit(main())
