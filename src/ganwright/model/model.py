"""What training leaves: something that makes new records, and may judge given ones."""

from __future__ import annotations

import copy
import io
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
import torch
from PIL import Image as PillowImage
from torch import Tensor, nn

from ganwright.core.errors import ModelFileError, UsageError
from ganwright.core.text import printable
from ganwright.data.blocks import KNOWN
from ganwright.data.modalities.base import Codec, Modality, Progress, no_progress
from ganwright.data.opening import open_source
from ganwright.data.preparation import prepare
from ganwright.data.spec import MAPS, Condition, DataSpec, first_class
from ganwright.data.tables.asking import wishes_of
from ganwright.data.tables.cells import Cells
from ganwright.evaluation.evaluate import FeaturesChoice, evaluate_beside
from ganwright.evaluation.result import Evaluation
from ganwright.model.conditions import Asked, one_row_a_class, sample_conditions
from ganwright.model.interpolation import Interpolation, first_told, key_noise
from ganwright.model.model_file import ModelContents, read_model, samples_seen, write_model
from ganwright.model.noise import AS_TRAINED, BLOCK, LatentChoice, draw_sample_noise
from ganwright.model.output import apply_output
from ganwright.model.rows import AskedRows, asked_rows, given_rows
from ganwright.model.samples import Drawn
from ganwright.model.verdicts import verdicts
from ganwright.model.wishes import ask, check_one_value
from ganwright.networks.base import UNCONDITIONED, Conditions, Discriminator, Distribution, Generator, NetworkFamily
from ganwright.runtime.allocator import keep_freed_memory
from ganwright.runtime.background import side_by_side
from ganwright.runtime.files import cache_root
from ganwright.runtime.keys import Key

Made = TypeVar("Made")
MOST_ATTEMPTS = 64
"""Of drawing a row as it was asked for."""
MOST_VALUES, MOST_WEIGHTS = 1 << 24, 1 << 23
"""Of all blocks that are made side by side, and of their generator; what is larger keeps all cores busy by itself."""
MOST_ROWS = 64
"""Classes that a picture with one row a class shows, unless more are asked for."""


