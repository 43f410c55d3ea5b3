"""What the program and its decoding children say to each other: lengths, JSON and raw bytes. Nothing is pickled.

A request is a length, that much JSON {"task", "names", "sizes"}, then the files' bytes one after the other. A child answers
the files in turn, some at a time: two lengths, that much JSON {"facts", "sizes"}, that many bytes of what is in them.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import IO, Any

READY = b"ready\n"
REQUEST = struct.Struct("<I")
ANSWERS = struct.Struct("<II")


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


def write_answers(stream: IO[bytes], answers: Sequence[tuple[Mapping[str, Any], bytes]]) -> None:
    """Sends what came of some files, (facts, content) each; the caller flushes."""
    sizes = [len(content) for _, content in answers]
    head = json.dumps({"facts": [facts for facts, _ in answers], "sizes": sizes}).encode()
    stream.write(ANSWERS.pack(len(head), sum(sizes)) + head)
    for _, content in answers:
        stream.write(content)


def read_answers(stream: IO[bytes]) -> list[tuple[dict[str, Any], bytes]]:
    """(facts, content) of the next files; none where the stream ends."""
    lengths = stream.read(ANSWERS.size)
    if len(lengths) < ANSWERS.size:
        return []
    head_bytes, content_bytes = ANSWERS.unpack(lengths)
    head, content = stream.read(head_bytes), stream.read(content_bytes)
    if len(head) < head_bytes or len(content) < content_bytes:
        return []
    said = json.loads(head)
    ends = list(accumulate(said["sizes"], initial=0))
    parts = [content[start:end] for start, end in pairwise(ends)]
    return list(zip(said["facts"], parts, strict=True))
