"""How networks are told the class of a record."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ganwright.data.spec import Condition
from ganwright.networks.base import MAX_WIDTH, Conditions


class ClassVectors(nn.Module):
    """A vector for each class of each condition, side by side: what a generator gets beside its latent.

    They start small beside the latent. Where they start as large, the class decides early what is drawn and the latent is
    forgotten: after 40,000 digits of MNIST (20x20 px, `dcgan` of width 16, one seed) two samples of a class differed 0.16
    times as much as two real ones; with a tenth of the deviation, 0.94 times, and the classes are as distinct.
    """

    FIRST_DEVIATION = 0.1

    def __init__(self, conditions: Sequence[Condition], width: int) -> None:
        super().__init__()
        self.width = width * len(conditions)
        self.names = [condition.name for condition in conditions]
        self.tables = nn.ModuleList(nn.Embedding(_class_count(condition), width) for condition in conditions)
        for table in self.tables.parameters():
            nn.init.normal_(table, std=self.FIRST_DEVIATION)

    def forward(self, latent: Tensor, condition: Conditions) -> Tensor:
        """(B, latent) to (B, latent + width)."""
        return torch.cat([latent, *(table(condition[name]) for name, table in zip(self.names, self.tables, strict=True))], 1)


class Projection(nn.Module):
    """The part of a discriminator's logit that tells whether a record is of its class: <features, vector of the class>.

    Miyato and Koyama 2018 (arXiv:1802.05637), equation 3.
    """

    def __init__(self, conditions: Sequence[Condition], features: int) -> None:
        super().__init__()
        self.names = [condition.name for condition in conditions]
        self.tables = nn.ModuleList(nn.Embedding(_class_count(condition), features) for condition in conditions)
        for table in self.tables.parameters():
            nn.init.normal_(table, std=features**-0.5)  # as large as the weights of a linear layer of so many inputs

    def forward(self, logits: Tensor, features: Tensor, condition: Conditions) -> Tensor:
        """logits (B,) and features (B, F) to logits (B,)."""
        for name, table in zip(self.names, self.tables, strict=True):
            logits = logits + (features * table(condition[name])).sum(1)
        return logits


def _class_count(condition: Condition) -> int:
    count = len(condition.classes)
    if not 1 <= count <= 8 * MAX_WIDTH:
        raise ValueError(f"condition {condition.name!r} must have 1..{8 * MAX_WIDTH} classes, not {count}")
    return count
