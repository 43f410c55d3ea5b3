"""Flags of other programs: what is said of them exists here."""

from __future__ import annotations

import pytest

from ganwright.choices import Choices
from ganwright.cli import app
from ganwright.cli.elsewhere import VERBS, here
from ganwright.cli.settings import parse_settings
from ganwright.core.budget import Budget
from ganwright.core.config import to_plain
from ganwright.data.spec import DataSpec
from ganwright.recipes.registry import RECIPES
from ganwright.runtime.device import find_machine


def flags_of(verb: str) -> set[str]:
    """All that the verb takes."""
    return {name for argument in app.build_app()[verb].assemble_argument_collection() for name in argument.names}


@pytest.mark.parametrize("verb", VERBS)
def test_every_flag_that_is_named_is_one_of_the_verb_s(verb: str) -> None:
    known = flags_of(verb)
    for foreign, hint in VERBS[verb].items():
        named = [word.strip(",:") for word in hint.split() if word.startswith("-")]
        assert set(named) - {"--help"} <= known, (foreign, hint)
        assert f"--{foreign}" not in known, f"--{foreign} is a flag of ours"


def test_every_setting_that_is_named_is_one_of_the_default_s() -> None:
    config = to_plain(RECIPES.get("dcgan")(DataSpec("image", (3, 64, 64)), find_machine("cpu"), Budget()))
    hints = {hint for hint in VERBS["train"].values() if hint.startswith("--set ")}
    assert len(hints) == 3
    for hint in hints:
        path, _ = hint.split()[1].rstrip(",").split("=")
        found = config
        for part in path.split("."):
            found = found[int(part)] if isinstance(found, list) else found[part]
        assert isinstance(found, int | float | dict)
        assert Choices().settings(parse_settings([hint.split()[1].rstrip(",")]))


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["train", "x", "--minutes", "5"], "--time 20m"),
        (["train", "x", "--image-size", "64"], "--size 64"),
        (["train", "x", "--Batch_Size=3"], "--batch 16"),
        (["train", "x", "-e", "20"], "--epochs 20"),
        (["train", "x", "--out", "results"], "--run runs/NAME"),
        (["sample", "last", "--trunc", "0.5"], "--truncation 0.7"),
    ],
)
def test_a_flag_of_another_program_is_answered_with_ours(
    words: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.run(words) == 2
    told = capsys.readouterr().err
    assert f"there is no {words[2].split('=')[0]}" in told
    assert hint in told
    assert "Did you mean" not in told


def test_a_mistyped_flag_is_still_guessed(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["train", "x", "--epoch", "3"]) == 2
    assert "Did you mean --epochs?" in capsys.readouterr().err
    assert here("train", "--epoch") == here("runs", "--minutes") == ""
