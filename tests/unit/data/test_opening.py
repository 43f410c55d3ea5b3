"""From a path or an object to the right source."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ganwright.core.errors import DataError
from ganwright.data.opening import open_source
from ganwright.data.sources.base import SOURCES
from ganwright.data.sources.idx import Idx
from ganwright.data.sources.memory import Memory


def test_every_source_says_what_it_opens_and_refuses_the_rest() -> None:
    for name in SOURCES:
        kind = SOURCES.get(name)
        assert kind.opens
        for stranger in (None, 7, "text", object(), Path("/nowhere/at/all"), {}, [], np.zeros(())):
            assert not kind.can_open(stranger), (name, stranger)


def test_the_most_specific_source_wins(tmp_path: Path) -> None:
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(bytes([0, 0, 8, 3]) + bytes([0, 0, 0, 1] * 3) + b"x")
    assert isinstance(open_source(str(tmp_path)), Idx)
    assert isinstance(open_source(np.zeros((4, 8, 8), np.uint8)), Memory)


def test_a_source_is_its_own_source() -> None:
    source = Memory(np.zeros((4, 8, 8), np.uint8))
    assert open_source(source) is source


def test_a_list_of_files_is_no_list_of_texts(tmp_path: Path) -> None:
    """Or a generator of file names would be trained."""
    paths = [tmp_path / f"{i}.jpg" for i in range(3)]
    for path in paths:
        path.touch()
    for names in (paths, [str(path) for path in paths]):
        with pytest.raises(DataError, match="cannot train on") as caught:
            open_source(names)
        assert "give the folder that they lie in" in caught.value.why
    assert open_source([str(paths[0]), "a text", "another"]).name == "texts"
    with pytest.raises(DataError) as caught:
        open_source([])
    assert caught.value.why == "it is empty"


def test_home_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a.npy").write_bytes(b"")
    np.save(tmp_path / "a.npy", np.zeros((4, 8, 8), np.uint8))
    assert len(open_source("~/a.npy")) == 4


@pytest.mark.parametrize("bad", ["", "a\0b", "x" * 5000])
def test_odd_paths_are_data_errors(bad: str) -> None:
    with pytest.raises(DataError):
        open_source(bad or "nowhere/below/nowhere")


def test_unknown_objects_are_named() -> None:
    with pytest.raises(DataError, match="an object of type dict"):
        open_source({"a": 1})


def test_a_single_picture_is_told_to_come_with_others(tmp_path: Path) -> None:
    (tmp_path / "cat.jpg").write_bytes(b"x")
    with pytest.raises(DataError, match="cannot train on") as caught:
        open_source(tmp_path / "cat.jpg")
    assert "give the folder" in caught.value.why


def test_opening_and_decoding_need_no_torch() -> None:
    code = (
        "import sys, ganwright.data.opening, ganwright.data.decoding_workers, ganwright.data.picture_decoding\n"
        "from ganwright.data.sources.base import SOURCES\n"
        "[SOURCES.get(name) for name in SOURCES]\n"
        "print('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
