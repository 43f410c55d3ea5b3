"""An evaluation in words and columns, for a terminal of any width from 60 columns on and without colours."""

from __future__ import annotations

import math
import textwrap
import unicodedata
from collections.abc import Mapping, Sequence

from ganwright.core.budget import format_duration
from ganwright.core.text import printable
from ganwright.evaluation.result import Evaluation
from ganwright.metrics.parts.measurement import NORMAL_95, Better, Measurement

MEASURES = {
    "frechet": "Fréchet distance",
    "frechet_unbiased": "Fréchet distance, unbiased",
    "kernel_distance": "kernel distance (KID form)",
    "cmmd": "kernel distance (CMMD form)",
    "near_duplicates": "near duplicates among samples",
    "duplicates": "exact duplicates among samples",
    "copying": "copying (chance: 0.5)",
    "copying_p": "copying test",
    "copies": "copies among samples",
    "shapes": "columns alike",
    "shapes_worst": "columns alike, the worst",
    "missing_cells": "missing cells, largest difference",
    "trends": "pairs of columns alike",
    "trends_worst": "pairs of columns alike, the worst",
    "detection": "told from real rows (AUC, chance: 0.5)",
    "utility": "worth to learn from (real rows: 1)",
    "rare": "rare words that appear",
    "rare_frequency": "frequency of rare words",
    "exact_copies": "training rows among samples",
    **{f"ngrams_{n}": f"{n}-gram divergence" for n in range(1, 7)},
    "self_bleu": "self-BLEU",
    **{f"distinct_{n}": f"different {n}-grams" for n in range(1, 4)},
    "twins": "samples with a twin",
    "lengths": "lengths, difference",
    "strange_words": "words not in the data",
    "copied": "copied texts",
    "told_apart": "told from real series (AUC, chance: 0.5)",
    "discriminative": "discriminative score",
    "predictive": "predictive score",
    "autocorrelation": "autocorrelations, mean difference",
    "cross_correlation": "correlations of columns, mean difference",
    "marginals": "columns, mean distance",
    "marginals_worst": "columns, distance of the worst",
    "missing_steps": "steps without a number, largest difference",
    "steps": "length, difference",
    "membership": "membership attack (AUC, chance: 0.5)",
    "membership_p": "membership test",
}
"""What people call a measurement, where that is not its name with spaces."""
LEARNED = {"auc": "AUC", "f1": "F1", "r2": "R2"}
"""What begins the name of a measurement of a column that was learned from samples: "auc income"."""
P_VALUES = ("copying_p", "membership_p")
CLASS_NUMBERS = {"kernel_distance": "distance"}
"""Shorter words where they head a column of classes."""
COLUMN_NUMBERS = {
    "alike": "samples",
    "alike_as_many": "as many",
    "real": "real rows",
    "missing": "missing",
    "real_missing": "in the data",
}
"""What heads the numbers about columns and pairs of columns."""
MOST_COLUMNS = 5
"""Columns, and pairs of columns, that the terminal is told of."""
BETTER: dict[Better, str] = {"lower": "lower", "higher": "higher", "near one": "near 1"}
NOTHING = "-"
MOST_CLASSES = 12
LONGEST_CLASS = 24
GAP = 2
NARROWEST_WORDS = 10
"""Columns that the first column of a table keeps, however narrow the terminal."""


def lines(evaluation: Evaluation, width: int = 80) -> list[str]:
    """The evaluation as lines of at most `width` columns, what matters most first; only a long word may stand out."""
    told = wrapped(f"{evaluation.subject} held against {evaluation.data}", width, hanging="  ")
    for note in evaluation.notes:
        told += wrapped(note, width, "  ", "    ")
    if evaluation.measurements:
        told += ["", *_measurement_table(evaluation.measurements, width), ""]
        told += wrapped(how_to_read(evaluation.measurements), width)
    if evaluation.by_class:
        told += ["", *_class_table(evaluation.by_class, width)]
    for title, figures in (("columns least alike", evaluation.by_column), ("pairs least alike", evaluation.by_pair)):
        if figures:
            told += ["", *_column_table(title, figures, width)]
    if evaluation.failed:
        told += ["", "not measured"]
        for name, why in evaluation.failed.items():
            told += wrapped(f"{measure_words(name)}: {why}", width, "  ", "    ")
    told.append("")
    for label, text in facts(evaluation).items():
        told += wrapped(f"{label:10}{text}", width, hanging=" " * 10)
    return told


