from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support import tiny_lines, tiny_texts

from ganwright.core.errors import UsageError
from ganwright.data.dataset import Dataset
from ganwright.data.modalities.text import Symbols, Text, TextCodec
from ganwright.data.preparation import prepare
from ganwright.data.record import Record


def codec_of(data: Dataset) -> TextCodec:
    assert isinstance(data.codec, TextCodec)
    return data.codec


def all_of(data: Dataset) -> torch.Tensor:
    return data.codec.expand(data.batch(np.arange(len(data))))


@pytest.mark.parametrize("symbols", ["characters", "pieces"])
def test_what_was_packed_comes_back(symbols: Symbols) -> None:
    lines = tiny_lines(60)
    data = prepare(lines, Text(symbols=symbols, length=40))
    x = all_of(data)
    assert x.shape == (60, *data.codec.spec.shape)
    assert torch.equal(x.sum(1), torch.ones(60, 40)), "one symbol at each place"
    assert data.codec.decode(x) == lines


def test_scripts_of_all_kinds_come_back() -> None:
    lines = ["天地玄黃", "مرحبا بالعالم", "Łódź", "नमस्ते", "🦊🐺", "e\u0301te\u0301", "tab\there"] * 2
    data = prepare(lines)
    assert data.codec.decode(all_of(data)) == [line.replace("e\u0301", "é") for line in lines]


def test_short_lines_are_drawn_in_characters_and_long_ones_in_pieces() -> None:
    short = codec_of(prepare(["abc", "abd", "bcd", "cab"] * 10))
    assert short.vocabulary.longest == 1
    assert "different characters" in " ".join(prepare(["abc", "abd", "bcd", "cab"] * 10).report.notes)
    long = prepare([" ".join(tiny_lines(5, seed)) for seed in range(40)])
    assert codec_of(long).vocabulary.longest > 1
    assert codec_of(long).unit == "words"
    assert "pieces of words" in " ".join(long.report.notes)


def test_what_is_too_long_is_left_out_and_told_of() -> None:
    data = prepare([*tiny_lines(30), "x" * 500], Text(symbols="characters", length=30))
    assert len(data) == 30
    assert data.report.skipped[0].reason == "text longer than 30 characters"


def test_the_length_is_what_almost_all_records_need() -> None:
    lines = ["a" * (1 + i % 10) for i in range(200)] + ["b" * 60]
    assert codec_of(prepare(lines, Text(symbols="characters"))).length == 10


def test_other_records_are_packed_as_the_first_were() -> None:
    codec = codec_of(tiny_texts())
    packed = codec.pack([Record("1", "a cat is big"), Record("2", "Ωmega"), Record("3", "cat " * 99)])
    assert packed.names == ["1"]
    assert [each.reason.split(" ")[0] for each in packed.skipped] == ["text", "text"]


def test_the_codec_comes_back_from_its_state() -> None:
    data = prepare([" ".join(tiny_lines(5, seed)) for seed in range(40)])
    codec = codec_of(data)
    again = TextCodec.from_state(json.loads(json.dumps(codec.state())), codec.tensors())
    assert again.vocabulary.symbols == codec.vocabulary.symbols
    assert (again.length, again.unit, again.whole) == (codec.length, codec.unit, codec.whole)


@pytest.mark.parametrize(
    "harm",
    [
        {"length": 0},
        {"length": 10**9},
        {"length": True},
        {"unit": "letters"},
        {"whole": 1},
        {"more": 1},
    ],
)
def test_a_state_that_lies_is_refused(harm: dict[str, object]) -> None:
    codec = codec_of(tiny_texts())
    with pytest.raises(ValueError, match=r"."):
        TextCodec.from_state({**codec.state(), **harm}, codec.tensors())


@pytest.mark.parametrize(
    ("symbols", "ends"),
    [
        (torch.tensor([97, 98], dtype=torch.uint8), torch.tensor([1, 1, 2])),
        (torch.tensor([97, 98], dtype=torch.uint8), torch.tensor([1, 5])),
        (torch.tensor([97, 97], dtype=torch.uint8), torch.tensor([1, 2])),
        (torch.tensor([195], dtype=torch.uint8), torch.tensor([1])),
        (torch.tensor([97.0]), torch.tensor([1])),
        (torch.empty(0, dtype=torch.uint8), torch.empty(0, dtype=torch.int64)),
    ],
    ids=["nothing", "beyond", "twice", "no text", "numbers", "empty"],
)
def test_symbols_that_are_none_are_refused(symbols: torch.Tensor, ends: torch.Tensor) -> None:
    codec = codec_of(tiny_texts())
    with pytest.raises(ValueError, match=r"."):
        TextCodec.from_state(codec.state(), {"symbols": symbols, "ends": ends})


def test_samples_are_recorded_in_the_symbols_that_reading_finds() -> None:
    """A generator may spell a word in letters that has a piece of its own."""
    codec = codec_of(prepare([" ".join(tiny_lines(5, seed)) for seed in range(40)]))
    letters = [codec.vocabulary.symbols.index(letter) for letter in "a cat"]
    x = torch.zeros(1, *codec.spec.shape)
    for place, number in enumerate(letters + [0] * (codec.length - len(letters))):
        x[0, number, place] = 1
    recorded = codec.as_recorded(x)
    assert codec.decode(recorded) == ["a cat"]
    assert int(recorded[0].argmax(0).count_nonzero()) < len(letters)


def test_lines_are_written_one_a_line_and_objects_as_they_are(tmp_path: Path) -> None:
    codec, texts = codec_of(tiny_texts()), ["one", "two\nlines \\ and", "天"]
    codec.write(texts[:2], tmp_path / "a.txt", 0)
    codec.write(texts[2:], tmp_path / "a.txt", 2)
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "one\ntwo\\nlines \\\\ and\n天\n"
    codec.write(texts, tmp_path / "a.jsonl", 0)
    lines = (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["text"] for line in lines] == texts


def test_texts_are_drawn_as_a_picture() -> None:
    picture = codec_of(tiny_texts()).preview(["a cat", "天地", "x" * 4000], 8, "title")
    assert picture.width <= 960
    with pytest.raises(ValueError, match="no texts"):
        codec_of(tiny_texts()).preview([], 8)


@pytest.mark.parametrize("settings", [{"vocabulary": 1}, {"vocabulary": 10**6}, {"length": 0}, {"length": 10**6}])
def test_settings_out_of_bounds_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="E-TEXT-01"):
        Text(**settings)
