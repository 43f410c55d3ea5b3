"""The course of a run as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ganwright.training.events import Progress

POINTS = 400
"""Points drawn per curve: more would be noise, and slow after a day."""
PANELS = (
    ("Logits: how real the discriminator finds them", ("real_logits", "fake_logits")),
    ("Losses", ("discriminator_loss", "generator_loss")),
    ("Share of verdicts that are right", ("real_called_real", "fake_called_fake")),
)
DIVERSITY = "Diversity of samples (1: as varied as the data)"


def draw_curves(history: Sequence[Progress], path: Path) -> None:
    """Losses, logits, verdicts and diversity against samples seen, as a PNG at `path`."""
    # Imported here because it takes a second; the object interface leaves pyplot's global state alone.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 6.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = list(figure.subplots(2, 2, sharex=True).flat)
    thousands = np.array([p.samples_seen for p in history]) / 1000
    for axis, (title, names) in zip(axes, PANELS, strict=False):
        for name in names:
            values = np.array([p.numbers.get(name, np.nan) for p in history])
            axis.plot(*_thinned(thousands, values), label=name.replace("_", " "), linewidth=1.2)
        axis.set_title(title, fontsize=10)
        axis.legend(fontsize=8, frameon=False)
    last = axes[len(PANELS)]
    values = np.array([np.nan if p.diversity is None else p.diversity for p in history])
    last.plot(*_thinned(thousands, values), linewidth=1.2, color="tab:green")
    last.axhline(1.0, color="grey", linewidth=0.8, linestyle=":")
    last.set_ylim(0, 1.5)
    last.set_title(DIVERSITY, fontsize=10)
    for axis in axes:
        axis.grid(alpha=0.25)
        axis.spines[["top", "right"]].set_visible(False)
    for axis in axes[-2:]:
        axis.set_xlabel("thousand samples seen")
    figure.savefig(path, dpi=90)


def _thinned(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At most POINTS points, each the mean of its stretch."""
    if len(x) <= POINTS:
        return x, y
    edges = np.linspace(0, len(x), POINTS + 1).astype(int)[:-1]
    counts = np.diff([*edges, len(x)])
    return np.add.reduceat(x, edges) / counts, np.add.reduceat(y, edges) / counts
