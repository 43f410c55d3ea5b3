"""What the README tells people to type exists, and its two set-up commands are the first two."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from support import small_mnist

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_first_two_commands_install_and_run_and_install_and_test() -> None:
    run, test = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)[:2]
    assert run.strip().endswith("pip install . && ganwright demo")
    assert test.strip().endswith("pip install -e '.[dev]' && pytest -n 2 --dist loadfile")


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`(ganwright [^`]+)`", README))))
def test_every_command_of_the_readme_is_understood(command: str, tmp_path: Path) -> None:
    """Parsed only (long trainings are not run here): a flag that does not exist would end with exit code 2."""
    program = (
        "import sys; from ganwright.cli.app import build_app; build_app().parse_args(sys.argv[1:], exit_on_error=False)"
    )
    arguments = [sys.executable, "-c", program, *shlex.split(command)[1:]]
    parsed = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False)
    assert parsed.returncode == 0, parsed.stderr


def test_the_python_blocks_of_the_readme_run(tmp_path: Path) -> None:
    """As written, but for a few training steps instead of minutes."""
    import numpy as np
    from PIL import Image

    (tmp_path / "photos").mkdir()
    for number in range(8):
        Image.fromarray(np.full((9, 11, 3), 30 * number, np.uint8)).save(tmp_path / "photos" / f"{number}.jpg")
    small_mnist(tmp_path / "mnist")
    blocks = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        program = re.sub(r"minutes=20|epochs=5", "steps=3", block)
        assert program != block
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "new.png").is_file()
    assert (tmp_path / "grid.png").is_file()
