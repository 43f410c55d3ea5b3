"""Sampling, and the file that a model is kept in."""

from __future__ import annotations

import math
import stat
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from support import TINY, tiny_config, tiny_contents, tiny_dataset, tiny_model_file, tiny_table, train
from torch import nn

from ganwright.core.errors import ModelFileError, UsageError
from ganwright.data.spec import DataSpec
from ganwright.fitted import load
from ganwright.model import model as model_module
from ganwright.model.model import Model
from ganwright.model.model_file import ModelContents, read_facts, read_model, write_model
from ganwright.model.noise import BLOCK, draw_noise, draw_sample_noise, truncated
from ganwright.model.output import apply_output
from ganwright.networks.base import Distribution, NetworkFamily, NoiseInput
from ganwright.networks.columns import Columns
from ganwright.networks.mlp import Mlp
from ganwright.networks.own.module_pair import ModulePair
from ganwright.runtime.keys import Key
from ganwright.training.run_spec import run_spec

FAMILIES = [TINY, Mlp(latent=8, generator_widths=(16, 16))]


def pixels(pictures: list[Image.Image]) -> np.ndarray:
    return np.stack([np.asarray(picture) for picture in pictures])


@pytest.mark.parametrize("family", FAMILIES, ids=["dcgan", "mlp"])
def test_sample_i_is_the_same_however_many_are_asked_for(family: NetworkFamily) -> None:
    model = Model(tiny_contents(family))
    most = model.tensor(200, seed=7)
    assert most.shape == (200, 1, 8, 8)
    for n in (1, 3, 70):
        assert torch.equal(model.tensor(n, seed=7), most[:n])
        assert np.array_equal(pixels(model.sample(n, seed=7)), pixels(model.sample(200, seed=7))[:n])


