"""Recordings for tests: tones as files of every kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

RATE = 8_000


def tone(pitch: float = 440.0, seconds: float = 0.3, rate: int = RATE, peak: float = 0.5) -> np.ndarray:
    """float64 (n,): a tone."""
    return peak * np.sin(2 * np.pi * pitch * np.arange(round(seconds * rate)) / rate)


def record(path: Path, samples: np.ndarray, rate: int = RATE, subtype: str | None = None, kind: str | None = None) -> Path:
    """Writes samples (n,) or (n, channels) as the file that the suffix names; gives back its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, subtype=subtype, format=kind)
    return path


def choir(folder: Path, count: int = 6) -> Path:
    """A folder of that many tones, tone0.wav and so on, each higher than the last."""
    for number in range(count):
        record(folder / f"tone{number}.wav", tone(220.0 * 1.2**number))
    return folder


def spoken(folder: Path, count: int = 48) -> Path:
    """A folder of tones that stand for words, seven_anna_3.wav and so on, in two voices."""
    for number in range(count):
        word, voice = ("four", "seven", "nine")[number % 3], ("anna", "ben")[number % 2]
        record(folder / f"{word}_{voice}_{number}.wav", tone(200.0 + 300 * (number % 3) + 4 * number, 0.2))
    return folder
