"""A GAN that is told of labels and numbers: from a folder with labels.csv to the samples that were asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage
from torch import Tensor, nn

from ganwright import GAN, Image, Layers, Numbers, load
from ganwright.cli.app import run
from ganwright.core.errors import DataError, UsageError
from ganwright.training import loop
from ganwright.training.events import Checkpointed

pytestmark = pytest.mark.costly

STEPS = 150
SMALL = {"network": {"latent": 8, "width": 8, "max_width": 16}}


def faces(count: int = 500) -> tuple[np.ndarray, dict[str, Any]]:
    """Pictures as bright as their age, white above with a hat and black below with a tie; three in four are cats."""
    random = np.random.default_rng(0)
    age, hat, tie = random.uniform(18, 90, count), random.random(count) < 0.4, random.random(count) < 0.5
    pixels = (40 + (age - 18) * 2.2)[:, None, None] + random.normal(0, 6, (count, 8, 8))
    pixels[hat, :2] = 255
    pixels[tie, 6:] = 0
    breed = np.where(np.arange(count) % 4 == 0, "dog", "cat")
    return pixels.clip(0, 255).astype(np.uint8), {"age": age, "hat": hat, "tie": tie, "breed": breed}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> GAN:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANWRIGHT_CACHE", str(tmp_path_factory.mktemp("cache")))
        pictures, known = faces()
        del known["breed"]
        gan = GAN("dcgan", conditional=True, batch=32, settings=SMALL)
        return gan.fit((pictures, known), steps=STEPS, holdout=False)


def test_a_number_that_is_asked_for_is_drawn(trained: GAN) -> None:
    ages = np.linspace(18.5, 89.5, 120)
    made = trained.model_.tensor(120, age=ages, hat=False, tie=False)[:, 0, 3:5].mean((1, 2)).numpy()
    assert np.corrcoef(made, ages)[0, 1] > 0.8


def test_labels_that_are_asked_for_are_drawn(trained: GAN) -> None:
    above = {hat: float(trained.model_.tensor(100, hat=hat)[:, 0, :2].mean()) for hat in (True, False)}
    below = {tie: float(trained.model_.tensor(100, tie=tie)[:, 0, 6:].mean()) for tie in (True, False)}
    assert above[True] > above[False] + 0.4
    assert below[True] < below[False] - 0.4


def in_a_folder(folder: Path, count: int = 80) -> Path:
    """The same as .png files with labels.csv."""
    pictures, known = faces(count)
    folder.mkdir()
    rows = [",".join(["file", *known])]
    for i, picture in enumerate(pictures):
        PillowImage.fromarray(picture).save(folder / f"{i}.png")
        rows.append(",".join([f"{i}.png", *(str(column[i]) for column in known.values())]))
    (folder / "labels.csv").write_text("\n".join(rows))
    return folder


def ganwright(*words: str | Path) -> int:
    return run(list(map(str, words)))


def test_both_doors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    photos = in_a_folder(tmp_path / "photos")
    assert ganwright("train", photos, "--conditional", "--balance", "--steps", "4", "--run", "told", "--recipe", "mlp") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "known of each: breed, one of 2 classes · labels, any of 2 (hat, tie) · age, a number from" in said
    assert "labels from labels.csv, of 80 pictures" in said
    assert "balance = true" in (tmp_path / "told" / "config.toml").read_text()
    assert ganwright("inspect", "told") == 0
    assert "labels: any of 2 (hat, tie)" in capsys.readouterr().out
    wishes = ["--where", "breed=cat|dog", "--where", "age=30..40", "--where", "hat=yes"]
    assert ganwright("sample", "told", "-n", "4", "-o", "out", *wishes, "--label", "dog") == 2
    assert "asked for twice" in capsys.readouterr().err
    assert ganwright("sample", "told", "-n", "4", "-o", "out", *wishes) == 0
    model = load("told")
    first = model.sample(4, where={"breed": ["cat", "dog"], "age": (30, 40), "hat": True})[0]
    assert np.array_equal(np.asarray(PillowImage.open(tmp_path / "out" / "000000.png")), np.asarray(first))
    assert ganwright("sample", "told", "--label", "dog", "--grid", "2x2", "-o", "dogs.png") == 0
    capsys.readouterr()
    assert ganwright("sample", "told", "--by-class", "-o", "classes.png", "--where", "age=50") == 0
    assert "rows      cat, dog\n" in capsys.readouterr().out
    assert ganwright("sample", "told", "--by-class", "--grid", "1x3", "-o", "cats.png", "--json") == 0
    assert json.loads(capsys.readouterr().out)["rows"] == ["cat"]
    assert ganwright("interpolate", "told", "--label", "dog", "-n", "2", "--frames", "2", "-o", "dogs.gif") == 0
    assert ganwright("sample", "told", "--where", "age=500", "-o", "old") == 2
    assert "--beyond" in capsys.readouterr().err
    assert ganwright("sample", "told", "--where", "age=500", "--beyond", "-o", "old") == 0


def test_labels_elsewhere_are_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    photos = in_a_folder(tmp_path / "photos")
    (photos / "labels.csv").rename(tmp_path / "said.csv")
    settings = ["--condition", "hat,tie=none", "--condition", "age=number", "--recipe", "mlp"]
    assert ganwright("train", photos, "--labels", "said.csv", *settings, "--steps", "4", "--run", "told") == 0
    assert load("told").spec.conditions[0].name == "breed"
    assert json.loads((tmp_path / "told" / "data_report.json").read_text())["labels"] == "said.csv"
    assert ganwright("resume", "told", "--steps", "2") == 0
    assert ganwright("evaluate", "told", "-n", "60", "--features", "random") == 0
    found = json.loads((tmp_path / "told" / "evaluation.json").read_text())
    assert "label_agreement" in found["measurements"], "classes are measured, beside numbers that are not"


def test_a_picture_beside_the_folders_of_classes_has_no_label(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    photos = in_a_folder(tmp_path / "photos")
    (photos / "labels.csv").unlink()
    for number, path in enumerate(sorted(photos.glob("*.png"))[1:]):
        home = photos / ("warm" if number % 2 else "cold")
        home.mkdir(exist_ok=True)
        path.rename(home / path.name)
    flags = ["--conditional", "--recipe", "mlp", "--steps", "2", "--batch", "8"]
    assert ganwright("train", photos, *flags, "--unlabelled", "skip", "--run", "told") == 0
    assert load("told").spec.conditions[0].classes == ("cold", "warm")


class Killed(BaseException):
    """What no handler of ours may catch."""


def test_a_run_of_every_kind_goes_on_exactly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photos = in_a_folder(tmp_path / "photos")
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(loop, "CHECKPOINT_SHARE", 1e9)

    def gan() -> GAN:
        return GAN("mlp", conditional=True, balance=True, batch=8, modality=Image(conditions=("age=degrees",)))

    def kill(event: object) -> None:
        if isinstance(event, Checkpointed) and event.step == 5:
            raise Killed

    gan().fit(photos, steps=9, run=tmp_path / "whole")
    with pytest.raises(Killed):
        gan().fit(photos, steps=9, run=tmp_path / "half", subscribers=[kill])
    GAN.resume(tmp_path / "half")
    whole, half = load(tmp_path / "whole"), load(tmp_path / "half")
    assert [each.kind for each in half.spec.conditions] == ["class", "labels", "number"]
    pairs = zip(whole.generator.state_dict().values(), half.generator.state_dict().values(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


def test_what_is_not_known_of_a_picture_is_refused_or_left_out(tmp_path: Path) -> None:
    photos = in_a_folder(tmp_path / "photos")
    lines = (photos / "labels.csv").read_text().splitlines()
    (photos / "labels.csv").write_text("\n".join(lines[:-9]))
    with pytest.raises(DataError, match="9 of 80 records have no breed") as caught:
        GAN("mlp", conditional=True).fit(photos, steps=1, holdout=False)
    assert "--unlabelled skip" in str(caught.value)
    gan = GAN("mlp", conditional=True, modality=Image(unlabelled="skip")).fit(photos, steps=1)
    assert gan.data_report_.used == 71
    assert GAN("mlp").fit(photos, steps=1).data_report_.used == 80, "without conditions nothing need be known"


def test_classes_are_drawn_evenly_and_only_where_there_are_some() -> None:
    pictures, known = faces(200)
    gan = GAN("mlp", balance=True, batch=8).fit((pictures, known["breed"]), steps=1)
    assert gan.config_.balance
    with pytest.raises(UsageError, match="no classes to draw evenly"):
        GAN("mlp", balance=True, batch=8).fit(pictures, steps=1)


def test_rows_may_be_told_of_too() -> None:
    random = np.random.default_rng(0)
    given = {"age": random.uniform(0, 9, 60), "kind": ["a", "b"] * 30}
    gan = GAN("mlp", conditional=True, batch=8, modality=Numbers(conditions=("kind=class",)))
    gan.fit((random.normal(size=(60, 3)), given), steps=2)
    assert [each.name for each in gan.model_.spec.conditions] == ["kind", "age"]
    assert gan.sample(3, age=4.5, kind="b").shape == (3, 3)


class Told(nn.Module):
    """Is given what it should be: a class, labels and a number."""

    def __init__(self, width_in: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.table, self.linear = nn.Embedding(2, 4), nn.Linear(width_in + 4 + 2 + 1, int(np.prod(shape)))
        self.shape, self.heard = shape, []

    def forward(self, x: Tensor, breed: Tensor, labels: Tensor, age: Tensor) -> Tensor:
        told = torch.cat([x.flatten(1), self.table(breed), labels, age[:, None]], 1)
        return self.linear(told).reshape(-1, *self.shape)


def test_modules_of_ones_own_get_what_they_declare() -> None:
    gan = GAN(generator=Told(16, (1, 8, 8)), discriminator=Told(64, ()), latent=16, batch=8)
    gan.fit(faces(60), steps=2)
    assert len(gan.sample(3, age=40, hat=True)) == 3


def test_layers_as_text_take_numbers_and_labels_as_they_are() -> None:
    def layers(first: str, shape: str, *last: str) -> Layers:
        rows: list[Any] = [("x", first, ())]
        rows += [("labels", "layers.Input(shape=(2,))", ()), ("age", "layers.Input(shape=(1,))", ())]
        rows += [("flat", "layers.Flatten()", ("x",)), ("all", "layers.Concatenate()", ("flat", "labels", "age"))]
        rows += [("dense", f"layers.Dense({shape})", ("all",)), *(("end", each, ("dense",)) for each in last)]
        return Layers(tuple(rows))

    pictures, known = faces(60)
    del known["breed"]
    generator = layers("layers.Input(shape=(9,))", "64", "layers.Reshape((8, 8, 1))")
    gan = GAN(generator=generator, discriminator=layers("layers.Input(shape=(8, 8, 1))", "1"), batch=8)
    gan.fit((pictures, known), steps=2)
    assert len(gan.sample(3, age=40, hat=True)) == 3
    known["breed"] = faces(60)[1]["breed"]
    other = GAN(generator=generator, discriminator=generator, batch=8, settings={"conditions": ["breed", "labels"]})
    with pytest.raises(UsageError, match="the input for condition 'labels' takes \\(1,\\)"):
        other.fit((pictures, known), steps=1)
