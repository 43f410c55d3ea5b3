"""Texts: lines, captions, names, windows of a long text; in any script."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, get_args

import numpy as np
import torch
from PIL import Image as PillowImage
from torch import Tensor

from ganwright.core.errors import UsageError
from ganwright.data.chunks import chunks
from ganwright.data.modalities.base import Codec, Modality, Packed, Progress
from ganwright.data.ownership import mark
from ganwright.data.record import Record, Skipped
from ganwright.data.record_kind import Kind
from ganwright.data.report import too_few
from ganwright.data.sample_files import one_file
from ganwright.data.sources.base import Source
from ganwright.data.spec import Condition, DataSpec
from ganwright.data.texts.drawing import lines_picture
from ganwright.data.texts.lines import Texts, Unit
from ganwright.data.texts.vocabulary import CHUNK, MOST_SYMBOLS, Vocabulary, learn_characters, learn_pieces
from ganwright.data.texts.writing import append_lines, one_line

Symbols = Literal["auto", "characters", "pieces"]
MOST_CHARACTERS = 1024
"""Different ones, where nobody said."""
PIECES = 512
"""Of pieces, likewise: captions of 53 characters come to 18 of them, and to 15 of 1,024, where a step takes longer."""
LONG = 48
"""Characters of a usual line above which it is drawn in pieces: a recurrent network takes as many steps as there are
symbols, and forgets."""
MOST_LENGTH = 128
"""Symbols of a record, where nobody said."""
LONGEST = 4096
SHARE_WITHIN = 0.99
"""Of the records, that the length is chosen for."""
SPACED = 0.05
"""Share of blanks in a text whose words stand apart."""


class TextCodec(Codec):
    """Texts as symbols' numbers, ended and filled up with 0: uint16 (n, L)."""

    modality: ClassVar[str] = "text"
    reads: ClassVar[Kind] = "texts"
    default_recipe: str = "text"
    noun: ClassVar[str] = "texts"
    suffixes: ClassVar[tuple[str, ...]] = (".txt", ".jsonl")
    shown: ClassVar[int] = 32
    metrics: ClassVar[tuple[str, ...]] = ("ngrams", "repetition", "wording", "memorisation")
    default_features: ClassVar[str] = "ngrams"
    scoring_features: ClassVar[str] = "ngrams"

    def __init__(self, vocabulary: Vocabulary, length: int, unit: Unit, whole: bool = True) -> None:
        self.vocabulary, self.length = vocabulary, length
        self.unit: Unit = unit
        """What measures count."""
        self.whole = whole
        """Whether a record is one of its own, and not a window that begins and ends anywhere."""
        self._spec = DataSpec("text", (len(vocabulary), length), "softmax")

    @property
    def spec(self) -> DataSpec:
        return self._spec

    @property
    def conditions(self) -> tuple[Condition, ...]:
        return ()

    def pack(self, records: Sequence[Record]) -> Packed:
        """{"x": uint16 (n, L)}; texts that are too long, or have characters that were not seen before, are skipped."""
        rows: list[list[int]] = []
        names: list[str] = []
        skipped: list[Skipped] = []
        for record in records:
            text, fault = record.payload, record.fault
            if not fault and not isinstance(text, str):
                fault = "not a text"
            if fault or not isinstance(text, str):
                skipped.append(Skipped(record.name, fault))
                continue
            try:
                numbers = self.vocabulary.encode(text)
            except ValueError:
                skipped.append(Skipped(record.name, "text with a character that was not seen before"))
                continue
            if len(numbers) > self.length:
                skipped.append(Skipped(record.name, f"text longer than {self.length} {self._symbols}"))
            elif not numbers:
                skipped.append(Skipped(record.name, "empty text"))
            else:
                rows.append(numbers)
                names.append(record.name)
        return Packed({"x": self._packed(rows)}, names, skipped)

    def expand(self, columns: Mapping[str, Tensor]) -> Tensor:
        """(B, V, L): one-hot."""
        numbers = columns["x"].long()
        x = torch.zeros(*numbers.shape, len(self.vocabulary), device=numbers.device)
        return x.scatter_(2, numbers[:, :, None], 1.0).transpose(1, 2)

    def decode(self, x: Tensor) -> list[str]:
        """The likeliest symbols as texts."""
        numbers = x.detach().nan_to_num(0).argmax(1).cpu().tolist()
        return [self.vocabulary.decode(row) for row in numbers]

    def as_recorded(self, x: Tensor) -> Tensor:
        """One-hot, in the symbols that reading the texts again would find, as many as a record holds."""
        rows = [self.vocabulary.encode(text)[: self.length] for text in self.decode(x)]
        return self.expand({"x": torch.from_numpy(self._packed(rows).astype(np.int64))}).to(x.device)

    def texts(self, x: Tensor) -> Texts:
        return Texts(tuple(self.decode(x)), self.unit, self.whole)

    def lines(self, objects: Any) -> tuple[str, ...]:
        return tuple(map(one_line, objects))

    def preview(self, objects: Any, columns: int, title: str = "") -> PillowImage.Image:
        """The lines as they are, one below the other; of `columns` nothing."""
        if not len(objects):
            raise ValueError("no texts to draw")
        return lines_picture(list(objects), title)

    def paths(self, folder: Path, first: int, count: int, suffix: str = "") -> list[Path]:
        return one_file(folder, count, suffix, self.suffixes, self.noun)

    def write(self, objects: Any, folder: Path, first: int, suffix: str = "") -> list[Path]:
        """Lines added to samples.txt, which is begun anew at `first` = 0; line breaks within a text become \\n, and a
        backslash two. Or objects {"text": ...} of a .jsonl file, as they are."""
        paths = self.paths(folder, first, len(objects), suffix)
        if paths:
            paths[0].parent.mkdir(parents=True, exist_ok=True)
            append_lines(list(objects), paths[0], anew=first == 0)
            mark(paths[0])
        return paths

    def describe(self) -> str:
        return f"{self.length} {self._symbols}"

    @property
    def _symbols(self) -> str:
        return "characters" if self.vocabulary.longest == 1 else "pieces"

    def state(self) -> dict[str, Any]:
        return {"length": self.length, "unit": self.unit, "whole": self.whole}

    def tensors(self) -> dict[str, Tensor]:
        """The symbols behind each other as UTF-8, uint8 (m,); and where each ends, int64 (V - 1,)."""
        symbols = [symbol.encode() for symbol in self.vocabulary.symbols[1:]]
        ends = np.cumsum([len(symbol) for symbol in symbols]).astype(np.int64)
        content = np.frombuffer(b"".join(symbols), np.uint8).copy()
        return {"symbols": torch.from_numpy(content), "ends": torch.from_numpy(ends)}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Self:
        if set(state) != {"length", "unit", "whole"} or set(tensors) != {"symbols", "ends"}:
            raise ValueError("not the state of a codec of texts")
        length, unit, whole = state["length"], state["unit"], state["whole"]
        if type(length) is not int or not 1 <= length <= LONGEST:
            raise ValueError(f"length must lie in 1..{LONGEST}")
        if unit not in get_args(Unit) or type(whole) is not bool:
            raise ValueError("a unit is characters or words, and whole true or false")
        return cls(_vocabulary_of(tensors["symbols"], tensors["ends"]), length, unit, whole)

    def _packed(self, rows: Sequence[Sequence[int]]) -> np.ndarray:
        packed = np.zeros((len(rows), self.length), np.uint16)
        for place, row in enumerate(rows):
            packed[place, : len(row)] = row
        return packed


