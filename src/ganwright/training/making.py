"""The model that a run has come to, with the facts that its file tells."""

from __future__ import annotations

from typing import Any

from ganwright.core.config import to_plain
from ganwright.data.dataset import Dataset
from ganwright.data.held_out import Split
from ganwright.data.spec import DataSpec
from ganwright.model.model import Model
from ganwright.model.model_file import ModelContents
from ganwright.runtime.device import versions
from ganwright.training.config import TrainConfig
from ganwright.training.events import Scored
from ganwright.training.selection import score_facts
from ganwright.training.state import TrainState


def model_of(
    state: TrainState,
    config: TrainConfig,
    spec: DataSpec,
    dataset: Dataset,
    split: Split | None,
    seconds: float,
    scored: Scored | None,
) -> Model:
    """The average generator of `state`, whose weights are shared with it.

    Args:
        split: where `dataset` is what was left by holding records out.
        seconds: that were trained.
        scored: the score of this very model, if it has one.
    """
    data: dict[str, Any] = {
        "name": dataset.name,
        "records": len(dataset),
        "fingerprint": dataset.whole.fingerprint,
        "conditions": [to_plain(condition) for condition in dataset.codec.conditions],
    }
    if split is not None and split.held_out is not None:
        data["held_out"] = {"records": len(split.held_out), "below": f"{split.below:016x}"}
    facts = {
        "recipe": config.recipe,
        "data": data,
        "training": {
            "steps": state.step,
            "samples_seen": state.samples_seen,
            "seconds": round(seconds, 1),
            "config": to_plain(config),
            "versions": versions(),
        },
        "scores": score_facts(scored) if scored is not None else {},
    }
    contents = ModelContents(config.network, spec, dataset.codec, state.average.generator, facts, state.discriminator)
    return Model(contents, config.device)
