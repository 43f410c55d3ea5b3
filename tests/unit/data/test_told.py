"""What values beside records are taken for, and how they are stored."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ganwright.core.errors import DataError, UsageError
from ganwright.data.in_memory import conditions_of
from ganwright.data.joint_rows import MOST_ROWS, check_rows, rows_of, with_rows
from ganwright.data.record import Record
from ganwright.data.spec import Condition, DataSpec, unknown
from ganwright.data.told import Told, parse_asked
from ganwright.data.told_kinds import Finder

NOTHING = np.zeros((1, 1), np.uint8)


def records(columns: dict[str, Any]) -> list[Record]:
    known = conditions_of(columns)
    count = len(next(iter(known.values())))
    return [Record(f"r{i}", NOTHING, {name: values[i] for name, values in known.items()}) for i in range(count)]


def found(columns: dict[str, Any], *asked: str) -> tuple[Told, list[str]]:
    finder = Finder(parse_asked(asked))
    some = records(columns)
    finder.look(some[:7])
    finder.look(some[7:])
    return finder.found()


def kinds(columns: dict[str, Any], *asked: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    return {each.name: (each.kind, each.classes) for each in found(columns, *asked)[0].conditions}


MANY = list(range(40))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["cat", "dog"] * 20, "class"),
        ([3, 5] * 20, "class"),
        ([3.0, 5.0] * 20, "class"),
        (MANY, "number"),
        ([0.5, 1.5] * 20, "number"),
        (np.linspace(0, 1, 40), "number"),
        (["yes", "no"] * 20, "class"),
        ([f"caption {i}" for i in MANY], None),
        (["always"] * 40, None),
        ([None, 7] * 20, None),
        (["31", "NA", "", "45.5"] * 10, "number"),
    ],
)
def test_the_kind_is_found_from_the_values(values: Any, kind: str | None) -> None:
    assert kinds({"it": values}).get("it", (None,))[0] == kind


def test_several_columns_of_yes_and_no_are_labels_together() -> None:
    given = {"hat": [True, False] * 20, "tie": ["no", "yes"] * 20, "ring": [1, -1] * 20, "age": MANY}
    assert kinds(given)["labels"] == ("labels", ("hat", "tie", "ring"))
    assert kinds(given, "hat=class") == {
        "hat": ("class", ("false", "true")),
        "labels": ("labels", ("tie", "ring")),
        "age": ("number", ()),
    }
    assert kinds({"hat": [True, False] * 20}, "hat=labels") == {"labels": ("labels", ("hat",))}


def test_numbers_that_only_count_records_are_none() -> None:
    assert kinds({"image_id": MANY, "age": MANY, "class_id": [0, 1] * 20}).keys() == {"class_id", "age"}
    assert kinds({"id": MANY}, "id=number")["id"][0] == "number"


def test_what_a_user_says_comes_first() -> None:
    given = {"turn": [0, 90, 180, 270] * 10, "id": [1, 2] * 20, "digit": [i % 30 for i in MANY]}
    told, _ = found(given, "turn=degrees", "id=none", "digit=class")
    turn, digit = sorted(told.conditions, key=lambda each: each.kind == "class")
    assert (turn.low, turn.high, turn.circular) == (0, 360, True)
    assert len(digit.classes) == 30
    for wrong, message in (("it=number", "nothing is known"), ("digit=labels", "no label")):
        with pytest.raises(UsageError, match=message):
            found(given, wrong)
    with pytest.raises(UsageError, match="says no kind"):
        parse_asked(["age=colour"])
    with pytest.raises(UsageError, match="is no number"):
        found({"breed": ["cat", "dog"] * 4}, "breed=number")


def test_what_is_left_out_is_said() -> None:
    _, notes = found({"text": [f"caption {i}" for i in MANY], "same": ["x"] * 40, "age": MANY})
    assert notes[0] == "known of each: age, a number from 0 to 39"
    assert "text (different words in most records)" in notes[1]
    assert "same (the same everywhere)" in notes[1]


def test_columns_are_as_the_condition_says_and_gaps_are_known_as_such() -> None:
    given = {
        "breed": ["cat", "dog", None, "cat"],
        "age": [0.0, 5.5, 10.0, float("nan")],
        "hat": [True, None, False, True],
        "tie": [True, False, False, True],
    }
    told, _ = found(given)
    columns = told.columns(records(given))
    assert columns["breed"].tolist() == [0, 1, -1, 0]
    assert columns["breed"].dtype == np.int64
    np.testing.assert_allclose(columns["age"], [-1, 0.1, 1, np.nan], atol=1e-6)
    assert columns["age"].dtype == columns["labels"].dtype == np.float32
    assert unknown(columns["labels"]).tolist() == [False, True, False, False]
    only = replace(told, only_known=True)
    kept, skipped = only.without_unknown(records(given))
    assert [record.name for record in kept] == ["r0"]
    assert sorted(each.reason for each in skipped) == ["age not known", "breed not known", "labels not known"]


def test_an_angle_goes_round() -> None:
    circle = Condition("turn", kind="number", high=360, circular=True)
    np.testing.assert_allclose(circle.scaled(np.array([0, 90, 360, -90, 540])), [-1, -0.5, -1, 0.5, 0])


@pytest.mark.parametrize("given", [{"label": ["cat", "dog"] * 4}, {"age": MANY, "hat": [1, 0] * 20, "tie": [0, 1] * 20}])
def test_the_state_survives_json(given: dict[str, Any]) -> None:
    told, _ = found(given)
    state = json.loads(json.dumps(told.state())) | {"other": 1}
    assert Told.taken_from(state) == told
    assert state == {"other": 1}


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "colour"},
        {"low": 90.0, "high": 18.0},
        {"name": ""},
        {"kind": "labels", "classes": []},
        {"counts": [1, 2, 3]},
        {"rows": "A" * (1 << 19)},
    ],
)
def test_a_state_that_is_none_of_ours_is_refused(change: dict[str, Any]) -> None:
    told, _ = found({"age": MANY, "hat": [1, 0] * 20})
    state = told.state()
    state["conditions"][1] |= change
    with pytest.raises((UsageError, ValueError)):
        Told.taken_from(state)


def test_rows_of_several_conditions_are_kept_together() -> None:
    random = np.random.default_rng(0)
    classes, labels = random.integers(0, 300, 6000), random.integers(0, 2, (6000, 11))
    columns = {"a": classes, "b": labels.astype(np.float32), "c": (classes / 150 - 1).astype(np.float32)}
    conditions = [
        Condition("a", tuple(map(str, range(300)))),
        Condition("b", tuple("abcdefghijk"), kind="labels"),
        Condition("c", kind="number", high=1),
    ]
    kept = with_rows(conditions, columns)
    a, b, c = map(rows_of, kept)
    assert len(a) == len(b) == len(c) == MOST_ROWS
    assert (a.dtype, b.dtype, c.dtype) == (np.int64, np.float32, np.float32)
    np.testing.assert_allclose(a / 150 - 1, c, atol=1e-4)
    seen = {(int(x), *row) for x, row in zip(classes, labels.tolist(), strict=True)}
    assert all((int(x), *map(int, row)) in seen for x, row in zip(a, b.tolist(), strict=True))
    assert with_rows(conditions[:1], columns) == tuple(conditions[:1]), "one class has its counts"
    check_rows(kept)
    DataSpec("image", (1, 8, 8), conditions=kept)


@pytest.mark.parametrize("rows", ["!!", "AA==", "/////w=="])
def test_rows_that_lie_are_refused(rows: str) -> None:
    with pytest.raises(ValueError, match="rows"):
        check_rows([Condition("a", ("x", "y"), rows=rows)])
    with pytest.raises(ValueError, match="same number"):
        check_rows([Condition("a", ("x", "y"), rows="AAA="), Condition("b", ("x", "y"), rows="AAAAAA==")])


@pytest.mark.parametrize("value", [np.zeros((3, 2, 2)), 7, {1: 2}])
def test_columns_in_memory_are_of_a_kind(value: Any) -> None:
    with pytest.raises(DataError, match="cannot read 'it'"):
        conditions_of({"it": value})
