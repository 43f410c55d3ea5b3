"""Files that are whole or not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ganwright.core.errors import ResourceError
from ganwright.runtime.files import cache_root, require_space, write_atomically


def test_the_cache_has_three_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANWRIGHT_CACHE", "/a/b")
    assert cache_root() == Path("/a/b")
    monkeypatch.delenv("GANWRIGHT_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/c")
    assert cache_root() == Path("/c/ganwright")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/x")
    assert cache_root() == Path("/home/x/.cache/ganwright")


def test_a_failed_write_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "new" / "a.json"
    write_atomically(path, b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in path.parent.iterdir()] == ["a.json"]


def test_space_is_checked_where_the_folder_will_be(tmp_path: Path) -> None:
    require_space(tmp_path / "not" / "yet", 1, "a test")
    with pytest.raises(ResourceError, match="disk space for a test") as caught:
        require_space(tmp_path / "not" / "yet", 1 << 60, "a test")
    assert "1152921504.6 GB" in caught.value.why
