"""The judge of spoken digits: what it reads and looks at. Training it takes minutes, so verdicts are left to the bench."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from recordings import record, tone

BENCH = Path(__file__).resolve().parents[3] / "bench"
sys.path.append(str(BENCH))  # The benches are scripts, not a package; they find one another by their own folder.

import sounds_judge  # noqa: E402  # pyright: ignore[reportMissingImports]


def test_takes_0_to_4_are_for_testing(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "digits.zip", "w") as archive:
        for digit in range(10):
            for take in (0, 4, 5, 49):
                name = f"{digit}_anna_{take}.wav"
                archive.write(record(tmp_path / name, tone(200 + 50 * digit)), f"recordings/{name}")
        archive.writestr("recordings/README.md", "x")
    digits = sounds_judge.read_digits(tmp_path / "digits.zip")
    assert digits.train.shape == digits.test.shape == (20, sounds_judge.SAMPLES)
    assert digits.test_digits.tolist() == sorted([*range(10)] * 2)
    with pytest.raises(sounds_judge.DigitsMissing):
        sounds_judge.read_digits(tmp_path / "nowhere.zip")


def test_other_rates_are_refused_rather_than_misheard(tmp_path: Path) -> None:
    path = record(tmp_path / "x.wav", tone(rate=16_000), 16_000)
    with pytest.raises(sounds_judge.JudgeError, match="16000 Hz"):
        sounds_judge.read_wav(path.read_bytes())


def test_looks_do_not_depend_on_the_volume_and_follow_the_pitch() -> None:
    waves = np.zeros((3, sounds_judge.SAMPLES), np.float32)
    waves[0, :4000], waves[1, :4000], waves[2, :4000] = tone(400, 0.5), 0.1 * tone(400, 0.5), tone(2000, 0.5)
    looks = sounds_judge.looks_of(waves)
    torch.testing.assert_close(looks[0], looks[1], atol=1e-3, rtol=0)
    rows = looks[:, 0, :, 20].argmax(1)
    assert rows[2] > rows[0] + 8
    assert sounds_judge.mel_bands().shape == (40, 129)
    assert bool((sounds_judge.mel_bands().sum(1) > 0).all()), "no band is deaf"
