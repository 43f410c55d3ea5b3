"""Sounds as spectrograms and back."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor

from ganwright.data.spectrogram import Spectrogram, band_edges

RATE = 8_000


def chirps(count: int, samples: int) -> Tensor:
    """(count, samples): each begins low and ends higher, under a swelling loudness."""
    time = torch.arange(samples) / RATE
    start = torch.linspace(150, 600, count)[:, None]
    phase = 2 * math.pi * (start * time + 400 * time.square())
    return 0.7 * torch.sin(phase) * torch.sin(math.pi * time / time[-1])


@pytest.mark.parametrize(("bands", "hop"), [(80, 128), (64, 128), (128, 128), (80, 704), (16, 16), (4, 4), (1, 8)])
def test_bands_share_all_frequencies_and_grow_wider(bands: int, hop: int) -> None:
    edges = band_edges(bands, hop)
    widths = [end - first for first, end in itertools.pairwise(edges)]
    assert (edges[0], edges[-1], len(widths)) == (1, hop + 1, bands)
    assert min(widths) >= 1
    assert widths[0] == 1 or bands == 1
    assert all(later >= earlier - 1 for earlier, later in itertools.pairwise(widths))


def test_a_tone_is_as_bright_as_it_is_loud_and_where_its_pitch_is() -> None:
    looks = Spectrogram(frames=32, bands=128, hop=128)
    waves = torch.stack([peak * torch.sin(2 * math.pi * 1000 * torch.arange(looks.samples) / RATE) for peak in (1.0, 0.1)])
    seen = looks.analyse(waves)[:, :, 16]
    row = 128 - 32  # 1,000 Hz is the 32nd of 31.25 Hz each; low pitches lie below.
    assert seen.argmax(1).tolist() == [row, row]
    decibels = (seen[:, row] - 1) * 40
    torch.testing.assert_close(decibels, torch.tensor([0.0, -20.0]), atol=0.2, rtol=0)


def test_silence_comes_back_as_silence() -> None:
    looks = Spectrogram(frames=32, bands=80, hop=128)
    seen = looks.analyse(torch.zeros(2, looks.samples))
    assert (seen == -1).all()
    assert looks.synthesise(seen).abs().max() < 1e-4


@pytest.mark.parametrize(("bands", "worst"), [(128, 0.1), (80, 0.5)])
def test_a_sound_comes_back(bands: int, worst: float) -> None:
    """Rounds bring what is found nearer to what was asked for; magnitudes come back, phases may differ by a sign."""
    looks = Spectrogram(frames=64, bands=bands, hop=128)
    waves = chirps(3, looks.samples)
    seen = looks.analyse(waves)
    gaps = [float((looks.analyse(looks.synthesise(seen, rounds)) - seen).abs().mean()) for rounds in (0, 4, 24)]
    assert gaps[0] > gaps[1] > gaps[2]
    wanted, found = (looks._spectrum(each).abs() for each in (waves, looks.synthesise(seen)))
    assert float((found - wanted).norm() / wanted.norm()) < worst


def test_a_sound_does_not_depend_on_its_neighbours() -> None:
    looks = Spectrogram(frames=32, bands=40, hop=64)
    seen = looks.analyse(chirps(4, looks.samples))
    torch.testing.assert_close(looks.synthesise(seen)[2:3], looks.synthesise(seen[2:3]), atol=1e-4, rtol=0)


@pytest.mark.parametrize("hop", [128, 100, 44, 4])
def test_frames_of_any_length_give_back_what_was_analysed(hop: int) -> None:
    """With the phases kept, nothing is lost."""
    looks = Spectrogram(frames=32, bands=min(hop, 80), hop=hop)
    waves = chirps(2, looks.samples)
    torch.testing.assert_close(looks._waves(looks._spectrum(waves)), waves, atol=1e-5, rtol=0)


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="0 frames"):
        Spectrogram(frames=0, bands=80, hop=128)
    with pytest.raises(ValueError, match="200 bands"):
        Spectrogram(frames=64, bands=200, hop=128)
