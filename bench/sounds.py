"""What sounds cost and are worth.

    python bench/sounds.py codec            # real recordings through the codec and back: is anything lost?
    python bench/sounds.py digits MODEL     # does a model of spoken digits say the digit that it is asked for?
    python bench/sounds.py speed MODEL      # seconds of sound that are sampled in a second
    python bench/sounds.py oneshots --minutes 10   # drum and synth sounds: trained, then evaluated for copies and collapse

Each prints one JSON line for every result. The judge of digits is that of sounds_judge.py.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from judge import JudgeError
from machine import describe_machine
from sounds_judge import DEFAULT_DIGITS, DigitsMissing, Judge, Waves, load_judge, read_digits

from ganwright import GAN, load
from ganwright.data.modalities.sound import BANDS, Sound
from ganwright.data.preparation import prepare
from ganwright.data.sounds import to_sixteen_bits
from ganwright.data.spectrogram import ROUNDS, Spectrogram
from ganwright.runtime.cores import usable_cores

EACH = 50
"""Samples of each digit."""
ONESHOTS = Path(__file__).resolve().parents[2] / "shared" / "data" / "audio" / "oneshots_flac.zip"
SPEEDS = 5
"""Repetitions of a timing, each of SOUNDS sounds."""
SOUNDS = 128


def codec(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Test takes as spectrograms and back, for several numbers of bands and of Griffin and Lim's rounds."""
    digits = read_digits(options.digits)
    judge = load_judge(digits)
    usual: Any = prepare(options.digits or DEFAULT_DIGITS, Sound()).codec
    frames, hop = usual.looks.frames, usual.looks.hop
    waves = torch.from_numpy(_even(digits.test)[:, : usual.looks.samples])
    cut = _share(judge, to_sixteen_bits(waves.numpy()), digits.test_digits)
    for bands, rounds in ((64, ROUNDS), (BANDS, 0), (BANDS, 8), (BANDS, ROUNDS), (BANDS, 64), (hop, ROUNDS)):
        looks = Spectrogram(frames, bands, hop)
        seen = looks.analyse(waves)
        began = time.monotonic()
        again = looks.synthesise(seen, rounds)
        seconds = time.monotonic() - began
        wanted, found = (looks._spectrum(each).abs() for each in (waves, again))
        gaps = (found - wanted).norm(dim=(1, 2)) / wanted.norm(dim=(1, 2))
        yield {
            "name": "codec",
            "bands": bands,
            "frames": frames,
            "hop": hop,
            "rounds": rounds,
            "default": (bands, rounds) == (BANDS, ROUNDS),
            "agreement": round(_share(judge, to_sixteen_bits(again.numpy()), digits.test_digits), 4),
            "agreement_of_real": judge.accuracy,
            "agreement_of_real_cut_to_length": round(cut, 4),
            "spectral_convergence": round(float(gaps.mean()), 4),
            "spectral_convergence_deviation": round(float(gaps.std()), 4),
            "decibels_off": round(float((looks.analyse(again) - seen).abs().mean()) * 40, 3),
            "times_real_time": round(len(waves) * usual.policy.seconds / seconds, 1),
            "protocol": "300 test takes at 8 kHz and one peak, cut to length; convergence: |S'-S|/|S| of magnitudes",
        }


