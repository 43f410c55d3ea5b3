"""A recording brought to one channel, one rate, one length and one volume. No torch: decoding children import this."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import soxr

from ganwright.data.sounds import FULL

LOWEST_RATE, HIGHEST_RATE = 1_000, 768_000
MOST_SAMPLES = 1 << 22
"""Of one sound; a minute and a half at 44.1 kHz. No more than `spec.MAX_SAMPLES`."""
LOUDEST = 0.9
"""The peak of a sound at even volume: some room is left for what networks do to it."""
SILENCE = 1e-4
"""A recording whose peak is below it, 80 dB below full volume, holds nothing."""
CLIPPED = 0.9999
FEWEST_CLIPPED = 8
"""Samples at full volume before a recording counts as clipped."""
SHORTEST_SECONDS = 0.01
FADE_SECONDS = 0.005
"""At the end of a recording that is cut: without it, one hears a click."""


class SoundFault(Exception):
    """Why a recording is skipped, in a few words that group well."""


@dataclass(frozen=True)
class SoundPolicy:
    """What every recording is turned into."""

    rate: int
    """Samples a second."""
    samples: int
    """Its length."""
    volume: Literal["even", "kept"] = "even"
    """even: every sound's peak is brought to one height; kept: it is as loud as it was recorded."""

    def __post_init__(self) -> None:
        for name, low, high in (("rate", LOWEST_RATE, HIGHEST_RATE), ("samples", 1, MOST_SAMPLES)):
            if type(getattr(self, name)) is not int or not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} must be a whole number in {low}..{high}")
        if self.volume not in ("even", "kept"):
            raise ValueError(f"volume must be even or kept, not {self.volume!r}")

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.samples / self.rate


def fit_sound(blocks: Sequence[np.ndarray], rate: int, policy: SoundPolicy, longer: bool) -> tuple[np.ndarray, list[str]]:
    """int16 (samples,) of a recording, and what was done to it that a user should know of.

    Args:
        blocks: float32 (n, channels) each, in -1..1, its beginning or all of it.
        rate: of the recording.
        longer: whether there is more of it than `blocks`.

    Raises:
        SoundFault: there is nothing in it to hear.
    """
    notes: list[str] = []
    wave = np.concatenate(blocks) if blocks else np.empty((0, 1), np.float32)
    if len(wave) < SHORTEST_SECONDS * rate:
        raise SoundFault("empty recording" if not len(wave) else f"shorter than {SHORTEST_SECONDS * 1000:g} ms")
    if not np.isfinite(wave).all():
        wave = np.nan_to_num(wave, posinf=0.0, neginf=0.0)
        notes.append("with values that are no numbers: silent there")
    if wave.shape[1] > 1:
        notes.append("of several channels mixed down to one")
    if (np.abs(wave) >= CLIPPED).sum() >= FEWEST_CLIPPED:
        notes.append("clipped at full volume")
    mono = wave.mean(1, dtype=np.float32)
    if np.abs(mono).max() < SILENCE:
        raise SoundFault("silent recording")
    if rate != policy.rate:
        mono = soxr.resample(mono, rate, policy.rate, quality="HQ")
        notes.append(f"resampled to {policy.rate:,} Hz")
    if len(mono) > policy.samples or longer:
        notes.append(f"longer than {policy.seconds:.3g} s: the beginning taken")
    mono = _cut(mono, policy)
    if policy.volume == "even":
        peak = np.abs(mono).max()
        if peak < SILENCE:
            raise SoundFault(f"silent in the first {policy.seconds:.3g} s")
        mono = mono * (LOUDEST / peak)
    return np.round(mono.clip(-1, 1) * FULL).astype(np.int16), notes


def _cut(mono: np.ndarray, policy: SoundPolicy) -> np.ndarray:
    """(n,) to (samples,): silence after it, or its end faded out."""
    if len(mono) <= policy.samples:
        return np.pad(mono, (0, policy.samples - len(mono)))
    kept = mono[: policy.samples].copy()
    fade = min(policy.samples, max(1, round(FADE_SECONDS * policy.rate)))
    kept[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return kept
