"""nearest.png of a table: sampled rows, each beside the training row that is nearest to it."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ganwright.core.text import printable
from ganwright.data.pictures import INK, PAPER, shortened
from ganwright.data.table_rows import TableRows
from ganwright.evaluation.cells import cell_text

TEXT_PIXELS = 13
LINE_PIXELS = 20
MARGIN = 8
NAME_WIDTH, CELL_WIDTH = 130, 92
MOST_COLUMNS = 60
SOFT = (120, 120, 120)
MARKED, RULE = (255, 226, 178), (205, 205, 205)
SAME = "same"
TITLE = "Left of each pair: a sampled row. Right: the training row nearest to it, where it differs."


def draw_rows(samples: TableRows, nearest: TableRows, suspects: int) -> Image.Image:
    """Pairs of rows side by side, a line for each column; the first `suspects` pairs look most like copies."""
    names = list(samples.columns)[:MOST_COLUMNS]
    count, font = len(samples), ImageFont.load_default(TEXT_PIXELS)
    more = len(samples.columns) - len(names)
    lines = len(names) + 2 + (more > 0)
    width = 2 * MARGIN + NAME_WIDTH + count * (2 * CELL_WIDTH + MARGIN)
    canvas = Image.new("RGB", (width, 2 * MARGIN + lines * LINE_PIXELS), PAPER)
    draw = ImageDraw.Draw(canvas)

    def write(text: str, left: int, line: int, room: int, colour: tuple[int, int, int] | str = INK) -> None:
        middle = MARGIN + line * LINE_PIXELS + LINE_PIXELS // 2
        draw.text((left, middle), shortened(printable(text), font, room), colour, font, anchor="lm")

    write(TITLE, MARGIN, 0, width - 2 * MARGIN)
    different = _different(samples, nearest, names)
    everywhere = _different(samples, nearest, list(samples.columns)).sum(0)
    for pair in range(count):
        left = 2 * MARGIN + NAME_WIDTH + pair * (2 * CELL_WIDTH + MARGIN)
        what = "most like a copy" if pair < suspects else "as it came"
        write(f"{what}; other cells: {everywhere[pair]}", left, 1, 2 * CELL_WIDTH, SOFT)
        for line, name in enumerate(names, 2):
            kind, top = samples.kinds[name], MARGIN + line * LINE_PIXELS
            write(cell_text(samples.columns[name][pair], kind), left, line, CELL_WIDTH - 4)
            if different[line - 2, pair]:
                box = (left + CELL_WIDTH, top + 1, left + 2 * CELL_WIDTH - 1, top + LINE_PIXELS - 2)
                draw.rectangle(box, MARKED)
                write(cell_text(nearest.columns[name][pair], kind), left + CELL_WIDTH + 3, line, CELL_WIDTH - 6)
            else:
                write(SAME, left + CELL_WIDTH + 3, line, CELL_WIDTH - 6, SOFT)
        draw.line((left - MARGIN // 2 - 2, MARGIN + LINE_PIXELS, left - MARGIN // 2 - 2, canvas.height - MARGIN), RULE)
    for line, name in enumerate(names, 2):
        write(name, MARGIN, line, NAME_WIDTH)
    if more > 0:
        write(f"and {more:,} more columns", MARGIN, len(names) + 2, width - 2 * MARGIN, SOFT)
    return canvas


def _different(one: TableRows, other: TableRows, names: list[str]) -> np.ndarray:
    """bool (C, N): cells that are not the same."""
    found = np.ones((len(names), len(one)), bool)
    for place, name in enumerate(names):
        pairs = zip(one.columns[name].tolist(), other.columns[name].tolist(), strict=True)
        found[place] = [not (a == b or (a != a and b != b)) for a, b in pairs]
    return found
