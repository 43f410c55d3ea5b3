"""The light pair: who gates whom, what is noise, and decoders that learn to draw what was seen."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from support import image_codec, image_spec, tiny_config, tiny_dataset, train
from torch import Tensor

from ganwright.losses.hinge import Hinge
from ganwright.model.model_file import ModelContents, read_model, write_model
from ganwright.model.noise import draw_noise
from ganwright.networks.base import Discriminator, NetworkFamily
from ganwright.networks.fastgan import Fastgan, FastganDiscriminator, FastganGenerator, quarter_of
from ganwright.networks.parts.gating import SkipGate, gated
from ganwright.networks.resnet import Resnet
from ganwright.optimizers.adam import Adam
from ganwright.regularizers.parts.pyramid import perceptual_distance
from ganwright.regularizers.r1 import R1
from ganwright.regularizers.reconstruction import Reconstruction
from ganwright.runtime.keys import Key
from ganwright.training.checkpoint import Checkpoint
from ganwright.training.run_spec import run_spec
from ganwright.training.state import initial_state

SMALL = Fastgan(latent=8, width=4)


def of_size(side: int) -> tuple[FastganGenerator, FastganDiscriminator]:
    torch.manual_seed(0)
    generator, discriminator = SMALL.build(image_spec(side, side, 3))
    assert isinstance(generator, FastganGenerator)
    assert isinstance(discriminator, FastganDiscriminator)
    return generator, discriminator


@pytest.mark.parametrize(("side", "leap", "gates"), [(256, 4, 3), (64, 4, 1), (32, 3, 1), (8, 2, 1), (4, 0, 0)])
def test_small_maps_gate_large_ones_of_a_generator(side: int, leap: int, gates: int) -> None:
    generator, _ = of_size(side)
    assert (generator.leap, len(generator.gates)) == (leap, gates)


@pytest.mark.parametrize(
    ("side", "gates", "heads", "halvings"), [(256, 3, 2, 1), (512, 4, 2, 2), (64, 1, 2, 1), (8, 0, 1, 0)]
)
def test_large_maps_gate_small_ones_of_a_discriminator(side: int, gates: int, heads: int, halvings: int) -> None:
    _, discriminator = of_size(side)
    assert (len(discriminator.trunk.gates), discriminator.halvings) == (gates, halvings)
    with torch.no_grad():
        logits = discriminator(torch.zeros(2, 3, side, side)).logits
    assert [tuple(head.shape) for head in logits] == [(2, 25 if side > 8 else 1)] * heads, "patches of 8x8, seen through 4x4"


@pytest.mark.parametrize("side", [32, 64])
def test_the_first_logits_differ_from_record_to_record(side: int) -> None:
    """Spectral normalisation and activations alone would leave thousandths of what a picture is."""
    torch.manual_seed(0)
    discriminator = Fastgan(width=8).discriminator(image_spec(side, side, 3)).eval()
    smooth = torch.nn.functional.interpolate(torch.randn(16, 3, 6, 6), size=(side, side), mode="bilinear").clamp(-1, 1)
    with torch.no_grad():
        for head in discriminator(smooth).logits:
            assert 0.02 < float(head.std(0).mean()) < 2


def test_a_gate_scales_channels_between_nothing_and_all() -> None:
    torch.manual_seed(0)
    gate, x = SkipGate(3, (9, 5), 4), torch.randn(2, 4, 30, 20)
    share = gate(torch.randn(2, 3, 9, 5), x) / x
    assert (share > 0).all()
    assert (share < 1).all()
    torch.testing.assert_close(share, share[:, :, :1, :1].expand_as(share))
    assert not torch.allclose(share[0, 0], share[0, 1]), "each channel has its own"


def test_a_gated_linear_unit_is_that_of_torch() -> None:
    x = torch.randn(2, 6, 3, 3)
    torch.testing.assert_close(gated(x), torch.nn.functional.glu(x, dim=1))


def test_noise_is_declared_begins_silent_and_is_heard_when_loud() -> None:
    generator, _ = of_size(32)
    generator.eval()
    assert {name: noise.shape for name, noise in generator.noise.items()} == {
        "latent": (8,),
        "stage 0": (2, 8, 8),
        "stage 2": (2, 32, 32),
    }
    noise = draw_noise(generator.noise, 2, Key(0))
    other = {**noise, "stage 2": -noise["stage 2"]}
    with torch.no_grad():
        assert torch.equal(generator(noise).raw, generator(other).raw)
        for name, weight in generator.named_parameters():
            weight.fill_(0.5) if name.endswith("loudness") else None
        assert not torch.allclose(generator(noise).raw, generator(other).raw)
    assert set(replace(SMALL, layer_noise=False).generator(image_spec(32, 32, 3)).noise) == {"latent"}


def test_each_quarter_is_where_its_draw_says() -> None:
    x = torch.arange(25.0).view(1, 1, 5, 5).expand(4, 1, 5, 5)
    corners = quarter_of(x, torch.tensor([[0.0], [0.3], [0.5], [0.99]]))
    assert corners.shape == (4, 1, 3, 3)
    assert corners[:, 0, 0, 0].tolist() == [0, 2, 10, 12]


def test_a_quarter_is_drawn_from_its_own_part_of_the_map_only() -> None:
    _, discriminator = of_size(64)
    discriminator.eval()
    draws = torch.tensor([[0.0]])
    x = torch.rand(1, 3, 64, 64) * 2 - 1
    changed = x.clone()
    changed[:, :, 56:, 56:] = 0  # far enough from the first quarter that no convolution of the trunk reaches it
    with torch.no_grad():
        (whole, meant), (quarter, corner) = discriminator.reconstruct(x, draws)
        (other_whole, _), (other_quarter, _) = discriminator.reconstruct(changed, draws)
    assert whole.shape == meant.shape == quarter.shape == corner.shape == (1, 3, 32, 32)
    assert torch.equal(corner, x[:, :, :32, :32])
    torch.testing.assert_close(meant, torch.nn.functional.avg_pool2d(x, 2))
    assert torch.equal(quarter, other_quarter)
    assert not torch.allclose(whole, other_whole)


def test_the_reals_are_drawn_better_and_better() -> None:
    """Eight pictures of gradients and bars; the fakes are never drawn."""
    data = tiny_dataset(8, 16, 16, 1)
    ramp = torch.linspace(0, 255, 16)
    for i in range(8):
        picture = ramp[None].expand(16, 16) if i % 2 else ramp.flip(0)[:, None].expand(16, 16)
        data.columns["x"][i, :, :, 0] = picture.roll(2 * i, int(i % 2)).to(torch.uint8).numpy()
    quick = Adam(learning_rate=5e-3, beta1=0.5, beta2=0.999)
    config = tiny_config(
        network=Fastgan(latent=8, width=4),
        loss=Hinge(),
        regularizers=(Reconstruction(),),
        generator_optimizer=quick,
        discriminator_optimizer=quick,
    )
    _, reports = train(config, 20, data)
    # What one picture for all would cost, the mean of them; of quarters that are drawn likewise, about as much.
    small = torch.nn.functional.avg_pool2d(torch.from_numpy(data.columns["x"][..., 0])[:, None] / 127.5 - 1, 2)
    blind = 2 * float(perceptual_distance(small, small.mean(0, keepdim=True).expand_as(small)).mean())
    assert reports[0]["reconstruction"] > 0.9 * blind
    assert sum(report["reconstruction"] for report in reports[-4:]) / 4 < 0.5 * blind


def test_the_distance_of_pictures_knows_blur_from_brightness_and_needs_no_training() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(4, 3, 32, 32, generator=generator) * 2 - 1
    blurred = torch.nn.functional.avg_pool2d(x, 3, stride=1, padding=1)
    assert torch.equal(perceptual_distance(x, x), torch.zeros(4))
    apart = perceptual_distance(x, blurred)
    torch.testing.assert_close(apart, perceptual_distance(blurred, x))
    torch.testing.assert_close(apart[:2], perceptual_distance(x[:2], blurred[:2]))
    assert (apart > 0.1).all()


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 7)])
def test_tiny_pictures_have_a_distance_too(size: tuple[int, int]) -> None:
    values = perceptual_distance(torch.zeros(2, 1, *size), torch.ones(2, 1, *size))
    assert values.isfinite().all()
    assert (values > 0).all()


FAMILIES: dict[str, NetworkFamily] = {"fastgan": SMALL, "resnet": Resnet(latent=8, width=4, max_width=8)}
every_family = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)


def slopes(discriminator: Discriminator, x: Tensor, precision: torch.dtype) -> list[Tensor]:
    """The gradients of a discriminator's weights of its squared slope."""
    x = x.clone().requires_grad_(True)
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16):
        logits = discriminator(x).logits
    total = sum((head.float().sum() for head in logits), start=torch.zeros(()))
    (slope,) = torch.autograd.grad(total, x, create_graph=True)
    weights = [weight for weight in discriminator.parameters() if weight.requires_grad]
    return list(torch.autograd.grad(slope.float().square().sum(), weights, allow_unused=True, materialize_grads=True))


