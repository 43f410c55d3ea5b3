"""The DCGAN pair: as it was published, and brought up to date."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from support import image_spec
from torch import nn

from ganwright.core.budget import Budget
from ganwright.networks.dcgan import Dcgan
from ganwright.recipes.registry import RECIPES
from ganwright.runtime.device import find_machine

PUBLISHED = Dcgan(latent=100, width=64, form="published")


def count(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


def test_the_published_pair_has_the_parameters_of_the_paper() -> None:
    """A generator of 100 numbers and 64 channels for 64 px, and its opponent, as counted by hand; biases are ours."""
    generator, discriminator = PUBLISHED.build(image_spec(64, 64, 3))
    convolutions = 100 * 512 * 16 + (512 * 256 + 256 * 128 + 128 * 64 + 64 * 3) * 16
    assert count(generator) == convolutions + 2 * (512 + 256 + 128 + 64) + 3
    judging = (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 512) * 16
    assert count(discriminator) == judging + 2 * (128 + 256 + 512) + (64 + 128 + 256 + 512 + 1)


def test_the_published_weights_are_drawn_with_a_deviation_of_two_hundredths() -> None:
    torch.manual_seed(0)
    generator, discriminator = replace(PUBLISHED, width=16).build(image_spec(32, 32, 3))
    for network in (generator, discriminator):
        for name, weight in network.named_parameters():
            if weight.ndim > 1:
                assert weight.std().item() == pytest.approx(0.02, rel=0.15), name
                assert weight.mean().item() == pytest.approx(0.0, abs=0.005), name
            elif name.endswith("weight"):
                assert weight.mean().item() == pytest.approx(1.0, abs=0.02), name
                assert weight.std().item() > 0, name
            else:
                assert not weight.any(), name


@pytest.mark.parametrize("size", [(64, 64), (28, 28), (33, 20), (3, 3)])
def test_both_forms_draw_pictures_of_any_size(size: tuple[int, int]) -> None:
    for form in ("modern", "published"):
        family = Dcgan(latent=8, width=4, form=form)
        generator, discriminator = family.build(image_spec(*size, 3))
        with torch.no_grad():
            made = generator({"latent": torch.randn(2, 8)}).raw
            assert made.shape == (2, 3, *size)
            assert discriminator(made).logits[0].shape == (2,)


def test_batch_normalisation_mixes_the_verdicts_of_the_published_form_alone() -> None:
    for family, by_itself in ((Dcgan(latent=8, width=4), True), (Dcgan(latent=8, width=4, form="published"), False)):
        discriminator = family.discriminator(image_spec(16, 16, 3)).train()
        x = torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            alike = torch.allclose(discriminator(x).logits[0][:2], discriminator(x[:2]).logits[0], atol=1e-5)
        assert alike is discriminator.by_itself is by_itself


def test_every_weight_of_a_published_discriminator_has_a_place_of_its_own() -> None:
    discriminator = replace(PUBLISHED, width=4).discriminator(image_spec(32, 32, 3))
    places = [discriminator.place(name).name for name in discriminator.state_dict()]
    assert len(set(places)) == len(places)
    larger = replace(PUBLISHED, width=4).discriminator(image_spec(64, 64, 3))
    assert set(places) < {larger.place(name).name for name in larger.state_dict()}, "a stage more, at the picture's end"


def test_the_published_recipe_is_the_paper_s() -> None:
    config = RECIPES.get("dcgan-published")(image_spec(64, 64, 3), find_machine("cpu"), Budget())
    assert config.recipe == "dcgan-published"
    assert (config.batch, config.network.latent, config.network.noise) == (128, 100, "uniform")
    assert config.regularizers == ()
    assert config.generator_optimizer == config.discriminator_optimizer
    assert (config.generator_optimizer.learning_rate, config.generator_optimizer.beta1) == (2e-4, 0.5)
