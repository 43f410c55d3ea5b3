"""What the program and its picture-decoding children say to each other: lengths, JSON and raw bytes. Nothing is pickled.

A request is a length, that much JSON {"task", "names", "sizes"}, then the pictures' bytes one after the other. A child
answers every picture in turn: two lengths, that much JSON, that many bytes of pixels.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from typing import IO, Any

READY = b"ready\n"
REQUEST = struct.Struct("<I")
ANSWER = struct.Struct("<II")


def write_request(stream: IO[bytes], task: Mapping[str, Any], pictures: Sequence[tuple[bytes, str]]) -> None:
    """Sends pictures (content, name) with what is to be done to them."""
    names, sizes = [name for _, name in pictures], [len(content) for content, _ in pictures]
    head = json.dumps({"task": task, "names": names, "sizes": sizes}).encode()
    stream.write(REQUEST.pack(len(head)) + head)
    for content, _ in pictures:
        stream.write(content)
    stream.flush()


def read_request(stream: IO[bytes]) -> tuple[dict[str, Any], list[tuple[bytes, str]]] | None:
    """(task, pictures), or None where the stream ends."""
    length = stream.read(REQUEST.size)
    if len(length) < REQUEST.size:
        return None
    head = json.loads(stream.read(*REQUEST.unpack(length)))
    pictures = [(stream.read(size), name) for name, size in zip(head["names"], head["sizes"], strict=True)]
    return (head["task"], pictures) if [len(content) for content, _ in pictures] == head["sizes"] else None


def write_answer(stream: IO[bytes], facts: Mapping[str, Any], pixels: bytes) -> None:
    """Sends what came of one picture; the caller flushes."""
    head = json.dumps(facts).encode()
    stream.write(ANSWER.pack(len(head), len(pixels)) + head)
    stream.write(pixels)


def read_answer(stream: IO[bytes]) -> tuple[dict[str, Any], bytes] | None:
    """(facts, pixels), or None where the stream ends."""
    lengths = stream.read(ANSWER.size)
    if len(lengths) < ANSWER.size:
        return None
    head_bytes, pixel_bytes = ANSWER.unpack(lengths)
    head, pixels = stream.read(head_bytes), stream.read(pixel_bytes)
    return (json.loads(head), pixels) if len(head) == head_bytes and len(pixels) == pixel_bytes else None
