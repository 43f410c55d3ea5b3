"""Every example runs as it stands, at small size."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from recordings import spoken
from support import small_mnist

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
ARGUMENTS = {
    "batches.py": ["20"],
    "digits.py": ["20"],
    "folder.py": ["photos", "20"],
    "hpcc_conditional.py": ["mnist", "3"],
    "hpcc_dcgan.py": ["mnist", "3"],
    "hpcc_dense.py": ["mnist", "3"],
    "hpcc_predict.py": ["dense.safetensors"],
    "number_table.py": ["20"],
    "own_networks.py": ["20"],
    "sounds.py": ["recordings", "5"],
}
PRODUCTS = {
    "batches.py": [],
    "digits.py": ["digits.safetensors", "digits.png"],
    "folder.py": ["grid.png", "run/model.safetensors"],
    "hpcc_conditional.py": ["conditional.safetensors", "classes.png", "seven.png"],
    "hpcc_dcgan.py": ["dcgan.safetensors", "dcgan.png"],
    "hpcc_dense.py": ["dense.safetensors", "dense.png"],
    "hpcc_predict.py": ["predicted_0.png", "predicted_2.png", "picture_3.jpg", "typical.png"],
    "number_table.py": ["flowers.safetensors"],
    "own_networks.py": ["own.safetensors", "own.png"],
    "sounds.py": ["sounds.safetensors", "sounds.png", "sound3.wav"],
}
BEFORE = {"hpcc_predict.py": "hpcc_dense.py"}
"""What has to be run first, as the example says."""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with twelve photos, and MNIST's four files with forty digits of noise."""
    random = np.random.default_rng(0)
    (tmp_path / "photos").mkdir()
    for number in range(12):
        pixels = random.integers(0, 256, (10, 14, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "photos" / f"{number}.png")
    small_mnist(tmp_path / "mnist")
    spoken(tmp_path / "recordings")
    return tmp_path


def run(example: str, folder: Path) -> None:
    command = [sys.executable, str(EXAMPLES / example), *ARGUMENTS[example]]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("example", sorted(path.name for path in EXAMPLES.glob("*.py")))
def test_example_runs(example: str, data: Path) -> None:
    if example in BEFORE:
        run(BEFORE[example], data)
    run(example, data)
    for product in PRODUCTS[example]:
        assert (data / product).stat().st_size > 0