@dataclass(frozen=True)
class Text(Modality):
    """Texts; in what symbols they are drawn is found out."""

    codec: ClassVar[type[Codec]] = TextCodec

    symbols: Symbols = "auto"
    """Characters, or pieces of words that come often; auto: characters where most texts are short."""
    vocabulary: int | None = None
    """How many symbols there are at most; None: 1,024 characters, 512 pieces."""
    length: int | None = None
    """Symbols of a record at most; None: as 99 in 100 records need, and 128 at most. Longer records are left out."""

    def __post_init__(self) -> None:
        if self.vocabulary is not None and not 2 <= self.vocabulary <= MOST_SYMBOLS:
            raise UsageError("E-TEXT-01", f"a vocabulary has 2..{MOST_SYMBOLS} symbols, not {self.vocabulary}")
        if self.length is not None and not 1 <= self.length <= LONGEST:
            raise UsageError("E-TEXT-01", f"a text has 1..{LONGEST} symbols, not {self.length}", hints=("--length 64",))

    def fits(self, source: Source) -> bool:
        """Whether the first readable record is a text."""
        return any(isinstance(record.payload, str) for record in source.read(0, 8) if not record.fault)

    def fit(self, source: Source, progress: Progress) -> TextCodec:
        """The codec for the source's texts: one look at all of them for the vocabulary, another for the length.

        Raises:
            DataError: no text at all.
        """
        found = _Found.in_all(source, progress)
        if not found.letters:
            raise too_few(source, TextCodec.noun, 0, [])
        most = self.vocabulary or MOST_CHARACTERS
        vocabulary, replaced = learn_characters(found.letters, most)
        notes = [f"{len(found.letters):,} different characters"]
        if replaced:
            share = replaced / sum(found.letters.values())
            notes[0] += (
                f", of which {most - 1:,} are kept: {replaced:,} places ({share:.2%}) become \N{REPLACEMENT CHARACTER}"
            )
        usual = int(np.median(found.lengths))
        pieces = self.symbols == "pieces" or (self.symbols == "auto" and source.whole_records and usual > LONG)
        spaced = found.letters[" "] >= SPACED * sum(found.letters.values())
        if pieces:
            vocabulary = learn_pieces(found.chunks, vocabulary, self.vocabulary or PIECES)
            notes.append(f"drawn in {len(vocabulary) - 1:,} pieces of words, as a usual text has {usual} characters")
        lengths = found.lengths if not pieces else _lengths(source, vocabulary, progress)
        length = self.length or int(min(np.ceil(np.quantile(lengths, SHARE_WITHIN, method="higher")), MOST_LENGTH))
        unit: Unit = "words" if spaced and (pieces or (source.whole_records and self.symbols == "auto")) else "characters"
        codec = TextCodec(vocabulary, length, unit, source.whole_records)
        codec.notes = tuple(notes)
        beyond = int((lengths > length).sum())
        if beyond:
            what = "pieces" if pieces else "characters"
            codec.notes += (f"{beyond:,} of {len(lengths):,} texts are longer than {length} {what} (--length)",)
        return codec


