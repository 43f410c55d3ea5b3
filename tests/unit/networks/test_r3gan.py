"""The published networks by their numbers, and what the first weights promise."""

from __future__ import annotations

import math

import pytest
import torch
from support import image_spec
from torch import Tensor, nn

from ganwright.core.budget import Budget
from ganwright.data.spec import Condition, DataSpec
from ganwright.networks.parts.residual import GroupedBlock, groups_of
from ganwright.networks.r3gan import R3gan, R3ganDiscriminator, R3ganGenerator, sizes_of
from ganwright.recipes.registry import RECIPES
from ganwright.runtime.device import Machine

GPU = Machine("cuda", "GPU", 8, 80 << 30, fast_bf16=True)
SMALL = R3gan(latent=16, width=16, max_width=64)


def spec_of(side: int, classes: int = 0) -> DataSpec:
    conditions = (Condition("label", tuple(map(str, range(classes)))),) if classes else ()
    return DataSpec("image", (3, side, side), "linear", conditions)


def built(family: R3gan, spec: DataSpec) -> tuple[R3ganGenerator, R3ganDiscriminator]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return R3ganGenerator(family, spec), R3ganDiscriminator(family, spec)


def normal(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def millions(network: nn.Module) -> float:
    return sum(parameter.numel() for parameter in network.parameters()) / 1e6


@pytest.mark.parametrize(
    ("preset", "side", "classes", "generator", "discriminator"),
    [
        ("cifar10", 32, 10, 20.8, 21.3),
        ("ffhq64", 64, 0, 22.4, 22.4),
        ("ffhq256", 256, 0, 23.1, 23.0),
        ("imagenet32", 32, 1000, 82.9, 86.5),
        ("imagenet64", 64, 1000, 103.6, 107.2),
    ],
)
def test_presets_have_the_published_numbers_of_parameters(
    preset: str, side: int, classes: int, generator: float, discriminator: float
) -> None:
    config = RECIPES.get(f"r3gan-{preset}")(spec_of(side), GPU, Budget())
    with torch.device("meta"):
        pair = config.network.build(spec_of(side, classes))
    assert [millions(network) for network in pair] == pytest.approx([generator, discriminator], abs=0.06)


@pytest.mark.parametrize("side", [16, 32, 64, 128, 256])
def test_squares_of_a_power_of_two_start_at_4x4(side: int) -> None:
    assert sizes_of(image_spec(side, side, 3)) == [(s, s) for s in (4, 8, 16, 32, 64, 128, 256) if s <= side]


@pytest.mark.parametrize(("side", "first"), [(8, 4), (12, 6), (28, 4), (72, 5), (3, 3)])
def test_other_sizes_start_at_about_as_many(side: int, first: int) -> None:
    assert sizes_of(image_spec(side, side, 1))[0] == (first, first)


def test_widths_of_every_stage_take_the_place_of_the_rule() -> None:
    assert R3gan(width=96, max_width=768).channels(7) == [768, 768, 768, 768, 384, 192, 96]
    assert R3gan(widths=(8, 4, 2)).channels(3) == [8, 4, 2]
    with pytest.raises(ValueError, match="3 widths, but these pictures pass through 4 stages"):
        R3gan(widths=(8, 4, 2)).generator(spec_of(32))


def test_groups_have_the_channels_asked_for_or_some_more() -> None:
    assert [groups_of(c, 16) for c in (1536, 768, 32, 16, 8, 40, 2)] == [96, 48, 2, 1, 1, 2, 1]
    family = R3gan(width=768, max_width=768)
    with torch.device("meta"):
        blocks = [m for m in family.discriminator(spec_of(32)).modules() if isinstance(m, GroupedBlock)]
    assert {(block.mix.groups, tuple(block.mix.weight.shape)) for block in blocks} == {(96, (1536, 16, 3, 3))}
    assert len(blocks) == 8


def test_a_block_starts_as_the_identity_and_its_branch_keeps_the_variance() -> None:
    """Times what its LeakyReLU takes again, and L^(-1/2) so that all blocks together do not make it grow."""
    for network in built(SMALL, spec_of(32)):
        blocks = [module for module in network.modules() if isinstance(module, GroupedBlock)]
        assert len(blocks) == 8
        for block in blocks:
            channels = block.narrow.weight.shape[0]
            x = normal(16, channels, 8, 8)
            assert not block.narrow.weight.any()
            assert torch.equal(block(x), x)
            assert block.widen.bias is not None
            assert not block.widen.bias.any()
            shrunk = block.widen(x).detach().var() / x.var()
            assert float(shrunk) == pytest.approx(2 / 1.04 / math.sqrt(8), rel=0.25)


def test_first_deviations_are_those_of_the_paper() -> None:
    family = R3gan(latent=64, width=64, max_width=64)
    generator, discriminator = built(family, spec_of(32, classes=10))
    assert discriminator.features is not None
    assert float(generator.basis.detach().std()) == pytest.approx(1.0, rel=0.1)
    assert float(generator.scales.weight.detach().std()) == pytest.approx(128**-0.5, rel=0.1)
    assert float(generator.last.weight.detach().std()) == pytest.approx(64**-0.5, rel=0.2)
    assert float(discriminator.first.weight.detach().std()) == pytest.approx(3**-0.5, rel=0.2)
    assert float(discriminator.basis.detach().std()) == pytest.approx(1 / 4, rel=0.1)
    assert float(discriminator.features.weight.detach().std()) == pytest.approx(64**-0.5, rel=0.1)
    (table,) = discriminator.projection.parameters()
    assert float(table.detach().std()) == pytest.approx((64 * 10) ** -0.5, rel=0.1)
    gain = math.sqrt(2 / 1.04) * 8**-0.25
    block = next(module for module in discriminator.modules() if isinstance(module, GroupedBlock))
    assert float(block.widen.weight.detach().std()) == pytest.approx(gain * 64**-0.5, rel=0.1)
    assert float(block.mix.weight.detach().std()) == pytest.approx(gain * (16 * 9) ** -0.5, rel=0.1)


@pytest.mark.parametrize("side", [16, 64])
def test_the_variance_neither_grows_nor_vanishes_on_the_way(side: int) -> None:
    """From a latent of deviation 1 the pictures have one of about 1, less what the soft filter takes, however deep."""
    for blocks in (1, 4):
        generator, discriminator = built(R3gan(width=32, max_width=64, blocks=blocks), spec_of(side))
        with torch.no_grad():
            made = generator({"latent": normal(64, 64)}).raw
            verdict = discriminator(normal(64, 3, side, side)).logits[0]
        assert 0.3 < float(made.std()) < 2
        assert made.isfinite().all()
        assert 1e-3 < float(verdict.std()) < 2


def test_pictures_are_not_squeezed() -> None:
    """Linear output: twice the last weights make pictures twice as bright, beyond -1 to 1 too."""
    generator, _ = built(SMALL, spec_of(16))
    noise = {"latent": normal(4, 16)}
    before = generator(noise).raw
    with torch.no_grad():
        generator.last.weight.mul_(2)
    torch.testing.assert_close(generator(noise).raw, 2 * before)


def test_the_logit_of_a_conditional_pair_is_a_product_and_nothing_else() -> None:
    _, discriminator = built(SMALL, spec_of(16, classes=3))
    x, condition = normal(3, 3, 16, 16), {"label": torch.arange(3)}
    verdict = discriminator(x, condition)
    (table,) = discriminator.projection.parameters()
    assert verdict.features is not None
    torch.testing.assert_close(verdict.logits[0], (verdict.features * table).sum(1))


def test_small_maps_are_exact_under_autocast() -> None:
    """Only the four largest sizes are worked on in bf16, and what comes out of the discriminator is exact."""
    generator, discriminator = built(R3gan(latent=8, width=8, max_width=8, blocks=1), spec_of(64))
    seen: list[tuple[int, torch.dtype]] = []
    for network in (generator, discriminator):
        for stage in network.stages:
            stage.register_forward_hook(lambda _, __, out: seen.append((out.shape[-1], out.dtype)))
    with torch.autocast("cpu", torch.bfloat16):
        logits = discriminator(generator({"latent": normal(2, 8)}).raw).logits[0]
    exact = {side for side, dtype in seen if dtype == torch.float32}
    assert exact == {4}
    assert len(seen) == 10
    assert logits.dtype == torch.float32


def test_penalties_of_both_sides_differentiate_twice_under_autocast() -> None:
    _, discriminator = built(R3gan(latent=8, width=8, max_width=16, blocks=1), spec_of(16))
    x = normal(4, 3, 16, 16).requires_grad_(True)
    gradients: list[Tensor] = []
    for rough in (False, True):
        discriminator.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=rough):
            logits = discriminator(x).logits[0]
        (slope,) = torch.autograd.grad(logits.sum(), x, create_graph=True)
        assert slope.dtype == torch.float32
        slope.square().flatten(1).sum(1).mean().backward()
        gradients.append(torch.cat([p.grad.flatten() for p in discriminator.parameters() if p.grad is not None]))
    assert gradients[1].isfinite().all()
    assert float((gradients[1] - gradients[0]).norm() / gradients[0].norm()) < 0.05
    assert not torch.equal(gradients[0], gradients[1])
