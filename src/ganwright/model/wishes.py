"""From what a user asks of samples to what the networks are told."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from ganwright.core.errors import UsageError
from ganwright.core.suggest import unknown_name_hints
from ganwright.core.text import printable
from ganwright.data.spec import Condition
from ganwright.data.tables.asking import Wish as Words
from ganwright.data.tables.asking import wishes_of
from ganwright.data.told import yes_or_no
from ganwright.model.conditions import Asked, Wanted, Wish

ROUNDED = 1e-5
"""Of the larger end of a number's range: how far past its ends a number still counts as one of them."""


def ask(
    conditions: Sequence[Condition],
    given: Mapping[str, Any],
    n: int,
    where: Mapping[str, Any] | None = None,
    beyond: bool = False,
) -> Asked:
    """What `given` and `where` say, as wishes for `n` samples.

    Args:
        given: a value for all samples or a list of one for each: {"label": "cat"}, {"age": [30, 40]}, {"labels": ["hat"]}
            (these labels hold, the others as it comes; a list of lists for each sample), {"hat": True}.
        where: what holds for all samples, as of rows: {"age": (30, 40)} for a range, {"breed": ["siamese", "persian"]} for
            one of them, {"hat": "yes"}.
        beyond: numbers may lie outside what the data had.

    Raises:
        UsageError: the model is not conditioned on that, there is no such class or label, a number that the data did not
            have, or not one value per sample.
    """
    found: dict[str, list[Wanted | None]] = {}
    for name, value in given.items():
        if value is not None:
            condition, label = _condition(conditions, name)
            if label is not None:
                wanted = _made(_for_each(name, value, n), partial(_label, condition, label))
            elif condition.kind == "labels":
                per_sample = [value] * n if _is_one_set(value) else list(value)
                wanted = _made(_as_many(name, per_sample, n), partial(_labels, condition))
            else:
                wanted = _made(_for_each(name, value, n), partial(_one, condition, beyond=beyond))
            _add(found, condition, wanted)
    for name, words in wishes_of(where or {}).items():
        condition, label = _condition(conditions, name)
        one = (
            _label(condition, label, *words.words)
            if label is not None and words.words
            else _of_words(condition, words, beyond)
        )
        _add(found, condition, [one] * n)
    return {name: _wish(wanted) for name, wanted in found.items()}


def _condition(conditions: Sequence[Condition], name: str) -> tuple[Condition, int | None]:
    """The condition of that name, or the one that has a label of that name, and its place."""
    for condition in conditions:
        if condition.name == name:
            return condition, None
    for condition in conditions:
        if condition.kind == "labels" and name in condition.classes:
            return condition, condition.classes.index(name)
    known = [each.name for each in conditions] + [n for each in conditions if each.kind == "labels" for n in each.classes]
    hints = unknown_name_hints(name, known) if known else ("it was trained without conditions",)
    raise UsageError("E-SAMPLE-04", f"this model is not conditioned on {name!r}", hints=hints)


def check_one_value(conditions: Mapping[str, Any]) -> None:
    """Raise UsageError unless each condition is asked for by a single value."""
    for name, value in conditions.items():
        if not isinstance(value, str | Words) and np.ndim(value):
            what = f"{name}: {len(value)} values for one film"
            raise UsageError("E-SAMPLE-05", what, hints=("one value, which all its frames have",))


def _for_each(name: str, value: Any, n: int) -> list[Any]:
    return [value] * n if isinstance(value, str | Words) or np.ndim(value) == 0 else _as_many(name, list(value), n)


def _made(values: list[Any], make: Callable[[Any], Wanted | None]) -> list[Wanted | None]:
    """A wish for each value, made once for those that are alike."""
    made: dict[str, Wanted | None] = {}
    words = [repr(value) for value in values]
    for word, value in zip(words, values, strict=True):
        if word not in made:
            made[word] = make(value)
    return [made[word] for word in words]


def _as_many(name: str, values: list[Any], n: int) -> list[Any]:
    if len(values) != n:
        raise UsageError(
            "E-SAMPLE-05", f"{name}: {len(values)} values for {n} samples", hints=("one, or as many as samples",)
        )
    return values


def _add(found: dict[str, list[Wanted | None]], condition: Condition, wanted: list[Wanted | None]) -> None:
    """Another wish of the same labels is one more that holds; of anything else it is a contradiction."""
    if condition.name not in found:
        found[condition.name] = wanted
        return
    if condition.kind != "labels":
        raise UsageError("E-SAMPLE-10", f"{condition.name!r} is asked for twice")
    found[condition.name] = [_both(one, other) for one, other in zip(found[condition.name], wanted, strict=True)]


def _both(one: Wanted | None, other: Wanted | None) -> Wanted | None:
    if one is None or other is None:
        return one or other
    return Wanted(labels=tuple(a if math.isnan(b) else b for a, b in zip(one.labels, other.labels, strict=True)))


