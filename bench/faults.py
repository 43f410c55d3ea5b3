"""What survives, and what surviving costs.

    python bench/faults.py kills --count 100        # runs killed again and again: losses must be 0
    python bench/faults.py mutations --count 100000 # changed model files: only our own errors
    python bench/faults.py saving --minutes 10      # what checkpoints take of a run
    python bench/faults.py stall                    # how long a step waits for a copy of 25 million weights
    python bench/faults.py memory --steps 20000     # what a process holds, early and late
    python bench/faults.py processes --count 10     # two processes on shards, one of them killed again and again

Prints one JSON line each.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Killed processes are forked from this one: nothing may have started threads before.
if len(sys.argv) > 1 and sys.argv[1] in ("kills", "mutations"):
    os.environ["OMP_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import numpy as np
from machine import describe_machine

from ganwright import GAN
from ganwright.training import loop
from ganwright.training.events import Checkpointed, Progress


def kills(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Half at any moment, half at a file event of a checkpoint."""
    import killing

    return killing.kill_often(folder, options.count or 100, options.seed).line()


def mutations(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Of a file of a few kilobytes, each read for its facts and as a whole."""
    import mutations as changed
    import support

    good = support.tiny_model_file(folder / "good.safetensors").read_bytes()
    return {"bytes": len(good), **changed.read_mutations(good, folder, options.count or 100_000, options.seed).line()}


def pictures(folder: Path, count: int, side: int) -> Path:
    """Noise: what is in them does not matter here."""
    path = folder / "pictures.npy"
    np.save(path, np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8))
    return path


def timed(name: str, taken: list[float]) -> Callable[[], None]:
    """Have a method of the loop put down its seconds; gives back how to undo that."""
    real = getattr(loop.Loop, name)

    def method(self: loop.Loop, *arguments: Any, **options: Any) -> Any:
        began = time.perf_counter()
        try:
            return real(self, *arguments, **options)
        finally:
            taken.append(time.perf_counter() - began)

    setattr(loop.Loop, name, method)
    return lambda: setattr(loop.Loop, name, real)


def saving(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """A run of minutes of `dcgan` at 64x64: the seconds in which training waits for checkpoints."""
    waited: list[float] = []
    written: list[int] = []
    undo = timed("_save", waited), timed("_settle", waited)
    gan = GAN("dcgan", seed=options.seed)
    began = time.perf_counter()
    gan.fit(
        pictures(folder, 2000, 64),
        minutes=options.minutes,
        run=folder / "run",
        subscribers=[lambda event: written.append(event.step) if isinstance(event, Checkpointed) else None],
    )
    seconds = time.perf_counter() - began
    for back in undo:
        back()
    size = sum(path.stat().st_size for path in max((folder / "run/checkpoints").glob("step-*")).iterdir())
    return {
        "seconds": round(seconds, 1),
        "checkpoints": len(written),
        "megabytes": round(size / 1e6, 1),
        "waited_seconds": round(sum(waited), 3),
        "share": round(sum(waited) / seconds, 5),
        "longest_wait_ms": round(1e3 * max(waited[:-1]), 1),
    }


def stall(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Steps of a dense pair of 25 million weights, saved every ten seconds or so: the copy, and steps beside the writing."""
    copies: list[float] = []
    steps: list[tuple[float, bool]] = []
    real = loop.train_step

    def step(*arguments: Any) -> Any:
        busy, began = current[0]._saver.busy if current else False, time.perf_counter()
        report = real(*arguments)
        steps.append((time.perf_counter() - began, busy))
        return report

    current: list[loop.Loop] = []
    save = loop.Loop._save

    def timed_save(self: loop.Loop) -> None:
        current[:] = [self]
        self._settle(wait=True)
        began = time.perf_counter()
        save(self)
        copies.append(time.perf_counter() - began)

    loop.train_step, loop.Loop._save = step, timed_save
    loop.CHECKPOINT_SECONDS, loop.CHECKPOINT_SHARE = 10.0, 1e9
    network = {"name": "mlp", "generator_widths": [512, 1024], "discriminator_widths": [1024]}
    gan = GAN("mlp", seed=options.seed, batch=32, settings={"network": network, "scoring": {"share": 0.0}})
    gan.fit(pictures(folder, 2000, 64), minutes=options.minutes / 5, run=folder / "run")
    loop.train_step, loop.Loop._save = real, save
    model = gan.model_
    assert model.discriminator is not None
    weights = sum(p.numel() for network in (model.generator, model.discriminator) for p in network.parameters())
    beside, alone = ([seconds for seconds, busy in steps if busy is which] for which in (True, False))
    # The first copies find their memory; the last one is of a run that is over.
    usual = copies[2:-1]
    return {
        "weights": weights,
        "copies": len(copies),
        "copy_ms": {"median": round(1e3 * float(np.median(usual)), 1), "most": round(1e3 * max(usual), 1)},
        "first_copies_ms": [round(1e3 * each, 1) for each in copies[:2]],
        "step_ms": round(1e3 * float(np.median(alone)), 1),
        "step_beside_writing_ms": round(1e3 * float(np.median(beside)), 1) if beside else None,
    }


def memory(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """The resident memory of a run with checkpoints, looks and scores; both figures are medians of ten readings."""
    page = os.sysconf("SC_PAGE_SIZE")
    held: dict[int, float] = {}

    def read(event: object) -> None:
        if isinstance(event, Progress):
            held[event.step] = int(Path("/proc/self/statm").read_text().split()[1]) * page / 1e6

    loop.CHECKPOINT_SECONDS, loop.CHECKPOINT_SHARE = 1.0, 1.0
    network = {"name": "dcgan", "width": 8, "max_width": 16}
    settings = {"network": network, "scoring": {"every_samples": 16 * 500, "samples": 100}}
    gan = GAN("dcgan", seed=options.seed, batch=16, settings=settings)
    gan.fit(pictures(folder, 600, 16), steps=options.steps, run=folder / "run", subscribers=[read])
    early = float(np.median([value for step, value in held.items() if step >= 1000][:10]))
    late = float(np.median([value for step, value in held.items()][-10:]))
    return {
        "steps": options.steps,
        "at_1000_megabytes": round(early, 1),
        "at_the_end_megabytes": round(late, 1),
        "growth": round(late / early - 1, 4),
    }


def processes(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """200,000 records, three passes; a process is killed at so many random steps, and all start anew each time."""
    import faulty_process

    records, batch, passes = 200_000, 500, 3
    steps, count = passes * records // batch, options.count or 10
    draw = np.random.default_rng(options.seed)
    np.save(folder / "records.npy", draw.integers(0, 256, (records, 8, 8, 1), np.uint8))
    run_it(
        [
            "-m",
            "ganwright",
            "pack",
            str(folder / "records.npy"),
            "-o",
            str(folder / "shards"),
            "--shards",
            "8",
            "--no-holdout",
        ]
    )
    at = sorted(draw.choice(np.arange(20, steps - 20), count, replace=False).tolist())
    faults = ",".join(f"{draw.integers(2)}:{step}:kill@{start}" for start, step in enumerate(at))
    words = ["train", str(folder / "shards"), "--run", str(folder / "run"), "--recipe", "mlp", "--batch", str(batch)]
    words += ["--steps", str(steps), "--set", "network.generator_widths=[16]", "--set", "network.discriminator_widths=[16]"]
    words += ["--no-mirror", "--no-holdout", "--set", "scoring.share=0"]
    began = time.monotonic()
    run_it([faulty_process.__file__, "launch", faults, "2", str(count), *words], DRAWS=str(folder / "draws"))
    seen = faulty_process.records_of_passes(folder / "draws", 2, records // batch)
    wrong = [number for number, found in enumerate(seen) if found != set(range(records))]
    lost = [f"pass {number} did not see every record once" for number in wrong] + ["passes are missing"] * (
        len(seen) != passes
    )
    return {
        "kills": count,
        "passes": len(seen),
        "records": records,
        "seconds": time.monotonic() - began,
        "what_was_lost": lost,
    }


def run_it(words: list[str], **more: str) -> None:
    """A Python program, which must end well."""
    path = os.pathsep.join([str(Path(__file__).resolve().parents[1] / "tests"), *sys.path])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", **more}
    subprocess.run([sys.executable, *words], env=environment, check=True, stdout=sys.stderr)


KINDS = {
    "kills": kills,
    "mutations": mutations,
    "saving": saving,
    "stall": stall,
    "memory": memory,
    "processes": processes,
}


def main() -> int:
    """Print a JSON line; 1 where something was lost."""
    parser = argparse.ArgumentParser(description="What survives, and what surviving costs.")
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--count", type=int, help="kills, or mutations")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["GANWRIGHT_CACHE"] = str(Path(scratch) / "cache")
        found = KINDS[options.kind](options, Path(scratch))
    print(json.dumps({"measured": options.kind, "seed": options.seed, **found, "machine": describe_machine()}), flush=True)
    return 1 if found.get("what_was_lost") or found.get("others") else 0


if __name__ == "__main__":
    sys.exit(main())
