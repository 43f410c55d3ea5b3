"""Sounds as pictures of how loud each pitch is at each moment, and back again.

The phase is not kept. It is found anew from the loudness alone: a first guess in closed form, then some rounds of Griffin
and Lim's algorithm. Of 300 spoken digits a classifier named 299, and 296 after that (`bench/sounds.py codec`), so
networks need to draw one channel only.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

RANGE_DECIBELS = 80.0
"""From the darkest value, -1, to the brightest, 1: a tone at full volume. What is softer is silence."""
ROUNDS = 16
"""Of Griffin and Lim's algorithm: of spoken digits, magnitudes were 0.162 off after 8 rounds, 0.154 after 24 and 0.151 after
64."""
MOMENTUM = 0.99
"""Perraudin et al. 2013 (doi:10.1109/WASPAA.2013.6701851): most of what 100 plain rounds bring, in a third of them."""
HANN_SPREAD = 0.25645
"""Of the Gaussian window that is most like Hann's, over its length squared (Prusa et al. 2017, table I)."""
LEAST = 1e-7


@dataclass(frozen=True)
class Spectrogram:
    """Loudness in `frames` moments, each seen through a Hann window twice as long as its distance from the next.

    Frequencies are gathered in `bands`: low ones have a band each, higher ones share it, as in the ear.
    """

    frames: int
    """A moment's distance from the next is `hop` samples."""
    bands: int
    hop: int

    def __post_init__(self) -> None:
        if self.frames < 1 or self.hop < 4 or not 1 <= self.bands <= self.hop:
            raise ValueError(f"a spectrogram of {self.frames} frames, {self.bands} bands and {self.hop} samples a frame")

    @property
    def samples(self) -> int:
        """Length of a sound."""
        return self.frames * self.hop

    def analyse(self, waves: Tensor) -> Tensor:
        """(B, samples) in -1..1 to (B, bands, frames) in -1..1, low pitches in the last row, as people draw them."""
        power = self._spectrum(waves).abs().square()  # (B, frames, hop + 1)
        bands = power @ self._constants(waves.device).gather  # (B, frames, bands)
        decibels = 10 * bands.clamp(min=LEAST**2).log10()
        return (1 + decibels * (2 / RANGE_DECIBELS)).clamp(-1, 1).transpose(1, 2).flip(1)

    def magnitudes(self, x: Tensor) -> Tensor:
        """(B, bands, frames) in -1..1 to the magnitude of each frequency, (B, frames, hop + 1); -1 is silence."""
        decibels = (x.clamp(-1, 1).flip(1).transpose(1, 2) - 1) * (RANGE_DECIBELS / 2)
        return torch.pow(10.0, (decibels @ self._constants(x.device).spread) / 20) * self._loud(decibels)

    def synthesise(self, x: Tensor, rounds: int = ROUNDS) -> Tensor:
        """(B, bands, frames) in -1..1 to waves (B, samples) that look like it; every row for itself."""
        wanted = self.magnitudes(x)
        guess = torch.polar(wanted, self._first_phases(wanted))
        before: Tensor | None = None
        for _ in range(rounds):
            found = self._spectrum(self._waves(guess))
            ahead = found if before is None else found + MOMENTUM * (found - before)
            before = found
            guess = ahead * (wanted / ahead.abs().clamp(min=LEAST))
        return self._waves(guess)

    def _loud(self, decibels: Tensor) -> Tensor:
        """1 where there is something to hear, 0 in the darkest places, gradually: (B, frames, hop + 1)."""
        there = ((decibels + RANGE_DECIBELS) / 5).clamp(0, 1)
        return there @ self._constants(decibels.device).spread

    def _first_phases(self, magnitudes: Tensor) -> Tensor:
        """Phases (B, frames, hop + 1) from the magnitudes' slopes, summed up over time.

        How fast the phase turns follows from how the logarithm changes with the frequency, exactly so with a Gaussian window
        (Prusa, Balazs and Sondergaard 2017, doi:10.1109/TASLP.2017.2678166, equation 7). They sum along the loudest path;
        summing along time alone can be done for all frequencies at once, and leaves the rest to the rounds that follow.
        """
        logarithms = magnitudes.clamp(min=LEAST).log()
        slopes = torch.zeros_like(logarithms)
        slopes[..., 1:-1] = (logarithms[..., 2:] - logarithms[..., :-2]) / 2
        window = 2 * self.hop
        frequencies = torch.arange(self.hop + 1, device=magnitudes.device)
        steps = math.pi * frequencies + slopes * (self.hop / (HANN_SPREAD * window))
        phases = torch.zeros_like(steps)
        phases[:, 1:] = torch.cumsum((steps[:, 1:] + steps[:, :-1]) / 2, 1)
        return phases

    def _spectrum(self, waves: Tensor) -> Tensor:
        """(B, samples) to complex (B, frames, hop + 1), scaled so that a tone has its own amplitude."""
        half = self.hop // 2
        padded = torch.nn.functional.pad(waves, (half, self.hop - half))
        blocks = padded.unflatten(1, (self.frames + 1, self.hop))
        windows = torch.cat([blocks[:, :-1], blocks[:, 1:]], 2) * self._constants(waves.device).window
        return torch.fft.rfft(windows, dim=2) * (2 / self.hop)

    def _waves(self, spectrum: Tensor) -> Tensor:
        """The waves whose spectrum is nearest: (B, frames, hop + 1) to (B, samples) (Griffin and Lim 1984, equation 6)."""
        constants = self._constants(spectrum.device)
        windows = torch.fft.irfft(spectrum * (self.hop / 2), n=2 * self.hop, dim=2) * constants.window
        blocks = windows.new_zeros(len(windows), self.frames + 1, self.hop)
        blocks[:, :-1] += windows[:, :, : self.hop]
        blocks[:, 1:] += windows[:, :, self.hop :]
        half = self.hop // 2
        return (blocks.flatten(1) * constants.evening)[:, half : half + self.samples]

    def _constants(self, device: torch.device) -> _Constants:
        return _constants(self.frames, self.bands, self.hop, str(device))


