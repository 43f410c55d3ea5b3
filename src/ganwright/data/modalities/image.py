"""Pictures: photos, drawings, digits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from numbers import Integral
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from PIL import Image as PillowImage
from torch import Tensor

from ganwright.core.errors import UsageError
from ganwright.data.chunks import chunks
from ganwright.data.classes import Classes
from ganwright.data.decoding_workers import shared_workers
from ganwright.data.image_size import COLOURS, ChosenSize, choose_channels, choose_size
from ganwright.data.modalities.base import Codec, Modality, Packed, Progress
from ganwright.data.ownership import PICTURES, save_picture
from ganwright.data.picture_decoding import LONGEST_SIDE, PicturePolicy
from ganwright.data.picture_fitting import BACKGROUNDS, fit_picture
from ganwright.data.picture_names import why_no_picture
from ganwright.data.pictures import picture_grid
from ganwright.data.record import Record, Skipped
from ganwright.data.record_kind import Kind
from ganwright.data.report import too_few
from ganwright.data.sample_files import file_each
from ganwright.data.sources.base import Source
from ganwright.data.spec import Condition, DataSpec
from ganwright.data.told import Told, parse_asked
from ganwright.data.told_kinds import Finder
from ganwright.runtime.cores import usable_cores

NO_PICTURE = "row of numbers instead of a picture"
MOST_WRITERS = 8
"""Threads that compress pictures; beyond them a disk has its say."""
ARRAY_COLOURS = {1: "grey", 3: "colour", 4: "alpha"}


class ImageCodec(Codec):
    """Pictures of one size as uint8 (H, W, C), with what is known of each: its class, its labels, numbers."""

    modality: ClassVar[str] = "image"
    reads: ClassVar[Kind] = "pictures"
    default_recipe: str = "dcgan"
    noun: ClassVar[str] = "pictures"
    suffixes: ClassVar[tuple[str, ...]] = tuple(PICTURES)

    def __init__(
        self,
        policy: PicturePolicy,
        told: Told | Classes | tuple[str, ...] = (),
        reason: str = "",
        notes: tuple[str, ...] = (),
    ) -> None:
        self.policy = policy
        self.told = Told.of(told)
        self.reason, self.notes = reason, notes
        self._spec = DataSpec("image", (policy.channels, policy.height, policy.width), "tanh")

    @property
    def spec(self) -> DataSpec:
        return self._spec

    @property
    def conditions(self) -> tuple[Condition, ...]:
        return self.told.conditions

    def pack(self, records: Sequence[Record]) -> Packed:
        """{"x": uint8 (n, H, W, C)} and what is known of them, by name; encoded pictures are decoded by children."""
        records, lacking = self.told.without_unknown(records)
        results: list[np.ndarray | str] = [record.fault for record in records]
        notes: Counter[str] = Counter()
        encoded = [i for i, record in enumerate(records) if not record.fault and isinstance(record.payload, bytes)]
        self._decode(records, encoded, results, notes)
        arrays = [i for i, record in enumerate(records) if not record.fault and not isinstance(record.payload, bytes)]
        if len(arrays) == len(records) and self._are_ready(records):
            x = np.stack([np.asarray(record.payload) for record in records]).reshape(len(records), *self._pixels_shape)
            return Packed({"x": x, **self.told.columns(records)}, [record.name for record in records], lacking)
        for i in arrays:
            results[i] = self._fit_array(np.asarray(records[i].payload), notes)
        usable = [i for i, result in enumerate(results) if not isinstance(result, str)]
        x = np.stack([results[i] for i in usable]) if usable else np.empty((0, *self._pixels_shape), np.uint8)
        skipped = lacking + [Skipped(records[i].name, result) for i, result in enumerate(results) if isinstance(result, str)]
        kept = [records[i] for i in usable]
        return Packed({"x": x, **self.told.columns(kept)}, [record.name for record in kept], skipped, dict(notes))

    def expand(self, columns: Mapping[str, Tensor]) -> Tensor:
        """(B, C, H, W) in -1..1, in torch.channels_last order, as convolutions like it."""
        return columns["x"].to(torch.float32).div_(127.5).sub_(1).permute(0, 3, 1, 2)

    def decode(self, x: Tensor) -> list[PillowImage.Image]:
        pixels = x.detach().float().nan_to_num(0).clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8)
        array = pixels.permute(0, 2, 3, 1).contiguous().cpu().numpy()
        return [PillowImage.fromarray(picture[..., 0] if self.policy.channels == 1 else picture) for picture in array]

    def as_recorded(self, x: Tensor) -> Tensor:
        """Rounded to whole pixel values."""
        return x.clamp(-1, 1).add(1).mul(127.5).round().div(127.5).sub(1)

    def preview(self, objects: Sequence[PillowImage.Image], columns: int, title: str = "") -> PillowImage.Image:
        return picture_grid(objects, columns, title)

    def paths(self, folder: Path, first: int, count: int, suffix: str = "") -> list[Path]:
        paths = file_each(folder, first, count, suffix, self.suffixes, self.noun)
        if self.policy.channels == 4 and any(PICTURES[path.suffix.lower()] == "JPEG" for path in paths):
            hints = ("write .png files", "or train with channels=3, which draws transparent pictures on white")
            raise UsageError("E-SAMPLE-07", "JPEG files cannot hold transparency, which these pictures have", hints=hints)
        return paths

    def write(self, objects: Sequence[PillowImage.Image], folder: Path, first: int, suffix: str = "") -> list[Path]:
        paths = self.paths(folder, first, len(objects), suffix)
        if paths:
            paths[0].parent.mkdir(parents=True, exist_ok=True)
        count = min(MOST_WRITERS, usable_cores())

        def write_some(place: int) -> None:
            for picture, path in zip(objects[place::count], paths[place::count], strict=True):
                save_picture(picture, path, quickly=True)

        with ThreadPoolExecutor(count) as writers:
            for _ in writers.map(write_some, range(count)):
                pass  # an error is raised here
        return paths

    def describe(self) -> str:
        return f"{self.policy.width}x{self.policy.height} {COLOURS[self.policy.channels]}"

    def state(self) -> dict[str, Any]:
        return {**asdict(self.policy), **self.told.state()}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Self:
        values = dict(state)
        told = Told.taken_from(values)
        if set(values) != set(PicturePolicy.__dataclass_fields__) or tensors:
            raise ValueError("not the state of a picture codec")
        for name in ("height", "width", "min_side"):
            if type(values[name]) is not int or not 1 <= values[name] <= LONGEST_SIDE:
                raise ValueError(f"{name} must be a whole number in 1..{LONGEST_SIDE}")
        if type(values["channels"]) is not int or values["channels"] not in COLOURS:
            raise ValueError("channels must be 1, 3 or 4")
        if not isinstance(values["background"], str) or values["background"] not in BACKGROUNDS:
            raise ValueError(f"background must be one of {', '.join(BACKGROUNDS)}")
        return cls(PicturePolicy(**values), told)

    @property
    def _pixels_shape(self) -> tuple[int, int, int]:
        return self.policy.height, self.policy.width, self.policy.channels

    def _are_ready(self, records: Sequence[Record]) -> bool:
        """Whether all payloads are arrays that need no change."""
        height, width, channels = self._pixels_shape
        shapes = {record.payload.shape for record in records if isinstance(record.payload, np.ndarray)}
        ready = {(height, width, channels)} | ({(height, width)} if channels == 1 else set())
        return channels != 4 and shapes <= ready and min(height, width) >= self.policy.min_side

    def _decode(
        self, records: Sequence[Record], which: Sequence[int], results: list[np.ndarray | str], notes: Counter[str]
    ) -> None:
        pictures = [(_content(records[i]), records[i].name) for i in which]
        task = {"do": "decode", "policy": asdict(self.policy)}
        for i, answer in zip(which, shared_workers().run(task, pictures), strict=True):
            notes.update(answer.facts.get("notes", ()))
            pixels = np.frombuffer(answer.content, np.uint8)
            results[i] = answer.fault or pixels.reshape(self._pixels_shape)

    def _fit_array(self, array: np.ndarray, notes: Counter[str]) -> np.ndarray | str:
        if array.ndim not in (2, 3):
            return NO_PICTURE
        if min(array.shape[:2]) < self.policy.min_side:
            return f"smaller than {self.policy.min_side} px"
        done: list[str] = []
        picture = PillowImage.fromarray(array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array)
        height, width, channels = self._pixels_shape
        pixels = fit_picture(picture, height, width, channels, self.policy.background, done)
        notes.update(done)
        return pixels


@dataclass(frozen=True)
class Image(Modality):
    """Pictures, brought to one size and one number of channels."""

    codec: ClassVar[type[Codec]] = ImageCodec
    decodes_twice: ClassVar[bool] = True

    size: tuple[int, int] | int | None = None
    """(height, width), or one number for a square, in pixels; by default chosen from the pictures, at most 128."""
    channels: Literal[1, 3, 4] | None = None
    """1 for grey, 3 for colour, 4 for colour with transparency; by default what most pictures are."""
    background: Literal["white", "black", "grey"] = "white"
    """What transparent pictures are drawn on, unless transparency is kept (4 channels)."""
    min_side: int = 8
    """Pictures with a shorter side than this are skipped; pixels."""
    usual_size: tuple[int, int] | None = None
    """(height, width) of large or differing pictures, instead of 64 px, where `size` says nothing: that of a model to go on
    from."""
    dedupe: bool = False
    """Keep one of each set of pictures that are exactly the same once resized."""
    conditions: tuple[str, ...] = ()
    """What is known of each picture is found out, but for what is said here: "age=number", "breed=class", "angle=degrees",
    "smiling,glasses=labels", "id=none"."""
    unlabelled: Literal["keep", "skip"] = "keep"
    """What is done about pictures of which something is not known; a conditional GAN cannot train on them."""

    def __post_init__(self) -> None:
        if isinstance(self.size, Integral):
            object.__setattr__(self, "size", int(self.size))  # of a number of NumPy's, too
        sides: Any = (self.size, self.size) if isinstance(self.size, int) else self.size or (8, 8)
        if isinstance(sides, str) or len(sides) != 2 or not all(isinstance(side, Integral) for side in sides):
            raise UsageError("E-CONFIG-04", f"size must be a side, or (height, width), in pixels, not {self.size!r}")
        if not all(4 <= side <= 4096 for side in sides):
            raise UsageError("E-CONFIG-04", f"size must lie in 4..4096 px, not {self.size}")
        if self.usual_size is not None and not all(4 <= side <= 4096 for side in self.usual_size):
            raise UsageError("E-CONFIG-04", f"usual_size must lie in 4..4096 px, not {self.usual_size}")
        if self.channels not in (None, 1, 3, 4):
            raise UsageError("E-CONFIG-04", f"channels must be 1, 3 or 4, not {self.channels}")
        if self.background not in BACKGROUNDS:
            raise UsageError("E-CONFIG-04", f"background must be one of {', '.join(BACKGROUNDS)}, not {self.background!r}")
        if not 1 <= self.min_side <= LONGEST_SIDE:
            raise UsageError("E-CONFIG-04", f"min_side must lie in 1..{LONGEST_SIDE} px, not {self.min_side}")
        if self.unlabelled not in ("keep", "skip"):
            raise UsageError("E-CONFIG-04", f"unlabelled must be keep or skip, not {self.unlabelled!r}")
        parse_asked(self.conditions)

    @property
    def duplicates(self) -> Literal["ignore", "count", "drop"]:
        return "drop" if self.dedupe else "count"

    def fits(self, source: Source) -> bool:
        """Whether the first readable record is an array of pixels or a file named like a picture."""
        for record in source.read(0, 8):
            if isinstance(record.payload, np.ndarray):
                return record.payload.ndim in (2, 3) and record.payload.dtype == np.uint8
            if not why_no_picture(record.name):
                return True
        return len(source) == 0 and source.noun == "pictures"

    def fit(self, source: Source, progress: Progress) -> ImageCodec:
        """The codec for the source's usable pictures, from the header of every one of them.

        What they will be turned into is guessed from those so far. Pictures are decoded so at once, and remembered by the
        source while it has room, so that they need not be read again.

        Raises:
            DataError: no header of a usable picture.
        """
        shapes: Counter[tuple[int, int]] = Counter()
        colours: Counter[str] = Counter()
        told = Finder(parse_asked(self.conditions), self.unlabelled == "skip")
        skipped: list[Skipped] = []
        guess: PicturePolicy | None = None
        room = True
        done = 0
        for records in chunks(source):
            usable: list[Record] = []
            looked = _looked_at(records, guess if room else None)
            for place, (record, (facts, ready)) in enumerate(zip(records, looked, strict=True), done):
                if not isinstance(facts, str) and min(facts[:2]) < self.min_side:
                    facts = f"smaller than {self.min_side} px"
                if isinstance(facts, str):
                    skipped.append(Skipped(record.name, facts))
                    source.remember(place, replace(record, payload=b"", fault=facts))  # it may have killed its decoder
                    continue
                height, width, colour = facts
                shapes[height, width] += 1
                colours[colour] += 1
                usable.append(record)
                if guess is not None and ready:
                    pixels = np.frombuffer(ready, np.uint8).reshape(guess.height, guess.width, guess.channels)
                    room = source.remember(place, replace(record, payload=pixels))
            told.look(usable)
            if shapes and room:
                better = self._policy(choose_size(shapes, self.size, self.usual_size), colours)
                if better != guess:
                    source.forget()
                guess = better
            done += len(records)
            progress("looking at pictures", done, len(source))
        if not shapes:
            raise too_few(source, ImageCodec.noun, 0, skipped)
        size = choose_size(shapes, self.size, self.usual_size)
        policy = self._policy(size, colours)
        if policy != guess:
            source.forget()
        known, notes = told.found()
        return ImageCodec(policy, known, size.reason, tuple(notes))

    def _policy(self, size: ChosenSize, colours: Mapping[str, int]) -> PicturePolicy:
        channels = self.channels or choose_channels(colours)
        return PicturePolicy(size.height, size.width, channels, self.background, self.min_side)


def _content(record: Record) -> bytes:
    """Of an encoded picture."""
    assert isinstance(record.payload, bytes)
    return record.payload


def _looked_at(records: Sequence[Record], policy: PicturePolicy | None) -> list[tuple[tuple[int, int, str] | str, bytes]]:
    """(height, width, colour) of each record, or why it has none; and of encoded ones the pixels as `policy` wants them."""
    task = {"do": "probe"} | ({"policy": asdict(policy)} if policy is not None else {})
    encoded = [record for record in records if not record.fault and isinstance(record.payload, bytes)]
    answers = iter(shared_workers().run(task, [(_content(record), record.name) for record in encoded]))
    found: list[tuple[tuple[int, int, str] | str, bytes]] = []
    for record in records:
        if not record.fault and isinstance(record.payload, bytes):
            answer = next(answers)
            facts = answer.facts
            found.append((answer.fault or (facts["height"], facts["width"], facts["colour"]), answer.content))
        else:
            found.append((record.fault or _facts_of(record.payload), b""))
    return found


def _facts_of(payload: bytes | np.ndarray | str) -> tuple[int, int, str] | str:
    """Of an array of pixels, or why it is none."""
    if not isinstance(payload, np.ndarray) or payload.ndim not in (2, 3):
        return NO_PICTURE
    height, width, *channels = payload.shape
    return height, width, ARRAY_COLOURS[channels[0]] if channels else "grey"
