"""Judge pictures of digits with a classifier that the product never sees.

    python bench/judge.py PICTURES      a folder of 28x28 grey PNGs, or an .npy of uint8 (N, 28, 28)

A small convolutional network is trained once on MNIST's training labels and kept in the user's cache. Its penultimate
features give a Frechet distance to the real training pictures, its labels the share of each digit. It is deliberately
no part of `ganwright`: whatever training does to look good, it cannot look at this judge.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from machine import describe_machine
from numpy.typing import NDArray
from PIL import Image
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

# Raise this whenever the network, its training or what is cached changes: older judges are then trained anew.
JUDGE_VERSION = 1
TRAIN_SEED = 1998
EPOCHS = 5
BATCH = 250
FEATURES = 128
REQUIRED_ACCURACY = 0.99
HALVES = 20  # They pin the spread itself down to about a sixth; five would leave it uncertain by a third.
# A half with no more pictures than features has a singular covariance, and its distance says little.
MIN_PICTURES = 2 * (FEATURES + 1)
DEFAULT_MNIST = Path(__file__).resolve().parents[2] / "shared" / "data" / "mnist"

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]


class JudgeError(Exception):
    """Pictures, data or a training result that cannot be judged with; the message is for a person."""


class MnistMissing(JudgeError):
    """The folder lacks the four MNIST files, so that a bench or a test may skip."""


@dataclass(frozen=True)
class Mnist:
    """The real digits: uint8 pictures (N, 28, 28) and uint8 labels (N,) of both halves."""

    train_images: Bytes
    train_labels: Bytes
    test_images: Bytes
    test_labels: Bytes

    def digest(self) -> str:
        """Sixteen hex digits that differ for other data, whatever its compression."""
        parts = (self.train_images, self.train_labels, self.test_images, self.test_labels)
        return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()[:16]


def read_mnist(folder: Path | None = None) -> Mnist:
    """The four IDX .gz files of `folder`, by default the one beside the repository."""
    folder = DEFAULT_MNIST if folder is None else folder
    names = [f"{half}-{kind}-ubyte.gz" for half in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")]
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise MnistMissing(f"no MNIST in {folder}: {', '.join(missing)} missing; give its folder with --mnist")
    return Mnist(*(_read_idx(folder / name) for name in names))


def _read_idx(path: Path) -> Bytes:
    """The uint8 array of one IDX file: two zero bytes, type 8, the number of axes, their lengths, then the values."""
    raw = gzip.decompress(path.read_bytes())
    if len(raw) < 4 or raw[:3] != b"\x00\x00\x08":
        raise JudgeError(f"{path} is no IDX file of bytes")
    start = 4 + 4 * raw[3]
    shape = np.frombuffer(raw[4:start], dtype=">u4").astype(int)
    if len(raw) - start != np.prod(shape):
        raise JudgeError(f"{path} holds {len(raw) - start} values where its header promises {np.prod(shape)}")
    return np.frombuffer(raw, dtype=np.uint8, offset=start).reshape(shape)


def read_pictures(path: Path) -> Bytes:
    """The uint8 pictures (N, 28, 28) of a folder of grey PNGs, in the order of their names, or of an .npy file."""
    if path.is_dir():
        files = sorted(path.glob("*.png"))
        if not files:
            raise JudgeError(f"no .png files in {path}")
        return np.stack([_read_png(file) for file in files])
    if path.suffix != ".npy" or not path.is_file():
        raise JudgeError(f"{path} is neither a folder of PNGs nor an .npy file")
    try:
        return _checked(np.load(path, allow_pickle=False))
    except (ValueError, EOFError) as error:
        raise JudgeError(f"{path} cannot be read: {error}") from error


def _read_png(path: Path) -> Bytes:
    with Image.open(path) as picture:
        # Anything else would be converted or resized, and the judge would then score the conversion.
        if picture.mode != "L" or picture.size != (28, 28):
            raise JudgeError(f"{path} is {picture.mode} {picture.size[0]}x{picture.size[1]}, not 8-bit grey (L) 28x28")
        return np.asarray(picture, dtype=np.uint8)


def _checked(images: NDArray[np.generic]) -> Bytes:
    if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (28, 28):
        raise JudgeError(f"pictures must be uint8 (N, 28, 28), not {images.dtype} {images.shape}")
    return images.view(np.uint8)


@dataclass(frozen=True)
class Moments:
    """Mean (D,) and unbiased covariance (D, D) of features, float64: all that a Frechet distance looks at."""

    mean: Floats
    covariance: Floats

    @staticmethod
    def of(features: NDArray[np.floating]) -> Moments:
        """The moments of features (N, D) with N of two or more."""
        if features.ndim != 2 or len(features) < 2:
            raise JudgeError(f"features must be (N, D) with N of two or more, not {features.shape}")
        exact = torch.from_numpy(features.astype(np.float64))
        covariance = torch.cov(exact.T).reshape(exact.shape[1], exact.shape[1])
        return Moments(exact.mean(dim=0).numpy(), covariance.numpy())

    @cached_property
    def root(self) -> Tensor:
        """A matrix R (D, D) with R R' the covariance; rounding below zero is taken as zero."""
        values, vectors = torch.linalg.eigh(torch.from_numpy(self.covariance))
        return vectors * values.clamp(min=0.0).sqrt()


