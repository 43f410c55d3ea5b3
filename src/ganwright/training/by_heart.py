"""Whether the discriminator knows the records it learns from by heart instead of what makes a record real."""

from __future__ import annotations

import torch

from ganwright.data.spec import DataSpec
from ganwright.training.batches import Batches
from ganwright.training.config import TrainConfig
from ganwright.training.state import TrainState
from ganwright.training.statistics import held_statistics
from ganwright.training.turn import Turn

BATCHES = 4
"""That are judged of each kind."""
LEAST_GAP = 1.0
"""Logits between real and fake below which the discriminator knows nothing, by heart or otherwise."""


@torch.no_grad()
def learned_by_heart(
    state: TrainState, config: TrainConfig, spec: DataSpec, learned: Batches, held_out: Batches
) -> float | None:
    """Where records that it never saw lie between those that it learns from (0) and fakes (1), in mean logits.

    Above a half it takes new real records for fakes (after Karras et al. 2020, arXiv:2006.06676, section 3). None while it
    hardly tells real from fake.
    """
    judged: list[tuple[float, float, float]] = []
    rows = slice(0, config.batch)
    with held_statistics(state.generator), held_statistics(state.discriminator):
        for repeat in range(BATCHES):
            turn = Turn(state, config, spec, state.key("by heart", repeat), rows)
            seen, turn.condition = learned.real(turn.key, rows)
            fake = turn.judge(turn.generate())[0].mean()
            known = turn.judge(seen)[0].mean()
            unseen, turn.condition = held_out.real(turn.key, rows)
            judged.append((float(known), float(turn.judge(unseen)[0].mean()), float(fake)))
    known, unknown, fake = (sum(each) / len(judged) for each in zip(*judged, strict=True))
    return (known - unknown) / (known - fake) if known - fake >= LEAST_GAP else None
