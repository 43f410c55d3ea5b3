"""What the figures say, in sentences: does it look real, does it cover the data, does it copy, is it what was asked for?"""

from __future__ import annotations

import math
from collections.abc import Mapping

from ganwright.metrics.parts.measurement import Measurement

Measured = Mapping[str, Measurement]
CERTAIN = 0.001
"""Probability below which what chance would do is left out of account."""
LEANING = 0.6
"""Odds of being nearer than a held-out record beyond which it is told though no copies are seen."""
CLEARLY = 3.0
"""Standard errors that make a difference."""
COLLAPSED = 0.1
"""Self-BLEU above that of real texts from which on samples repeat each other."""
MANY_TWINS = 0.01
"""Share of samples that have an exact twin above which it is told."""


def verdicts(measured: Measured, failed: Mapping[str, str], noun: str) -> tuple[str, ...]:
    """A sentence or two for each question that could be answered, and for copying also where it could not."""
    sentences = [
        *_looks_real(measured, noun),
        *_told_apart(measured, noun),
        *_alike(measured, noun),
        *_reads_alike(measured),
        *_varies(measured),
        *_moves_alike(measured),
        *_is_useful(measured, noun),
        *_covers(measured, noun),
        *_has_rare_words(measured),
        *_copies(measured, failed),
        *_repeats_rows(measured, noun),
        *_tells_members(measured, noun),
        *_repeats(measured),
        *_obeys(measured),
    ]
    return tuple(sentences)


def _looks_real(measured: Measured, noun: str) -> list[str]:
    if (precision := measured.get("precision")) is None:
        return []
    text = f"Looks real? {_percent(_comparable(precision))} of the samples lie where real {noun} do"
    return [text + _of_held_out(precision) + "."]


def _told_apart(measured: Measured, noun: str) -> list[str]:
    if (detection := measured.get("detection") or measured.get("told_apart")) is None:
        return []
    text = f"Looks real? A classifier tells samples from real {noun} with AUC {detection.value:.2f}"
    real = "" if detection.floor is None else f"; held-out {noun}: {detection.floor:.2f}"
    return [f"{text} (0.5: not at all{real})."]


def _alike(measured: Measured, noun: str) -> list[str]:
    columns, pairs = measured.get("shapes"), measured.get("trends")
    if columns is None:
        return []

    def share(each: Measurement) -> str:
        real = "" if each.floor is None else f" (held-out {noun}: {_fine(each.floor)})"
        return _fine(_comparable(each)) + real

    text = f"Has the same columns? They are alike to {share(columns)}"
    return [text + (f", pairs of them to {share(pairs)}." if pairs is not None else ".")]


def _reads_alike(measured: Measured) -> list[str]:
    """By 4-grams, the longest that both words and characters are counted by."""
    if (long := measured.get("ngrams_4")) is None:
        return []
    real = "" if long.floor is None else f" (real texts among themselves: {long.floor:.2f})"
    strange = measured.get("strange_words")
    words = "" if strange is None else f"; {_percent(strange.value)} of the words are in no training text"
    return [f"Reads alike? 4-grams diverge by {_comparable(long):.2f} bits{real}{words}{_floor_of(strange)}."]


def _varies(measured: Measured) -> list[str]:
    if (repeated := measured.get("self_bleu")) is None or repeated.floor is None:
        return []
    value = _comparable(repeated)
    word = "No, samples repeat each other" if value - repeated.floor > COLLAPSED else "Yes"
    return [f"Varied? {word}: self-BLEU {value:.2f} (real texts: {repeated.floor:.2f})."]


def _moves_alike(measured: Measured) -> list[str]:
    if (lags := measured.get("autocorrelation")) is None:
        return []

    def told(each: Measurement) -> str:
        real = "" if each.floor is None else f" (held-out series: {each.floor:.3f})"
        return f"{_comparable(each):.3f}{real}"

    across = measured.get("cross_correlation")
    columns = "" if across is None else f", correlations of columns by {told(across)}"
    return [f"Moves alike? Autocorrelations differ by {told(lags)}{columns}."]


def _is_useful(measured: Measured, noun: str) -> list[str]:
    if (utility := measured.get("utility")) is None:
        return []
    return [f"Useful? Samples teach a model {_percent(max(0.0, utility.value))} of what as many real {noun} teach it."]


