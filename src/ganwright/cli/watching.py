"""What is being done right now: a line that is written over in a terminal, nothing elsewhere."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from ganwright.cli.output import Output
from ganwright.data.progress import Progress


@contextmanager
def watched(output: Output) -> Generator[Progress]:
    """A `progress` to be handed on; its line is gone at the end."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(file=output.stream, highlight=False)
    if not console.is_terminal:
        yield lambda what, done, total: None
        return
    with Live(Text(""), console=console, refresh_per_second=4, transient=True) as live:

        def show(what: str, done: int, total: int) -> None:
            share = f" {done:,} of {total:,}" if total else ""
            live.update(Text(what + share, style="dim", no_wrap=True, overflow="ellipsis"))

        yield show
