"""Every example runs as it stands, at small size."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
ARGUMENTS = {"digits.py": ["20"], "folder.py": ["photos", "20"]}
PRODUCTS = {"digits.py": ["digits.safetensors", "digits.png"], "folder.py": ["grid.png", "run/model.safetensors"]}


@pytest.mark.parametrize("example", sorted(path.name for path in EXAMPLES.glob("*.py")))
def test_example_runs(example: str, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    random = np.random.default_rng(0)
    for number in range(12):
        pixels = random.integers(0, 256, (10, 14, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "photos" / f"{number}.png")
    command = [sys.executable, str(EXAMPLES / example), *ARGUMENTS[example]]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    for product in PRODUCTS[example]:
        assert (tmp_path / product).stat().st_size > 0
