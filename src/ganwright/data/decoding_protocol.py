"""What the program and its decoding children say to each other: lengths, JSON and raw bytes. Nothing is pickled.

A request is a length, that much JSON {"task", "names", "sizes"}, then the files' bytes one after the other. A child
answers every file in turn: two lengths, that much JSON, that many bytes of what is in it.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from typing import IO, Any

READY = b"ready\n"
REQUEST = struct.Struct("<I")
ANSWER = struct.Struct("<II")


def write_request(stream: IO[bytes], task: Mapping[str, Any], files: Sequence[tuple[bytes, str]]) -> None:
    """Sends files (content, name) with what is to be done to them."""
    names, sizes = [name for _, name in files], [len(content) for content, _ in files]
    head = json.dumps({"task": task, "names": names, "sizes": sizes}).encode()
    stream.write(REQUEST.pack(len(head)) + head)
    for content, _ in files:
        stream.write(content)
    stream.flush()


def read_request(stream: IO[bytes]) -> tuple[dict[str, Any], list[tuple[bytes, str]]] | None:
    """(task, files), or None where the stream ends."""
    length = stream.read(REQUEST.size)
    if len(length) < REQUEST.size:
        return None
    head = json.loads(stream.read(*REQUEST.unpack(length)))
    files = [(stream.read(size), name) for name, size in zip(head["names"], head["sizes"], strict=True)]
    return (head["task"], files) if [len(content) for content, _ in files] == head["sizes"] else None


def write_answer(stream: IO[bytes], facts: Mapping[str, Any], content: bytes) -> None:
    """Sends what came of one file; the caller flushes."""
    head = json.dumps(facts).encode()
    stream.write(ANSWER.pack(len(head), len(content)) + head)
    stream.write(content)


def read_answer(stream: IO[bytes]) -> tuple[dict[str, Any], bytes] | None:
    """(facts, content), or None where the stream ends."""
    lengths = stream.read(ANSWER.size)
    if len(lengths) < ANSWER.size:
        return None
    head_bytes, content_bytes = ANSWER.unpack(lengths)
    head, content = stream.read(head_bytes), stream.read(content_bytes)
    return (json.loads(head), content) if len(head) == head_bytes and len(content) == content_bytes else None
