"""Short traces of training in single precision on a CPU: a refactor must reproduce them.

Where a change is meant to alter what is learned, write them anew, look at the difference, and say in the commit why:

    GANWRIGHT_REGENERATE_GOLDEN=1 pytest tests/golden
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from support import TINY, tiny_config, tiny_dataset, train

from ganwright.augment.flip import Flip
from ganwright.core.schedule import Schedule
from ganwright.losses.base import LOSSES
from ganwright.losses.relativistic import Relativistic
from ganwright.losses.wasserstein import Wasserstein
from ganwright.networks.mlp import Mlp
from ganwright.networks.r3gan import R3gan
from ganwright.optimizers.adam import Adam
from ganwright.regularizers.gradient_penalty import GradientPenalty
from ganwright.regularizers.r1 import R1
from ganwright.regularizers.r2 import R2

STEPS = 10
# Sums come out in another order on another processor; ten steps of Adam multiply that by little.
RELATIVE, ABSOLUTE = 1e-4, 1e-5
NUMBERS = ("discriminator_loss", "generator_loss", "real_logits", "fake_logits")
FILE = Path(__file__).with_name("traces.json")
REGENERATE = bool(os.environ.get("GANWRIGHT_REGENERATE_GOLDEN"))

Trace = dict[str, list[float]]


def cases() -> dict[str, dict[str, Any]]:
    """What is set anew in the tiny config, by the trace's name."""
    families = {"dcgan": TINY, "mlp": Mlp(latent=8, generator_widths=(16, 16), discriminator_widths=(16,))}
    losses = {
        f"{family} {loss}": {"network": network, "loss": LOSSES.get(loss)(), "regularizers": (R1(interval=4),)}
        for family, network in families.items()
        for loss in LOSSES
    }
    critic = {
        "loss": Wasserstein(),
        "regularizers": (GradientPenalty(),),
        "augmentations": (Flip(),),
        "discriminator_steps": 2,
    }
    residual = {
        "network": R3gan(latent=8, width=4, max_width=8, blocks=1, group_channels=4),
        "loss": Relativistic(),
        "regularizers": (R1(weight=Schedule(1.0, 0.1), interval=1), R2(weight=Schedule(1.0, 0.1), interval=1)),
        "augmentations": (Flip(),),
        "augmentation_strength": Schedule(0.0, 0.5, over=0.01),
        "average_half_life_samples": Schedule(0.0, 1000),
    }
    return {**losses, "dcgan critic": critic, "r3gan": residual}


def trace(changes: dict[str, Any]) -> Trace:
    # Ten times the usual rate: what is wrong shows within ten steps.
    quick = Adam(learning_rate=2e-3)
    config = tiny_config(generator_optimizer=quick, discriminator_optimizer=quick, **changes)
    _, reports = train(config, STEPS, tiny_dataset(height=12, width=10))
    return {name: [float(f"{report[name]:.8g}") for report in reports] for name in NUMBERS}


def stored() -> dict[str, Trace]:
    return json.loads(FILE.read_text(encoding="utf-8"))


@pytest.mark.skipif(not REGENERATE, reason="GANWRIGHT_REGENERATE_GOLDEN is not set")
def test_regenerate() -> None:
    traces = {name: trace(changes) for name, changes in cases().items()}
    text = json.dumps(traces, indent=1).replace("\n   ", " ").replace("\n  ]", " ]")
    FILE.write_text(text + "\n", encoding="utf-8")


@pytest.mark.parametrize("name", [] if REGENERATE else list(stored()))
def test_a_trace_is_reproduced(name: str) -> None:
    found, expected = trace(cases()[name]), stored()[name]
    for number in NUMBERS:
        assert found[number] == pytest.approx(expected[number], rel=RELATIVE, abs=ABSOLUTE), number


def test_traces_of_different_cases_differ() -> None:
    """Else a setting that is ignored would go unseen."""
    traces = [json.dumps(one) for one in stored().values()]
    assert len(set(traces)) == len(traces)
