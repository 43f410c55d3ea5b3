"""A run that goes on from a checkpoint is the run that never stopped, to the last bit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from support import tiny_config, tiny_dataset, train
from torch import Tensor

from ganwright.core.errors import DataError
from ganwright.optimizers.adam import Adam
from ganwright.optimizers.rmsprop import Rmsprop
from ganwright.optimizers.sgd import Sgd
from ganwright.regularizers.base import Regularizer, RegularizerState, Turn
from ganwright.regularizers.r1 import R1
from ganwright.training.checkpoint import TENSORS, Checkpoint
from ganwright.training.config import TrainConfig
from ganwright.training.run_spec import run_spec
from ganwright.training.state import TrainState, initial_state

CONFIGS: dict[str, dict[str, Any]] = {
    "adam": {},
    "sgd": {"generator_optimizer": Sgd(momentum=0.9), "discriminator_optimizer": Sgd()},
    "rmsprop": {"generator_optimizer": Rmsprop(), "discriminator_optimizer": Rmsprop()},
    "lazy r1": {"regularizers": (R1(interval=3),), "discriminator_optimizer": Adam(beta1=0.0)},
}


class Remembering(Regularizer):
    """A penalty with a memory."""

    player = "generator"
    weight = 0.1
    interval = 1

    def initial_state(self) -> RegularizerState:
        return {"mean": torch.zeros(())}

    def penalty(self, turn: Turn, state: RegularizerState) -> tuple[Tensor, RegularizerState]:
        values = turn.fake.square().flatten(1).mean(1)
        mean = 0.9 * state["mean"] + 0.1 * values.mean().detach()
        return (values - mean).square(), {"mean": mean}


def everything(state: TrainState) -> dict[str, Any]:
    found = Checkpoint.of(state)
    return {**found.tensors, **found.facts["numbers"], "step": state.step, "seen": state.samples_seen}


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return one.keys() == other.keys() and all(
        torch.equal(value, other[name]) if isinstance(value, Tensor) else value == other[name] for name, value in one.items()
    )


def through_a_file(state: TrainState, config: TrainConfig, folder: Path) -> TrainState:
    """A new state that was read from what was written of the old one."""
    written = Checkpoint.of(state)
    written.write(folder / TENSORS)
    fresh = initial_state(config, run_spec(config, tiny_dataset(64)))
    Checkpoint.read(folder / TENSORS, written.facts).restore(fresh)
    return fresh


@pytest.mark.parametrize("name", CONFIGS)
def test_going_on_is_never_having_stopped(name: str, tmp_path: Path) -> None:
    config = tiny_config(**CONFIGS[name])
    data = tiny_dataset(64)
    straight, reports = train(config, 9, data)
    half, _ = train(config, 4, data)
    again, later = train(config, 5, data, through_a_file(half, config, tmp_path))
    assert same(everything(again), everything(straight))
    assert later == reports[4:]


def test_the_memory_of_a_penalty_goes_along(tmp_path: Path) -> None:
    config = tiny_config(regularizers=(Remembering(),))
    data = tiny_dataset(64)
    straight, _ = train(config, 6, data)
    half, _ = train(config, 3, data)
    again, _ = train(config, 3, data, through_a_file(half, config, tmp_path))
    assert straight.regularizer_states[0]["mean"] != 0
    assert same(everything(again), everything(straight))


def test_a_checkpoint_does_not_change_with_the_networks() -> None:
    config = tiny_config()
    state, _ = train(config, 2)
    taken = Checkpoint.of(state)
    before = {name: tensor.clone() for name, tensor in taken.tensors.items()}
    train(config, 2, state=state)
    assert same(taken.tensors, before)


def test_weights_that_are_not_finite_are_named() -> None:
    state, _ = train(tiny_config(), 1)
    assert Checkpoint.of(state).broken == []
    name, weight = next(iter(state.discriminator.named_parameters()))
    weight.data.view(-1)[0] = torch.nan
    assert Checkpoint.of(state).broken == [f"discriminator/{name}"]


def _without(facts: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    del tensors[next(name for name in tensors if name.startswith("average/"))]


def _with_more(facts: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    tensors["generator/more"] = torch.zeros(1)


def _of_another_shape(facts: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    name = next(name for name in tensors if name.startswith("generator/"))
    tensors[name] = tensors[name].unsqueeze(0)


def _of_another_kind(facts: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    name = next(name for name in tensors if name.startswith("generator/"))
    tensors[name] = tensors[name].double()


def _of_more_weights(facts: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    tensors["optimizer of generator/9999/exp_avg"] = torch.zeros(1)


@pytest.mark.parametrize("change", [_without, _with_more, _of_another_shape, _of_another_kind, _of_more_weights])
def test_a_checkpoint_of_another_run_is_refused(change: Any) -> None:
    config = tiny_config()
    state, _ = train(config, 1)
    taken = Checkpoint.of(state)
    change(taken.facts, taken.tensors)
    with pytest.raises(DataError, match="of another run"):
        taken.restore(initial_state(config, run_spec(config, tiny_dataset())))


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / TENSORS).write_bytes(b"\x80\x04" + bytes(100))
    with pytest.raises(DataError, match="cannot be read"):
        Checkpoint.read(tmp_path / TENSORS, {})
