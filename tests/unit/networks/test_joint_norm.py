"""Batch normalisation over all processes, in a lone one: it is torch's, and so are its first and second derivatives."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ganwright.networks.parts.joint_norm import normalised_by_all

EPS = 1e-5


def drawn(shape: tuple[int, ...], dtype: torch.dtype, channels_last: bool = False) -> tuple[Tensor, Tensor, Tensor]:
    """A batch far from zero, a scale and a shift."""
    generator = torch.Generator().manual_seed(0)
    x = (3 + 2 * torch.randn(shape, generator=generator)).to(dtype)
    x = x.to(memory_format=torch.channels_last) if channels_last else x
    own = torch.float32 if dtype == torch.bfloat16 else dtype
    scale, shift = (torch.randn(shape[1], generator=generator, dtype=torch.float32).to(own) for _ in range(2))
    return x.requires_grad_(), scale.requires_grad_(), shift.requires_grad_()


@pytest.mark.parametrize(("dtype", "near"), [(torch.float64, 1e-12), (torch.float32, 2e-5), (torch.bfloat16, 0.06)])
@pytest.mark.parametrize(
    ("shape", "channels_last"), [((16, 5), False), ((8, 5, 7), False), ((8, 5, 6, 7), False), ((8, 5, 6, 7), True)]
)
def test_it_is_what_torch_does(shape: tuple[int, ...], channels_last: bool, dtype: torch.dtype, near: float) -> None:
    inputs = drawn(shape, dtype, channels_last)
    y, mean, variance, count = normalised_by_all(*inputs, EPS)
    wanted = torch.batch_norm(*inputs, None, None, True, 0.1, EPS, False)
    assert y.dtype == dtype
    assert y.stride() == inputs[0].stride()
    torch.testing.assert_close(y, wanted, atol=near, rtol=near)
    slope = torch.randn(shape, generator=torch.Generator().manual_seed(1)).to(dtype)
    for found, expected in zip(
        torch.autograd.grad(y, inputs, slope), torch.autograd.grad(wanted, inputs, slope), strict=True
    ):
        torch.testing.assert_close(found, expected, atol=near, rtol=near)
    rows = inputs[0].detach().movedim(1, -1).reshape(-1, shape[1]).double()
    torch.testing.assert_close(mean.double(), rows.mean(0), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(variance.double(), rows.var(0, correction=0), atol=1e-5, rtol=1e-5)
    assert count == len(rows)


@pytest.mark.parametrize("plain", [False, True])
def test_its_derivatives_have_derivatives(plain: bool) -> None:
    x, scale, shift = drawn((6, 3, 4, 4), torch.float64)

    def y_of(x: Tensor, scale: Tensor | None = None, shift: Tensor | None = None) -> Tensor:
        return normalised_by_all(x, scale, shift, EPS)[0]

    inputs = (x,) if plain else (x, scale, shift)
    assert torch.autograd.gradcheck(y_of, inputs)
    assert torch.autograd.gradgradcheck(y_of, inputs)


def test_a_weight_that_is_frozen_gets_no_gradient() -> None:
    x, scale, shift = drawn((6, 3, 4, 4), torch.float32)
    y = normalised_by_all(x, scale.detach(), shift, EPS)[0]
    y.square().sum().backward()
    assert x.grad is not None
    assert shift.grad is not None