@pytest.mark.parametrize("family", FAMILIES, ids=["dcgan", "mlp"])
def test_samples_are_the_same_however_many_threads_make_them(family: NetworkFamily, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks are made side by side where torch has several threads, and one after another where it has one."""
    model = Model(tiny_contents(family))
    makers: list[str] = []
    original = model.generator.forward

    def forward(*inputs: Any) -> Any:
        makers.append(threading.current_thread().name)
        return original(*inputs)

    monkeypatch.setattr(model.generator, "forward", forward)
    found: list[torch.Tensor] = []
    before = torch.get_num_threads()
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        makers.clear()
        found.append(model.tensor(200, seed=7))
        here = {name for name in makers if name == threading.current_thread().name}
        assert bool(here) == (threads == 1)
    torch.set_num_threads(before)
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])


def test_what_is_large_and_a_users_own_module_are_left_to_the_calling_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is large keeps all cores busy by itself; and a module may remember something from call to call."""

    def refuse(*_: Any) -> Any:
        raise AssertionError("made side by side")

    monkeypatch.setattr(model_module, "side_by_side", refuse)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with pytest.raises(AssertionError):
            Model(tiny_contents()).tensor(200)
        for name, least in (("MOST_VALUES", 64 * 64), ("MOST_WEIGHTS", 64)):
            with monkeypatch.context() as smaller:
                smaller.setattr(model_module, name, least)
                assert len(Model(tiny_contents()).tensor(200)) == 200
        own = nn.Sequential(nn.Linear(8, 64), nn.Unflatten(1, (1, 8, 8)), nn.Tanh())
        assert len(Model(tiny_contents(ModulePair(own, latent=(8,)))).tensor(200)) == 200
    finally:
        torch.set_num_threads(before)


def test_samples_and_seeds_differ() -> None:
    model = Model(tiny_contents())
    both = torch.cat([model.tensor(2 * BLOCK, seed=0), model.tensor(2 * BLOCK, seed=1)]).flatten(1)
    assert len(torch.unique(both, dim=0)) == 4 * BLOCK


def test_a_seed_may_be_any_whole_number() -> None:
    model = Model(tiny_contents())
    for seed in (-1, 2**70):
        assert torch.equal(model.tensor(2, seed=seed), model.tensor(2, seed=seed))
    assert not torch.equal(model.tensor(2, seed=-1), model.tensor(2, seed=1))


def test_samples_come_in_blocks_and_none_are_an_empty_list() -> None:
    model = Model(tiny_contents())
    assert [len(block) for block in model.stream(150)] == [64, 64, 22]
    assert model.sample(0) == []
    assert model.tensor(0).shape == (0, 1, 8, 8)
    with pytest.raises(ValueError, match="negative"):
        model.sample(-1)


def test_samples_are_natural_objects() -> None:
    picture = Model(tiny_contents()).sample(1)[0]
    assert isinstance(picture, Image.Image)
    assert (picture.size, picture.mode) == ((8, 8), "L")


def test_noise_of_a_stretch_is_that_of_the_whole() -> None:
    inputs = {"latent": NoiseInput((3,)), "style": NoiseInput((2, 2), "uniform")}
    whole = draw_sample_noise(inputs, 0, 200, seed=3)
    for start, stop in ((0, 1), (63, 65), (64, 128), (130, 199)):
        some = draw_sample_noise(inputs, start, stop, seed=3)
        assert all(torch.equal(some[name], whole[name][start:stop]) for name in inputs)


def test_noise_has_the_distribution_that_was_asked_for() -> None:
    inputs = {"normal": NoiseInput((50,)), "uniform": NoiseInput((50,), "uniform")}
    drawn = draw_noise(inputs, 400, Key(0))
    assert abs(float(drawn["normal"].mean())) < 0.03
    assert float(drawn["normal"].std()) == pytest.approx(1, abs=0.03)
    assert abs(float(drawn["uniform"].mean())) < 0.03
    assert float(drawn["uniform"].min()) >= -1
    assert float(drawn["uniform"].max()) < 1
    assert float(drawn["uniform"].std()) == pytest.approx(1 / math.sqrt(3), abs=0.03)
    assert {value.dtype for value in drawn.values()} == {torch.float32}


def test_the_output_activation_is_the_specs() -> None:
    raw = torch.tensor([[-3.0, 0.5]])
    torch.testing.assert_close(apply_output(DataSpec("image", (2,), "tanh"), raw), raw.tanh(), rtol=0, atol=3e-7)
    assert torch.equal(apply_output(DataSpec("table", (2,), "linear"), raw), raw)


@pytest.mark.parametrize("family", FAMILIES, ids=["dcgan", "mlp"])
def test_a_saved_model_gives_the_same_samples(family: NetworkFamily, tmp_path: Path) -> None:
    model = Model(tiny_contents(family, classes=("cat", "dog"), facts={"recipe": "dcgan", "é": [1, None, "x"]}))
    again = Model.load(model.save(tmp_path / "deep" / "model.safetensors"))
    assert torch.equal(again.tensor(70, seed=3), model.tensor(70, seed=3))
    assert again.facts == model.facts
    assert again.spec == model.spec
    assert again.family == family
    assert again.codec.state() == model.codec.state()


@pytest.mark.parametrize("family", FAMILIES, ids=["dcgan", "mlp"])
def test_a_trained_model_gives_the_same_pictures_once_saved(family: NetworkFamily, tmp_path: Path) -> None:
    """Trained weights lie in memory in another order than read ones; what is seen must not depend on it."""
    data = tiny_dataset(height=16, width=16, channels=3)
    state, _ = train(tiny_config(network=family), 5, data)
    state.average.estimate_statistics(0, "cpu")
    contents = ModelContents(family, data.codec.spec, data.codec, state.average.generator, {})
    model = Model(contents)
    again = Model.load(model.save(tmp_path / "model.safetensors"))
    torch.testing.assert_close(again.tensor(70), model.tensor(70), rtol=1e-5, atol=1e-5)
    differing = (pixels(again.sample(70)).astype(int) - pixels(model.sample(70)).astype(int)).nonzero()[0]
    assert len(differing) == 0


def test_the_front_door_loads_by_file_and_by_folder(tmp_path: Path) -> None:
    path = tiny_model_file(tmp_path / "run" / "model.safetensors")
    assert torch.equal(load(path).tensor(2), load(path.parent).tensor(2))


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    path = tiny_model_file(tmp_path / "model.safetensors")
    before = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    broken = tiny_contents()
    next(broken.generator.parameters()).fill_(math.nan)
    with pytest.raises(ModelFileError, match="not finite"):
        write_model(path, broken)
    unwritable = tiny_contents(facts={"score": math.nan})
    with pytest.raises(ValueError, match="JSON"):
        write_model(path, unwritable)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["model.safetensors"]


def test_facts_are_read_without_the_weights(tmp_path: Path) -> None:
    path = tiny_model_file(tmp_path / "model.safetensors", facts={"recipe": "dcgan"})
    facts = read_facts(path)
    assert facts["facts"] == {"recipe": "dcgan"}
    assert facts["network"]["name"] == "dcgan"
    assert facts["spec"]["shape"] == [1, 8, 8]
    names = {name.removeprefix("generator.") for name in facts["tensors"]}
    assert names == set(tiny_contents().generator.state_dict())


def test_a_read_generator_is_ready_to_sample(tmp_path: Path) -> None:
    contents = read_model(tiny_model_file(tmp_path / "model.safetensors"))
    assert not contents.generator.training
    assert not any(p.requires_grad or p.is_meta for p in contents.generator.parameters())


def test_a_header_of_any_length_can_be_read(tmp_path: Path) -> None:
    """The length comes first in the file, so a header of 66,176 bytes begins as a Python pickle does: 80 02."""
    path = tmp_path / "model.safetensors"
    shortest = int.from_bytes(tiny_model_file(path, facts={"x": ""}).read_bytes()[:8], "little")
    for protocol in (2, 3, 4, 5):
        filling = "y" * (0x10080 + 0x100 * protocol - shortest)
        tiny_model_file(path, facts={"x": filling})
        assert path.read_bytes()[:2] == bytes([0x80, protocol])
        assert read_facts(path)["facts"]["x"] == filling


def test_a_notebook_shows_samples_and_a_line() -> None:
    model = Model(tiny_contents(facts={"recipe": "dcgan", "data": {"records": 16}}))
    assert model._repr_png_().startswith(b"\x89PNG")
    assert repr(model) == "<Model 8x8 grey, recipe dcgan, trained on 16 records>"
    assert model.grid(2, 3).size[0] > model.grid(3, 2).size[0]


def test_truncated_noise_keeps_within_two_deviations_and_a_sphere_at_its_radius() -> None:
    inputs = {"cut": NoiseInput((40,), "truncated"), "ball": NoiseInput((40,), "sphere")}
    drawn = draw_noise(inputs, 2000, Key(0))
    assert 1.9 < float(drawn["cut"].abs().max()) <= 2
    assert float(drawn["cut"].std()) == pytest.approx(0.88, abs=0.01)
    radii = drawn["ball"].norm(dim=1)
    assert torch.allclose(radii, torch.full_like(radii, 40**0.5), rtol=1e-5)
    assert abs(float(drawn["ball"].mean())) < 0.02


def test_signs_are_either_each_half_of_the_time_and_say_nothing_of_one_another() -> None:
    drawn = draw_noise({"corner": NoiseInput((6,), "signs")}, 4000, Key(0))["corner"]
    assert set(drawn.unique().tolist()) == {-1.0, 1.0}
    assert torch.allclose(drawn.T @ drawn / 4000, torch.eye(6), atol=0.08)
    assert float(drawn.mean(0).abs().max()) < 0.08


def test_the_noise_may_be_another_one_when_sampling() -> None:
    model = Model(tiny_contents())
    usual, cut = model.tensor(8, seed=3), model.tensor(8, seed=3, noise="truncated")
    assert not torch.equal(usual, cut)
    assert torch.equal(model.tensor(8, seed=3, noise="normal"), usual)


def deviation(values: torch.Tensor) -> float:
    return float(values.double().square().mean().sqrt())


@pytest.mark.parametrize("distribution", ["normal", "uniform", "truncated"])
def test_truncation_is_the_deviation_that_is_left(distribution: Any) -> None:
    whole = draw_noise({"latent": NoiseInput((100,), distribution)}, 1000, Key(0))["latent"]
    assert torch.equal(truncated(whole, "uniform", 1.0), whole)
    for share in (0.9, 0.5, 0.1, 0.001):
        some = truncated(whole, distribution, share)
        assert deviation(some) == pytest.approx(share * deviation(whole), rel=0.01)
        # Each value keeps its rank and its side.
        assert bool((some.flatten()[whole.flatten().argsort()].diff() >= 0).all())
        assert bool((some.sign() == whole.sign()).all())


def test_a_threshold_of_two_deviations_is_that_of_the_truncated_normal() -> None:
    normal = draw_noise({"latent": NoiseInput((100,))}, 2000, Key(0))["latent"]
    drawn_again = draw_noise({"latent": NoiseInput((100,), "truncated")}, 2000, Key(1))["latent"]
    ours = truncated(normal, "normal", 0.8796)
    assert float(ours.abs().max()) == pytest.approx(2.0, abs=0.01)
    shares = torch.linspace(0.01, 0.99, 50)
    some, others = (each.flatten()[:100_000].quantile(shares) for each in (ours, drawn_again))
    torch.testing.assert_close(some, others, atol=0.02, rtol=0)


def test_truncated_samples_are_the_same_however_many_are_asked_for_and_closer_together() -> None:
    model = Model(tiny_contents())
    whole = model.tensor(100, seed=7)
    assert torch.equal(model.tensor(100, seed=7, truncation=1.0), whole)
    some = model.tensor(100, seed=7, truncation=0.5)
    assert torch.equal(model.tensor(70, seed=7, truncation=0.5), some[:70])
    assert deviation(some - some.mean(0)) < 0.8 * deviation(whole - whole.mean(0))
    # Sample i stays recognisable: it differs from the mean in the direction in which it did.
    one, other = (torch.nn.functional.normalize((each - each.mean(0)).flatten(1)) for each in (some, whole))
    assert ((one @ other.T).argmax(1) == torch.arange(100)).double().mean() > 0.8
    assert model.grid(1, 2, truncation=0.5).size == model.grid(1, 2).size


@pytest.mark.parametrize("share", [0, -0.5, 1.1, math.nan, math.inf])
def test_truncation_out_of_range_is_refused(share: float) -> None:
    with pytest.raises(UsageError, match="truncation must lie above 0 and up to 1") as raised:
        Model(tiny_contents()).sample(1, truncation=share)
    assert raised.value.code == "E-SAMPLE-15"


def test_what_cannot_be_truncated_is_refused() -> None:
    noises: tuple[Distribution, ...] = ("sphere", "signs")
    for noise in noises:
        with pytest.raises(UsageError, match="cannot be truncated") as raised:
            Model(tiny_contents()).sample(1, noise=noise, truncation=0.5)
        assert noise in raised.value.why
    with pytest.raises(UsageError, match="rows of a table are not truncated"):
        table_model().sample(1, truncation=0.5)


def table_model() -> Model:
    table = tiny_table()
    config = tiny_config(network=Columns(latent=4, width=8, discriminator_widths=(8,)))
    spec = run_spec(config, table)
    return Model(ModelContents(config.network, spec, table.codec, config.network.generator(spec), {}))