def _has_rare_words(measured: Measured) -> list[str]:
    if (rare := measured.get("rare")) is None or rare.floor is None:
        return []
    error = math.hypot(rare.error or 0.0, rare.floor_error or 0.0)
    if rare.floor - _comparable(rare) <= CLEARLY * error:
        return []
    of_real = f" (held-out ones: {_percent(rare.floor)})"
    return [f"Covers what is rare? Samples have {_percent(_comparable(rare))} of the rare words{of_real}."]


def _covers(measured: Measured, noun: str) -> list[str]:
    if (recall := measured.get("recall")) is None:
        return []
    return [
        f"Covers the data? Samples reach {_percent(_comparable(recall))} of the real {noun}" + _of_held_out(recall) + "."
    ]


def _copies(measured: Measured, failed: Mapping[str, str]) -> list[str]:
    """By the share of near copies, against what it is for held-out records; the test of all distances comes second.

    That test alone also notices samples that are merely smooth: held-out pictures of CIFAR-10 after a 5x5 blur gave
    p = 0.0009 and no copies.
    """
    if (near := measured.get("copies")) is None or near.floor is None:
        reason = failed.get("memorisation")
        return [f"Copies? Not known: {reason}."] if reason else []
    chance = (
        f"{_percent(near.value)} of the samples are as near to a training record as {_percent(near.floor)} of held-out ones"
    )
    error = math.hypot(near.error or 0.0, near.floor_error or 0.0)
    if near.value - near.floor > CLEARLY * error and near.value > 2 * near.floor:
        return [f"Copies? Yes: {chance}. Look at nearest.png."]
    odds, p = measured["copying"].value, measured["copying_p"].value
    if p < CERTAIN and odds > LEANING:
        return [
            f"Copies? Perhaps: {chance}, but samples lean towards training records (p {_chance(p)}). Look at nearest.png."
        ]
    return [f"Copies? No sign of it: {chance}."]


def _repeats_rows(measured: Measured, noun: str) -> list[str]:
    """Told where samples are training rows more often than held-out rows are."""
    copies = measured.get("exact_copies")
    if copies is None or copies.floor is None:
        return []
    error = math.hypot(copies.error or 0.0, copies.floor_error or 0.0)
    if copies.value - copies.floor <= CLEARLY * error or copies.value <= 2 * copies.floor:
        return []
    return [f"Copies whole {noun}? {_percent(copies.value)} of the samples are training {noun}{_of_held_out(copies)}."]


def _tells_members(measured: Measured, noun: str) -> list[str]:
    if (attack := measured.get("membership")) is None:
        return []
    p = measured["membership_p"].value
    told = f"an attack tells training {noun} from held-out ones with AUC {attack.value:.2f} (0.5: not at all"
    if p >= CERTAIN:
        return [f"Private? No leak was found: {told})."]
    return [f"Private? Not quite: {told}; p {_chance(p)})."]


def _repeats(measured: Measured) -> list[str]:
    twins = measured.get("duplicates")
    if twins is None or twins.value <= MANY_TWINS:
        return []
    return [f"Repeats itself? {_percent(twins.value)} of the samples have an exact twin among them."]


def _obeys(measured: Measured) -> list[str]:
    if (agreement := measured.get("label_agreement")) is None:
        return []
    of_real = f" (of held-out records {_percent(agreement.floor)} are)" if agreement.floor is not None else ""
    return [f"Draws what was asked for? {_percent(agreement.value)} of the samples are read as their class{of_real}."]


def _comparable(measurement: Measurement) -> float:
    return measurement.value if measurement.at_floor_count is None else measurement.at_floor_count


def _floor_of(measurement: Measurement | None) -> str:
    return "" if measurement is None else _of_held_out(measurement)


def _of_held_out(measurement: Measurement) -> str:
    return "" if measurement.floor is None else f" (held-out ones: {_percent(measurement.floor)})"


def _fine(share: float) -> str:
    return f"{100 * share:.1f}%"


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%" if share >= 0.1 or share == 0 else f"{100 * share:.1f}%"


def _chance(p: float) -> str:
    return f"= {p:.3f}" if p >= 0.001 else "< 0.001"
