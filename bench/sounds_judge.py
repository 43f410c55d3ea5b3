"""Judge spoken digits with a classifier that the product never sees.

    python bench/sounds_judge.py SOUNDS         a folder of WAV files whose names begin with the digit that is meant

A small convolutional network is trained once on takes 5 and up of the Free Spoken Digit Dataset, 2,700 recordings, and must
name 95% of takes 0 to 4, the set's own test split of 300. It is deliberately no part of `ganwright`: it has its own reading
of WAV files and its own spectrograms (40 mel bands, another window and hop than the product's).
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import sys
import wave
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from judge import JudgeError, _one_thread
from machine import describe_machine
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

# Raise this whenever the network, its training or what it looks at changes: older judges are then trained anew.
VERSION = 1
SEED = 1988
EPOCHS, BATCH = 12, 64
REQUIRED_ACCURACY = 0.95
RATE, SAMPLES = 8_000, 8_192
WINDOW, HOP, MELS = 256, 100, 40
FARTHEST = 16
"""Frames by which training recordings are moved: made ones need not begin where real ones do."""
TEST_TAKES = 5
DEFAULT_DIGITS = Path(__file__).resolve().parents[2] / "shared" / "data" / "audio" / "spoken_digits.zip"

Waves = NDArray[np.float32]


class DigitsMissing(JudgeError):
    """There is no archive of spoken digits, so that a bench or a test may skip."""


@dataclass(frozen=True)
class Digits:
    """Recordings as float32 (N, SAMPLES) with the digits (N,) that are said, of training and of test takes."""

    train: Waves
    train_digits: NDArray[np.int64]
    test: Waves
    test_digits: NDArray[np.int64]


def read_digits(archive: Path | None = None) -> Digits:
    """The set, in the order of its names; takes 0 to 4 of each speaker and digit are for testing."""
    archive = DEFAULT_DIGITS if archive is None else archive
    if not archive.is_file():
        raise DigitsMissing(f"no spoken digits at {archive}; give the archive with --digits")
    found: dict[bool, list[tuple[Waves, int]]] = {True: [], False: []}
    with zipfile.ZipFile(archive) as file:
        for name in sorted(name for name in file.namelist() if name.endswith(".wav")):
            digit, _, take = Path(name).stem.split("_")
            found[int(take) < TEST_TAKES].append((read_wav(file.read(name)), int(digit)))
    (test, test_digits), (train, train_digits) = (zip(*found[part], strict=True) for part in (True, False))
    return Digits(np.stack(train), np.array(train_digits), np.stack(test), np.array(test_digits))


def read_wav(content: bytes) -> Waves:
    """The first SAMPLES of a WAV file of 16 bits, one channel and 8 kHz, with silence after it."""
    with wave.open(io.BytesIO(content)) as file:
        shape = file.getsampwidth(), file.getnchannels(), file.getframerate()
        if shape != (2, 1, RATE):
            raise JudgeError(f"a WAV file of {8 * shape[0]} bits, {shape[1]} channels and {shape[2]} Hz, not 16, 1, {RATE}")
        samples = np.frombuffer(file.readframes(SAMPLES), "<i2").astype(np.float32) / 32_768
    return np.pad(samples, (0, SAMPLES - len(samples)))


class Classifier(nn.Module):
    """Looks (N, 1, MELS, frames) to logits (N, 10)."""

    def __init__(self) -> None:
        super().__init__()

        def halving(c_in: int, c_out: int) -> list[nn.Module]:
            return [nn.Conv2d(c_in, c_out, 3, padding=1, bias=False), nn.BatchNorm2d(c_out), nn.ReLU(), nn.MaxPool2d(2)]

        self.layers = nn.Sequential(
            *(*halving(1, 24), *halving(24, 48), *halving(48, 96)),
            *(nn.Dropout(0.3), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * 96, 10)),
        )

    def forward(self, looks: Tensor) -> Tensor:
        """Logits (N, 10)."""
        return self.layers(looks)


def looks_of(waves: Waves) -> Tensor:
    """(N, SAMPLES) as logarithms of mel bands over 39 decibels below the loudest of each recording: (N, 1, MELS, frames)."""
    spectrum = torch.stft(torch.from_numpy(waves), WINDOW, HOP, window=torch.hann_window(WINDOW), return_complex=True).abs()
    bands = (mel_bands() @ spectrum.square()).clamp(min=1e-9).log()
    loudest = bands.amax((1, 2), keepdim=True)
    return ((torch.maximum(bands, loudest - 9) - loudest + 4.5) / 3).unsqueeze(1)


def mel_bands() -> Tensor:
    """(MELS, WINDOW / 2 + 1): triangles at even steps of 2595 log10(1 + f / 700)."""
    ends = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + RATE / 1400), MELS + 2) / 2595) - 1)
    places = np.linspace(0, RATE / 2, WINDOW // 2 + 1)
    up = (places - ends[:-2, None]) / (ends[1:-1] - ends[:-2])[:, None]
    down = (ends[2:, None] - places) / (ends[2:] - ends[1:-1])[:, None]
    return torch.from_numpy(np.minimum(up, down).clip(0)).float()


@dataclass(frozen=True)
class Judge:
    """The trained classifier; `identity` tells those of two machines apart."""

    network: Classifier
    accuracy: float
    identity: str

    @torch.inference_mode()
    def read(self, waves: Waves) -> NDArray[np.int64]:
        """The digits (N,) that are heard in float32 (N, samples), of any volume."""
        padded = np.pad(waves[:, :SAMPLES], ((0, 0), (0, max(0, SAMPLES - waves.shape[1]))))
        parts = [self.network(looks_of(padded[at : at + 100])).argmax(1) for at in range(0, len(padded), 100)]
        return torch.cat(parts).numpy()


@_one_thread()
def load_judge(digits: Digits) -> Judge:
    """The cached judge; trained and cached first where there is none for these data and this version."""
    seal = hashlib.sha256(digits.train.tobytes() + digits.test.tobytes()).hexdigest()[:16]
    root = Path(os.environ.get("GANWRIGHT_CACHE") or Path.home() / ".cache" / "ganwright")
    path = root / "bench" / f"sounds-judge-v{VERSION}-{seal}.safetensors"
    network = Classifier()
    if not path.is_file():
        print(f"sounds judge: training the classifier once (minutes), to be kept as {path}", file=sys.stderr)
        _train(network, digits)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}.partial")
        save_file(network.state_dict(), partial)
        partial.replace(path)
    weights = load_file(path)
    network.load_state_dict(weights)
    identity = hashlib.sha256(b"".join(weights[name].numpy().tobytes() for name in sorted(weights))).hexdigest()[:12]
    judge = Judge(network.eval(), 0.0, identity)
    accuracy = float((judge.read(digits.test) == digits.test_digits).mean())
    if accuracy < REQUIRED_ACCURACY:
        raise JudgeError(f"the judge names only {accuracy:.1%} of the test takes; {REQUIRED_ACCURACY:.0%} are needed")
    return Judge(judge.network, accuracy, identity)


def _train(network: Classifier, digits: Digits) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        network.apply(lambda layer: layer.reset_parameters() if isinstance(layer, nn.Conv2d | nn.Linear) else None)
        looks, labels = looks_of(digits.train), torch.from_numpy(digits.train_digits)
        steps = EPOCHS * (len(looks) // BATCH)
        optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=1e-2)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=steps)
        network.train()
        for epoch in range(EPOCHS):
            total, order = 0.0, torch.randperm(len(looks))
            for rows in order[: len(order) // BATCH * BATCH].split(BATCH):
                logits = network(_moved(looks[rows]))
                loss = functional.cross_entropy(logits, labels[rows], label_smoothing=0.1)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                total += loss.item()
            print(f"sounds judge: epoch {epoch + 1}/{EPOCHS}, mean loss {total * EPOCHS / steps:.3f}", file=sys.stderr)


def _moved(looks: Tensor) -> Tensor:
    """Each of (B, 1, MELS, frames) earlier or later by up to FARTHEST frames."""
    frames = looks.shape[3]
    places = (torch.arange(frames) - torch.randint(-FARTHEST, FARTHEST + 1, (len(looks), 1))).clamp(0, frames - 1)
    return looks.gather(3, places[:, None, None].expand_as(looks))


def main() -> int:
    """Print one JSON line on a folder; 0 when judged or skipped for want of the set, 2 for a mistake."""
    parser = argparse.ArgumentParser(description="Judge spoken digits with a classifier trained on real recordings.")
    parser.add_argument("sounds", type=Path, help="a folder of WAV files, 8 kHz, named as digit_anything.wav")
    parser.add_argument("--digits", type=Path, help="spoken_digits.zip; default ../shared/data/audio beside the repository")
    options = parser.parse_args()
    try:
        judge = load_judge(read_digits(options.digits))
        files = sorted(options.sounds.glob("*.wav"))
        if not files:
            raise JudgeError(f"no .wav files in {options.sounds}")
        meant = np.array([int(file.name.partition("_")[0]) for file in files])
        heard = judge.read(np.stack([read_wav(file.read_bytes()) for file in files]))
    except (JudgeError, OSError, ValueError) as error:
        print(f"sounds judge: {error}", file=sys.stderr)
        return 0 if isinstance(error, DigitsMissing) and options.digits is None else 2
    line = {"name": str(options.sounds), "n": len(files), "agreement": round(float((heard == meant).mean()), 4)}
    facts = {"judge_accuracy": judge.accuracy, "judge_id": judge.identity, "machine": describe_machine()}
    print(json.dumps(line | facts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
