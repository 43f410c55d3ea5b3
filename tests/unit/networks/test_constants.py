"""Tensors that are kept, and those that must not be."""

from __future__ import annotations

import pytest
import torch
from support import image_spec
from torch import Tensor, nn

from ganwright.networks.parts.constants import kept
from ganwright.networks.r3gan import R3gan


def test_the_same_tensor_comes_again_and_serves_training_though_first_asked_for_while_sampling() -> None:
    @kept
    def steps(count: int) -> Tensor:
        return torch.arange(count).float()

    with torch.inference_mode():
        first = steps(3)
    assert steps(3) is first
    assert steps(4).shape == (4,)
    weight = torch.ones(3, requires_grad=True)
    (weight * first).sum().backward()
    assert weight.grad is not None
    assert torch.equal(weight.grad, first)


@pytest.mark.parametrize("graded", [False, True])
def test_an_exported_generator_draws_the_same_and_leaves_the_model_as_it_was(graded: bool) -> None:
    """The soft filter is asked for while exporting first, and what is made there is no real tensor."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        # As many channels as no other test has.
        generator = R3gan(latent=8, width=17 + graded, max_width=17 + graded, blocks=1).generator(image_spec(12, 12, 3))

    class OfLatent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.generator = generator

        def forward(self, latent: Tensor) -> Tensor:
            return self.generator({"latent": latent}).raw

    latent = torch.randn(3, 8, generator=torch.Generator().manual_seed(1))
    with torch.set_grad_enabled(graded):
        exported = torch.export.export(OfLatent(), (latent,)).module()
        made = generator({"latent": latent}).raw
    assert type(made) is Tensor
    torch.testing.assert_close(exported(latent), made)
