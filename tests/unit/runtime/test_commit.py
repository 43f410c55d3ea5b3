"""Folders that are whole or not there."""

from __future__ import annotations

import contextlib
import errno
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ganwright.runtime import commit as module
from ganwright.runtime.commit import LATEST, MANIFEST, commit, newest, prune, set_aside, sweep, verify


def says(text: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(text, encoding="utf-8")


def committed(parent: Path, number: int) -> Path:
    return commit(parent, f"step-{number:08d}", {"a.txt": says(f"a{number}"), "b.txt": says("b")}, {"step": number})


def names(parent: Path) -> set[str]:
    return {path.name for path in parent.iterdir()}


def test_what_was_committed_is_found_with_its_facts(tmp_path: Path) -> None:
    committed(tmp_path, 1)
    place = committed(tmp_path, 2)
    found, wrong = newest(tmp_path)
    assert found is not None
    assert (found.path, found.facts, wrong) == (place, {"step": 2}, {})
    assert (place / "a.txt").read_text() == "a2"
    assert (tmp_path / LATEST).read_text() == "step-00000002\n"


def test_the_same_name_again_replaces_it(tmp_path: Path) -> None:
    committed(tmp_path, 1)
    commit(tmp_path, "step-00000001", {"a.txt": says("new")}, {})
    assert (verify(tmp_path / "step-00000001").path / "a.txt").read_text() == "new"
    assert names(tmp_path) == {"step-00000001", LATEST}


def _cut_off(folder: Path) -> None:
    (folder / "a.txt").write_bytes(b"a")


def _flipped(folder: Path) -> None:
    (folder / "a.txt").write_bytes(b"A2")


def _gone(folder: Path) -> None:
    (folder / "b.txt").unlink()


def _no_manifest(folder: Path) -> None:
    (folder / MANIFEST).unlink()


def _bad_manifest(folder: Path) -> None:
    (folder / MANIFEST).write_text("{")


def _list_as_manifest(folder: Path) -> None:
    (folder / MANIFEST).write_text("[]")


def _nested_manifest(folder: Path) -> None:
    (folder / MANIFEST).write_text("[" * 100_000)


def _long_manifest(folder: Path) -> None:
    (folder / MANIFEST).write_text(" " * (2 << 20))


def _newer(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**manifest, "version": 99}))


def _elsewhere(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"] = {"../../secret": manifest["files"]["a.txt"]}
    (folder / MANIFEST).write_text(json.dumps(manifest))


Damage = Callable[[Path], None]
DAMAGES: dict[Damage, str] = {
    _cut_off: "a.txt has 1 bytes instead of 2",
    _flipped: "SHA-256 of a.txt",
    _gone: "b.txt cannot be read",
    _no_manifest: "manifest cannot be read",
    _bad_manifest: "is not one",
    _list_as_manifest: "is not one",
    _nested_manifest: "is not one",
    _long_manifest: "too long",
    _newer: "version 99",
    _elsewhere: "names no files",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_is_passed_over_and_named(damage: Damage, tmp_path: Path) -> None:
    older = committed(tmp_path, 1)
    damage(committed(tmp_path, 2))
    found, wrong = newest(tmp_path)
    assert found is not None
    assert found.path == older
    assert [path.name for path in wrong] == ["step-00000002"]
    assert DAMAGES[damage] in str(next(iter(wrong.values())))


def test_nothing_there_is_nothing_found(tmp_path: Path) -> None:
    assert newest(tmp_path / "nowhere") == (None, {})


@pytest.mark.parametrize("at", range(9))
def test_a_failure_at_any_moment_leaves_what_was_there(at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all that touches the disk, the call number `at` fails for good."""
    committed(tmp_path, 1)
    calls = 0

    def failing(real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object) -> object:
            nonlocal calls
            calls += 1
            if calls > at:
                raise OSError(errno.EROFS, "read-only")
            return real(*arguments)

        return call

    with monkeypatch.context() as patch:
        for name in ("fsync", "replace"):
            patch.setattr(module.os, name, failing(getattr(module.os, name)))
        with contextlib.suppress(OSError):
            committed(tmp_path, 2)
    found, wrong = newest(tmp_path)
    assert found is not None
    assert found.facts["step"] in (1, 2)
    assert not wrong
    verify(tmp_path / "step-00000001")
    sweep(tmp_path)
    assert names(tmp_path) <= {"step-00000001", "step-00000002", LATEST}


def test_a_disk_that_fails_once_is_asked_again(tmp_path: Path) -> None:
    waited: list[float] = []

    def write(path: Path) -> None:
        if len(waited) < 2:
            raise OSError(errno.ENOSPC, "no space left")
        path.write_text("there")

    place = commit(tmp_path, "step-1", {"a.txt": write}, {}, waited.append)
    assert len(waited) == 2
    assert (verify(place).path / "a.txt").read_text() == "there"
    assert names(tmp_path) == {"step-1", LATEST}


def test_a_disk_that_stays_full_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    committed(tmp_path, 1)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    def write(path: Path) -> None:
        path.write_text("a part")
        raise OSError(errno.ENOSPC, "no space left")

    with pytest.raises(OSError, match="no space left"):
        commit(tmp_path, "step-2", {"a.txt": write}, {}, lambda seconds: None)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_pruning_keeps_the_last_ones(tmp_path: Path) -> None:
    for number in range(1, 6):
        committed(tmp_path, number)
    prune(tmp_path, 2)
    assert names(tmp_path) == {"step-00000004", "step-00000005", LATEST}


def test_what_is_damaged_can_be_put_aside(tmp_path: Path) -> None:
    place = committed(tmp_path, 1)
    _flipped(place)
    aside = set_aside(place)
    assert aside.exists()
    assert newest(tmp_path) == (None, {})
    _flipped(committed(tmp_path, 1))
    assert set_aside(place) != aside


def test_what_killed_writers_left_is_swept(tmp_path: Path) -> None:
    committed(tmp_path, 1)
    (tmp_path / ".tmp-step-00000002-1-abc").mkdir()
    (tmp_path / ".tmp-step-00000002-1-abc" / "a.txt").write_text("a")
    (tmp_path / ".tmp-latest-1-abc").write_text("a")
    sweep(tmp_path)
    assert names(tmp_path) == {"step-00000001", LATEST}
