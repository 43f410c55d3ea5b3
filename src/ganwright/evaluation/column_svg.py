"""Small plots of a table's columns that stand in a page's text and take its colours: real rows filled, samples as a line."""

from __future__ import annotations

from ganwright.evaluation.report_page import text as harmless
from ganwright.evaluation.result import ColumnPlot

WIDTH = 280
HEIGHT = 92
"""Of a histogram, with the line of text below it."""
BASE = 74
TOP = 4
BAR = 20
"""Height of a line that shows one word."""
WORDS_WIDTH = 118
SHARES_WIDTH = 38
LONGEST_WORD = 60


def column_plot(plot: ColumnPlot) -> str:
    """How the column is spread in the data and in samples."""
    count = min(len(plot.real), len(plot.fake))
    if count == 0 or (plot.form == "bars" and len(plot.texts) < count):
        return ""
    parts, height = _histogram(plot) if plot.form == "histogram" else _bars(plot, count)
    said = harmless(f"{plot.name} in real rows and in samples")
    return (
        f'<svg class="spread" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{said}">'
        f"<title>{said}</title>{''.join(parts)}</svg>"
    )


def _histogram(plot: ColumnPlot) -> tuple[list[str], int]:
    peak = max(*plot.real, *plot.fake, 1e-9)
    width = WIDTH / len(plot.real)

    def top(share: float) -> float:
        return BASE - max(0.0, min(share / peak, 1.0)) * (BASE - TOP)

    parts = [
        f'<rect class="data" x="{i * width:.1f}" y="{top(share):.1f}" width="{width:.1f}" height="{BASE - top(share):.1f}"/>'
        for i, share in enumerate(plot.real)
        if share > 0
    ]
    points = "".join(f" {i * width:.1f},{top(s):.1f} {(i + 1) * width:.1f},{top(s):.1f}" for i, s in enumerate(plot.fake))
    parts.append(f'<line class="axis" x1="0" x2="{WIDTH}" y1="{BASE}" y2="{BASE}"/>')
    parts.append(f'<polyline class="line" points="{points.strip()}"/>')
    for text, x, anchor in zip(plot.texts, (0, WIDTH), ("start", "end"), strict=False):
        parts.append(f'<text x="{x}" y="{HEIGHT - 4}" text-anchor="{anchor}">{_text(text)}</text>')
    return parts, HEIGHT


def _bars(plot: ColumnPlot, count: int) -> tuple[list[str], int]:
    peak = max(*plot.real, *plot.fake, 1e-9)
    room = WIDTH - WORDS_WIDTH - SHARES_WIDTH
    parts: list[str] = []
    for i in range(count):
        y = i * BAR
        # A drawing of its own: what does not fit is cut off, whatever the letters' width.
        word = f'<text x="0" y="14">{_text(plot.texts[i])}</text>'
        parts.append(f'<svg x="0" y="{y}" width="{WORDS_WIDTH - 6}" height="{BAR}">{word}</svg>')
        for kind, share, top, height in (("data", plot.real[i], 3, 8), ("ours", plot.fake[i], 11, 5)):
            length = max(0.0, min(share / peak, 1.0)) * room
            parts.append(f'<rect class="{kind}" x="{WORDS_WIDTH}" y="{y + top}" width="{length:.1f}" height="{height}"/>')
        parts.append(f'<text x="{WIDTH}" y="{y + 14}" text-anchor="end">{_percent(plot.fake[i])}</text>')
    return parts, count * BAR


def _text(words: str) -> str:
    return harmless(words[:LONGEST_WORD])


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%" if share >= 0.0995 else f"{100 * share:.1f}%"
