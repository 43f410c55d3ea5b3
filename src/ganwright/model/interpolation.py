"""Samples on the way from one sample to the next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image as PillowImage
from torch import Tensor
from torch.nn.functional import cosine_similarity

from ganwright.core.errors import UsageError
from ganwright.data.films import FASTEST, FILMS, write_film
from ganwright.data.modalities.base import Codec
from ganwright.data.ownership import PICTURES, save_picture
from ganwright.data.spec import DataSpec
from ganwright.features.random import of_pictures
from ganwright.model.noise import LATENT, LatentChoice, draw_sample_noise
from ganwright.model.output import apply_output
from ganwright.networks.base import Distribution, Generator

MOST_IN_A_GRID = 10_000
LEAST_SINE = 1e-4


@dataclass(frozen=True)
class Film:
    """What was written of a way."""

    files: list[Path]
    frames: int
    largest_step_over_median: float | None
    """How even the way is: the largest change from frame to frame over the median one, in random features."""


@dataclass(frozen=True)
class Interpolation:
    """Pictures on a way through key samples; it is walked along anew whenever it is asked for, a block at a time."""

    generator: Generator
    spec: DataSpec
    codec: Codec
    device: str
    keys: dict[str, Tensor]
    """The noise of the key samples, (K, *shape) per input; of inputs beside the latent only the first is used."""
    distribution: Distribution
    """Of the latent: it says what lies between two of them."""
    conditions: dict[str, Tensor]
    """What all frames are told, (1,) each."""
    frames: int
    """From one key sample to the next."""
    loop: bool
    """Whether it leads back to the first."""

    @property
    def legs(self) -> int:
        """Ways from one key sample to the next."""
        return len(self.keys[LATENT]) - (not self.loop)

    def __len__(self) -> int:
        return self.legs * self.frames + (not self.loop)

    def __iter__(self) -> Iterator[PillowImage.Image]:
        for block in self.tensors():
            yield from self.codec.decode(block)

    def latents(self, start: int, stop: int) -> Tensor:
        """Of frames start..stop-1, (stop - start, *shape)."""
        keys, numbers = self.keys[LATENT], torch.arange(start, stop)
        before, part = numbers // self.frames, (numbers % self.frames).double() / self.frames
        one, other = keys[before % len(keys)], keys[(before + 1) % len(keys)]
        between = straight if self.distribution == "uniform" else spherical
        return between(one.flatten(1), other.flatten(1), part[:, None]).view_as(one)

    @torch.inference_mode()
    def tensors(self) -> Iterator[Tensor]:
        """Frames as the networks see them, in blocks (<= generator.block, *spec.shape) float32 on the CPU."""
        length = self.generator.block
        details = {name: value[:1].expand(length, *value.shape[1:]) for name, value in self.keys.items()}
        told = {name: value.expand(length, *value.shape[1:]).to(self.device) for name, value in self.conditions.items()}
        for start in range(0, len(self), length):
            # Whole blocks always: the arithmetic of a frame may depend on how many there are.
            noise = {**details, LATENT: self.latents(start, start + length)}
            raw = self.generator({name: value.to(self.device) for name, value in noise.items()}, told).raw
            yield apply_output(self.spec, raw.float()).cpu()[: len(self) - start]

    def largest_step_over_median(self) -> float:
        """The largest change from frame to frame over the median one, in random features: 1 where all are alike."""
        steps = _Steps(self)
        for block in self.tensors():
            steps.see(block)
        return steps.ratio()

    def grid(self, title: str = "") -> PillowImage.Image:
        """One picture with a row for each leg, from key sample to key sample.

        Raises:
            UsageError: more frames than a picture has room for.
        """
        if self.legs * (self.frames + 1) > MOST_IN_A_GRID:
            hints = ("fewer --frames", "-o film.gif", "-o frames/")
            raise UsageError("E-SAMPLE-16", f"{len(self):,} frames are too many for one picture", hints=hints)
        frames = list(self)
        frames += frames[:1] if self.loop else []
        rows = [frames[leg * self.frames : (leg + 1) * self.frames + 1] for leg in range(self.legs)]
        return self.codec.preview([frame for row in rows for frame in row], self.frames + 1, title)

    def save(self, path: str | Path, *, fps: float = 24, measure: bool = False) -> Film:
        """Write it as what the name of `path` says: a film (.gif, .webp), a picture of all frames (.png, .jpg), or a folder
        with a file for each frame. What lies there already is written over.

        Args:
            fps: frames a second of a film.
            measure: how even it is, too.

        Raises:
            UsageError: another ending, or a film that is too slow or too fast.
            OSError: the disk refuses.
        """
        target = Path(path)
        check_film(target, fps)
        steps = _Steps(self) if measure else None
        if target.suffix.lower() in PICTURES:
            target.parent.mkdir(parents=True, exist_ok=True)
            save_picture(self.grid(), target)
            return Film([target], len(self), self.largest_step_over_median() if measure else None)
        if target.suffix.lower() in FILMS:
            target.parent.mkdir(parents=True, exist_ok=True)
            write_film((frame for block in self._seen(steps) for frame in self.codec.decode(block)), target, fps)
            return Film([target], len(self), steps.ratio() if steps else None)
        files: list[Path] = []
        for block in self._seen(steps):
            files += self.codec.write(self.codec.decode(block), target, len(files))
        return Film(files, len(files), steps.ratio() if steps else None)

    def _seen(self, steps: _Steps | None) -> Iterator[Tensor]:
        for block in self.tensors():
            if steps is not None:
                steps.see(block)
            yield block


class _Steps:
    """How far each frame is from the one before, while they pass by."""

    def __init__(self, way: Interpolation) -> None:
        self._loop = way.loop
        self._extractor = of_pictures((way.spec.shape[0], way.spec.shape[1], way.spec.shape[2]))
        self._first: Tensor | None = None
        self._last: Tensor | None = None
        self._lengths: list[np.ndarray] = []

    def see(self, block: Tensor) -> None:
        """The next frames, (B, C, H, W)."""
        features = self._extractor.extract([block])
        self._first = features[:1] if self._first is None else self._first
        self._add(features if self._last is None else torch.cat([self._last, features]))
        self._last = features[-1:]

    def ratio(self) -> float:
        """The largest over the median."""
        if self._loop and self._first is not None and self._last is not None:
            self._add(torch.cat([self._last, self._first]))
            self._first = None
        lengths = np.concatenate(self._lengths) if self._lengths else np.zeros(1)
        largest, median = float(lengths.max(initial=0.0)), float(np.median(lengths)) if len(lengths) else 0.0
        return largest / median if median > 0 else 1.0 if largest == 0 else float("inf")

    def _add(self, features: Tensor) -> None:
        self._lengths.append(features.diff(dim=0).norm(dim=1).numpy())


def key_noise(
    generator: Generator, samples: Sequence[tuple[int, int]], latent: LatentChoice
) -> tuple[dict[str, Tensor], Distribution]:
    """The noise of samples (seed, number), one row each, and what their latents are drawn from.

    Raises:
        UsageError: fewer than two samples, or a generator that takes no latent.
    """
    inputs = latent.inputs(generator.noise)
    if LATENT not in inputs:
        raise UsageError("E-SAMPLE-16", "this generator takes no latent that could lie between two others")
    if len(samples) < 2:
        hints = ("-n 6", "--seeds 1,5,9", "--samples 0,3,12")
        raise UsageError("E-SAMPLE-16", f"a way needs two samples at least, not {len(samples)}", hints=hints)
    if any(number < 0 for _, number in samples):
        raise UsageError("E-SAMPLE-16", "samples are numbered from 0")
    drawn = [latent.truncated(draw_sample_noise(inputs, number, number + 1, seed), inputs) for seed, number in samples]
    return {name: torch.cat([each[name] for each in drawn]) for name in inputs}, inputs[LATENT].distribution


def check_film(path: Path, fps: float) -> None:
    """Raise UsageError where `Interpolation.save` would refuse."""
    known = (*FILMS, *PICTURES)
    if path.suffix and path.suffix.lower() not in known and not path.is_dir():
        hints = (f"-o film with one of {', '.join(known)}", "-o frames/ for a file each")
        raise UsageError("E-SAMPLE-16", f"a way is not written as {path.suffix}", hints=hints)
    if not 0 < fps <= FASTEST:
        raise UsageError("E-SAMPLE-16", f"fps must lie above 0 and up to {FASTEST}, not {fps:g}", hints=("--fps 24",))


def straight(one: Tensor, other: Tensor, part: Tensor) -> Tensor:
    """(N, D) between two (N, D), at parts (N, 1) of the way in 0..1: stays within a cube."""
    return ((1 - part) * one.double() + part * other.double()).to(one.dtype)


def spherical(one: Tensor, other: Tensor, part: Tensor) -> Tensor:
    """The same on a great arc (Shoemake 1985, doi:10.1145/325334.325242).

    Normal vectors of many values are about equally long; halfway on the straight line they would be shorter than any that
    the generator has been given (White 2016, arXiv:1609.04468, section 2.1).
    """
    a, b = one.double(), other.double()
    angle = cosine_similarity(a, b)[:, None].clamp(-1, 1).acos()
    sine = angle.sin()
    arc = (((1 - part) * angle).sin() * a + (part * angle).sin() * b) / sine.clamp(min=LEAST_SINE)
    # Parallel vectors have no arc of their own.
    return torch.where(sine > LEAST_SINE, arc, (1 - part) * a + part * b).to(one.dtype)


def first_told(conditions: Mapping[str, Tensor], number: int) -> dict[str, Any]:
    """What sample `number` of these is told, (1, ...) each."""
    return {name: value[number : number + 1] for name, value in conditions.items()}
