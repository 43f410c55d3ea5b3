"""The pictures of the guide, made by Ganwright through its public interface, with fixed seeds.

python docs/guide/make_pictures.py                # all of them into docs/images/, about four minutes on two CPU cores
python docs/guide/make_pictures.py out/ 20        # into out/, twenty steps a run, to see that it works

Everything repeats from run to run but the curves, whose points are taken by the clock.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from PIL import Image, ImageDraw, ImageFont
from sklearn.datasets import load_digits
from torch import nn

from ganwright import GAN, Model
from ganwright.training.events import Pictures, Snapshot

IMAGES = Path(__file__).resolve().parents[1] / "images"
SIDE = 8
"""Pixels of a digit's side."""
TILE = 66
"""Pixels from one digit to the next, the gap included, in the grids that Ganwright draws and in ours."""
SHOWN = 14
"""Digits in a row."""
LABEL = 120
"""Pixels for the words beside a row of digits."""
INK = 32
COLOURS = colormaps["PuOr"]


def main(out: Path, steps: int | None) -> None:
    """Draw everything; `steps` shortens each run."""
    out.mkdir(parents=True, exist_ok=True)
    draw_digits(out, steps or 2000)
    draw_planes(out / "clusters_collapsed.png", train_on_clusters(steps or 2400, ()))
    draw_planes(out / "clusters.png", train_on_clusters(steps or 2400, ({"name": "r1", "weight": 0.05},)))


# Digits: the same latents at several steps, the curves of the same run, and the nearest digits of the data.


@dataclass
class EveryLook:
    """Keeps the grid of the same 64 latents of every look, by step."""

    grids: dict[int, Image.Image] = field(default_factory=dict)

    def __call__(self, event: object) -> None:
        if isinstance(event, Pictures):
            self.grids[event.step] = event.grid


