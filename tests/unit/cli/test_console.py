"""What a person reads while it trains."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console as RichConsole

from ganwright.cli.console import Console, progress_text
from ganwright.cli.drawing import draw_in_text
from ganwright.cli.options import parse_grid, parse_size
from ganwright.cli.output import Output
from ganwright.core.errors import UsageError
from ganwright.training.events import Progress, Warned


def progress(**changes: Any) -> Progress:
    values: dict[str, Any] = {
        "step": 420,
        "samples_seen": 13_440,
        "total_samples": 64_000,
        "elapsed_seconds": 60.0,
        "seconds_left": 240.0,
        "records_per_second": 224.0,
        "epoch": 1.4,
        "health": "ok",
        "diversity": 0.83,
        "numbers": {"generator_loss": 1.0, "discriminator_loss": 0.9},
    }
    return Progress(**{**values, **changes})


def test_health_and_time_left_come_before_losses() -> None:
    text = progress_text(progress(), 12).plain
    order = [
        text.index(word)
        for word in (" 20%", "4 m left", "ok", "step 420", "diversity 0.83", "saved 12 s ago", "loss G 1.00")
    ]
    assert order == sorted(order)


def test_what_is_not_known_yet_is_left_out() -> None:
    text = progress_text(progress(diversity=None, numbers={}), None).plain
    assert "diversity" not in text
    assert "loss" not in text
    assert "saved" not in text


def test_outside_a_terminal_there_are_few_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(Output())
    for second in range(50):
        console(progress(elapsed_seconds=float(second)))
    console(Warned("samples alike: try this"))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[1] == "warning  samples alike: try this"
    assert "\x1b" not in "".join(lines)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_live_line_is_one_line_at_any_width(width: int) -> None:
    stream = io.StringIO()
    console = Console(Output())
    console._rich = RichConsole(file=stream, force_terminal=True, width=width, highlight=False)
    console(progress())
    console(progress(seconds_left=100.0))
    console.close()
    assert "1 m 40 s left" in stream.getvalue()
    assert "…" in stream.getvalue() or width == 120


def test_sizes_and_grids() -> None:
    assert parse_size("64") == 64
    assert parse_size("48x64") == (48, 64)
    assert parse_grid("2x3") == (2, 3)
    for wrong in ("", "0", "x3", "3x", "48x", "-4", "1e3"):
        with pytest.raises(UsageError):
            parse_size(wrong)
    for wrong in ("5", "0x5", "5by5", "9999x9999"):
        with pytest.raises(UsageError):
            parse_grid(wrong)


def test_pictures_as_text_keep_their_shape() -> None:
    from PIL import Image

    white, black = Image.new("L", (3, 2), 255), Image.new("RGB", (3, 2), 0)
    assert draw_in_text([white, black, white], columns=2).splitlines() == ["@@@@@@         "] * 2 + [""] + ["@@@@@@"] * 2
