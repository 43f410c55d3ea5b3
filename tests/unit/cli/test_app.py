"""What becomes of errors that nobody planned for."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import pytest

from ganwright.cli import app


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "runs/a"), 5, ["E-DISK-01", "the disk is full", "runs/a"]),
        (MemoryError(), 5, ["E-MEMORY-01", "--batch"]),
        (RuntimeError("CUDA out of memory. Tried to allocate"), 5, ["E-MEMORY-01"]),
        (
            PermissionError(errno.EACCES, "Permission denied", "run/nearest.png"),
            3,
            ["E-PATH-03", "cannot use run/nearest.png"],
        ),
        (FileExistsError(errno.EEXIST, "File exists", "out"), 3, ["E-PATH-03", "cannot use out", "File exists"]),
        (PermissionError("of something else"), 1, ["E-BUG"]),
        (ZeroDivisionError("division by zero"), 1, ["E-BUG", "not your mistake", "division by zero"]),
        (KeyboardInterrupt(), 130, ["stopped"]),
    ],
)
def test_errors_become_exit_codes_and_few_lines(
    error: BaseException, code: int, words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*arguments: Any, **settings: Any) -> None:
        raise error

    monkeypatch.setattr(app, "build_app", lambda: fail)
    assert app.run(["train", "x"]) == code
    told = capsys.readouterr().err
    assert all(word in told for word in words)
    assert len(told.strip().splitlines()) <= 6
    if code == 1:
        where = next(line for line in told.splitlines() if "where" in line).split()[1]
        assert type(error).__name__ in Path(where).read_text()
        Path(where).unlink()


def test_with_json_an_error_is_a_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["sample", "no-such-model", "--json"]) == 4
    captured = capsys.readouterr()
    assert json.loads(captured.out)["error"]["code"] == "E-MODEL-04"
    assert "no-such-model" in captured.err


@pytest.mark.parametrize(
    "words", [["sample", "m", "--seed", "1.5"], ["train", "x", "--batch", "3.7"], ["classic", "--f", "out", "--e", "2.5"]]
)
def test_a_fraction_is_no_whole_number(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """And is not rounded to one."""
    assert app.run(words) == 2
    told = capsys.readouterr().err
    assert words[-1] in told
    assert words[-2] in told


def test_a_fraction_is_taken_where_one_may_be(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["sample", "no-such-model", "--truncation", "0.7", "--seed", "2"]) == 4
    assert "no-such-model" in capsys.readouterr().err
