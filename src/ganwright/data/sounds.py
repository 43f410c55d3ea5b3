"""Sounds as a program holds them, and as WAV files."""

from __future__ import annotations

import base64
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ganwright.core.text import printable

MADE_BY = b"Ganwright\0"
PAUSE_SECONDS = 0.15
"""Between sounds that are heard one after another."""
FULL = 32_767
"""What 1.0 is in 16 bits."""
HEADER = struct.Struct("<4sI4s4sIHHIIHH")
SOFTWARE = struct.Struct("<4sI4s4sI10s")


@dataclass(frozen=True, eq=False)
class Clip:
    """One channel of samples."""

    samples: np.ndarray
    """float32 (n,) in -1..1."""
    rate: int
    """Samples a second."""

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.samples) / self.rate

    def save(self, path: str | Path) -> Path:
        """Writes a WAV file of 16 bits; gives back its path."""
        Path(path).write_bytes(wav_bytes(self))
        return Path(path)

    def _repr_html_(self) -> str:
        """What a notebook shows: a player."""
        content = base64.b64encode(wav_bytes(self)).decode("ascii")
        return f'<audio controls src="data:audio/wav;base64,{content}"></audio>'

    def __repr__(self) -> str:
        return printable(f"<Clip of {self.seconds:.3g} s at {self.rate:,} Hz>")


def in_a_row(sounds: Sequence[Clip]) -> Clip:
    """All of them one after another, with short pauses."""
    rate = sounds[0].rate
    pause = np.zeros(round(PAUSE_SECONDS * rate), np.float32)
    pieces = [piece for sound in sounds for piece in (sound.samples, pause)]
    return Clip(np.concatenate(pieces[:-1]), rate)


def wav_bytes(sound: Clip) -> bytes:
    """A WAV file of 16 bits that says who made it."""
    data = to_sixteen_bits(sound.samples).astype("<i2").tobytes()
    software = SOFTWARE.pack(b"LIST", SOFTWARE.size - 8, b"INFO", b"ISFT", len(MADE_BY), MADE_BY)
    size = HEADER.size - 8 + len(software) + 8 + len(data)
    rate = sound.rate
    header = HEADER.pack(b"RIFF", size, b"WAVE", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16)
    return header + software + struct.pack("<4sI", b"data", len(data)) + data


def is_our_wav(path: Path) -> bool:
    """Whether the file says that Ganwright made it; only its first bytes are read.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(HEADER.size + SOFTWARE.size)
    return start[:4] == b"RIFF" and start[HEADER.size :].endswith(MADE_BY)


def to_sixteen_bits(samples: np.ndarray) -> np.ndarray:
    """float (...) in -1..1 to int16."""
    return np.round(np.nan_to_num(samples).clip(-1, 1) * FULL).astype(np.int16)