def frechet_of_moments(a: Moments, b: Moments) -> float:
    """The squared Frechet (2-Wasserstein) distance between the two Gaussians.

    With A = R R' and B = S S' from symmetric eigenvalues, the trace of the square root of A B is the sum of the singular
    values of R' S. Unlike a general matrix square root this stays real and exact where A or B is singular.
    """
    cross = float(torch.linalg.svdvals(a.root.T @ b.root).sum())
    gap = a.mean - b.mean
    return max(0.0, float(gap @ gap + np.trace(a.covariance) + np.trace(b.covariance) - 2.0 * cross))


def frechet(features_a: NDArray[np.floating], features_b: NDArray[np.floating]) -> float:
    """The squared Frechet distance between Gaussians fitted to features (N, D) and (M, D)."""
    return frechet_of_moments(Moments.of(features_a), Moments.of(features_b))


def frechet_spread(features: NDArray[np.floating], reference: Moments, seed: int) -> float:
    """The standard deviation of the distance over random halves of features (N, D), drawn without replacement.

    A half drawn without replacement varies, given the whole, about as much as the whole varies from draw to draw (the
    delete-half jackknife), so this stands for the standard error of the figure for all N with no factor to apply. It errs
    on the large side: measured on 1,000 pictures, 1.3 times too large far from the floor and twice at the floor.
    """
    draw = np.random.default_rng(seed)
    halves = [draw.permutation(len(features))[: len(features) // 2] for _ in range(HALVES)]
    return float(np.std([frechet_of_moments(Moments.of(features[half]), reference) for half in halves], ddof=1))


@contextmanager
def _one_thread() -> Iterator[None]:
    """Torch on one core: it adds in a fixed order, and small matrices take longer on many cores than on one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class Classifier(nn.Module):
    """Pictures (N, 1, 28, 28) in [-1, 1] to features (N, 128), and by `head` on to logits (N, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *(nn.Conv2d(1, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(32, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(64, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.Flatten()),
            *(nn.Linear(64 * 7 * 7, FEATURES), nn.ReLU()),
        )
        self.head = nn.Linear(FEATURES, 10)

    def forward(self, pictures: Tensor) -> Tensor:
        """Features (N, 128), none negative."""
        return self.body(pictures)


def _as_input(images: Bytes) -> Tensor:
    """Bytes (N, 28, 28) as float32 (N, 1, 28, 28) in [-1, 1]."""
    # A copy, since torch objects to arrays that cannot be written to, as those read from a file are.
    return torch.from_numpy(images.copy()).unsqueeze(1).float().div_(127.5).sub_(1.0)


@dataclass(frozen=True)
class Reading:
    """What the classifier saw: features (N, 128) float32, the most likely digit (N,), and its probability (N,)."""

    features: NDArray[np.float32]
    digits: NDArray[np.int64]
    confidence: NDArray[np.float32]

    def shares(self) -> list[float]:
        """The share of each digit 0..9 among the pictures."""
        return (np.bincount(self.digits, minlength=10) / len(self.digits)).tolist()


@dataclass(frozen=True)
class Judge:
    """The trained classifier with its test accuracy, the training pictures' moments, and its reading of the test digits.

    `identity` tells judges apart: one trained on another machine measures in a slightly different feature space, and
    figures compare only within one.
    """

    network: Classifier
    accuracy: float
    reference: Moments
    held_out: Reading
    identity: str

    def read(self, images: Bytes) -> Reading:
        """Features, digits and confidences of uint8 pictures (N, 28, 28)."""
        return _read(self.network, _checked(images))


@torch.inference_mode()
def _read(network: Classifier, images: Bytes) -> Reading:
    network.eval()
    features = torch.cat([network(_as_input(images[at : at + 200])) for at in range(0, len(images), 200)])
    confidence, digits = network.head(features).softmax(1).max(1)
    return Reading(features.numpy(), digits.numpy(), confidence.numpy())


@_one_thread()
def _train(data: Mnist) -> Classifier:
    """A classifier trained on the training labels from a fixed seed, in a few minutes of one processor core."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(TRAIN_SEED)
        return _train_seeded(_as_input(data.train_images), torch.from_numpy(data.train_labels.astype(np.int64)))


def _train_seeded(pictures: Tensor, labels: Tensor) -> Classifier:
    network = Classifier()
    steps = EPOCHS * (len(pictures) // BATCH)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=steps)
    for epoch in range(EPOCHS):
        total, order = 0.0, torch.randperm(len(pictures))
        for rows in order[: len(order) // BATCH * BATCH].split(BATCH):
            # Dropout between features and head spreads the evidence over all features instead of a few.
            logits = network.head(functional.dropout(network(pictures[rows]), 0.3))
            loss = functional.cross_entropy(logits, labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        print(f"judge: epoch {epoch + 1}/{EPOCHS}, mean loss {total * EPOCHS / steps:.4f}", file=sys.stderr)
    return network.eval()


def cache_path(data: Mnist) -> Path:
    """Where the judge for this data and this version lives, whether or not it does yet."""
    root = Path(os.environ.get("GANWRIGHT_CACHE") or Path.home() / ".cache" / "ganwright")
    return root / "bench" / f"judge-v{JUDGE_VERSION}-{data.digest()}.safetensors"


def load_judge(mnist: Path | None = None) -> Judge:
    """The cached judge, trained and cached first where there is none for this data and version."""
    data = read_mnist(mnist)
    path = cache_path(data)
    if path.is_file():
        try:
            return _load(path)
        except (SafetensorError, KeyError, RuntimeError, ValueError) as error:
            print(f"judge: {path} is damaged ({error}); training anew", file=sys.stderr)
    print(f"judge: training the classifier once (minutes), to be kept as {path}", file=sys.stderr)
    network = _train(data)
    held_out = _read(network, data.test_images)
    accuracy = float((held_out.digits == data.test_labels).mean())
    if accuracy < REQUIRED_ACCURACY:
        raise JudgeError(f"the judge reads only {accuracy:.2%} of the test digits right; {REQUIRED_ACCURACY:.0%} is needed")
    _save(path, network, accuracy, Moments.of(_read(network, data.train_images).features), held_out)
    return _load(path)


def _save(path: Path, network: Classifier, accuracy: float, reference: Moments, held_out: Reading) -> None:
    tensors = {f"network.{name}": value.contiguous() for name, value in network.state_dict().items()}
    arrays = {"reference.mean": reference.mean, "reference.covariance": reference.covariance}
    arrays |= {f"held_out.{part}": value for part, value in vars(held_out).items()}
    tensors |= {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in arrays.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written beside and renamed, so that a bench starting meanwhile never reads half a judge.
    partial = path.with_suffix(f".{os.getpid()}.partial")
    save_file(tensors, partial, metadata={"version": str(JUDGE_VERSION), "test_accuracy": repr(accuracy)})
    partial.replace(path)


def _load(path: Path) -> Judge:
    with safe_open(path, framework="pt") as file:
        facts = file.metadata() or {}
        tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if facts.get("version") != str(JUDGE_VERSION):
        raise ValueError(f"version {facts.get('version')}, not {JUDGE_VERSION}")
    weights = {name.removeprefix("network."): value for name, value in tensors.items() if name.startswith("network.")}
    network = Classifier()
    network.load_state_dict(weights)
    arrays = {name: value.numpy() for name, value in tensors.items() if not name.startswith("network.")}
    return Judge(
        network=network.eval(),
        accuracy=float(facts["test_accuracy"]),
        reference=Moments(arrays["reference.mean"], arrays["reference.covariance"]),
        held_out=Reading(*(arrays[f"held_out.{part}"] for part in ("features", "digits", "confidence"))),
        identity=hashlib.sha256(b"".join(weights[name].numpy().tobytes() for name in sorted(weights))).hexdigest()[:12],
    )


@_one_thread()
def judge(images: Bytes, *, name: str = "pictures", seed: int = 0, referee: Judge | None = None) -> dict[str, object]:
    """The verdict on uint8 pictures (N, 28, 28), as the JSON line gives it; `referee` defaults to `load_judge()`."""
    referee = load_judge() if referee is None else referee
    started = time.monotonic()
    if len(_checked(images)) < MIN_PICTURES:
        raise JudgeError(f"{len(images)} pictures are too few to judge; {MIN_PICTURES} or more are needed")
    seen = referee.read(images)
    tests = len(referee.held_out.digits)
    # As many real digits as pictures, since a Frechet distance is the larger the fewer pictures it is taken from.
    rows = np.random.default_rng(seed).permutation(tests)[: len(images)]
    real = referee.held_out.features[rows]
    shares = seen.shares()
    protocol = (
        f"squared Frechet distance in the {FEATURES} penultimate features of an MNIST classifier (not Inception) between "
        f"all {len(images)} pictures and the 60,000 MNIST training pictures; floor is the same for {len(rows)} of the "
        f"{tests} MNIST test pictures drawn without replacement with seed {seed}; spreads are standard deviations over "
        f"{HALVES} random halves drawn without replacement; figures compare only at one n and one judge_id"
    )
    return {
        "name": name,
        "n": len(images),
        "frechet": round(frechet_of_moments(Moments.of(seen.features), referee.reference), 4),
        "frechet_spread": round(frechet_spread(seen.features, referee.reference, seed), 4),
        "floor": round(frechet_of_moments(Moments.of(real), referee.reference), 4),
        "floor_spread": round(frechet_spread(real, referee.reference, seed), 4),
        "digit_shares": [round(share, 4) for share in shares],
        "min_share": round(min(shares), 4),
        "max_share": round(max(shares), 4),
        "confidence": round(float(seen.confidence.mean()), 4),
        "floor_confidence": round(float(referee.held_out.confidence[rows].mean()), 4),
        "judge_accuracy": referee.accuracy,
        "judge_version": JUDGE_VERSION,
        "judge_id": referee.identity,
        "protocol": protocol,
        "machine": describe_machine(),
        "seconds": round(time.monotonic() - started, 2),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one JSON line on the pictures; 0 when judged or skipped for want of the default MNIST, 2 for a mistake."""
    parser = argparse.ArgumentParser(description="Judge pictures of digits with a classifier trained on MNIST.")
    parser.add_argument("pictures", type=Path, help="a folder of 28x28 grey PNGs, or an .npy of uint8 (N, 28, 28)")
    parser.add_argument("--mnist", type=Path, help="the folder of the four IDX .gz files; default ../shared/data/mnist")
    parser.add_argument("--name", help="how the line names these pictures; default their file's or folder's name")
    parser.add_argument("--seed", type=int, default=0, help="draws the real digits of the floor and the halves")
    options = parser.parse_args(arguments)
    name = options.name or options.pictures.resolve().name
    try:
        verdict = judge(read_pictures(options.pictures), name=name, seed=options.seed, referee=load_judge(options.mnist))
    except (JudgeError, OSError) as error:
        # A machine without the data skips; a folder that was asked for by name and is not there is a mistake.
        skipped = isinstance(error, MnistMissing) and options.mnist is None
        print(f"judge: {'skipped: ' if skipped else ''}{error}", file=sys.stderr)
        if skipped:
            print(json.dumps({"name": name, "skipped": str(error)}))
        return 0 if skipped else 2
    print(json.dumps(verdict))
    return 0


if __name__ == "__main__":
    sys.exit(main())
