"""Is the model that is kept from before a late collapse?

    python bench/late_collapse.py mnist --steps 1500

Trains `dcgan` with learning rates that jump to twenty times their value halfway, scores it as any run is scored, and prints
one JSON line: all scores, the step of the model that was kept, and the score of the last one. With --run, the run folder
stays to be looked at: model.safetensors is what was kept, final.safetensors the last.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from machine import describe_machine

from ganwright import GAN
from ganwright.core.schedule import Schedule
from ganwright.optimizers.adam import Adam

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"
FACTOR = 20.0


@dataclass(frozen=True)
class Jump(Schedule):
    """`start` for half of the run, then FACTOR times that."""

    def at(self, samples_seen: int, total_samples: int) -> float:
        """As `Schedule.at`."""
        return self.start * (FACTOR if 2 * samples_seen >= total_samples else 1.0)


def main() -> int:
    """Print one JSON line; 0 when measured or skipped."""
    parser = argparse.ArgumentParser(description="Train into a late collapse and see which model is kept.")
    parser.add_argument("data", nargs="?", default="mnist", help="a path, or one below the real data beside the repository")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--rate", type=float, default=1e-3, help="of both players, before the jump")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--run", type=Path)
    options = parser.parse_args()
    path = Path(options.data) if Path(options.data).exists() else DATA / options.data
    if not path.exists():
        print(json.dumps({"name": options.data, "skipped": f"there is no {path}"}))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        gan = GAN(recipe="dcgan", optimizer=Adam(learning_rate=Jump(options.rate)), seed=options.seed)
        gan.fit(path, steps=options.steps, run=options.run or Path(folder) / "run")
    ended, scores = gan.ended_, gan.scores_
    line = {
        "data": path.name,
        "steps": options.steps,
        "jump_at": options.steps // 2,
        "factor": FACTOR,
        "scores": [{"step": score.step, "frechet": round(score.frechet, 3), "recall": score.recall} for score in scores],
        "features": scores[-1].features if scores else None,
        "samples_a_score": scores[-1].samples if scores else None,
        "seconds_of_scores": round(sum(score.seconds for score in scores), 1),
        "seconds": round(ended.elapsed_seconds, 1),
        "kept_step": ended.kept_step,
        "kept_before_the_jump": ended.kept_step <= options.steps // 2,
        "health": ended.health,
        "seed": options.seed,
        "machine": describe_machine(),
    }
    print(json.dumps(line))
    return 0


if __name__ == "__main__":
    sys.exit(main())
