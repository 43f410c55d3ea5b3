"""Dropout from random words: the share, the mean, the gradient and the seed."""

from __future__ import annotations

import pytest
import torch

from ganwright.networks.parts.dropout import dropout

SHAPE = (101, 40, 7)


@pytest.mark.parametrize("rate", [0.1, 0.25, 0.5, 0.9])
def test_a_share_is_zeros_and_the_rest_larger_by_as_much(rate: float) -> None:
    torch.manual_seed(0)
    y = dropout(torch.ones(SHAPE), rate)
    kept = y[y != 0]
    torch.testing.assert_close(kept, torch.full_like(kept, 1 / (1 - rate)), atol=1e-4, rtol=1e-4)
    deviation = (rate * (1 - rate) / y.numel()) ** 0.5
    assert abs((y == 0).double().mean().item() - rate) < 5 * deviation + 1 / 65536


@pytest.mark.parametrize("rate", [0.5, 0.3])
def test_neighbours_are_drawn_independently(rate: float) -> None:
    """Eight values share a word, or four."""
    torch.manual_seed(0)
    zeros = (dropout(torch.ones(400_000), rate) == 0).double()
    for distance in range(1, 9):
        together = (zeros[:-distance] * zeros[distance:]).mean().item()
        assert abs(together - rate**2) < 0.004


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("rate", [0.25, 0.3])
def test_every_precision_has_its_own_factor(dtype: torch.dtype, rate: float) -> None:
    torch.manual_seed(0)
    y = dropout(torch.full(SHAPE, -3.0, dtype=dtype), rate)
    assert y.dtype == dtype
    factor = torch.tensor(65536 / (65536 - round(65536 * rate)), dtype=dtype)
    assert set(y.unique().tolist()) == {0.0, (-3 * factor).item()}


def test_the_gradient_passes_where_the_values_did() -> None:
    torch.manual_seed(0)
    x = torch.ones(SHAPE, requires_grad=True)
    y = dropout(x, 0.25)
    y.sum().backward()
    torch.testing.assert_close(x.grad, y.detach())


def test_draws_follow_the_global_seed() -> None:
    drawn: list[torch.Tensor] = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        drawn.append(dropout(torch.ones(SHAPE), 0.3))
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


@pytest.mark.parametrize(("rate", "left"), [(0.0, 1.0), (1.0, 0.0)])
def test_all_or_nothing(rate: float, left: float) -> None:
    assert dropout(torch.ones(5), rate).tolist() == [left] * 5