@dataclass(frozen=True)
class _Constants:
    window: Tensor
    """(2 * hop,)"""
    evening: Tensor
    """((frames + 1) * hop,): one over what the windows' squares sum to."""
    gather: Tensor
    """(hop + 1, bands): the mean over a band's frequencies."""
    spread: Tensor
    """(bands, hop + 1): straight lines from the middle of a band to that of the next."""


@lru_cache(maxsize=8)
def _constants(frames: int, bands: int, hop: int, device: str) -> _Constants:
    window = torch.hann_window(2 * hop, dtype=torch.float64)
    squares = torch.zeros(frames + 1, hop, dtype=torch.float64)
    squares[:-1] += window[:hop].square()
    squares[1:] += window[hop:].square()
    edges = band_edges(bands, hop)
    gather = torch.zeros(hop + 1, bands, dtype=torch.float64)
    middles = torch.empty(bands, dtype=torch.float64)
    for band, (first, end) in enumerate(itertools.pairwise(edges)):
        gather[first:end, band] = 1 / (end - first)
        middles[band] = (first + end - 1) / 2
    places = torch.arange(hop + 1, dtype=torch.float64)
    right = torch.searchsorted(middles, places).clamp(1, bands - 1) if bands > 1 else torch.zeros(hop + 1, dtype=torch.int64)
    left = (right - 1).clamp(min=0)
    share = ((places - middles[left]) / (middles[right] - middles[left]).clamp(min=LEAST)).clamp(0, 1)
    spread = torch.zeros(bands, hop + 1, dtype=torch.float64)
    spread[left, torch.arange(hop + 1)] += 1 - share
    spread[right, torch.arange(hop + 1)] += share
    spread[:, 0] *= 0  # What does not move cannot be heard.
    tensors = (window, 1 / squares.flatten().clamp(min=1e-3), gather, spread)
    return _Constants(*(tensor.float().to(device) for tensor in tensors))


def band_edges(bands: int, hop: int) -> list[int]:
    """The first frequency of each band among 1..hop, and hop + 1: widths grow by one factor, and begin at 1.

    Equal steps of log(1 + f / f0), as the mel scale has them, with the f0 at which the lowest step is one frequency wide.
    """
    if bands == hop:
        return list(range(1, hop + 2))
    low, high = 1e-6, 1e9
    for _ in range(200):
        middle = math.sqrt(low * high)
        first = middle * math.expm1(math.log1p(hop / middle) / bands)
        low, high = (middle, high) if first < 1 else (low, middle)
    return [1 + round(high * math.expm1(math.log1p(hop / high) * band / bands)) for band in range(bands + 1)]
