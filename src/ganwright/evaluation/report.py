"""report.html: all that is known of a run, or of samples that were evaluated, in one file that can be handed on."""

from __future__ import annotations

from pathlib import Path

from ganwright.evaluation import report_sections as sections
from ganwright.evaluation import table_sections, text_sections
from ganwright.evaluation.report_page import page
from ganwright.evaluation.report_pieces import read_pieces
from ganwright.runtime.files import write_atomically

FILE = "report.html"


def write_report(folder: Path) -> Path:
    """Makes report.html in `folder` from what lies there; gives back its path.

    What is missing is left out, what is damaged is named in the page.

    Raises:
        OSError: the page cannot be written.
    """
    pieces = read_pieces(folder)
    body = [
        sections.headline(pieces),
        sections.samples(pieces),
        table_sections.columns(pieces),
        text_sections.samples(pieces),
        sections.scores(pieces),
        table_sections.figures(pieces),
        sections.classes(pieces),
        sections.copying(pieces),
        text_sections.nearest(pieces),
        sections.course(pieces),
        sections.data(pieces),
        sections.config(pieces),
        sections.reproduction(pieces),
    ]
    text = page(f"{sections.title(pieces)} - Ganwright report", [part for part in body if part])
    write_atomically(folder / FILE, text.encode("utf-8", errors="replace"))
    return folder / FILE
