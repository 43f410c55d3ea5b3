"""The life of a child process that decodes files: requests come in, answers go out, within a limit of memory.

A module that decodes is run as `python -m MODULE MEMORY_BYTES`, and hands `serve` the function that answers for one file.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any

from ganwright.data.decoding_protocol import READY, read_request, write_answers

Answering = Callable[[Mapping[str, Any], bytes, str], tuple[dict[str, Any], bytes]]
"""(task, content, name) to (facts, what is in the file); a "fault" among the facts says why it is skipped."""
ANSWERED_BYTES = 1 << 20
"""Of contents, after which they are sent. Waking the parent for every small file would cost more than decoding it."""


def serve(answer: Answering, most_bytes: int) -> None:
    """Answers requests on standard input until it ends, which it does when the parent does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle.
    answers = os.fdopen(os.dup(1), "wb", buffering=1 << 18)
    os.dup2(2, 1)  # Nothing that a decoder prints may fall among the answers.
    _limit_memory(most_bytes)
    answers.write(READY)
    answers.flush()
    while (request := read_request(sys.stdin.buffer)) is not None:
        task, files = request
        found: list[tuple[dict[str, Any], bytes]] = []
        held = 0
        for content, name in files:
            try:
                found.append(answer(task, content, name))
            except MemoryError:
                found.append(({"fault": "needs too much memory"}, b""))
            held += len(found[-1][1])
            if held >= ANSWERED_BYTES:
                write_answers(answers, found)
                found, held = [], 0
        if found:
            write_answers(answers, found)
        answers.flush()


def _limit_memory(most_bytes: int) -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (most_bytes, most_bytes))
    except (ImportError, AttributeError, ValueError, OSError):
        pass  # Not on this system; the caps on what is decoded still hold.