def draw_digits(out: Path, steps: int) -> None:
    """digits_growing.png, digits_curves.png and digits_nearest.png."""
    digits = load_digits().images
    pictures = np.round(digits * (255 / 16)).astype(np.uint8)  # (1797, 8, 8)
    looks = EveryLook()
    gan = GAN(recipe="dcgan", seed=0, batch=32, device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        every = passes(min(50, steps), 32, len(pictures))
        gan.fit(pictures, steps=steps, save_every_epochs=every, run=Path(folder) / "run", subscribers=[looks])
        shutil.copy(Path(folder) / "run" / "curves.png", out / "digits_curves.png")
    shown = [step for step in (0, 50, 100, 200, 400, 800, steps) if step in looks.grids]
    rows = [(f"step {step:,}", first_digits(looks.grids[step])) for step in shown]
    labelled_rows(rows).save(out / "digits_growing.png", optimize=True)

    new = gan.sample(SHOWN, seed=7)
    values = np.stack([np.asarray(picture) for picture in new]).reshape(len(new), -1).astype(float)
    known = pictures.reshape(len(pictures), -1).astype(float)
    nearest = ((values[:, None] - known[None]) ** 2).sum(2).argmin(1)
    rows = [("new", new), ("nearest real", [Image.fromarray(pictures[i]) for i in nearest])]
    labelled_rows(rows).save(out / "digits_nearest.png", optimize=True)


def passes(steps: int, batch: int, records: int) -> float:
    """So many steps as passes over the data; a hair less, so that rounding never puts a look one step later."""
    return (steps * batch - 0.01) / records


def first_digits(grid: Image.Image) -> list[Image.Image]:
    """The first digits of a grid with eight columns, each brought back to its own size."""
    corners = [(i % 8 * TILE + 2, i // 8 * TILE + 2) for i in range(SHOWN)]
    tiles = [grid.crop((left, top, left + TILE - 2, top + TILE - 2)) for left, top in corners]
    return [tile.resize((SIDE, SIDE), Image.Resampling.NEAREST) for tile in tiles]


def labelled_rows(rows: list[tuple[str, list[Image.Image]]]) -> Image.Image:
    """Rows of digits below each other, enlarged smoothly, as the eye sees small ones, each with its words on the left."""
    canvas = Image.new("L", (LABEL + SHOWN * TILE, len(rows) * TILE), 255)
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(17)
    for number, (words, digits) in enumerate(rows):
        draw.text((LABEL - 10, number * TILE + TILE // 2), words, INK, font, anchor="rm")
        for place, digit in enumerate(digits):
            large = digit.convert("L").resize((TILE - 4, TILE - 4), Image.Resampling.BICUBIC)
            canvas.paste(large, (LABEL + place * TILE, number * TILE + 2))
    return canvas


# Eight clusters in the plane: real points, generated points, and the discriminator's verdict everywhere.


@dataclass
class Plane:
    """What there is to see at one step."""

    step: int
    points: np.ndarray
    """Generated, (N, 2)."""
    verdicts: np.ndarray
    """The probability of being real, (FINE, FINE) over the plane."""


EXTENT, FINE = 1.15, 90
ALONG = np.linspace(-EXTENT, EXTENT, FINE)
SHARES = (1 / 24, 4 / 24, 7 / 24, 12 / 24, 1)
"""Of a run, at which the plane is drawn."""
PALE = 0.2
"""How far beyond 0 and 1 the colours would go on, so that points can be seen on all of them."""


@dataclass
class EveryPlane:
    """Asks the model for points and verdicts at every snapshot, while it is as it was."""

    planes: list[Plane] = field(default_factory=list)

    def __call__(self, event: object) -> None:
        if isinstance(event, Snapshot):
            self.planes.append(plane(event.step, event.model))


def plane(step: int, model: Model) -> Plane:
    """Points and verdicts of a model of two numbers a row."""
    everywhere = np.stack(np.meshgrid(ALONG, ALONG), -1).reshape(-1, 2)
    logits = model.score(everywhere).reshape(FINE, FINE)
    return Plane(step, model.sample(300, seed=1), 1 / (1 + np.exp(-logits)))


def clusters(count: int = 4096) -> np.ndarray:
    """Points (N, 2) around eight centres on a circle."""
    random = np.random.default_rng(0)
    angle = random.integers(0, 8, count) * (2 * np.pi / 8)
    return np.stack([np.cos(angle), np.sin(angle)], 1) + 0.06 * random.standard_normal((count, 2))


def train_on_clusters(steps: int, regularizers: tuple[dict[str, Any], ...]) -> list[Plane]:
    """Train two small modules of our own on the clusters; gives back what every hundredth step looked like."""
    torch.manual_seed(0)  # of the modules' first weights
    generator = nn.Sequential(nn.Linear(8, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 2))
    discriminator = nn.Sequential(
        nn.Linear(2, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1)
    )
    gan = GAN(
        generator=generator,
        discriminator=discriminator,
        latent=8,
        regularizers=regularizers,
        optimizer={"name": "adam", "learning_rate": 1e-3},
        batch=256,
        device="cpu",
    )
    points, watch = clusters(), EveryPlane()
    gan.fit(points, steps=steps, save_every_epochs=passes(min(100, steps), 256, len(points)), subscribers=[watch])
    return watch.planes


def draw_planes(path: Path, planes: list[Plane]) -> None:
    """A few of them side by side."""
    last = planes[-1].step
    shown = [min(planes, key=lambda plane, share=share: abs(plane.step - share * last)) for share in SHARES]
    figure = Figure(figsize=(10, 2.75), layout="constrained")
    FigureCanvasAgg(figure)
    real = clusters(400)
    for axis, now in zip(figure.subplots(1, len(shown)), shown, strict=True):
        axis.contourf(ALONG, ALONG, now.verdicts, np.linspace(0, 1, 33), cmap=COLOURS, vmin=-PALE, vmax=1 + PALE)
        axis.scatter(*real.T, s=4, color="black", linewidths=0, label="real")
        axis.scatter(*now.points.T, s=13, marker="x", color="#008a2e", linewidths=0.9, label="generated")
        axis.set(xlim=(-EXTENT, EXTENT), ylim=(-EXTENT, EXTENT), xticks=[], yticks=[], aspect="equal")
        axis.set_title(f"step {now.step:,}", fontsize=12)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    for probability, words in ((0.0, "taken for fake here"), (1.0, "taken for real here")):
        handles.append(Patch(facecolor=COLOURS((probability + PALE) / (1 + 2 * PALE))))
        labels.append(words)
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=11, frameon=False, markerscale=2)
    figure.savefig(path, dpi=100)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES, int(sys.argv[2]) if len(sys.argv) > 2 else None)
