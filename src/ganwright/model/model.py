"""What training leaves: something that makes new records."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import torch
from PIL import Image as PillowImage
from torch import Tensor

from ganwright.data.modalities.base import Codec
from ganwright.data.spec import DataSpec
from ganwright.model.model_file import ModelContents, read_model, write_model
from ganwright.model.noise import BLOCK, draw_sample_noise
from ganwright.model.output import apply_output
from ganwright.networks.base import Generator, NetworkFamily


class Model:
    """A generator with the codec that turns what it makes into natural objects.

    Sample i of a seed is the same however many are asked for: samples are always made in blocks of one size, whose places
    are fixed.
    """

    def __init__(self, contents: ModelContents, device: str = "cpu") -> None:
        self.family: NetworkFamily = contents.family
        self.spec: DataSpec = contents.spec
        self.codec: Codec = contents.codec
        self.facts: dict[str, Any] = contents.facts
        self.device = device
        self.generator: Generator = contents.generator.to(device).eval()

    @classmethod
    def load(cls, path: str | Path, device: str = "cpu") -> Self:
        """The model in the file at `path`.

        Raises:
            ModelFileError: the file is damaged, hostile or not a model.
        """
        return cls(read_model(Path(path)), device)

    def save(self, path: str | Path) -> Path:
        """Write everything that sampling needs to one file; gives back its path."""
        write_model(Path(path), ModelContents(self.family, self.spec, self.codec, self.generator, self.facts))
        return Path(path)

    def sample(self, n: int = 1, *, seed: int = 0) -> list[Any]:
        """`n` natural objects: PIL pictures for a model of pictures."""
        return [item for block in self.stream(n, seed=seed) for item in block]

    def stream(self, n: int, *, seed: int = 0) -> Iterator[list[Any]]:
        """The same `n` objects in blocks, so that any number fits in memory.

        Raises:
            ValueError: n is negative.
        """
        if n < 0:
            raise ValueError(f"n must not be negative, not {n}")
        for start in range(0, n, BLOCK):
            yield self.codec.decode(self._block(start, seed)[: n - start])

    def tensor(self, n: int, *, seed: int = 0) -> Tensor:
        """`n` samples as the networks see them, (n, *spec.shape) float32 on the CPU."""
        blocks = [self._block(start, seed) for start in range(0, n, BLOCK)]
        return torch.cat(blocks)[:n] if blocks else torch.empty(0, *self.spec.shape)

    def grid(self, rows: int = 4, columns: int = 4, *, seed: int = 0) -> PillowImage.Image:
        """rows x columns samples in one picture."""
        return self.codec.preview(self.sample(rows * columns, seed=seed), columns)

    @torch.inference_mode()
    def _block(self, start: int, seed: int) -> Tensor:
        noise = draw_sample_noise(self.generator.noise, start, start + BLOCK, seed)
        raw = self.generator({name: value.to(self.device) for name, value in noise.items()}).raw
        return apply_output(self.spec, raw.float()).cpu()

    def _repr_png_(self) -> bytes:
        """What a notebook shows: sixteen samples."""
        buffer = io.BytesIO()
        self.grid(2, 8).save(buffer, format="PNG")
        return buffer.getvalue()

    def __repr__(self) -> str:
        data = self.facts.get("data")
        recipe, records = self.facts.get("recipe", "?"), data.get("records", "?") if isinstance(data, dict) else "?"
        text = f"<Model {self.codec.describe()}, recipe {recipe}, trained on {records} records>"
        # A stranger's file must not steer the terminal.
        return "".join(letter if letter.isprintable() else "?" for letter in text)
