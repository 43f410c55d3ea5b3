"""Optimizers against an independent implementation: Keras's, which the older tools used."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ganwright.core.config import from_plain, to_plain
from ganwright.core.errors import UsageError
from ganwright.optimizers.adam import Adam
from ganwright.optimizers.base import OPTIMIZERS, Optimizer
from ganwright.optimizers.rmsprop import Rmsprop
from ganwright.optimizers.sgd import Sgd

STEPS = 6


def gradients() -> list[np.ndarray]:
    random = np.random.default_rng(0)
    # Some are so small that the place of epsilon matters.
    return [(random.standard_normal(6) * 10.0 ** -np.arange(6)).astype(np.float32) for _ in range(STEPS)]


def ours(settings: Optimizer, rate: float) -> np.ndarray:
    weight = nn.Parameter(torch.ones(6))
    optimizer = settings.build([weight], "cpu")
    for gradient in gradients():
        for group in optimizer.param_groups:
            group["lr"] = rate
        weight.grad = torch.from_numpy(gradient.copy())
        optimizer.step()
    return weight.detach().numpy()


def theirs(name: str, **settings: Any) -> np.ndarray:
    os.environ.setdefault("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    weight = keras.Variable(np.ones(6, np.float32))
    optimizer = getattr(keras.optimizers, name)(**settings)
    optimizer.build([weight])
    for gradient in gradients():
        optimizer.apply([keras.ops.convert_to_tensor(gradient)])
    return np.asarray(weight.value.detach())


CASES: list[tuple[str, Optimizer, str, dict[str, Any]]] = [
    ("adam", Adam(beta1=0.5, beta2=0.999, epsilon=1e-7, form="keras"), "Adam", {"beta_1": 0.5, "epsilon": 1e-7}),
    ("adam of the bundle's second moment", Adam(beta1=0.9, beta2=0.99, epsilon=1e-3, form="keras"), "Adam",
     {"beta_1": 0.9, "beta_2": 0.99, "epsilon": 1e-3}),
    ("rmsprop", Rmsprop(decay=0.9, epsilon=1e-7, form="keras"), "RMSprop", {}),
    ("rmsprop with momentum", Rmsprop(decay=0.9, momentum=0.5, epsilon=1e-5, form="keras"), "RMSprop",
     {"momentum": 0.5, "epsilon": 1e-5}),
    ("sgd", Sgd(), "SGD", {}),
    ("sgd with momentum", Sgd(momentum=0.9), "SGD", {"momentum": 0.9}),
    ("sgd with nesterov", Sgd(momentum=0.9, nesterov=True), "SGD", {"momentum": 0.9, "nesterov": True}),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "name", "arguments"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_the_keras_forms_move_weights_as_keras_does(settings: Optimizer, name: str, arguments: dict[str, Any]) -> None:
    assert np.allclose(ours(settings, 0.01), theirs(name, learning_rate=0.01, **arguments), rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", [Adam, Rmsprop])
def test_the_forms_differ(kind: Any) -> None:
    """Else a form that is ignored would go unseen."""
    assert not np.allclose(ours(kind(epsilon=1e-4), 0.01), ours(kind(epsilon=1e-4, form="keras"), 0.01), rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", OPTIMIZERS.names())
def test_every_optimizer_goes_downhill_at_the_rate_it_is_set_to(name: str) -> None:
    settings = OPTIMIZERS.get(name)()
    assert from_plain(Optimizer, to_plain(settings)) == settings
    weight = nn.Parameter(torch.full((3,), 2.0))
    optimizer = settings.build([weight], "cpu")
    weight.square().sum().backward()
    optimizer.step()
    assert torch.equal(weight.detach(), torch.full((3,), 2.0)), "its rate is 0 until it is set"
    for _ in range(300):
        for group in optimizer.param_groups:
            group["lr"] = 0.01
        optimizer.zero_grad()
        weight.square().sum().backward()
        optimizer.step()
    assert float(weight.detach().abs().max()) < 0.5


@pytest.mark.parametrize(
    ("kind", "settings"),
    [(Adam, {"beta1": 1.0}), (Adam, {"epsilon": 0.0}), (Sgd, {"nesterov": True}), (Rmsprop, {"decay": -0.1})],
)
def test_settings_out_of_range_are_refused(kind: Any, settings: dict[str, Any]) -> None:
    name = OPTIMIZERS.name_of(kind)
    with pytest.raises(UsageError, match=r"must lie|momentum"):
        from_plain(Optimizer, {"name": name, **settings}, "optimizer")


def test_no_optimizer_imports_the_compiler() -> None:
    """Which would cost every run a second or two before its first step."""
    code = """
import sys, torch
from ganwright.optimizers.base import OPTIMIZERS
weight = torch.nn.Parameter(torch.zeros(2))
for name in OPTIMIZERS:
    optimizer = OPTIMIZERS.get(name)().build([weight], "cpu")
    optimizer.zero_grad()
    weight.grad = torch.ones(2)
    optimizer.step()
    optimizer.load_state_dict(optimizer.state_dict())
assert "torch._dynamo" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
