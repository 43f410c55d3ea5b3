"""What is written around courses of series."""

from __future__ import annotations

import numpy as np
import pytest

from ganwright.data.series import drawing
from ganwright.data.series.drawing import draw_series
from ganwright.data.series.values import SeriesValues


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text of a drawing."""
    found: list[str] = []
    monkeypatch.setattr(drawing, "_text", lambda canvas, place, text, width, anchor: found.append(text))
    return found


def series(values: np.ndarray) -> SeriesValues:
    names = tuple(f"column {place}" for place in range(values.shape[2]))
    return SeriesValues(values, np.full(len(values), values.shape[1]), names)


def test_a_panel_says_what_range_the_data_have(written: list[str]) -> None:
    """And not how much room is left above and below it: a volume that is never negative must not look as if it were."""
    course = np.linspace(0, 35_000_000, 6)
    values = np.stack([course, np.full(6, 3.5)], 1)[None].repeat(3, 0)  # (3, 6, 2)
    bands = np.stack([values[0]] * 5)
    picture = draw_series(bands, series(values), real=series(values))
    assert picture.size[0] > 500
    assert written.count("0 to 35,000,000") == 2
    assert written.count("always 3.5") == 2
