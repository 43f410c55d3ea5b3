"""How training is doing, in words that a person can act on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ganwright.training.adaptive import Adaptive

SEPARATED = 0.98
"""Share of verdicts that are right when the discriminator has won."""
FAR_AHEAD_GAP = 12.0
"""Logits between real and fake at which the generator's gradient has all but vanished."""
ALIKE = 0.35
"""Diversity below which samples look the same."""

BY_HEART = 0.5
"""Where new real records are nearer to fakes, for the discriminator, than to the records that it learns from."""

LOST = 0.25
"""Share of its best recall below which a generator has begun to collapse,"""
LEAST_RECALL = 0.1
"""where its best was at least this: below, recall says little."""

NO_GAP = 1e-3
"""Logits between real and fake that are no difference,"""
TICKS_WITHOUT = 8
"""where so many reports in a row say so: by chance a discriminator that still learns has now and then none."""

ADVICE = {
    "discriminator far ahead": "the generator learns little now; a stronger penalty (r1) or a lower rate for it helps",
    "samples alike": "the generator makes few different records; train longer, or with a larger batch or another seed",
    "variety lost": "samples cover far less of the data than before; the model that is kept is from before",
    "augmentation at its most": "the discriminator is still too often right about real records; more data, a smaller"
    " network or a stronger penalty helps",
    "discriminator memorises": "it takes real records that it never saw for fakes; more data, --augment adaptive, a smaller"
    " network or a stronger penalty helps",
    "discriminator blind": "it finds no difference between real and fake; a weaker penalty or a wider network helps",
}


@dataclass
class Variety:
    """What is known of how varied samples are."""

    diversity: float | None = None
    """See `diversity`; None before the first look."""
    recall: float | None = None
    """Of the last score; None before there was one."""
    best_recall: float = 0.0

    def add_recall(self, recall: float) -> None:
        """Remember the recall of a new score."""
        self.recall, self.best_recall = recall, max(self.best_recall, recall)

    @property
    def lost(self) -> bool:
        """Whether samples cover far less of the data than they did."""
        return self.recall is not None and self.best_recall >= LEAST_RECALL and self.recall < LOST * self.best_recall


def diversity(samples: Sequence[Tensor], real: Sequence[Tensor]) -> float:
    """Mean pairwise RMS distance among samples over that among real records: about 1 when as varied.

    Both come in groups (N, ...), one for each class where the samples have classes: a generator that draws one picture per
    class is not varied.
    """
    return _spread(samples) / max(_spread(real), 1e-6)


def diagnose(
    numbers: Mapping[str, float],
    variety: Variety,
    samples_seen: int,
    by_heart: float | None = None,
    adaptive: Adaptive | None = None,
    gaps: Sequence[float] = (),
) -> str:
    """ "ok", or the first complaint that applies; the first thousands of samples are never complained of.

    Args:
        by_heart: see `learned_by_heart`.
        adaptive: where the augmentation's strength is adapted.
        gaps: the mean logit of real records less that of fakes, in the last reports.
    """
    if samples_seen < 5_000:
        return "ok"
    gap = numbers["real_logits"] - numbers["fake_logits"]
    right = min(numbers["real_called_real"], numbers["fake_called_fake"])
    if right > SEPARATED and gap > FAR_AHEAD_GAP:
        return "discriminator far ahead"
    if variety.diversity is not None and variety.diversity < ALIKE:
        return "samples alike"
    if variety.lost:
        return "variety lost"
    if adaptive is not None and adaptive.is_stuck(numbers["augmentation"], numbers["real_called_real"]):
        return "augmentation at its most"
    if by_heart is not None and by_heart > BY_HEART:
        return "discriminator memorises"
    last = gaps[-TICKS_WITHOUT:]
    if len(last) == TICKS_WITHOUT and max(map(abs, last)) < NO_GAP:
        return "discriminator blind"
    return "ok"


def _spread(groups: Sequence[Tensor]) -> float:
    flat = [group.detach().flatten(1).float().cpu() for group in groups if len(group) > 1]
    return sum(float(torch.pdist(group).mean()) / group.shape[1] ** 0.5 for group in flat) / max(len(flat), 1)
