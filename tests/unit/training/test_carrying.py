"""What a run takes over from a model whose records had another size, other channels or other classes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from support import TINY, image_spec
from torch import Tensor, nn

from ganwright.core.errors import UsageError
from ganwright.data.spec import Condition, DataSpec
from ganwright.model.noise import draw_noise
from ganwright.model.output import apply_output
from ganwright.networks.base import Network, NetworkFamily
from ganwright.networks.fastgan import Fastgan
from ganwright.networks.keras.definition import Layers
from ganwright.networks.layered import Layered
from ganwright.networks.mlp import Mlp
from ganwright.networks.own.module_pair import ModulePair
from ganwright.networks.r3gan import R3gan
from ganwright.networks.resnet import Resnet
from ganwright.runtime.keys import Key
from ganwright.training.carrying import Carried, Player, carry

DENSE = Mlp(latent=8, generator_widths=(16, 16), discriminator_widths=(16,))
FAMILIES = pytest.mark.parametrize("family", [TINY, DENSE], ids=["dcgan", "mlp"])
CATS = Condition("label", ("cat", "dog", "owl"))


def built(player: Player, family: NetworkFamily, spec: DataSpec, seed: int) -> Network:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = family.generator(spec) if player == "generator" else family.discriminator(spec)
        for value in network.buffers():  # as training would leave them
            if value.is_floating_point():
                value.copy_(torch.rand_like(value) + 0.5)
    return network.requires_grad_(False).eval()


def moved(player: Player, family: NetworkFamily, old: DataSpec, new: DataSpec) -> tuple[Any, Any, Carried]:
    """A trained network, the new one that took over from it, and the report."""
    source, other = built(player, family, old, seed=1), family.resized(old, new)
    network = built(player, other, new, seed=2)
    return source, network, carry(player, (family, old, source.state_dict()), (other, new, network))


def made(network: Any, spec: DataSpec, classes: list[int] | None = None, count: int = 6) -> Tensor:
    noise = draw_noise(network.noise, count, Key(3))
    told = {"label": torch.tensor(classes or [0] * count)} if spec.conditions else {}
    return apply_output(spec, network(noise, told).raw)


def judged(network: Any, spec: DataSpec, x: Tensor) -> Tensor:
    told = {"label": torch.zeros(len(x), dtype=torch.int64)} if spec.conditions else {}
    return network(x, told).logits[0]


def pictures(spec: DataSpec, count: int = 6) -> Tensor:
    return torch.rand(count, *spec.shape, generator=torch.Generator().manual_seed(4)) * 2 - 1


@FAMILIES
@pytest.mark.parametrize("player", ["generator", "discriminator"])
def test_what_fits_is_carried_to_the_last_bit(family: NetworkFamily, player: Player) -> None:
    spec = replace(image_spec(12, 16, 3), conditions=(CATS,))
    source, network, report = moved(player, family, spec, spec)
    assert report.share == 1
    assert report.tensors_carried == report.tensors
    assert (report.changed, report.fresh) == ((), ())
    for name, value in network.state_dict().items():
        assert torch.equal(value, source.state_dict()[name]), name


@FAMILIES
def test_grey_becomes_colour_and_looks_alike(family: NetworkFamily) -> None:
    old, new = image_spec(16, 16, 1), image_spec(16, 16, 3)
    source, network, report = moved("generator", family, old, new)
    torch.testing.assert_close(made(network, new), made(source, old).expand(-1, 3, -1, -1))
    assert report.share == 1
    assert any("3 channels from 1" in each for each in report.changed)

    judge, other, _ = moved("discriminator", family, old, new)
    grey = pictures(old)
    torch.testing.assert_close(judged(other, new, grey.expand(-1, 3, -1, -1)), judged(judge, old, grey))


@FAMILIES
def test_colour_becomes_grey_and_is_judged_alike(family: NetworkFamily) -> None:
    old, new = image_spec(16, 16, 3), image_spec(16, 16, 1)
    source, network, report = moved("generator", family, old, new)
    raw = [each(draw_noise(each.noise, 4, Key(3))).raw for each in (source, network)]
    torch.testing.assert_close(raw[1], raw[0].mean(1, keepdim=True))
    assert report.share == 1

    judge, other, _ = moved("discriminator", family, old, new)
    grey = pictures(new)
    torch.testing.assert_close(judged(other, new, grey), judged(judge, old, grey.expand(-1, 3, -1, -1)))


@FAMILIES
def test_opacity_starts_fresh_in_the_generator_and_unheard_in_the_discriminator(family: NetworkFamily) -> None:
    old, new = image_spec(16, 16, 3), image_spec(16, 16, 4)
    source, network, report = moved("generator", family, old, new)
    torch.testing.assert_close(made(network, new)[:, :3], made(source, old))
    assert 0 < report.share < 1
    judge, other, _ = moved("discriminator", family, old, new)
    x = pictures(new)
    torch.testing.assert_close(judged(other, new, x), judged(judge, old, x[:, :3]))


@pytest.mark.parametrize("sides", [(32, 64), (64, 32)])
def test_small_maps_stay_small_maps_at_another_size(sides: tuple[int, int]) -> None:
    family = replace(TINY, width=8, max_width=512)
    old, new = (image_spec(side, side, 3) for side in sides)
    source, network, report = moved("generator", family, old, new)
    theirs, ours = source.state_dict(), network.state_dict()
    for name in ("first.weight", "first_norm.weight", "stages.0.weight", "norms.0.weight"):
        assert torch.equal(ours[name], theirs[name]), name
    assert report.share > 0.5
    assert any(each.startswith("last.weight") for each in report.fresh)

    judge, other, _ = moved("discriminator", family, old, new)
    theirs, ours = judge.state_dict(), other.state_dict()
    # Numbered from the largest map: the convolution that gives the smallest one has another number.
    last = [max(int(n.split(".")[1]) for n in each if n.startswith("layers.")) for each in (theirs, ours)]
    assert last[0] != last[1]
    assert torch.equal(ours[f"layers.{last[1]}.weight"], theirs[f"layers.{last[0]}.weight"])
    assert torch.equal(ours["logit.weight"], theirs["logit.weight"])


SMALLEST = {
    "resnet": (Resnet(latent=8, width=8), "blocks.0.first.weight", "blocks.-1.second"),
    "r3gan": (R3gan(latent=8, width=16, max_width=64, blocks=1), "stages.0.0.widen.weight", "stages.-1.0"),
    "fastgan": (Fastgan(latent=8, width=8), "stages.0.first.weight", "trunk.blocks.-1.pooled"),
}
"""Families, a weight of the generator's smallest map, and where those of the discriminator's begin."""


@pytest.mark.parametrize("sides", [(32, 64), (64, 32)])
@pytest.mark.parametrize("name", ["resnet", "r3gan", "fastgan"])
def test_pictures_of_another_size_are_drawn_and_judged_by_what_small_maps_have_learned(
    name: str, sides: tuple[int, int]
) -> None:
    family, smallest, last = SMALLEST[name]
    old, new = (image_spec(side, side, 3) for side in sides)
    source, network, report = moved("generator", family, old, new)
    assert torch.equal(network.state_dict()[smallest], source.state_dict()[smallest])
    assert report.share > 0.5

    judge, other, report = moved("discriminator", family, old, new)
    assert report.share > 0.5
    theirs, ours = ({each.place(key).name: value for key, value in each.state_dict().items()} for each in (judge, other))
    found = [key for key in ours if key.startswith(last)]
    assert found
    for key in found:
        assert torch.equal(ours[key], theirs[key]), key


def test_a_first_map_of_another_size_is_resized() -> None:
    old, new = image_spec(64, 64, 1), image_spec(48, 72, 1)  # from 4x4 and from 6x9
    source, network, report = moved("generator", TINY, old, new)
    assert any(each.startswith("first.weight (map of 6×9 from 4×4") for each in report.changed)
    theirs = source.state_dict()["first.weight"].unflatten(0, (-1, 4, 4))
    ours = network.state_dict()["first.weight"].unflatten(0, (-1, 6, 9))
    torch.testing.assert_close(ours.mean((1, 2)), theirs.mean((1, 2)), atol=0.02, rtol=0.1)


def test_dense_layers_draw_and_judge_resized_pictures_alike() -> None:
    old, new = image_spec(8, 8, 3), image_spec(16, 16, 3)
    source, network, _ = moved("generator", DENSE, old, new)
    raw = [each(draw_noise(each.noise, 4, Key(3))).raw for each in (source, network)]
    expected = torch.nn.functional.interpolate(raw[0], (16, 16), mode="bilinear", align_corners=False)
    torch.testing.assert_close(raw[1], expected)
    judge, other, _ = moved("discriminator", DENSE, old, new)
    flat = torch.tensor([0.5, -0.25]).view(2, 1, 1, 1)
    torch.testing.assert_close(judged(other, new, flat.expand(2, 3, 16, 16)), judged(judge, old, flat.expand(2, 3, 8, 8)))


@FAMILIES
def test_classes_are_known_by_their_names(family: NetworkFamily) -> None:
    old = replace(image_spec(16, 16, 1), conditions=(CATS,))
    new = replace(old, conditions=(Condition("label", ("ant", "owl", "cat", "fox", "dog")),))
    source, network, report = moved("generator", family, old, new)
    latents = draw_noise(source.noise, 3, Key(3))
    there, here = torch.tensor([0, 1, 2]), torch.tensor([2, 4, 1])
    torch.testing.assert_close(network(latents, {"label": here}).raw, source(latents, {"label": there}).raw)
    tables = [each.state_dict()["conditions.tables.0.weight"] for each in (source, network)]
    for stranger in (0, 3):
        torch.testing.assert_close(tables[1][stranger], tables[0].mean(0))
    assert any("3 of 5 classes are known" in each for each in report.changed)


@FAMILIES
def test_as_many_classes_need_not_be_the_same_ones(family: NetworkFamily) -> None:
    old = replace(image_spec(16, 16, 1), conditions=(CATS,))
    new = replace(old, conditions=(Condition("label", ("owl", "cat", "dog")),))
    for player in ("generator", "discriminator"):
        source, network, _ = moved(player, family, old, new)
        name = "conditions.tables.0.weight" if player == "generator" else "projection.tables.0.weight"
        assert torch.equal(network.state_dict()[name], source.state_dict()[name][[2, 0, 1]])


@FAMILIES
def test_conditions_are_known_by_their_names_too(family: NetworkFamily) -> None:
    """Another one before it, with as many classes, does not get its weights."""
    old = replace(image_spec(16, 16, 1), conditions=(CATS,))
    new = replace(old, conditions=(Condition("place", ("in", "out", "up")), CATS))
    players: tuple[tuple[Player, str], ...] = (("generator", "conditions"), ("discriminator", "projection"))
    for player, module in players:
        source, network, report = moved(player, family, old, new)
        (theirs,), (first, second) = ([t.weight for t in getattr(each, module).tables] for each in (source, network))
        assert torch.equal(second, theirs)
        assert not torch.equal(first, theirs)
        assert any(each.startswith(f"{module}.tables.0.weight") for each in report.fresh)
    source, network, _ = moved("generator", family, old, new)
    told = {"place": torch.tensor([0, 1, 2]), "label": torch.tensor([2, 0, 1])}
    latents = draw_noise(source.noise, 3, Key(3))
    torch.testing.assert_close(network(latents, told).raw, source(latents, told).raw)


@FAMILIES
def test_what_is_told_for_the_first_time_changes_nothing_yet(family: NetworkFamily) -> None:
    old = image_spec(16, 16, 1)
    new = replace(old, conditions=(CATS,))
    source, network, report = moved("generator", family, old, new)
    torch.testing.assert_close(made(network, new, [0, 1, 2, 0, 1, 2]), made(source, old))
    assert any("label is told now" in each for each in report.changed)
    # Its weights are zero, not dead: what is told gets a gradient through them.
    network.requires_grad_(True).train()
    made(network, new, [0, 1, 2, 0, 1, 2])[:, :, 2:].square().sum().backward()
    first = next(p for n, p in network.named_parameters() if n in ("first.weight", "layers.0.weight"))
    assert first.grad is not None
    assert first.grad[:, TINY.latent :].abs().sum() > 0


@FAMILIES
def test_a_conditional_model_becomes_one_that_is_told_nothing(family: NetworkFamily) -> None:
    new = image_spec(16, 16, 1)
    source, network, report = moved("generator", family, replace(new, conditions=(CATS,)), new)
    name = next(n for n in ("first.weight", "layers.0.weight") if n in network.state_dict())
    assert torch.equal(network.state_dict()[name], source.state_dict()[name][:, : TINY.latent])
    assert any("label is not told any more" in each for each in report.changed)
    assert moved("discriminator", family, replace(new, conditions=(CATS,)), new)[2].share == 1


def test_another_family_carries_next_to_nothing() -> None:
    spec = image_spec(16, 16, 1)
    source, network = built("generator", DENSE, spec, 1), built("generator", TINY, spec, 2)
    report = carry("generator", (DENSE, spec, source.state_dict()), (TINY, spec, network))
    assert report.weights_carried == 0
    assert "starts fresh" in report.lines()[0]


def own(width: int) -> ModulePair:
    return ModulePair(nn.Sequential(nn.Linear(8, width), nn.Linear(width, 2)), nn.Linear(2, 1), (8,))


def test_modules_of_ones_own_are_carried_whole_or_not_at_all() -> None:
    spec = DataSpec("numbers", (2,), "linear")
    source = built("generator", own(4), spec, 1)
    network = built("generator", own(4), spec, 2)
    assert carry("generator", (own(4), spec, source.state_dict()), (own(4), spec, network)).share == 1
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), source.parameters(), strict=True))
    with pytest.raises(UsageError, match="not the one that was trained") as raised:
        carry("generator", (own(4), spec, source.state_dict()), (own(5), spec, built("generator", own(5), spec, 2)))
    assert "module.0.weight is 4×8 in the model, 5×8" in str(raised.value)


def test_layers_as_text_are_carried_whole() -> None:
    spec = DataSpec("numbers", (2,), "linear")
    family = Layered(Layers(["layers.Dense(4, input_dim=3)", "layers.Dense(2)"]), Layers(["layers.Dense(1, input_dim=2)"]))
    source, network = built("generator", family, spec, 1), built("generator", family, spec, 2)
    assert carry("generator", (family, spec, source.state_dict()), (family, spec, network)).share == 1
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), source.parameters(), strict=True))