class Model:
    """A generator with the codec that turns what it makes into natural objects.

    Sample i of a seed is the same however many are asked for: samples are always made in blocks of one size, whose places
    are fixed.
    """

    def __init__(self, contents: ModelContents, device: str = "cpu") -> None:
        keep_freed_memory()
        self.family: NetworkFamily = contents.family
        self.spec: DataSpec = contents.spec
        self.codec: Codec = contents.codec
        self.facts: dict[str, Any] = contents.facts
        self.device = device
        self.generator: Generator = contents.generator.to(device).eval()
        self.discriminator: Discriminator | None = contents.discriminator

    @classmethod
    def load(
        cls,
        path: str | Path,
        device: str = "cpu",
        *,
        generator: nn.Module | NetworkFamily | None = None,
        discriminator: nn.Module | NetworkFamily | None = None,
    ) -> Self:
        """The model in the file at `path`; of a user's own networks, `generator` is a module like the one trained.

        Raises:
            ModelFileError: the file is damaged, hostile, not a model, or its weights do not fit the modules.
        """
        return cls(read_model(Path(path), generator, discriminator), device)

    @property
    def bytes(self) -> int:
        """That the generator's weights take, and the discriminator's where there is one."""
        networks = [self.generator, *([self.discriminator] if self.discriminator is not None else [])]
        return sum(value.nbytes for network in networks for value in network.state_dict().values())

    def copy(self) -> Model:
        """The same with weights of its own, which nobody else changes."""
        generator, judge = copy.deepcopy(self.generator), copy.deepcopy(self.discriminator)
        return Model(ModelContents(self.family, self.spec, self.codec, generator, self.facts, judge), self.device)

    def save(self, path: str | Path, *, discriminator: bool = False) -> Path:
        """Write everything that sampling needs, and the discriminator if asked, to one file; gives back its path."""
        judge = self._judge() if discriminator else None
        contents = ModelContents(self.family, self.spec, self.codec, self.generator, self.facts, judge)
        write_model(Path(path), contents)
        return Path(path)

    def sample(
        self,
        n: int = 1,
        *,
        seed: int = 0,
        noise: Distribution | None = None,
        truncation: float = 1.0,
        where: Mapping[str, Any] | None = None,
        beyond: bool = False,
        **conditions: Any,
    ) -> Any:
        """`n` natural objects: a list of PIL pictures, or of `Clip`s (samples and rate) for a model of sounds; a
        DataFrame for one of tables.

        Args:
            n: how many.
            seed: which ones.
            noise: another distribution of the latent than in training.
            truncation: how far latents vary, above 0 and up to 1, in parts of how far they did in training: 0.7 gives more
                typical, less varied samples, and sample i stays recognisable.
            conditions: what they are to be: `label=7`, `age=30`, `labels=["hat", "glasses"]` or `hat=True`; or one value
                per sample: `label=["cat", "dog"]`. What is not said is as in records of the data of which the rest holds.
            where: what holds for all of them: {"age": (30, 40)} for a range, {"breed": ["siamese", "persian"]} for one of
                them; of rows, what their cells are to be: {"education": "Masters", "city": None for a missing cell}, where
                columns may be named as conditions too.
            beyond: numbers may be asked for that lie outside what the data had.

        Raises:
            UsageError: a condition or a value that the model does not know, or no row that is as asked for was found.
        """
        drawn = self.stream(n, seed=seed, noise=noise, truncation=truncation, where=where, beyond=beyond, **conditions)
        return self.codec.join(list(drawn))

    def stream(
        self,
        n: int,
        *,
        seed: int = 0,
        noise: Distribution | None = None,
        truncation: float = 1.0,
        where: Mapping[str, Any] | None = None,
        beyond: bool = False,
        **conditions: Any,
    ) -> Iterator[Any]:
        """The same `n` objects in blocks, so that any number fits in memory; see `sample`.

        Raises:
            ValueError: n is negative.
        """
        if n < 0:
            raise ValueError(f"n must not be negative, not {n}")
        latent = self._latent(noise, truncation)
        if self.codec.cells and (where or conditions):
            wishes = wishes_of({**(where or {}), **conditions})
            rows = asked_rows(self.codec, self.generator, wishes)
            return (
                self._asked_block(rows, start, min(n, start + self.generator.block), seed, latent)
                for start in self._starts(n)
            )
        asked = ask(self.spec.conditions, conditions, n, where, beyond)

        def make(start: int) -> Any:
            return self.codec.decode(self._block(start, seed, latent, asked)[: n - start])

        return self._made(make, n)

    def complete(self, data: Any, *, seed: int = 0) -> Any:
        """The rows of a table with what is not in them drawn: columns that are not there, and empty cells.

        Args:
            data: a table, as anything that `fit` takes, with some of the model's columns.
            seed: which of the possible rows.

        Raises:
            UsageError: the model draws no rows, or knows none of the columns.
            DataError: nothing there, or no table.
        """
        source = open_source(data)
        try:
            source.load(cache_root() / "data")
            cells = Cells.of(source.read(0, len(source)), source.columns)
            rows = given_rows(self.codec, self.generator, cells, seed)
        finally:
            source.close()
        parts: list[Any] = []
        for start in self._starts(len(rows.cells)):
            stop = min(len(rows.cells), start + self.generator.block)
            x = self._block(start, seed, AS_TRAINED, {}, {KNOWN: rows.told(start, stop, self.device)})
            parts.append(rows.restored(self.codec.decode(x), start))
        return self.codec.join(parts)

    def tensor(
        self, n: int, *, seed: int = 0, noise: Distribution | None = None, truncation: float = 1.0, **conditions: Any
    ) -> Tensor:
        """`n` samples as the networks see them, (n, *spec.shape) float32 on the CPU; see `sample`."""
        blocks = list(self.tensors(n, seed=seed, noise=noise, truncation=truncation, **conditions))
        return torch.cat(blocks) if blocks else torch.empty(0, *self.spec.shape)

    def tensors(
        self, n: int, *, seed: int = 0, noise: Distribution | None = None, truncation: float = 1.0, **conditions: Any
    ) -> Iterator[Tensor]:
        """The same in blocks, so that any number fits in memory."""
        return self._blocks(n, seed, self._latent(noise, truncation), ask(self.spec.conditions, conditions, n))

    def block(self, start: int, seed: int) -> Tensor:
        """The whole block of samples that begins at `start`, a multiple of its length, (generator.block, *spec.shape)."""
        return self._block(start, seed, AS_TRAINED, {})

    def evaluate(
        self,
        data: Any,
        *,
        n: int = 5_000,
        features: FeaturesChoice | None = None,
        held_out: Any = None,
        limit: int | None = None,
        modality: Modality | None = None,
        seed: int = 0,
        folder: str | Path | None = None,
        progress: Progress = no_progress,
        name: str = "model",
    ) -> Evaluation:
        """How good samples are beside real records: do they look real, cover the data, copy it?

        The records of `data` that were kept from training are found again, and are the floor: what real records would get.

        Args:
            data: what the model was trained on, as anything that `fit` takes.
            n: samples that are drawn; most figures depend on how many.
            features: what is compared: "random" (quick and coarse), "self" (learned from `data`, once), "encoded" (rows of
                a table as they are), "courses" (of series), "ngrams" (of texts), "inception" or "dinov2" (where their
                weights are on this machine); with settings, {"name": "dinov2", "weights": "folder/"}. By default "encoded"
                for tables, "courses" for series, "ngrams" for texts, and "self" for all else.
            held_out: real records that the model was not trained on, instead of those kept from training.
            limit: take that many records of `data`, as `fit` did with the same limit.
            modality: how the data were read in training, where duplicates were dropped: `Image(dedupe=True)`.
            seed: which samples, and every random choice.
            folder: evaluation.json, nearest.png, grid.png and report.html are written there.
            progress: told what is done, how far it is, and of how much.
            name: what the evaluation calls the model.

        Raises:
            DataError: nothing usable in `data`.
            UsageError: features that do not exist, or that cannot be had here.
        """
        dataset = prepare(data, modality, codec=self.codec, limit=limit, progress=progress)
        others = None if held_out is None else prepare(held_out, codec=self.codec, progress=progress)
        known = self.facts.get("data")
        return evaluate_beside(
            dataset,
            Drawn(self, n, seed),
            subject=name,
            held_out=others,
            facts=known if isinstance(known, dict) else None,
            samples_seen=samples_seen(self.facts),
            features=features,
            seed=seed,
            device=self.device,
            folder=folder,
            progress=progress,
        )

    def grid(
        self,
        rows: int | None = None,
        columns: int | None = None,
        *,
        seed: int = 0,
        title: str = "",
        by_class: bool = False,
        noise: Distribution | None = None,
        truncation: float = 1.0,
        where: Mapping[str, Any] | None = None,
        beyond: bool = False,
        **conditions: Any,
    ) -> PillowImage.Image:
        """rows x columns samples in one picture, 4 x 4 by default; with `by_class` one row a class, 8 in each: by default
        all classes, or the first 64.

        Raises:
            UsageError: as `sample`; `by_class` without classes, or with one of them asked for.
        """
        if by_class:
            rows, columns = rows or MOST_ROWS, columns or 8
            classes = one_row_a_class(self._classes(conditions, where or {}), rows, columns)
            count = len(next(iter(classes.values())).which)
            asked = ask(self.spec.conditions, conditions, count, where, beyond) | classes
        else:
            rows, columns = rows or 4, columns or 4
            count = rows * columns
            asked = ask(self.spec.conditions, conditions, count, where, beyond)
        blocks = self._blocks(count, seed, self._latent(noise, truncation), asked)
        objects = self.codec.join([self.codec.decode(block) for block in blocks])
        return self.codec.preview(objects, columns, title)

    def rows_by_class(self, rows: int | None = None, most: int | None = MOST_ROWS) -> tuple[str, ...]:
        """The classes that `grid(rows, by_class=True)` shows, from the top; with most=None all there are.

        Raises:
            UsageError: the model knows no classes.
        """
        return self._classes({}, {}).classes[: rows or most]

    def interpolate(
        self,
        n: int = 6,
        *,
        seed: int = 0,
        samples: Sequence[int] | None = None,
        seeds: Sequence[int] | None = None,
        frames: int = 24,
        loop: bool = False,
        noise: Distribution | None = None,
        truncation: float = 1.0,
        **conditions: Any,
    ) -> Interpolation:
        """Pictures on the way from sample to sample: something to iterate over, and to `.save("film.gif")`.

        Args:
            n: key samples, the first ones of the seed; or name them:
            samples: their numbers within the seed,
            seeds: or of which seeds to take the first sample each.
            frames: from one key sample to the next.
            loop: back to the first one.
            conditions: as for `sample`, one value for all frames; what is not said is that of the first key sample.

        Raises:
            UsageError: records that are no pictures, fewer than two key samples, or as `sample`.
        """
        if self.spec.kind != "image":
            hints = ("draw samples instead: ganwright sample",)
            raise UsageError("E-SAMPLE-16", f"{self.codec.noun} have nothing in between: films are of pictures", hints=hints)
        if frames < 1 or (seeds is not None and samples is not None):
            what = "give samples or seeds, not both" if frames >= 1 else f"frames must be at least 1, not {frames}"
            raise UsageError("E-SAMPLE-16", what)
        numbers = samples if samples is not None else range(n)
        where = [(each, 0) for each in seeds] if seeds is not None else [(seed, each) for each in numbers]
        keys, distribution = key_noise(self.generator, where, self._latent(noise, truncation))
        check_one_value(conditions)
        first_seed, number = where[0]
        start = number // BLOCK * BLOCK
        asked = ask(self.spec.conditions, conditions, start + BLOCK)
        told = first_told(sample_conditions(self.spec.conditions, start, start + BLOCK, first_seed, asked), number - start)
        return Interpolation(
            self.generator, self.spec, self.codec, self.device, keys, distribution, told, frames=frames, loop=loop
        )

    def score(self, data: Any) -> np.ndarray:
        """How real the trained discriminator takes each record of `data` to be: float32 (N,), high for real.

        A probability where the discriminator ends in a sigmoid, a logit otherwise; NaN for a record that cannot be read, or
        whose condition is not known. `data` is anything that `fit` takes.

        Raises:
            ModelFileError: the model was saved without its discriminator.
            DataError: nothing there, or nothing that the model's codec reads.
        """
        return verdicts(self._judge(), data, self.spec, self.codec, self.device)

    def _judge(self) -> Discriminator:
        if self.discriminator is None:
            hints = ("save it with save(path, discriminator=True)", "ganwright train ... --keep-discriminator")
            raise ModelFileError("E-MODEL-09", "this model was kept without its discriminator", hints=hints)
        return self.discriminator

    def _classes(self, given: Mapping[str, Any], where: Mapping[str, Any]) -> Condition:
        condition = first_class(self.spec.conditions)
        if condition is None:
            hints = ("train with conditional=True, or --conditional, on data with labels",)
            raise UsageError("E-SAMPLE-09", "this model knows no classes to give a row each", hints=hints)
        if given.get(condition.name) is not None or condition.name in where:
            raise UsageError("E-SAMPLE-09", "one row a class, and one class asked for: choose one of them")
        return condition

    def _latent(self, noise: Distribution | None, truncation: float) -> LatentChoice:
        if truncation != 1 and self.codec.cells:
            what = "rows of a table are not truncated: they would lose what is rare"
            raise UsageError("E-SAMPLE-15", what, hints=("leave truncation out",))
        return LatentChoice(noise, truncation)

    def _blocks(self, n: int, seed: int, latent: LatentChoice, asked: Asked) -> Iterator[Tensor]:
        """(<= generator.block, *shape) each, `n` rows in all."""
        return self._made(lambda start: self._block(start, seed, latent, asked)[: n - start], n)

    def _made(self, make: Callable[[int], Made], n: int) -> Iterator[Made]:
        """What `make` makes of each block's first number, in order.

        Small blocks are made side by side, each by a thread that computes alone, even where there is but one of them: so
        sample i does not depend on how many threads there are.
        """
        starts, threads = self._starts(n), torch.get_num_threads()
        values = self.generator.block * math.prod(self.spec.shape) * threads
        weights = sum(weight.numel() for weight in self.generator.parameters())
        small = self.spec.kind in MAPS and values <= MOST_VALUES and weights <= MOST_WEIGHTS
        if starts and threads > 1 and self.device == "cpu" and small and self.generator.reentrant:
            return side_by_side("ganwright-sampler", make, starts, min(threads, len(starts)))
        return map(make, starts)

    def _starts(self, n: int) -> range:
        return range(0, n, self.generator.block)

    def _asked_block(self, rows: AskedRows, start: int, stop: int, seed: int, latent: LatentChoice) -> Any:
        """Samples start..stop-1 as asked for: those that were not at first are drawn again, and at last made so."""
        length, found, left = self.generator.block, None, np.ones(stop - start, bool)
        for attempt in range(MOST_ATTEMPTS):
            key = Key(seed, step=start // length, turn="asked", repeat=attempt)
            told = {KNOWN: rows.told(key, length, self.device)}
            x = self._block(start, seed, latent, {}, told, attempt)[: stop - start]
            right = left & rows.fulfilled(self.codec.decode(x))
            found = x if found is None else torch.where(torch.from_numpy(right)[:, None], x, found)
            left &= ~right
            if not left.any():
                return self.codec.decode(found)
        assert found is not None
        key = Key(seed, step=start // length, turn="asked", repeat=MOST_ATTEMPTS)
        return rows.forced(self.codec.decode(found), left, key.generator("forced"))

    @torch.inference_mode()
    def _block(
        self,
        start: int,
        seed: int,
        latent: LatentChoice,
        asked: Asked,
        told: Conditions = UNCONDITIONED,
        attempt: int = 0,
    ) -> Tensor:
        inputs = latent.inputs(self.generator.noise)
        stop = start + self.generator.block
        drawn = latent.truncated(draw_sample_noise(inputs, start, stop, seed, attempt), inputs)
        conditions = {**sample_conditions(self.spec.conditions, start, stop, seed, asked), **told}
        count = min([len(value) for value in told.values()], default=stop - start)
        raw = self.generator(
            {name: value[:count].to(self.device) for name, value in drawn.items()},
            {name: value[:count].to(self.device) for name, value in conditions.items()},
        ).raw
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
        return printable(text)
