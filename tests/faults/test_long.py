"""The long half: minutes each, run with `pytest -m long`. `bench/faults.py` prints the same as figures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.long


def in_a_fresh_process(code: str, folder: Path) -> dict[str, Any]:
    """What it prints as JSON; where nothing has started threads yet."""
    head = f"import json, sys; sys.path.insert(0, {str(TESTS)!r}); from pathlib import Path; folder = Path(sys.argv[1])\n"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GANWRIGHT_CACHE": str(folder / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", head + code, str(folder)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_p1_p2_a_hundred_kills_lose_nothing(tmp_path: Path) -> None:
    """Half of them at any moment, half within saving; every run ends with the state of the one that was left alone."""
    tally = in_a_fresh_process("import killing; print(json.dumps(killing.kill_often(folder, 100).line()))", tmp_path)
    assert tally["what_was_lost"] == []
    assert tally["kills"] >= 100
    assert tally["in_saving"] >= 30
    assert tally["finished"] >= 3


def test_m12_a_hundred_thousand_mutations_are_refused_or_work(tmp_path: Path) -> None:
    code = "import mutations, support; good = support.tiny_model_file(folder / 'good.safetensors').read_bytes()\n"
    code += "print(json.dumps({**mutations.read_mutations(good, folder, 100_000).line(), 'bytes': len(good)}))"
    outcomes = in_a_fresh_process(code, tmp_path)
    assert outcomes["others"] == []
    assert outcomes["steering"] == 0
    assert outcomes["slowest_seconds"] < 2
    assert outcomes["grown_bytes"] < 64 << 20