def digits(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """How many samples say the digit asked for, as the judge hears them, read from 16 bits as a WAV file has them."""
    real = read_digits(options.digits)
    judge = load_judge(real)
    asked = np.repeat(np.arange(10), EACH)
    made = load(options.model).sample(len(asked), seed=options.seed, label=[str(each) for each in asked])
    waves = to_sixteen_bits(np.stack([each.samples for each in made]))
    right = judge.read(waves.astype(np.float32) / 32_768) == asked
    share = float(right.mean())
    yield {
        "name": str(options.model),
        "n": len(asked),
        "agreement": round(share, 4),
        "standard_error": round((share * (1 - share) / len(asked)) ** 0.5, 4),
        "agreement_of_real": judge.accuracy,
        "by_digit": [round(float(right[asked == digit].mean()), 2) for digit in range(10)],
        "distinct": len(np.unique(waves, axis=0)),
        "judge_id": judge.identity,
        "seed": options.seed,
        "protocol": f"{EACH} samples of each digit; the judge learned from takes 5 and up, real figures are of takes 0 to 4",
    }


def speed(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """From the seed to finished samples, without writing files."""
    torch.set_num_threads(options.threads)
    model = load(options.model)
    model.sample(64, seed=0)
    rates: list[float] = []
    for seed in range(SPEEDS):
        began = time.monotonic()
        made = model.sample(SOUNDS, seed=seed)
        rates.append(sum(sound.seconds for sound in made) / (time.monotonic() - began))
    yield {
        "name": str(options.model),
        "times_real_time": round(float(np.median(rates)), 1),
        "slowest": round(min(rates), 1),
        "fastest": round(max(rates), 1),
        "sounds": model.codec.describe(),
        "protocol": f"{SPEEDS} times {SOUNDS} samples in memory, median",
    }


def oneshots(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Unconditional, 16 kHz, one second."""
    if not ONESHOTS.is_file():
        raise DigitsMissing(f"no one-shots at {ONESHOTS}")
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(ONESHOTS) as archive:
        # A tenth of 140 is too few to tell copies from chance: a fifth is kept back instead.
        for place, name in enumerate(sorted(name for name in archive.namelist() if name.endswith(".flac"))):
            path = Path(folder) / ("kept" if place % 5 == 0 else "learned") / Path(name).name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(archive.read(name))
        learned, kept = Path(folder) / "learned", Path(folder) / "kept"
        gan = GAN(modality=Sound(rate=16_000, seconds=1.0), seed=options.seed)
        gan.fit(learned, minutes=options.minutes, run=options.run or False, holdout=False)
        found = gan.evaluate(learned, held_out=kept, n=options.n, folder=options.run)
    yield {
        "name": "oneshots",
        "minutes": round((time.monotonic() - began) / 60, 1),
        "steps": gan.ended_.step,
        "health": gan.ended_.health,
        "measurements": {name: [each.value, each.error, each.floor] for name, each in found.measurements.items()},
        "notes": found.notes,
        "seed": options.seed,
    }


def _even(waves: Waves) -> Waves:
    """At one peak, as the product has them."""
    return waves * (0.9 / np.abs(waves).max(1, keepdims=True).clip(1e-4))


def _share(judge: Judge, packed: np.ndarray, meant: np.ndarray) -> float:
    return float((judge.read(packed.astype(np.float32) / 32_768) == meant).mean())


def main() -> int:
    """Print the JSON lines; 0 when measured or skipped for want of data, 2 for a mistake."""
    parser = argparse.ArgumentParser(description="Measure sounds.")
    parser.add_argument("what", choices=("codec", "digits", "speed", "oneshots"))
    parser.add_argument("model", nargs="?", help="a model file, a run folder, or last")
    parser.add_argument("--digits", type=Path, help="spoken_digits.zip; default ../shared/data/audio beside the repository")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--run", type=Path, help="of oneshots: a folder for the run and its report")
    parser.add_argument("-n", type=int, default=1_000, help="samples that are evaluated")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=usable_cores())
    options = parser.parse_args()
    if options.what in ("digits", "speed") and options.model is None:
        parser.error(f"{options.what} needs a model")
    try:
        for line in {"codec": codec, "digits": digits, "speed": speed, "oneshots": oneshots}[options.what](options):
            print(json.dumps(line | {"machine": describe_machine()}), flush=True)
    except (JudgeError, OSError) as error:
        print(f"sounds: {error}", file=sys.stderr)
        return 0 if isinstance(error, DigitsMissing) and options.digits is None else 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