@every_family
def test_in_bf16_the_second_derivative_is_nearly_that_of_single_precision(family: NetworkFamily) -> None:
    """Within what rounding does: it switches rectifiers, and with matrix units (AMX) more of them than without."""
    alike: list[float] = []
    for seed in range(4):
        torch.manual_seed(seed)
        discriminator = family.discriminator(image_spec(32, 32, 3)).eval()
        x = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1
        exact, rough = (slopes(discriminator, x, precision) for precision in (torch.float32, torch.bfloat16))
        assert not all(torch.equal(a, b) for a, b in zip(exact, rough, strict=True)), "it must have computed otherwise"
        one, other = (torch.cat([gradient.flatten() for gradient in each]) for each in (exact, rough))
        alike.append(float(torch.cosine_similarity(one, other, dim=0)))
    assert sum(alike) / len(alike) > (0.97 if isinstance(family, Fastgan) else 0.9)


@every_family
def test_bf16_trains_with_every_penalty(family: NetworkFamily) -> None:
    penalties = (R1(interval=1), *((Reconstruction(),) if isinstance(family, Fastgan) else ()))
    config = tiny_config(network=family, loss=Hinge(), precision="bf16", regularizers=penalties)
    _, reports = train(config, 3, tiny_dataset(height=16, width=16))
    assert all(math.isfinite(value) for report in reports for value in report.values())


