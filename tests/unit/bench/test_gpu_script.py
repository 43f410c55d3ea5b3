"""The script that a GPU is measured with, at tiny sizes on a CPU: that all of it is there, and says what it ran on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from PIL import Image

SCRIPT = Path(__file__).resolve().parents[3] / "bench" / "gpu.py"


def test_checks_measures_and_saves_samples_on_a_cpu(tmp_path: Path) -> None:
    words = [sys.executable, str(SCRIPT), "--device", "cpu", "--tiny", "--out", str(tmp_path)]
    words += ["--rows", "dcgan64", "--ways", "off", "--seconds", "0.01", "--train", "0.1"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(words, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["name"] for line in lines] == ["check", "rates", "training", "training", "step"]
    assert all("failed" not in line and line["device"].startswith("CPU") for line in lines)
    check, rates, *trainings, step = lines
    assert check["agrees"]
    assert min(rates[name] for name in ("fp32", "bf16", "bandwidth")) > 0
    for line in trainings:
        assert line["seconds_per_kimg"] > 0
        with Image.open(line["grid"]) as grid:
            assert grid.width > 100
    assert step["row"] == "dcgan64"
    assert step["share_of_bandwidth"] > 0
    assert (tmp_path / "results.jsonl").read_text(encoding="utf-8") == done.stdout