def _wish(wanted: list[Wanted | None]) -> Wish:
    """Wishes of n samples, the different ones once."""
    places: dict[Any, int] = {}
    choices: list[Wanted | None] = []
    which = np.empty(len(wanted), np.int64)
    for i, each in enumerate(wanted):
        # By identity: NaN is unlike itself, and equal wishes were made once.
        place = places.setdefault(id(each), len(choices))
        if place == len(choices):
            choices.append(each)
        which[i] = place
    return Wish(tuple(choices), which)


def _word(value: Any) -> str:
    return str(value.item() if hasattr(value, "item") else value)


def _one(condition: Condition, value: Any, beyond: bool) -> Wanted | None:
    """One class, or one number."""
    if value is None:
        return None
    if condition.kind == "class":
        return Wanted(places=(_place(condition, _word(value)),))
    number = _number(condition, _word(value), beyond)
    return Wanted(low=number, high=number)


def _place(condition: Condition, word: str) -> int:
    """The class of that name; of classes that are yes and no, in whatever words, the one that means it."""
    if word not in condition.classes:
        answer = yes_or_no(word)
        alike = [place for place, name in enumerate(condition.classes) if yes_or_no(name) == answer]
        if len(condition.classes) == 2 and len(alike) == 1:
            return alike[0]
        hints = unknown_name_hints(word, condition.classes)
        what = f"{condition.name} {printable(word, 60)!r} is not one that the model knows"
        raise UsageError("E-SAMPLE-06", what, hints=hints)
    return condition.classes.index(word)


def _number(condition: Condition, word: str, beyond: bool) -> float:
    """As the networks are told it."""
    try:
        number = float(word)
    except ValueError:
        number = math.nan
    low, high = condition.low, condition.high
    with np.errstate(over="ignore"):
        told = float(condition.scaled(np.array([number]))[0])
    if not math.isfinite(told):
        raise UsageError("E-SAMPLE-06", f"{condition.name} {printable(word, 40)!r} is no number")
    if condition.circular or beyond or low <= number <= high:
        return told
    # The ends may be asked for as they are printed, with six digits.
    if low - number > (slack := ROUNDED * max(abs(low), abs(high))) or number - high > slack:
        why = f"they went from {low:g} to {high:g}"
        hints = ("--beyond, or beyond=True, asks all the same: what comes is a guess",)
        raise UsageError("E-SAMPLE-15", f"the data had no {condition.name} of {number:g}", why=why, hints=hints)
    return min(max(told, -1.0), 1.0)


def _is_one_set(value: Any) -> bool:
    """Whether it says the labels of all samples: words, or what holds of each; a list of such is one for each sample."""
    return isinstance(value, str | Mapping) or all(isinstance(each, str) for each in value)


def _labels(condition: Condition, value: Any) -> Wanted | None:
    if value is None:
        return None
    said = dict.fromkeys([value] if isinstance(value, str) else value, True) if not isinstance(value, Mapping) else value
    wanted: Wanted | None = Wanted(labels=(math.nan,) * len(condition.classes))
    for word, holds in said.items():
        wanted = _both(wanted, _label(condition, _place(condition, _word(word)), holds))
    return wanted


def _label(condition: Condition, place: int, *answers: Any) -> Wanted | None:
    """That one label holds, or does not."""
    if len(answers) == 1 and answers[0] is None:
        return None
    found = [yes_or_no(str(each)) for each in answers]
    if len(found) != 1 or math.isnan(found[0]):
        what = f"{condition.classes[place]!r} is yes or no, not {printable(' or '.join(map(str, answers)), 40)}"
        raise UsageError("E-SAMPLE-06", what)
    return Wanted(labels=tuple(found[0] if i == place else math.nan for i in range(len(condition.classes))))


def _of_words(condition: Condition, words: Words, beyond: bool) -> Wanted | None:
    """What a user asks for as of a table's cells; None for anything."""
    if condition.kind == "class":
        if not words.words:
            hints = (f"known: {', '.join(condition.classes[:8])}",)
            raise UsageError("E-SAMPLE-06", f"{condition.name} is one of some words, which have no range", hints=hints)
        return Wanted(places=tuple(_place(condition, word) for word in words.words))
    if condition.kind == "labels":
        hints = (f'--where "{condition.classes[0]}=yes"',)
        raise UsageError("E-SAMPLE-06", f"{condition.name} are labels: ask for each by its name", hints=hints)
    if len(words.words) > 1:
        raise UsageError("E-SAMPLE-06", f"{condition.name} is one number or a range, as {condition.name}=30..40")
    if words.words:
        number = _number(condition, words.words[0], beyond)
        return Wanted(low=number, high=number)
    if condition.circular and (words.low is None or words.high is None):
        raise UsageError("E-SAMPLE-06", f"{condition.name} is an angle: a range of it has two ends")
    low = -1.0 if words.low is None else _number(condition, words.low, beyond)
    high = 1.0 if words.high is None else _number(condition, words.high, beyond)
    if low > high and not condition.circular:
        raise UsageError("E-SAMPLE-06", f"{condition.name}: nothing lies between {words.low} and {words.high}")
    if condition.circular and low == high and words.low != words.high:
        return None  # once around
    return Wanted(low=low, high=high)
