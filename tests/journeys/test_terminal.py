"""The same in a real terminal, where progress is one live line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pty = pytest.importorskip("pty", reason="needs a pseudo-terminal")


def test_a_terminal_gets_a_live_line_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    for number in range(8):
        Image.fromarray(np.full((9, 11, 3), 30 * number, np.uint8)).save(tmp_path / "photos" / f"{number}.png")
    mine, theirs = pty.openpty()
    command = [sys.executable, "-m", "ganwright", "train", "photos", "--steps", "60", "--batch", "4", "--run", "run"]
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"}
    with subprocess.Popen(command, cwd=tmp_path, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                some = os.read(mine, 4096)
            except OSError:  # the terminal closes with its last writer
                break
            if not some:
                break
            shown += some
        assert process.wait(timeout=60) == 0
    os.close(mine)
    assert b"\x1b[2K" in shown, "the line is drawn anew in place"
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode())
    assert " left · " in text
    assert "next      ganwright sample run" in text
    assert "Traceback" not in text
