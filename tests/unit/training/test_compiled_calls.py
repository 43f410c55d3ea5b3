"""Compiled calls of the networks: the same training, and plain calls where a penalty differentiates or compiling fails."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from support import tiny_config, tiny_dataset
from torch import nn

from ganwright.regularizers.r1 import R1
from ganwright.runtime import compiling
from ganwright.training.batches import Batches
from ganwright.training.run_spec import run_spec
from ganwright.training.state import TrainState, initial_state
from ganwright.training.step import train_step


def trained(calls: compiling.CompiledCalls | None, steps: int = 4) -> TrainState:
    """A tiny DCGAN with a lazy penalty, after some steps."""
    dataset = tiny_dataset()
    config = tiny_config(regularizers=(R1(interval=2),))
    spec = run_spec(config, dataset)
    state = initial_state(config, spec)
    state.compiled = calls
    batches = Batches(dataset, config)
    for _ in range(steps):
        train_step(state, config, spec, batches)
    return state


def weights(state: TrainState) -> torch.Tensor:
    """Of both networks, in one row."""
    return torch.cat(
        [each.detach().reshape(-1) for each in (*state.generator.parameters(), *state.discriminator.parameters())]
    )


@pytest.fixture
def eager_backend(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """torch.compile without a compiler: networks are traced and replayed; the names of what was traced."""
    traced: list[str] = []
    compile = torch.compile

    def traced_compile(network: nn.Module, **settings: Any) -> Any:
        traced.append(type(network).__name__)
        return compile(network, backend="aot_eager", dynamic=settings["dynamic"])

    monkeypatch.setattr(torch, "compile", traced_compile)
    return traced


def test_compiled_calls_train_as_plain_ones_do(eager_backend: list[str]) -> None:
    calls = compiling.CompiledCalls("kernels")
    torch.testing.assert_close(weights(trained(calls)), weights(trained(None)), rtol=1e-4, atol=1e-6)
    assert calls.failure is None
    assert eager_backend == ["DcganGenerator", "DcganDiscriminator"]


def test_a_network_that_cannot_be_compiled_is_called_plainly_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    from torch._dynamo.exc import TorchDynamoException

    def broken(network: nn.Module, **settings: Any) -> Any:
        def call(*inputs: Any) -> Any:
            raise TorchDynamoException("no C++ compiler was found\nand a long story")

        return call

    monkeypatch.setattr(torch, "compile", broken)
    calls = compiling.CompiledCalls("kernels")
    assert torch.equal(weights(trained(calls)), weights(trained(None)))
    assert calls.failure == "the networks are not compiled: no C++ compiler was found"
    assert compiling.why_not_compiled("cpu") == calls.failure


def test_nothing_is_compiled_unless_asked_for() -> None:
    assert compiling.compiled_calls("off") is None
    assert tiny_config().compiled == "off"
