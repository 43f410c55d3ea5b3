"""Sounds: words, beats, notes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from torch import Tensor

from ganwright.core.errors import DataError, UsageError
from ganwright.data.chunks import chunks
from ganwright.data.classes import Classes
from ganwright.data.decoding_workers import shared_workers
from ganwright.data.modalities.base import Codec, Modality, Packed, PillowImage, Progress
from ganwright.data.name_pattern import NamePattern
from ganwright.data.record import Record, Skipped
from ganwright.data.record_kind import Kind
from ganwright.data.report import too_few
from ganwright.data.sample_files import file_each
from ganwright.data.sound_fitting import HIGHEST_RATE, LOWEST_RATE, MOST_SAMPLES, SoundFault, SoundPolicy, fit_sound
from ganwright.data.sound_length import choose_size
from ganwright.data.sound_names import why_no_sound
from ganwright.data.sound_pictures import spectrogram_grid
from ganwright.data.sounds import FULL, Clip, in_a_row, to_sixteen_bits, wav_bytes
from ganwright.data.sources.base import Source
from ganwright.data.spec import Condition, DataSpec
from ganwright.data.spectrogram import Spectrogram
from ganwright.data.told import Told, parse_asked
from ganwright.data.told_kinds import Finder

CHILD = "ganwright.data.sound_decoding"
NO_SOUND = "array of several axes instead of a sound"
BANDS = 80
"""Of pitch, unasked: of 300 spoken digits a classifier lost 1 to 3 through 80 bands, 1 to 6 through 64, which are drawn
sooner, and none or 1 through all that there are."""
MOST_BANDS = 1024
AT_ONCE = 64
"""Sounds that are synthesised together, always: the arithmetic of a row may depend on how many there are."""
Representation = Literal["spectrogram", "waveform"]


class SoundCodec(Codec):
    """Sounds of one rate and length as int16 (samples,), with what is known of each.

    What is packed are samples; networks see them, or how loud each pitch is at each moment.
    """

    modality: ClassVar[str] = "sound"
    reads: ClassVar[Kind] = "sounds"
    default_recipe: str = "spectrogram"
    noun: ClassVar[str] = "sounds"
    suffixes: ClassVar[tuple[str, ...]] = (".wav",)
    heard: ClassVar[bool] = True
    tells_class: ClassVar[bool] = True

    def __init__(
        self,
        policy: SoundPolicy,
        looks: Spectrogram,
        representation: Representation = "spectrogram",
        label_from: str = "",
        told: Told | Classes | tuple[str, ...] = (),
        reason: str = "",
        notes: tuple[str, ...] = (),
    ) -> None:
        self.policy, self.looks, self.representation = policy, looks, representation
        self.label_from = label_from
        self.told = Told.of(told)
        self.reason, self.notes = reason, notes
        self._pattern = NamePattern(label_from) if label_from else None
        self.default_recipe = "spectrogram" if representation == "spectrogram" else "wavegan"
        shape = (1, looks.bands, looks.frames) if representation == "spectrogram" else (1, policy.samples)
        self._spec = DataSpec(representation, shape, "tanh")

    @property
    def spec(self) -> DataSpec:
        return self._spec

    @property
    def conditions(self) -> tuple[Condition, ...]:
        return self.told.conditions

    def pack(self, records: Sequence[Record]) -> Packed:
        """{"x": int16 (n, samples)} and what is known of them, by name; encoded recordings are decoded by children."""
        records, lacking = self.told.without_unknown(labelled(records, self._pattern))
        results: list[np.ndarray | str] = [record.fault for record in records]
        notes: Counter[str] = Counter()
        encoded, files = _encoded(records)
        task = {"do": "decode", "policy": asdict(self.policy)}
        for i, answer in zip(encoded, shared_workers(CHILD).run(task, files), strict=True):
            notes.update(answer.facts.get("notes", ()))
            results[i] = answer.fault or np.frombuffer(answer.content, np.int16)
        for i, record in enumerate(records):
            if isinstance(record.payload, np.ndarray) and not record.fault:
                results[i] = self._fit_array(record.payload, notes)
        usable = [i for i, result in enumerate(results) if not isinstance(result, str)]
        x = np.stack([results[i] for i in usable]) if usable else np.empty((0, self.policy.samples), np.int16)
        skipped = lacking + [Skipped(records[i].name, result) for i, result in enumerate(results) if isinstance(result, str)]
        kept = [records[i] for i in usable]
        return Packed({"x": x, **self.told.columns(kept)}, [record.name for record in kept], skipped, dict(notes))

    def expand(self, columns: Mapping[str, Tensor]) -> Tensor:
        """(B, 1, bands, frames), or (B, 1, samples), in -1..1."""
        waves = columns["x"].to(torch.float32).div_(FULL)
        return (self.looks.analyse(waves) if self.representation == "spectrogram" else waves).unsqueeze(1)

    def decode(self, x: Tensor) -> list[Clip]:
        samples = self._waves(x.detach().float().cpu()).numpy()
        return [Clip(each, self.policy.rate) for each in samples]

    def as_recorded(self, x: Tensor) -> Tensor:
        """What is heard of a sound once it is written, seen as networks see sounds: the phases found for it included."""
        packed = to_sixteen_bits(self._waves(x.detach().float().cpu()).numpy())
        return self.expand({"x": torch.from_numpy(packed)}).to(x.device)

    @property
    def measured_spec(self) -> DataSpec:
        """Always a spectrogram: so models of either representation are measured alike."""
        return DataSpec("spectrogram", (1, self.looks.bands, self.looks.frames), "tanh")

    def measured(self, x: Tensor) -> Tensor:
        return x if self.representation == "spectrogram" else self.looks.analyse(x[:, 0]).unsqueeze(1)

    def preview(self, objects: Sequence[Clip], columns: int, title: str = "") -> PillowImage.Image:
        if not objects:
            raise ValueError("no sounds to draw")
        waves = torch.from_numpy(np.stack([sound.samples for sound in objects]))
        return spectrogram_grid(self.looks.analyse(waves).numpy(), columns, title)

    def aloud(self, objects: Sequence[Clip]) -> bytes:
        return wav_bytes(in_a_row(objects)) if objects else b""

    def paths(self, folder: Path, first: int, count: int, suffix: str = "") -> list[Path]:
        return file_each(folder, first, count, suffix, self.suffixes, self.noun)

    def write(self, objects: Sequence[Clip], folder: Path, first: int, suffix: str = "") -> list[Path]:
        paths = self.paths(folder, first, len(objects), suffix)
        if paths:
            paths[0].parent.mkdir(parents=True, exist_ok=True)
        for sound, path in zip(objects, paths, strict=True):
            sound.save(path)
        return paths

    def describe(self) -> str:
        as_what = f"{self.looks.bands}x{self.looks.frames} spectrograms" if self.representation == "spectrogram" else "waves"
        return f"{self.policy.seconds:.3g} s at {self.policy.rate:,} Hz as {as_what}"

    def state(self) -> dict[str, Any]:
        own = {"bands": self.looks.bands, "frames": self.looks.frames, "hop": self.looks.hop}
        own |= {"representation": self.representation, "label_from": self.label_from}
        return {**asdict(self.policy), **own, **self.told.state()}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Self:
        values = dict(state)
        told = Told.taken_from(values)
        known = {*SoundPolicy.__dataclass_fields__, "bands", "frames", "hop", "representation", "label_from"}
        if set(values) != known or tensors:
            raise ValueError("not the state of a sound codec")
        for name in ("bands", "frames", "hop"):
            if type(values[name]) is not int or not 1 <= values[name] <= MOST_SAMPLES:
                raise ValueError(f"{name} must be a whole number in 1..{MOST_SAMPLES}")
        if values["bands"] > MOST_BANDS or values["representation"] not in ("spectrogram", "waveform"):
            raise ValueError("bands or representation beyond what there is")
        if not isinstance(values["label_from"], str):
            raise ValueError("label_from must be text")
        policy = SoundPolicy(values["rate"], values["samples"], values["volume"])
        looks = Spectrogram(values["frames"], values["bands"], values["hop"])
        if looks.samples != policy.samples:
            raise ValueError(f"{looks.frames} frames of {looks.hop} samples are not {policy.samples}")
        return cls(policy, looks, values["representation"], values["label_from"], told)

    def _waves(self, x: Tensor) -> Tensor:
        """(B, 1, ...) on the CPU to samples (B, samples) in -1..1; of silence, silence."""
        x = x.nan_to_num(-1 if self.representation == "spectrogram" else 0)[:, 0]
        if self.representation == "spectrogram":
            x = torch.cat([self.looks.synthesise(part) for part in x.split(AT_ONCE)]) if len(x) else x.new_empty(0, 0)
        return x.clamp(-1, 1)

    def _fit_array(self, payload: np.ndarray, notes: Counter[str]) -> np.ndarray | str:
        if payload.ndim != 1:
            return NO_SOUND
        try:
            samples, done = fit_sound([payload.astype(np.float32)[:, None]], self.policy.rate, self.policy, longer=False)
        except SoundFault as fault:
            return str(fault)
        notes.update(done)
        return samples


@dataclass(frozen=True)
class Sound(Modality):
    """Recordings, brought to one channel, one rate and one length."""

    codec: ClassVar[type[Codec]] = SoundCodec

    rate: int | None = None
    """Samples a second; by default what most recordings have. Of arrays it has to be said."""
    seconds: float | None = None
    """How long sounds are, rounded up to whole frames; by default long enough for nearly all, at most 2."""
    label_from: str = ""
    """Where in a file's name its label is, and what else is known: "{label}_{speaker}_*.wav"."""
    volume: Literal["even", "kept"] = "even"
    """even: every sound's peak is brought to one height; kept: it is as loud as it was recorded."""
    bands: int | None = None
    """Of pitch, in a spectrogram; by default 80, or what there is in a short one."""
    representation: Representation | None = None
    """What networks see: spectrograms, or the samples themselves; by default what the recipe is for."""
    dedupe: bool = False
    """Keep one of each set of recordings that are exactly the same."""
    conditions: tuple[str, ...] = ()
    """What is known of each recording is found out, but for what is said here: "speaker=none", "pitch=number"."""
    unlabelled: Literal["keep", "skip"] = "keep"
    """What is done about recordings of which something is not known; a conditional GAN cannot train on them."""

    def __post_init__(self) -> None:
        if self.rate is not None and not LOWEST_RATE <= self.rate <= HIGHEST_RATE:
            raise UsageError("E-CONFIG-04", f"rate must lie in {LOWEST_RATE}..{HIGHEST_RATE} Hz, not {self.rate}")
        if self.seconds is not None and not 0.02 <= self.seconds <= 60:
            raise UsageError("E-CONFIG-04", f"seconds must lie in 0.02..60, not {self.seconds:g}")
        if self.bands is not None and not 4 <= self.bands <= MOST_BANDS:
            raise UsageError("E-CONFIG-04", f"bands must lie in 4..{MOST_BANDS}, not {self.bands}")
        for name, known in (("volume", ("even", "kept")), ("unlabelled", ("keep", "skip"))):
            if getattr(self, name) not in known:
                raise UsageError("E-CONFIG-04", f"{name} must be {' or '.join(known)}, not {getattr(self, name)!r}")
        if self.representation not in (None, "spectrogram", "waveform"):
            what = f"representation must be spectrogram or waveform, not {self.representation!r}"
            raise UsageError("E-CONFIG-04", what)
        if self.label_from:
            NamePattern(self.label_from)
        parse_asked(self.conditions)

    @property
    def duplicates(self) -> Literal["ignore", "count", "drop"]:
        return "drop" if self.dedupe else "count"

    def fits(self, source: Source) -> bool:
        """Whether one of the first records is a file named like a recording."""
        if len(source) == 0:
            return source.noun == "sounds"
        return any(isinstance(each.payload, bytes) and not why_no_sound(each.name) for each in source.read(0, 8))

    def fit(self, source: Source, progress: Progress) -> SoundCodec:
        """The codec for the source's usable recordings, from the header of every one of them.

        Raises:
            DataError: no header of a usable recording, or no name like the pattern.
            UsageError: arrays, and nothing said of their rate.
        """
        shapes: Counter[tuple[int, int]] = Counter()
        told = Finder(parse_asked(self.conditions), self.unlabelled == "skip")
        pattern = NamePattern(self.label_from) if self.label_from else None
        skipped: list[Skipped] = []
        done, unlike, example = 0, 0, ""
        for records in chunks(source):
            usable: list[Record] = []
            for record, facts in zip(labelled(records, pattern), self._facts(records), strict=True):
                if isinstance(facts, str):
                    skipped.append(Skipped(record.name, facts))
                    continue
                shapes[facts] += 1
                usable.append(record)
                if pattern is not None and not record.conditions[pattern.names[0]]:
                    unlike, example = unlike + 1, example or record.name
            told.look(usable)
            done += len(records)
            progress("looking at sounds", done, len(source))
        if not shapes:
            raise too_few(source, SoundCodec.noun, 0, skipped)
        if unlike == shapes.total():
            what, hints = f"no name is like --label-from {self.label_from!r}", ('"{label}_*.wav" for seven_anna_3.wav',)
            raise DataError("E-LABEL-11", what, why=f"a name among the sounds: {example}", hints=hints)
        size = choose_size(shapes, self.rate, self.seconds)
        if size.frames * size.hop > MOST_SAMPLES:
            raise UsageError("E-CONFIG-04", f"{self.seconds:g} s at {size.rate:,} Hz are more than {MOST_SAMPLES:,} samples")
        bands = min(size.hop, self.bands or (BANDS if size.hop >= BANDS else max(size.hop // 16 * 16, 4)))
        known, notes = told.found()
        if self.bands is not None and self.bands > bands:
            notes = [*notes, f"{bands} bands instead of {self.bands}: there are no more pitches to tell apart at this rate"]
        if unlike:
            notes = [*notes, f"{unlike:,} with names unlike {self.label_from}, such as {example}"]
        if self.volume == "even":
            notes = [*notes, "each brought to the same peak (--volume kept leaves them as loud as they are)"]
        policy = SoundPolicy(size.rate, size.frames * size.hop, self.volume)
        looks = Spectrogram(size.frames, bands, size.hop)
        return SoundCodec(
            policy, looks, self.representation or "spectrogram", self.label_from, known, size.reason, tuple(notes)
        )

    def _facts(self, records: Sequence[Record]) -> list[tuple[int, int] | str]:
        """(rate, frames) of each record, or why it has none."""
        found: list[tuple[int, int] | str] = [record.fault for record in records]
        encoded, files = _encoded(records)
        for i, answer in zip(encoded, shared_workers(CHILD).run({"do": "probe"}, files), strict=True):
            found[i] = answer.fault or (answer.facts["rate"], answer.facts["frames"])
        for i, record in enumerate(records):
            if isinstance(record.payload, np.ndarray) and not record.fault:
                if self.rate is None:
                    raise UsageError(
                        "E-CONFIG-04", "how many samples a second do the arrays have?", hints=("Sound(rate=8000)",)
                    )
                found[i] = (self.rate, len(record.payload)) if record.payload.ndim == 1 else NO_SOUND
        return found


def labelled(records: Sequence[Record], pattern: NamePattern | None) -> Sequence[Record]:
    """The records with what their names tell, which has the last word."""
    if pattern is None:
        return records
    return [replace(record, conditions={**record.conditions, **pattern.facts(record.name)}) for record in records]


def _encoded(records: Sequence[Record]) -> tuple[list[int], list[tuple[bytes, str]]]:
    """The places of files among the records, and what a child is given of each: its content and its name."""
    whole = ((i, record.payload, record.name) for i, record in enumerate(records) if not record.fault)
    found = [(i, payload, name) for i, payload, name in whole if isinstance(payload, bytes)]
    return [i for i, _, _ in found], [(payload, name) for _, payload, name in found]