@dataclass
class _Found:
    """What one look at all texts tells."""

    letters: Counter[str]
    chunks: Counter[str]
    lengths: np.ndarray
    """int64 (N,): characters of each text."""

    @classmethod
    def in_all(cls, source: Source, progress: Progress) -> _Found:
        letters, pieces = Counter[str](), Counter[str]()
        lengths: list[int] = []
        for text in _texts(source, "looking at texts", progress):
            letters.update(text)
            pieces.update(CHUNK.findall(text))
            lengths.append(len(text))
        return cls(letters, pieces, np.array(lengths, np.int64))


def _texts(source: Source, what: str, progress: Progress) -> Iterator[str]:
    done = 0
    for records in chunks(source):
        yield from (record.payload for record in records if isinstance(record.payload, str) and not record.fault)
        done += len(records)
        progress(what, done, len(source))


def _lengths(source: Source, vocabulary: Vocabulary, progress: Progress) -> np.ndarray:
    return np.array([len(vocabulary.encode(text)) for text in _texts(source, "measuring texts", progress)], np.int64)


def _vocabulary_of(content: Tensor, ends: Tensor) -> Vocabulary:
    """The symbols of a stranger's file.

    Raises:
        ValueError: they are none.
    """
    if content.dtype != torch.uint8 or ends.dtype != torch.int64 or content.ndim != 1 or ends.ndim != 1:
        raise ValueError("not the tensors of a codec of texts")
    if not 1 <= len(ends) <= MOST_SYMBOLS:
        raise ValueError(f"a vocabulary has 1..{MOST_SYMBOLS} symbols")
    edges = [0, *ends.tolist()]
    if edges[-1] != len(content) or any(low >= high for low, high in itertools.pairwise(edges)):
        raise ValueError("the symbols do not fill their tensor")
    raw = content.cpu().numpy().tobytes()
    return Vocabulary([raw[low:high].decode() for low, high in itertools.pairwise(edges)])
