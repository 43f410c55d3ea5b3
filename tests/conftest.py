"""Fixtures for every test: a cache of its own, and the real data where it is there."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import settings

import ganwright

# Set before torch is imported, and inherited by every command that a test runs: tests share the cores with each other, and
# threads that wait for one another on busy cores make small networks ten times slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The first of many examples imports torch; and a test that fails fails again.
settings.register_profile("ours", deadline=None, derandomize=True)
settings.load_profile("ours")

OURS = str(Path(ganwright.__file__).parent) + os.sep
BETWEEN_OUR_PROCESSES = ("multiprocessing", "concurrent", "joblib")
"""Libraries that pickle what goes from one of our processes to another, which is no file and nobody else's."""


def refuse_to_unpickle(event: str, arguments: tuple[object, ...]) -> None:
    """Fail whatever test makes Ganwright look up a class that a pickle names: no file that it reads is ever unpickled."""
    if event != "pickle.find_class":
        return
    frame: FrameType | None = sys._getframe(1)
    ours = False
    while frame is not None:
        name = frame.f_code.co_filename
        if any(f"{os.sep}{library}{os.sep}" in name for library in BETWEEN_OUR_PROCESSES):
            return
        ours = ours or name.startswith(OURS)
        frame = frame.f_back
    if ours:
        raise RuntimeError(f"Ganwright unpickles {arguments}")


# For the whole test run, and in every process of it.
sys.addaudithook(refuse_to_unpickle)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that make something costly come first, so that no worker is left alone with one in the end."""
    items.sort(key=lambda item: item.get_closest_marker("costly") is None)


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