@every_family
def test_going_on_from_a_file_is_never_having_stopped(family: NetworkFamily, tmp_path: Path) -> None:
    data = tiny_dataset(64)
    penalties = (R1(interval=2), *((Reconstruction(),) if isinstance(family, Fastgan) else ()))
    config = tiny_config(network=family, loss=Hinge(), regularizers=penalties)
    straight, reports = train(config, 6, data)
    half, _ = train(config, 3, data)
    written = Checkpoint.of(half)
    written.write(tmp_path / "state.safetensors")
    again = initial_state(config, run_spec(config, data))
    Checkpoint.read(tmp_path / "state.safetensors", written.facts).restore(again)
    again, later = train(config, 3, data, again)
    assert later == reports[3:]
    for one, other in ((straight.generator, again.generator), (straight.discriminator, again.discriminator)):
        assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


@every_family
def test_a_model_file_keeps_both_networks_and_no_fixed_filters(family: NetworkFamily, tmp_path: Path) -> None:
    codec = image_codec(32, 32, 1)
    torch.manual_seed(0)
    generator, discriminator = family.build(codec.spec)
    contents = ModelContents(family, codec.spec, codec, generator.eval(), {}, discriminator.eval())
    write_model(tmp_path / "model.safetensors", contents)
    again = read_model(tmp_path / "model.safetensors")
    x = torch.rand(3, 1, 32, 32) * 2 - 1
    noise = draw_noise(generator.noise, 3, Key(0))
    assert again.discriminator is not None
    with torch.no_grad():
        # Where a tensor begins in memory changes the last digits of a convolution.
        torch.testing.assert_close(again.discriminator.score(x), discriminator.score(x))
        torch.testing.assert_close(again.generator(noise).raw, generator(noise).raw)
    if isinstance(discriminator, FastganDiscriminator):
        parts = {name.split(".")[0] for name in discriminator.state_dict()}
        assert parts == {"trunk", "head", "second_trunk", "second_head", "whole", "quarter"}
