"""Where words go: people read lines, programs read one JSON document on standard output."""

from __future__ import annotations

import contextlib
import json as json_module
import os
import sys
from dataclasses import dataclass
from typing import Any, TextIO

from ganwright.core.errors import GanwrightError
from ganwright.core.speaking import speaks


@dataclass(frozen=True)
class Output:
    """With `json`, standard output carries the document alone and every message goes to standard error."""

    json: bool = False

    @property
    def stream(self) -> TextIO:
        """Where messages go."""
        return sys.stderr if self.json else sys.stdout

    def line(self, text: str = "", *, problem: bool = False) -> None:
        """One message; a problem goes to standard error either way. Of several processes one speaks."""
        if not speaks():
            return
        print(text, file=sys.stderr if problem else self.stream, flush=True)

    def mute(self) -> None:
        """Nobody reads any more (a closed terminal, `| head`): what is still said goes nowhere."""
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.stream.fileno())
            os.close(nowhere)

    def document(self, value: Any) -> None:
        """The JSON document, when one was asked for; in ASCII, so that no terminal is steered by what is in it."""
        if self.json and speaks():
            print(json_module.dumps(value), flush=True)

    def error(self, error: GanwrightError) -> int:
        """Tell of `error`; gives back its exit code."""
        self.line(str(error), problem=True)
        self.document({"error": error.as_dict()})
        return error.exit_code
