"""Model files with something changed, by the thousands, and what becomes of those who read them."""

from __future__ import annotations

import json
import math
import random
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from support import safetensors_bytes, taken_apart

from ganwright.core.errors import ModelFileError
from ganwright.model.model_file import read_facts, read_model
from ganwright.runtime.memory import peak_bytes

HOSTILE_TEXT = "\x1b[2J\x1b]0;owned\x07\r\n\x9b31m\x08\u202egnp.exe<script>alert(1)</script>"
HOSTILE_VALUES: list[Any] = [
    None, True, 0, -1, 1, 7, 10**30, -0.5, 1e308, math.inf, math.nan, "", "x", "dcgan", "mlp", HOSTILE_TEXT, "\ud800",
    [], {}, [[]], [1, 8, 8], [0, 4], [0, 10**30], ["a", "a"], {"name": "mlp"}, {"a": {"b": {}}},
]  # fmt: skip


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) below `value`."""
    pairs = list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    return [(value, key) for key, _ in pairs] + [place for _, item in pairs for place in places(item)]


def mutated(content: bytes, draw: random.Random) -> bytes:
    """One mutation: of bytes anywhere, of bytes in the header, or of a value in the description or the list of tensors."""
    kind = draw.randrange(5)
    if kind >= 3:
        header, data = taken_apart(content)
        tree = json.loads(header["__metadata__"]["ganwright"]) if kind == 4 else header
        container, key = draw.choice(places(tree))
        container[key] = draw.choice(HOSTILE_VALUES)
        if kind == 4:
            header["__metadata__"]["ganwright"] = json.dumps(tree)
        return safetensors_bytes(header, data)
    length = int.from_bytes(content[:8], "little") + 8 if kind else len(content)
    changed = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 8))):
        place = draw.randrange(length)
        match draw.randrange(4):
            case 0:
                changed[place] ^= 1 << draw.randrange(8)
            case 1:
                changed[place] = draw.randrange(256)
            case 2:
                del changed[place : place + draw.randrange(1, 64)]
            case _:
                changed[place:place] = draw.randbytes(draw.randrange(1, 16))
        length = min(length, len(changed))
    return bytes(changed)


@dataclass
class Outcomes:
    """Of reading files that were changed."""

    files: int = 0
    refused: int = 0
    """Reads, of the facts or of the whole, that ended in our own error."""
    read: int = 0
    steering: int = 0
    """Errors that carry what steers a terminal."""
    slowest_seconds: float = 0.0
    grown_bytes: int = 0
    """The most memory that the process held, beyond what it held before."""
    others: list[str] = field(default_factory=list)
    """What else came: none is asked for."""

    def line(self) -> dict[str, Any]:
        """For a line of JSON."""
        return asdict(self)


def read_mutations(good: bytes, folder: Path, count: int, seed: int = 12) -> Outcomes:
    """Read that many mutations of a good model file."""
    draw, path, outcomes = random.Random(seed), folder / "model.safetensors", Outcomes()
    before = peak_bytes() or 0
    for number in range(count):
        path.write_bytes(mutated(good, draw))
        outcomes.files += 1
        for read in (read_facts, read_model):
            began = time.process_time()
            try:
                read(path)
                outcomes.read += 1
            except ModelFileError as error:
                outcomes.refused += 1
                outcomes.steering += "\x1b" in str(error)
            except Exception as error:
                outcomes.others.append(f"mutation {number}: {type(error).__name__}: {error}"[:200])
            outcomes.slowest_seconds = max(outcomes.slowest_seconds, round(time.process_time() - began, 3))
    outcomes.grown_bytes = (peak_bytes() or 0) - before
    return outcomes
