"""The old cat-picture command, flag by flag."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganwright import load
from ganwright.cli.app import run
from ganwright.networks.layered import Layered


@pytest.fixture
def cats(tmp_path: Path) -> Path:
    """Twenty little colour pictures."""
    random = np.random.default_rng(0)
    folder = tmp_path / "cats"
    folder.mkdir()
    for number in range(20):
        Image.fromarray(random.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(folder / f"{number}.jpg")
    return folder


def classic(*arguments: object) -> int:
    return run(["classic", *map(str, arguments)])


def trained(cats: Path, out: Path, *more: object) -> int:
    flags = ("--e", 4, "--b", 10, "--n", 7, "--i", 12, "--s", 2, "--ng", 9, "--nd", 11)
    return classic("--f", out, "--d", cats, *flags, *more)


def test_training_leaves_the_old_files(cats: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert trained(cats, out) == 0
    names = {path.name for path in out.iterdir()}
    assert names == {
        "gan_generated_image_epoch_2.png",
        "gan_generated_image_epoch_4.png",
        "gan_generator.safetensors",
        "final_cat_generator.safetensors",
    }
    with Image.open(out / "gan_generated_image_epoch_4.png") as grid:
        assert grid.width > 4 * grid.height, "2 x 10 pictures"
    said = capsys.readouterr().out
    for epoch in range(1, 5):
        assert f"epoch {epoch}/4  discriminator " in said


def test_the_networks_are_the_old_ones_at_the_widths_asked_for(cats: Path, tmp_path: Path) -> None:
    assert trained(cats, tmp_path / "out") == 0
    model = load(tmp_path / "out" / "final_cat_generator.safetensors")
    family = model.family
    assert isinstance(family, Layered)
    assert [str(row) for row in family.generator_layers.rows] == [
        "layers.Dense(9, input_dim=7)",
        "layers.LeakyReLU(0.2)",
        "layers.Dense(12 * 12 * 3, activation='tanh')",
        "layers.Reshape((12, 12, 3))",
    ]
    assert family.discriminator_layers is not None
    assert "layers.Dense(11)" in family.discriminator_layers.rows
    config = model.facts["training"]["config"]
    assert config["loss"]["name"] == "non_saturating"
    assert config["generator_optimizer"]["learning_rate"] == 0.0002
    assert config["batch"] == 10
    assert model.facts["training"]["samples_seen"] == 80


def test_pictures_need_no_repeated_noise_size(cats: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert trained(cats, tmp_path / "out") == 0
    final = tmp_path / "out" / "final_cat_generator.safetensors"
    capsys.readouterr()
    assert classic("--f", tmp_path / "new", "--p", final) == 0
    assert "--n" not in capsys.readouterr().out
    names = sorted((tmp_path / "new").iterdir())
    assert {path.name for path in names} == {f"generated_image_{number}.png" for number in range(1, 21)}
    with Image.open(tmp_path / "new" / "generated_image_1.png") as picture:
        assert (picture.size, picture.mode) == ((12, 12), "RGB")
    assert classic("--f", tmp_path / "three", "--p", final, "--a", 3, "--n", 50) == 0
    assert "trained with 7 values of noise, so --n 50 is not used" in capsys.readouterr().out
    assert len(list((tmp_path / "three").iterdir())) == 3


def test_a_batch_larger_than_the_folder_is_cut_and_said_so(
    cats: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert classic("--f", tmp_path / "out", "--d", cats, "--e", 1, "--i", 12) == 0
    assert "there are 20 pictures, so a batch has 20, not 256" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--f", "out"], 2, "--d or --p is needed"),
        (["--d", "cats"], 2, "--f"),
        (["--f", "out", "--d", "cats", "--e", "0"], 2, "--e must be at least 1"),
        (["--f", "out", "--d", "dogs"], 3, "there is no folder dogs"),
        (["--f", "out", "--p", "nothing.safetensors"], 4, "there is no model"),
        (["--f", "out", "--p", "nothing.h5"], 4, "nothing.h5"),
    ],
)
def test_mistakes_are_told_and_nothing_is_made(
    arguments: list[str],
    code: int,
    words: str,
    cats: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert classic(*arguments) == code
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_picture_of_anyone_elses_is_never_written_over(cats: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    mine = out / "gan_generated_image_epoch_2.png"
    Image.new("RGB", (3, 3)).save(mine)
    before = mine.read_bytes()
    assert trained(cats, out) == 3
    assert mine.read_bytes() == before
    assert len(list(out.iterdir())) == 1
