"""Going on from a trained model, on other pictures."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from support import CPU
from torch import Tensor, nn

from ganwright import GAN, load
from ganwright.cli.app import run as command
from ganwright.core.budget import Budget
from ganwright.core.config import from_plain, to_plain
from ganwright.core.errors import DataError, GanwrightError, ModelFileError, UsageError
from ganwright.data.preparation import prepare
from ganwright.features.random import Random
from ganwright.metrics.frechet import Frechet
from ganwright.milestones import CarriedOver
from ganwright.model.model import Model
from ganwright.plan import make_plan
from ganwright.starting import read_start
from ganwright.training import loop, recorder
from ganwright.training.checkpoint import TENSORS, Checkpoint
from ganwright.training.config import TrainConfig
from ganwright.training.events import Checkpointed
from ganwright.training.state import initial_state

pytestmark = pytest.mark.costly

SMALL = {"network": {"width": 8, "latent": 16}, "scoring": {"share": 0.0}}


@pytest.fixture(autouse=True)
def no_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing them takes longer than these runs."""
    monkeypatch.setattr(recorder, "draw_curves", lambda *arguments: None)


class Killed(BaseException):
    """What no handler of ours may catch."""


def blots(count: int, side: int, channels: int = 1, seed: int = 0) -> np.ndarray:
    """Bright squares on dark ground, (N, side, side, C) uint8; in colour they are red."""
    random = np.random.default_rng(seed)
    found = np.full((count, side, side, channels), 30, np.uint8)
    for picture in found:
        y, x = random.integers(0, side // 2, 2)
        picture[y : y + side // 2, x : x + side // 2, 0] = 230
    return found


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a little model of grey blots in two classes, with a checkpoint."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANWRIGHT_CACHE", str(folder / "cache"))
        patch.setattr(recorder, "draw_curves", lambda *arguments: None)
        data = blots(300, 16), np.arange(300) % 2
        gan = GAN("dcgan", settings=SMALL, conditional=True, seed=3, batch=16)
        gan.fit(data, steps=60, run=folder / "run", keep_discriminator=True)
    return folder / "run"


def same(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def begun(reference: Path, data: Any) -> Any:
    """The state of a run from `reference` before its first step, and its spec."""
    start = read_start(reference)
    dataset = prepare(data)
    conditional = start.conditional(None, dataset)
    plan = make_plan(
        dataset, CPU, recipe=start.recipe, budget=Budget(steps=1), begin=start.begin, conditional=conditional, seed=9
    )
    state = initial_state(plan.config, plan.spec)
    start.carry_into(state, plan.config, plan.spec)
    return state


def test_before_its_first_step_a_run_draws_what_the_model_drew(trained: Path) -> None:
    source = load(trained / "model.safetensors")
    state = begun(trained / "model.safetensors", (blots(100, 16, seed=1), np.arange(100) % 2))
    assert same(state.average.generator, source.generator)
    assert same(state.generator, source.generator)


def test_a_run_folder_gives_its_discriminator_too(trained: Path) -> None:
    state = begun(trained, (blots(100, 16, seed=1), np.arange(100) % 2))
    checkpoint = max((trained / "checkpoints").glob("step-*"))
    facts = {"numbers": {}, "seed": 0, "attempt": 0, "step": 0, "samples_seen": 0}
    tensors = Checkpoint.read(checkpoint / TENSORS, facts).tensors
    for name, value in state.discriminator.state_dict().items():
        assert torch.equal(value, tensors[f"discriminator/{name}"]), name


def distance(model: Model, data: np.ndarray) -> float:
    dataset = prepare(data)
    extractor = Random().extractor(dataset)
    real = extractor.extract([dataset.codec.expand(dataset.some(len(dataset)))])
    found: dict[str, float] = Frechet().compare(real, extractor.extract(model.tensors(len(data))))
    return found["frechet"]


def test_a_few_steps_from_a_model_are_worth_more_than_from_nothing(trained: Path) -> None:
    """In colour; of grey pictures it has learned where the blots lie."""
    data = blots(300, 16, 3, seed=2)
    settings: dict[str, Any] = {"scoring": {"share": 0.0}}
    tuned = GAN(batch=16, settings=settings).fit(data, steps=30, start_from=trained)
    settings["network"] = to_plain(tuned.config_.network)
    fresh = GAN("dcgan", batch=16, settings=settings).fit(data, steps=30)
    assert distance(tuned.model_, data) < 0.7 * distance(fresh.model_, data)


def test_a_run_from_a_model_goes_on_exactly(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it was killed before its first checkpoint."""
    np.save(tmp_path / "blots.npy", blots(100, 16, 3, seed=1))
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(loop, "CHECKPOINT_SHARE", 1e9)
    options: dict[str, Any] = {"steps": 6, "start_from": trained / "model.safetensors"}
    whole = GAN(seed=1, batch=32).fit(tmp_path / "blots.npy", run=tmp_path / "whole", **options)

    def kill(event: object) -> None:
        if isinstance(event, Checkpointed) and event.step == 4:
            raise Killed

    with pytest.raises(Killed):
        GAN(seed=1, batch=32).fit(tmp_path / "blots.npy", run=tmp_path / "half", subscribers=[kill], **options)
    shutil.copytree(tmp_path / "half", tmp_path / "early")
    shutil.rmtree(tmp_path / "early" / "checkpoints")
    for run in ("half", "early"):
        again = GAN.resume(tmp_path / run)
        assert again.ended_.step == 6
        assert same(again.model_.generator, whole.model_.generator)


def test_what_was_carried_is_told_and_kept(trained: Path, tmp_path: Path) -> None:
    heard: list[object] = []
    gan = GAN().fit(
        (blots(100, 16, 3), np.arange(100) % 3),
        steps=2,
        start_from=trained,
        run=tmp_path / "run",
        subscribers=[heard.append],
    )
    (event,) = [each for each in heard if isinstance(each, CarriedOver)]
    assert event.carriage == gan.carried_over_
    assert gan.carried_over_.generator.share == 1
    assert gan.carried_over_.discriminator.share > 0.9
    told = "\n".join(gan.carried_over_.lines())
    assert "3 channels from 1" in told
    assert "2 of 3 classes are known" in told
    kept = json.loads((tmp_path / "run" / "carried_over.json").read_text())
    assert kept == to_plain(gan.carried_over_)
    origin = gan.config_.trained_from
    assert origin is not None
    assert origin.fingerprint == kept["origin"]["fingerprint"]
    facts = load(tmp_path / "run").facts["training"]["config"]
    assert from_plain(TrainConfig, facts).trained_from == origin
    assert "began with the weights" in (tmp_path / "run" / "MODEL_CARD.md").read_text()


def test_a_conditional_model_goes_on_with_pictures_that_have_no_classes(trained: Path) -> None:
    gan = GAN().fit(blots(100, 16), steps=2, start_from=trained)
    assert gan.model_.spec.conditions == ()
    assert any("label is not told any more" in each for each in gan.carried_over_.generator.changed)


def test_large_pictures_are_read_in_the_size_of_the_model(trained: Path) -> None:
    gan = GAN().fit(blots(100, 160), steps=1, start_from=trained)
    assert gan.model_.spec.shape == (1, 16, 16)
    assert gan.carried_over_.generator.share == 1


def test_on_the_command_line(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "colour.npy", blots(100, 32, 3))
    monkeypatch.chdir(tmp_path)
    assert command(["train", "colour.npy", "--from", str(trained), "--steps", "2", "--run", "tuned", "--json"]) == 0
    captured = capsys.readouterr()
    assert "Carried  from run, step 60" in captured.err
    told = json.loads(captured.out)["carried_over"]
    assert told["origin"]["model"] == "run, step 60"
    assert 0 < told["generator"]["weights_carried"] < told["generator"]["weights"]
    assert command(["inspect", "tuned"]) == 0
    assert "began with run, step 60" in capsys.readouterr().out


def refused(error: type[GanwrightError], code: str, data: Any, reference: Path, **gan: Any) -> GanwrightError:
    with pytest.raises(error) as raised:
        GAN(**gan).fit(data, steps=1, start_from=reference)
    assert raised.value.code == code
    return raised.value


def test_a_damaged_file_is_refused_before_the_data_are_read(trained: Path, tmp_path: Path) -> None:
    content = (trained / "model.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(content[: len(content) // 2])
    refused(ModelFileError, "E-MODEL-01", tmp_path / "no data at all", tmp_path / "cut.safetensors")
    refused(ModelFileError, "E-MODEL-04", blots(50, 16), tmp_path / "nothing.safetensors")


def test_a_damaged_checkpoint_is_passed_over(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "run")
    for checkpoint in (tmp_path / "run" / "checkpoints").glob("step-*"):
        (checkpoint / "state.safetensors").write_bytes(b"nothing")
    start = read_start(tmp_path / "run")
    assert start.origin.model == "run"  # its model file


def test_what_cannot_fit_is_refused_and_says_why(trained: Path, tmp_path: Path) -> None:
    error = refused(UsageError, "E-FROM-03", blots(50, 16), trained, recipe="mlp")
    assert "family dcgan, recipe mlp trains mlp" in str(error)
    settings = {"network": {"latent": 5, "width": 3, "max_width": 3}}
    assert "nothing of" in refused(UsageError, "E-FROM-01", blots(50, 16), trained, settings=settings).what
    rows = np.random.default_rng(0).normal(size=(100, 2)).astype(np.float32)
    refused(DataError, "E-DATA-02", rows, trained)
    people = pd.DataFrame({"age": np.arange(300) % 70, "city": ["Rome", "Lima", "Bonn"] * 100})
    table = GAN().fit(people, steps=1).save(tmp_path / "table.safetensors")
    refused(UsageError, "E-FROM-03", people, table)


def test_modules_of_ones_own_go_on_too(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(100, 2)).astype(np.float32)

    def pair(width: int = 6) -> dict[str, Any]:
        generator = nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, 2))
        return {"generator": generator, "discriminator": nn.Linear(2, 1), "latent": 4}

    first = GAN(**pair()).fit(rows, steps=3)
    path = first.save(tmp_path / "own.safetensors", discriminator=True)
    gan = GAN(**pair(), settings={"generator_optimizer": {"name": "adam", "learning_rate": 1e-12}})
    gan.fit(rows, steps=1, start_from=path)
    assert gan.carried_over_.discriminator.share == 1
    latent: Tensor = torch.ones(2, 4)
    after, before = (each.model_.generator({"latent": latent}).raw for each in (gan, first))
    torch.testing.assert_close(after, before, atol=1e-6, rtol=1e-5)
    refused(ModelFileError, "E-MODEL-01", rows, path, **pair(width=7))
    assert "generator=" in str(refused(ModelFileError, "E-MODEL-07", rows, path))
