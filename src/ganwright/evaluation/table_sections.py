"""The sections of a report that only tables have: a plot of each column, and figures of columns and pairs of them."""

from __future__ import annotations

from collections.abc import Mapping

from ganwright.evaluation.column_svg import column_plot
from ganwright.evaluation.report_page import paragraph, plain_table, section, text
from ganwright.evaluation.report_pieces import Pieces
from ganwright.evaluation.result import ColumnPlot
from ganwright.evaluation.telling import COLUMN_NUMBERS, NOTHING, number_text, worst_columns

LEGEND = (
    '<p class="soft legend"><span><b class="swatch" aria-hidden="true">■</b> real rows that were learned from</span>'
    '<span><b class="ours" aria-hidden="true">━</b> samples</span></p>'
)
HOW_TO_READ = (
    "One is as alike as can be. Compare “as many” with “real rows”: as many samples as rows were held out, and these rows "
    "themselves in their place."
)


def columns(pieces: Pieces) -> str:
    """A plot of each column."""
    evaluation = pieces.evaluation
    if evaluation is None or not evaluation.plots:
        return ""
    drawn = "\n".join(_figure(plot, evaluation.by_column.get(plot.name, {})) for plot in evaluation.plots)
    more = len(evaluation.by_column) - len(evaluation.plots)
    return section(
        "Columns",
        [
            LEGEND,
            f'<div class="columns">{drawn}</div>',
            paragraph(f"{more:,} more columns are not drawn.", "soft") if more > 0 else "",
        ],
    )


def figures(pieces: Pieces) -> str:
    """How alike columns and pairs of columns are."""
    evaluation = pieces.evaluation
    if evaluation is None or not evaluation.by_column:
        return ""
    compared = any("real" in each for each in evaluation.by_column.values())
    return section(
        "Columns and pairs of them, by figures",
        [
            paragraph(HOW_TO_READ) if compared else "",
            _table("column, least alike first", evaluation.by_column, "columns"),
            _table("pair of columns, least alike first", evaluation.by_pair, "pairs"),
        ],
    )


def _figure(plot: ColumnPlot, found: Mapping[str, float]) -> str:
    about = [plot.kind]
    if "alike" in found:
        about.append(f"alike to {100 * found['alike']:.1f}%")
    if "missing" in found:
        about.append(f"missing {100 * found['missing']:.1f}% (real {100 * found.get('real_missing', 0.0):.1f}%)")
    words = f"<b>{text(plot.name)}</b><small>{text(', '.join(about))}</small>"
    return f"<figure><figcaption>{words}</figcaption>{column_plot(plot)}</figure>"


def _table(title: str, found: Mapping[str, Mapping[str, float]], noun: str) -> str:
    if not found:
        return ""
    names = [name for name in COLUMN_NUMBERS if any(name in each for each in found.values())]
    rows = [
        [name, *(number_text(found[name][key]) if key in found[name] else NOTHING for key in names)]
        for name in worst_columns(found)
    ]
    return plain_table([title, *(COLUMN_NUMBERS[name] for name in names)], rows, noun)
