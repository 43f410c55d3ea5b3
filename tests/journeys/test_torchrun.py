"""A program of one's own, with networks of one's own, started by torchrun."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

PROGRAM = """
import json, os, sys
import numpy as np, torch
from torch import nn
from ganwright import GAN

torch.manual_seed(int(os.environ["RANK"]))  # weights differ at first: all take those of the first process
generator = nn.Sequential(nn.Linear(8, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 4))
discriminator = nn.Sequential(nn.Linear(4, 32), nn.LeakyReLU(0.2), nn.Dropout(0.1), nn.Linear(32, 1), nn.Sigmoid())
rows = np.random.default_rng(0).normal(size=(400, 4)).astype("float32")
gan = GAN(generator=generator, discriminator=discriminator, latent=8, batch=32, seed=3).fit(rows, steps=15)
folder = os.path.dirname(__file__)
said = {"steps": gan.ended_.step, "sample": np.asarray(gan.sample(5, seed=1)).tolist()}
with open(os.path.join(folder, f"{os.environ['RANK']}.json"), "w") as file:
    json.dump(said, file)
"""


def torchrun(tmp_path: Path, *words: str) -> None:
    """Two processes of what the words say, which have to end well."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    environment |= {"GANWRIGHT_CACHE": str(tmp_path / "cache"), "GLOO_SOCKET_IFNAME": "lo"}
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *words]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr


def test_every_process_has_the_same_model_in_the_end(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    torchrun(tmp_path, str(program))
    said = [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1)]
    assert said[0] == said[1]
    assert said[0]["steps"] == 15


def test_networks_as_text_are_trained_by_several_processes(tmp_path: Path) -> None:
    """From a program, and from a file of layers on the command line: all processes are given them, one's word holds."""
    generator = ["layers.Dense(32, input_dim=8)", "layers.ReLU()", "layers.Dense(64)", "layers.Reshape((8, 8, 1))"]
    discriminator = ["layers.Flatten(input_shape=(8, 8, 1))", "layers.Dense(1)"]
    pictures, layers = tmp_path / "pictures.npy", tmp_path / "layers.toml"
    np.save(pictures, np.random.default_rng(0).integers(0, 256, (64, 8, 8), dtype=np.uint8))
    layers.write_text(f"generator = {json.dumps(generator)}\ndiscriminator = {json.dumps(discriminator)}\n")
    program = tmp_path / "program.py"
    program.write_text(
        f"""
import os, sys, ganwright
gan = ganwright.GAN(generator={generator}, discriminator={discriminator}, batch=16)
gan.fit({str(pictures)!r}, steps=4)
with open(os.path.join({str(tmp_path)!r}, os.environ["RANK"]), "w") as file:
    file.write(str([each.tobytes() for each in gan.sample(3, seed=1)]))
""",
        encoding="utf-8",
    )
    torchrun(tmp_path, str(program))
    assert (tmp_path / "0").read_text() == (tmp_path / "1").read_text() != ""
    words = ["--layers", str(layers), "--batch", "16", "--steps", "4", "--run", str(tmp_path / "run")]
    torchrun(tmp_path, "-m", "--", "ganwright", "train", str(pictures), *words)
    assert json.loads((tmp_path / "run" / "status.json").read_text())["state"] == "finished"


def test_the_command_line_trains_and_goes_on_under_torchrun(tmp_path: Path) -> None:
    pictures, run = tmp_path / "pictures.npy", tmp_path / "run"
    np.save(pictures, np.random.default_rng(0).integers(0, 256, (64, 8, 8), dtype=np.uint8))
    # Without "--" torchrun takes our --run for a beginning of its own --run-path.
    torchrun(tmp_path, "-m", "--", "ganwright", "train", str(pictures), "--recipe", "mlp", "--steps", "4", "--run", str(run))
    torchrun(tmp_path, "-m", "--", "ganwright", "resume", str(run), "--steps", "6")
    assert json.loads((run / "status.json").read_text())["step"] == 10  # six more
