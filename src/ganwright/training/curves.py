"""The course of a run as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ganwright.runtime.memory import garbage_collected
from ganwright.training.events import Progress, Scored

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POINTS = 400
"""Points drawn per curve: more would be noise, and slow after a day."""
PANELS = (
    ("Logits: how real the discriminator finds them", ("real_logits", "fake_logits")),
    ("Losses", ("discriminator_loss", "generator_loss")),
    ("Share of verdicts that are right", ("real_called_real", "fake_called_fake", "augmentation")),
)
DIVERSITY = "Diversity of samples (1: as varied as the data)"


def draw_curves(history: Sequence[Progress], scores: Sequence[Scored], path: Path) -> None:
    """Losses, logits, verdicts, diversity and scores against samples seen, as a PNG at `path`."""
    with garbage_collected():
        _draw_curves(history, scores, path)


def _draw_curves(history: Sequence[Progress], scores: Sequence[Scored], path: Path) -> None:
    # Imported here because it takes a second; the object interface leaves pyplot's global state alone.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = 3 if scores else 2
    figure = Figure(figsize=(10, 3.25 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = list(figure.subplots(rows, 2, sharex=True).flat)
    thousands = np.array([p.samples_seen for p in history]) / 1000
    for axis, (title, names) in zip(axes, PANELS, strict=False):
        for name in names:
            values = np.array([p.numbers.get(name, np.nan) for p in history])
            if np.isnan(values).all():  # a run without augmentation
                continue
            axis.plot(
                *_thinned(thousands, values), _style(values), label=name.replace("_", " "), markersize=3, linewidth=1.2
            )
        axis.set_title(title, fontsize=10)
        if axis.lines:
            axis.legend(fontsize=8, frameon=False)
    _draw_diversity(axes[len(PANELS)], thousands, history)
    if scores:
        _draw_scores(axes[len(PANELS) + 1 :], scores)
    for axis in axes:
        axis.grid(alpha=0.25)
        axis.spines[["top", "right"]].set_visible(False)
    for axis in axes[-2:]:
        axis.set_xlabel("thousand samples seen")
    figure.savefig(path, dpi=90)


def _draw_diversity(axis: Axes, thousands: np.ndarray, history: Sequence[Progress]) -> None:
    values = np.array([np.nan if p.diversity is None else p.diversity for p in history])
    axis.plot(*_thinned(thousands, values), _style(values), markersize=3, linewidth=1.2, color="tab:green")
    axis.axhline(1.0, color="grey", linewidth=0.8, linestyle=":")
    axis.set_ylim(0, max(1.5, 1.05 * np.nanmax(values, initial=0.0)))
    axis.set_title(DIVERSITY, fontsize=10)


def _draw_scores(axes: Sequence[Axes], scores: Sequence[Scored]) -> None:
    """Fréchet distance, with the model that is kept, and recall."""
    thousands = [score.samples_seen / 1000 for score in scores]
    kept = min(range(len(scores)), key=lambda i: scores[i].frechet)
    distance, recall = axes
    distance.plot(thousands, [score.frechet for score in scores], "o-", markersize=3, linewidth=1.2, color="tab:purple")
    distance.plot(thousands[kept], scores[kept].frechet, "o", markersize=9, markerfacecolor="none", color="black")
    distance.set_yscale("log")
    distance.set_title(f"{scores[kept].measure} to the data (lower is better; ringed: kept)", fontsize=10)
    recall.plot(thousands, [score.recall for score in scores], "o-", markersize=3, linewidth=1.2, color="tab:brown")
    recall.set_ylim(0, 1)
    recall.set_title("Recall: share of the data that samples reach", fontsize=10)


def _style(values: np.ndarray) -> str:
    """A line; of a single number, which is no line, a dot."""
    return "-" if np.isfinite(values).sum() > 1 else "o"


def _thinned(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At most POINTS points, each the mean of its stretch."""
    if len(x) <= POINTS:
        return x, y
    edges = np.linspace(0, len(x), POINTS + 1).astype(int)[:-1]
    counts = np.diff([*edges, len(x)])
    return np.add.reduceat(x, edges) / counts, np.add.reduceat(y, edges) / counts
