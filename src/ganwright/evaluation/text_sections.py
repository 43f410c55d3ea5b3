"""The sections of a report that only texts have: samples as they came, and each beside the nearest training text."""

from __future__ import annotations

from ganwright.evaluation.report_page import paragraph, plain_table, preformatted, section
from ganwright.evaluation.report_pieces import Pieces

BESIDE = (
    "Samples, those most like copies first, each beside the training text that shares most symbols, pairs and triples with"
    " it."
)


def samples(pieces: Pieces) -> str:
    """The first samples, a line each."""
    if pieces.evaluation is None or not pieces.evaluation.lines:
        return ""
    shown = preformatted("\n".join(pieces.evaluation.lines))
    return section("Samples", [paragraph("Samples as they came: none was picked by hand."), shown])


def nearest(pieces: Pieces) -> str:
    """Samples beside what they might be copies of."""
    if pieces.evaluation is None or not pieces.evaluation.nearest_lines:
        return ""
    rows = [list(pair) for pair in pieces.evaluation.nearest_lines]
    table = plain_table(["sample", "nearest training text"], rows, "pairs")
    return section("Nearest training texts", [paragraph(BESIDE), table])
