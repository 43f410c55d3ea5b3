"""How fast is a whole training step, beside the same pair in Keras and in plain PyTorch, and beside what the machine can do?

    python bench/step.py --rows dense,dcgan28,dcgan64,r3gan64,default64 --seconds 15

The three programs (step_ours.py, step_keras.py, step_pytorch.py) lie ready beside each other and train in turns, for a fifth
of --seconds each; a ratio is of one round's two figures. Keras and plain PyTorch run in environments of their own, which are
made once below --keep. A row a JSON line.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import numpy as np
from in_turns import Program, in_turns, protocol, ratios, spread
from machine import describe_machine

HERE = Path(__file__).resolve().parent
DATA = HERE.parents[1] / "shared" / "data"
KEEP = Path.home() / ".cache" / "ganwright" / "bench" / "step"
CATS = "images/cats64.zip"
ROWS = {"dense": CATS, "dcgan28": "mnist", "dcgan64": CATS, "r3gan64": CATS, "default64": CATS}
"""The cat tool's pair, the HPCC bundle's DCGAN, the published DCGAN, a small R3GAN; and what a CPU gets by default."""
ALONE = {"r3gan64": ("keras",), "default64": ("keras", "pytorch")}
"""Peers that a row has not got: a loop of `train_on_batch` cannot differentiate a gradient, and the default is nobody's."""
PEERS = {"keras": "tensorflow-cpu>=2.21,<2.22", "pytorch": "torch>=2.10,<2.14"}
"""What goes into each environment."""
PICTURES = 4096


def main() -> int:
    """A line a row."""
    parser = argparse.ArgumentParser(description="How fast is a training step?")
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--seconds", type=float, default=15.0, help="of training, for each program and row")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--keep", type=Path, default=KEEP)
    options = parser.parse_args()
    if not options.data.is_dir():
        print(json.dumps({"skipped": f"there is no folder {options.data}"}))
        return 0
    interpreters = {"ours": sys.executable} | {peer: interpreter_of(peer, options.keep) for peer in PEERS}
    for row in options.rows.split(","):
        pictures = pictures_of(row, options.data, options.keep)
        print(json.dumps(measure(row, pictures, interpreters, options.seconds)), flush=True)
    return 0


def measure(row: str, pictures: Path, interpreters: dict[str, str], seconds: float) -> dict[str, Any]:
    """All that is said of a row."""
    environment = {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    programs = {
        name: Program([python, str(HERE / f"step_{name}.py"), row, str(pictures)], environment)
        for name, python in interpreters.items()
        if name not in ALONE.get(row, ())
    }
    rates = in_turns(programs, seconds)
    limits = json.loads(output_of([interpreters["ours"], str(HERE / "step_ours.py"), row, str(pictures), "--limits"]))
    # Images that a second would see if every operation ran at the machine's rates.
    line: dict[str, Any] = {"row": row, "images_per_second": spread(rates["ours"])}
    for peer in PEERS:
        there = peer in rates
        line[f"ratio_{peer}"] = spread(ratios(rates["ours"], rates[peer])) if there else None
        line[peer] = spread(rates[peer]) if there else None
    per_second = limits.pop("images") / limits.pop("seconds")
    line["roofline"] = {"share": line["images_per_second"][0] / per_second, "images_per_second": per_second, **limits}
    return {**line, "protocol": protocol(seconds), "machine": describe_machine()}


def pictures_of(row: str, data: Path, keep: Path) -> Path:
    """The row's pictures as uint8 (N, C, H, W) in an .npy file, which all three programs read."""
    from ganwright.data.preparation import prepare

    path = keep / f"{Path(ROWS[row]).stem}-{PICTURES}.npy"
    if not path.is_file():
        dataset = prepare(data / ROWS[row], limit=PICTURES)
        x = dataset.codec.expand(dataset.batch(np.arange(len(dataset))))
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, ((x + 1) * 127.5).round().byte().numpy())
    return path


def interpreter_of(peer: str, keep: Path) -> str:
    """The Python of a peer's own environment, made the first time."""
    folder = keep / "environments" / peer
    python = folder / "bin" / "python"
    done = folder / "done"
    if not done.is_file():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", PEERS[peer], "numpy"], check=True, stdout=sys.stderr)
        done.touch()
    return str(python)


def output_of(words: list[str]) -> str:
    """What a program prints."""
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    sys.exit(main())