def facts(evaluation: Evaluation) -> dict[str, str]:
    """What decides the figures besides the samples, by its name, in words."""
    fingerprint = f" (fingerprint {evaluation.data_fingerprint[:16]})" if evaluation.data_fingerprint else ""
    found = {
        "features": ": ".join(part for part in (evaluation.features, evaluation.about_features) if part),
        "data": f"{evaluation.data}{fingerprint}",
        "records": counts_text(evaluation.counts),
        "seed": str(evaluation.seed),
        "took": format_duration(evaluation.seconds) if 0 < evaluation.seconds < math.inf else "",
        "made": " ".join([evaluation.made, *(f"{name} {version}" for name, version in evaluation.versions.items())]),
    }
    return {label: text for label, text in found.items() if text.strip()}


def measure_words(name: str) -> str:
    """What people call the measurement `name`."""
    kind, _, column = name.partition(" ")
    if column and kind in LEARNED:
        return f"{LEARNED[kind]} of {shortened(column)}"
    return MEASURES.get(name) or name.replace("_", " ")


def counts_text(counts: Mapping[str, int]) -> str:
    """ "200 samples, 2,000 train, 100 held out"."""
    return ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items())


def number_text(value: float, digits: int = 3) -> str:
    """A number with that many significant digits; whole ones, and those from a hundred on, to the unit."""
    if not math.isfinite(value):
        return "no number"
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) < 1e-4:
        mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
        return f"{mantissa}e{int(exponent)}"
    return f"{value:#.{digits}g}".removesuffix(".")


def value_text(name: str, value: float | None) -> str:
    """The value of the measurement `name`: a p-value as one, others as numbers."""
    if value is None:
        return NOTHING
    if name not in P_VALUES:
        return number_text(value)
    return "p < 0.001" if value < 0.001 else f"p = {number_text(value, 2)}"


def spread_text(name: str, value: float | None, error: float | None) -> str:
    """The same with half its 95% interval, "48.3 ± 1.2", which says how many decimals mean anything; without an error the
    value alone."""
    if value is None or not error or not (math.isfinite(value) and math.isfinite(error)):
        return value_text(name, value)
    half = NORMAL_95 * error
    decimals = max(0, 1 - math.floor(math.log10(half)))
    # Adding zero takes the sign from a zero.
    return f"{round(value, decimals) + 0.0:,.{decimals}f} ± {half:,.{decimals}f}"


def against_floor(measurement: Measurement) -> float | None:
    """The samples' value that may be held against the floor: the one at the floor's count; None where there is none."""
    if measurement.floor is None:
        return None
    if measurement.at_floor_count is not None:
        return measurement.at_floor_count
    return measurement.value if measurement.floor_count in (None, measurement.count) else None


def has_floor(measurements: Mapping[str, Measurement]) -> bool:
    """Whether any of them has a floor."""
    return any(each.floor is not None for each in measurements.values())


def pair_titles(measurements: Mapping[str, Measurement]) -> tuple[str, str]:
    """Over the samples' values at the floors' count, and over the floors."""
    counts = {each.floor_count for each in measurements.values() if each.floor is not None and each.floor_count}
    return (f"at {counts.pop():,}" if len(counts) == 1 else "as many"), "real"


def how_to_read(measurements: Mapping[str, Measurement]) -> str:
    """What the columns of a table of these measurements mean."""
    if not has_floor(measurements):
        return "± is a 95% interval. Without held-out real records it is not known what a perfect generator would get."
    samples, real = pair_titles(measurements)
    return (
        f'± is a 95% interval. Compare the columns "{samples}" and "{real}": the samples, and held-out real records in their'
        " place, as many of them. A perfect generator would get what the real ones get."
    )


def class_columns(by_class: Mapping[str, Mapping[str, float]]) -> list[str]:
    """The names of all numbers about classes, in the order in which they first come."""
    return list(dict.fromkeys(name for numbers in by_class.values() for name in numbers))


def class_words(column: str) -> str:
    """What heads a column of numbers about classes."""
    return CLASS_NUMBERS.get(column) or measure_words(column)


