"""What holds for every adversarial loss, and the closed form of each that we ship."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck
from torch.nn.functional import binary_cross_entropy_with_logits

from ganwright.losses.base import LOSSES, Loss

SHAPES = [(5,), (5, 3)]
every_loss = pytest.mark.parametrize("name", LOSSES.names())


def generator_loss(loss: Loss, real: Tensor, fake: Tensor) -> Tensor:
    """As the step calls it: real logits only for a loss that asks for them."""
    return loss.generator(real if loss.generator_needs_real else None, fake)


@every_loss
@pytest.mark.parametrize("shape", SHAPES)
def test_losses_are_unreduced(name: str, shape: tuple[int, ...]) -> None:
    loss: Loss = LOSSES.get(name)()
    real, fake = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0))
    assert loss.discriminator(real, fake).shape == shape
    assert generator_loss(loss, real, fake).shape == shape


@every_loss
def test_a_row_depends_on_its_own_logits_only(name: str) -> None:
    loss: Loss = LOSSES.get(name)()
    real, fake = torch.randn(2, 6, 3, generator=torch.Generator().manual_seed(1))
    other_real, other_fake = real.clone(), fake.clone()
    other_real[4:] += 3
    other_fake[4:] -= 3
    assert torch.equal(loss.discriminator(real, fake)[:4], loss.discriminator(other_real, other_fake)[:4])
    assert torch.equal(generator_loss(loss, real, fake)[:4], generator_loss(loss, other_real, other_fake)[:4])


@every_loss
@pytest.mark.parametrize("real_value", [-1e4, 1e4])
@pytest.mark.parametrize("fake_value", [-1e4, 1e4])
def test_losses_and_gradients_are_finite_at_huge_logits(name: str, real_value: float, fake_value: float) -> None:
    loss: Loss = LOSSES.get(name)()
    real = torch.full((4,), real_value, requires_grad=True)
    fake = torch.full((4,), fake_value, requires_grad=True)
    of_discriminator, of_generator = loss.discriminator(real, fake), generator_loss(loss, real.detach(), fake)
    assert of_discriminator.isfinite().all()
    assert of_generator.isfinite().all()
    (of_discriminator.sum() + of_generator.sum()).backward()
    assert real.grad is not None
    assert real.grad.isfinite().all()
    assert fake.grad is not None
    assert fake.grad.isfinite().all()


@every_loss
def test_the_discriminator_is_drawn_to_call_reals_real_and_fakes_fake(name: str) -> None:
    loss: Loss = LOSSES.get(name)()
    real, fake = torch.zeros(4, requires_grad=True), torch.zeros(4, requires_grad=True)
    loss.discriminator(real, fake).sum().backward()
    assert real.grad is not None
    assert fake.grad is not None
    assert (real.grad <= 0).all()
    assert (fake.grad >= 0).all()
    assert (fake.grad - real.grad > 0).all(), "no pull apart at all where both are undecided"


@every_loss
def test_the_generator_is_drawn_to_raise_the_logits_of_its_fakes(name: str) -> None:
    loss: Loss = LOSSES.get(name)()
    fake = torch.zeros(4, requires_grad=True)
    generator_loss(loss, torch.zeros(4), fake).sum().backward()
    assert fake.grad is not None
    assert (fake.grad < 0).all()


def test_of_a_relative_loss_pairs_are_told_right_and_of_others_logits() -> None:
    real, fake = torch.tensor([-2.0, 3.0]), torch.tensor([-3.0, 4.0])
    assert [told.tolist() for told in LOSSES.get("relativistic")().told(real, fake)] == [[1, 0], [1, 0]]
    assert [told.tolist() for told in LOSSES.get("hinge")().told(real, fake)] == [[0, 1], [1, 0]]


@every_loss
def test_gradients_are_those_of_the_values(name: str) -> None:
    loss: Loss = LOSSES.get(name)()
    draws = torch.Generator().manual_seed(2)
    # Away from the corner of a hinge, where there is no derivative.
    real = torch.rand(4, 2, generator=draws, dtype=torch.float64, requires_grad=True)
    fake = torch.rand(4, 2, generator=draws, dtype=torch.float64, requires_grad=True)
    assert gradcheck(loss.discriminator, (real, fake))
    assert gradcheck(lambda logits: generator_loss(loss, real.detach(), logits), (fake,))


def cross_entropy(logits: Tensor, label: float) -> Tensor:
    return binary_cross_entropy_with_logits(logits, torch.full_like(logits, label), reduction="none")


CLOSED_FORMS: dict[str, tuple[Callable[[Tensor, Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "minimax": (
        lambda real, fake: -real.sigmoid().log() - (1 - fake.sigmoid()).log(),
        lambda fake: (1 - fake.sigmoid()).log(),
    ),
    "non_saturating": (
        lambda real, fake: cross_entropy(real, 1) + cross_entropy(fake, 0),
        lambda fake: cross_entropy(fake, 1),
    ),
    "least_squares": (
        lambda real, fake: 0.5 * (real - 1) ** 2 + 0.5 * fake**2,
        lambda fake: 0.5 * (fake - 1) ** 2,
    ),
    "hinge": (
        lambda real, fake: torch.maximum(1 - real, torch.zeros(())) + torch.maximum(1 + fake, torch.zeros(())),
        lambda fake: -fake,
    ),
    "wasserstein": (lambda real, fake: fake - real, lambda fake: -fake),
}


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_each_loss_is_the_formula_of_its_paper(name: str) -> None:
    loss: Loss = LOSSES.get(name)()
    real, fake = 2 * torch.randn(2, 64, 3, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    of_discriminator, of_generator = CLOSED_FORMS[name]
    torch.testing.assert_close(loss.discriminator(real, fake), of_discriminator(real, fake))
    torch.testing.assert_close(loss.generator(None, fake), of_generator(fake))


def test_the_targets_and_the_margin_are_heeded() -> None:
    real, fake = torch.tensor([0.5]), torch.tensor([0.25])
    least = LOSSES.get("least_squares")(fake_target=-1.0, real_target=2.0, generator_target=0.5)
    assert float(least.discriminator(real, fake)) == pytest.approx(0.5 * (1.5**2 + 1.25**2))
    assert float(least.generator(None, fake)) == pytest.approx(0.5 * 0.25**2)
    assert float(LOSSES.get("hinge")(margin=3.0).discriminator(real, fake)) == pytest.approx(2.5 + 3.25)
