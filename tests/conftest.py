"""Fixtures for every test: a cache of its own, and the real data where it is there."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# Set before torch is imported, and inherited by every command that a test runs: tests share the cores with each other, and
# threads that wait for one another on busy cores make small networks ten times slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The first of many examples imports torch; and a test that fails fails again.
settings.register_profile("ours", deadline=None, derandomize=True)
settings.load_profile("ours")

REAL_DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or fills the user's cache."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("GANWRIGHT_CACHE", str(folder))
    return folder


@pytest.fixture
def shared_data() -> Callable[[str], Path]:
    """`shared_data("images/cats64.zip")`: a real data set that lies beside the repository; the test skips without it."""

    def path_of(name: str) -> Path:
        path = REAL_DATA / name
        if not path.exists():
            pytest.skip(f"needs the real data set {name}, which is not part of the repository")
        return path

    return path_of