def worst_classes(by_class: Mapping[str, Mapping[str, float]]) -> list[str]:
    """The classes, worst first: by distance, else by agreement, else by how far their share is from the real one."""

    def badness(name: str) -> float:
        numbers = by_class[name]
        if any("kernel_distance" in each for each in by_class.values()):
            return numbers.get("kernel_distance", -math.inf)
        if any("agreement" in each for each in by_class.values()):
            return -numbers.get("agreement", math.inf)
        return abs(numbers.get("share", 0.0) - numbers.get("real_share", 0.0))

    return sorted(by_class, key=badness, reverse=True)


def shortened(text: str, most: int = LONGEST_CLASS) -> str:
    """A printable text of at most so many characters."""
    text = printable(text)
    return text if len(text) <= most else text[: most - 3] + "..."


def wrapped(text: str, width: int, first: str = "", hanging: str = "") -> list[str]:
    """The printable text in lines of at most `width` columns."""
    return textwrap.wrap(
        printable(text),
        width,
        initial_indent=first,
        subsequent_indent=hanging,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    )


def table(rows: Sequence[Sequence[str]], width: int, left: Sequence[int] = (0,)) -> list[str]:
    """Rows of cells in columns, the first of them wrapped into what the others leave of `width`; `left` start their column
    at its left."""
    widths = [max(_cells(row[i]) for row in rows) for i in range(len(rows[0]))]
    widths[0] = max(min(widths[0], width - _others(widths)), NARROWEST_WORDS)
    drawn: list[str] = []
    for row in rows:
        # Continued words are set in, so that they do not look like a row of their own.
        words = wrapped(row[0], widths[0], hanging=" ") or [""]
        cells = [words[0], *row[1:]]
        padded = [_padded(cell, widths[i], i in left) for i, cell in enumerate(cells)]
        drawn += [(" " * GAP).join(padded).rstrip(), *words[1:]]
    return drawn


def fits(rows: Sequence[Sequence[str]], width: int) -> bool:
    """Whether `table` can keep to that width."""
    return NARROWEST_WORDS + _others([max(_cells(row[i]) for row in rows) for i in range(len(rows[0]))]) <= width


def _others(widths: Sequence[int]) -> int:
    """What all columns but the first one take."""
    return sum(widths[1:]) + GAP * (len(widths) - 1)


def _measurement_table(measurements: Mapping[str, Measurement], width: int) -> list[str]:
    """One row a measurement; the samples' value at the floor's count and the floor stand side by side."""
    floors = has_floor(measurements)
    rows = [["measure", "value", "better", *(pair_titles(measurements) if floors else ())]]
    for name, each in measurements.items():
        row = [measure_words(name), spread_text(name, each.value, each.error), BETTER[each.better]]
        if floors:
            row += [value_text(name, against_floor(each)), spread_text(name, each.floor, each.floor_error)]
        rows.append(row)
    return table(rows, width, left=(0, 2))


def _class_table(by_class: Mapping[str, Mapping[str, float]], width: int) -> list[str]:
    columns = class_columns(by_class)
    names = worst_classes(by_class)
    rows = [["class, worst first", *(class_words(column) for column in columns)]]
    for name in names[:MOST_CLASSES]:
        numbers = by_class[name]
        cells = [number_text(numbers[column]) if column in numbers else NOTHING for column in columns]
        rows.append([shortened(name), *cells])
    more = len(names) - MOST_CLASSES
    return table(rows, width) + ([f"...and {more:,} more"] if more > 0 else [])


def worst_columns(figures: Mapping[str, Mapping[str, float]]) -> list[str]:
    """The columns, or pairs of them, the least alike first."""
    return sorted(figures, key=lambda name: figures[name].get("alike", math.inf))


def _column_table(title: str, figures: Mapping[str, Mapping[str, float]], width: int) -> list[str]:
    names = worst_columns(figures)[:MOST_COLUMNS]
    columns = [name for name in ("alike", "alike_as_many", "real") if any(name in figures[each] for each in names)]
    rows = [[title, *(COLUMN_NUMBERS[column] for column in columns)]]
    for name in names:
        cells = [number_text(figures[name][column]) if column in figures[name] else NOTHING for column in columns]
        rows.append([shortened(name, 2 * LONGEST_CLASS), *cells])
    return table(rows, width)


def _cells(text: str) -> int:
    """Columns of a terminal that a text takes: two for each East Asian letter."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _padded(text: str, width: int, left: bool) -> str:
    blank = " " * (width - _cells(text))
    return text + blank if left else blank + text
