"""Several processes as one, without starting any: the world is patched."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from support import tiny_config, tiny_dataset
from torch import Tensor

from ganwright.networks.mlp import Mlp
from ganwright.regularizers.gradient_penalty import GradientPenalty
from ganwright.regularizers.lecam import Lecam
from ganwright.regularizers.r1 import R1
from ganwright.runtime import distributed
from ganwright.training import state as state_module
from ganwright.training import updating
from ganwright.training.batches import Batches
from ganwright.training.config import TrainConfig
from ganwright.training.state import initial_state
from ganwright.training.step import train_step

Pretend = Callable[[int, int], None]


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> Pretend:
    """`pretend(size, rank)`: from now on we are that one of so many processes."""

    def become(size: int, rank: int) -> None:
        monkeypatch.setattr(distributed, "world_size", lambda: size)
        monkeypatch.setattr(distributed, "rank", lambda: rank)

    return become


def test_a_lone_process_has_everything() -> None:
    assert (distributed.world_size(), distributed.rank()) == (1, 0)
    assert list(range(7))[distributed.share_of(7)] == list(range(7))
    gradient, loss = torch.full((3,), 2.0), torch.tensor(0.5)
    assert distributed.sum_over_processes([gradient], {"loss": loss}) == {"loss": loss}
    assert gradient.tolist() == [2.0, 2.0, 2.0]


def test_what_the_leader_has_comes_the_quick_way_where_it_fits(pretend: Pretend, monkeypatch: pytest.MonkeyPatch) -> None:
    class Near:
        def gathered(self, value: Tensor) -> list[Tensor]:
            return [value + 5, value]

    sent: list[int] = []

    def broadcast(value: Tensor, source: int) -> None:
        sent.append(value.nbytes)

    monkeypatch.setattr(distributed, "_nearby", Near())
    monkeypatch.setattr(torch.distributed, "broadcast", broadcast)
    order, model = torch.zeros(2, dtype=torch.int64), torch.zeros(distributed.HALF + 1, dtype=torch.uint8)
    assert distributed.from_leader(order).tolist() == [0, 0]  # of a lone process
    pretend(2, 1)
    assert distributed.from_leader(order) is order
    assert order.tolist() == [5, 5]
    assert distributed.from_leader(model) is model
    assert sent == [model.nbytes]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8])
def test_shares_cover_every_place_exactly_once_and_differ_by_one_at_most(size: int, pretend: Pretend) -> None:
    for count in range(40):
        places: list[int] = []
        lengths: set[int] = set()
        for rank in range(size):
            pretend(size, rank)
            mine = list(range(count))[distributed.share_of(count)]
            places += mine
            lengths.add(len(mine))
        assert sorted(places) == list(range(count))
        assert max(lengths) - min(lengths) <= 1


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("parts", [1, 2, 3, 100])
def test_every_process_works_in_as_many_parts_that_cover_its_share(size: int, parts: int, pretend: Pretend) -> None:
    for count in range(size, 30):
        numbers: set[int] = set()
        for rank in range(size):
            pretend(size, rank)
            mine = [place for part in distributed.parts_of(count, parts) for place in list(range(count))[part]]
            assert mine == list(range(count))[distributed.share_of(count)]
            assert all(list(range(count))[part] for part in distributed.parts_of(count, parts))
            numbers.add(len(distributed.parts_of(count, parts)))
        assert len(numbers) == 1


def test_gradients_and_numbers_are_summed_in_one_exchange(pretend: Pretend, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(2, 0)
    exchanged: list[int] = []

    def all_reduce(flat: Tensor) -> None:
        exchanged.append(flat.numel())
        flat.mul_(3)  # as if the other process had twice ours

    monkeypatch.setattr(torch.distributed, "all_reduce", all_reduce)
    first = torch.arange(6.0).view(3, 2).t()  # not contiguous, as channels-last gradients are not
    second, expected = torch.ones(4), 3 * first.clone()
    numbers = distributed.sum_over_processes([first, second], {"loss": torch.tensor(0.5)})
    assert torch.equal(first, expected)
    assert torch.equal(second, torch.full((4,), 3.0))
    assert float(numbers["loss"]) == 1.5
    assert exchanged == [11]


@pytest.mark.parametrize("size", [2, 3])
def test_what_a_penalty_remembers_is_the_sum_of_what_each_process_gives(
    size: int, pretend: Pretend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a turn whose memory was empty; shares are of unequal length."""
    config = tiny_config(network=Mlp(latent=4, generator_widths=(), discriminator_widths=(8,)), regularizers=(Lecam(),))
    data = tiny_dataset()
    monkeypatch.setattr(updating, "sum_over_processes", lambda gradients, numbers: numbers)
    monkeypatch.setattr(state_module, "summed", lambda value: value)  # each process's own part

    def remembered() -> dict[str, Tensor]:
        state = initial_state(config, data.codec.spec)
        train_step(state, config, data.codec.spec, Batches(data, config))
        return state.regularizer_states[0]

    alone = remembered()
    total = {name: torch.zeros(()) for name in alone}
    for rank in range(size):
        pretend(size, rank)
        total = {name: total[name] + value for name, value in remembered().items()}
    for name, value in alone.items():
        assert float(value) != 0
        torch.testing.assert_close(total[name], value, rtol=1e-4, atol=1e-7)


def test_a_sum_over_processes_leaves_what_was_given_as_it_is(pretend: Pretend, monkeypatch: pytest.MonkeyPatch) -> None:
    value = torch.tensor(2.0)
    assert distributed.summed(value) is value
    pretend(2, 0)
    monkeypatch.setattr(torch.distributed, "all_reduce", lambda tensor: tensor.mul_(3))
    assert float(distributed.summed(value)) == 6
    assert float(value) == 2


def first_gradients(config: TrainConfig, monkeypatch: pytest.MonkeyPatch) -> list[Tensor]:
    """Those of the first discriminator turn, as this process alone computes them."""
    found: list[list[Tensor]] = []

    def capture(gradients: list[Tensor], numbers: dict[str, Tensor]) -> dict[str, Tensor]:
        found.append([gradient.clone() for gradient in gradients])
        return numbers

    data = tiny_dataset()
    state = initial_state(config, data.codec.spec)
    monkeypatch.setattr(updating, "sum_over_processes", capture)
    train_step(state, config, data.codec.spec, Batches(data, config))
    return found[0]


@pytest.mark.parametrize("size", [2, 3])
def test_the_parts_of_several_processes_add_up_to_what_one_would_compute(
    size: int, pretend: Pretend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Losses and penalties, with shares of unequal length; no hidden layer, as batch statistics couple the rows."""
    network = Mlp(latent=4, generator_widths=(), discriminator_widths=(8,))
    penalties = (R1(interval=1), GradientPenalty())
    config = tiny_config(network=network, regularizers=penalties, batch=8)
    alone = first_gradients(config, monkeypatch)
    parts: list[list[Tensor]] = []
    for rank in range(size):
        pretend(size, rank)
        parts.append(first_gradients(config, monkeypatch))
    for whole, *shares in zip(alone, *parts, strict=True):
        torch.testing.assert_close(sum(shares[1:], start=shares[0]), whole, rtol=1e-4, atol=1e-6)
        assert not torch.allclose(shares[0], whole)
