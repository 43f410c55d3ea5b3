"""How networks are told what a record is: its class, its labels, a number."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ganwright.data.spec import Condition
from ganwright.networks.base import MAX_WIDTH, Conditions


class ConditionVectors(nn.Module):
    """A vector for each condition, side by side: what a generator gets beside its latent.

    They start small beside the latent. Where they start as large, the class decides early what is drawn and the latent is
    forgotten: after 40,000 digits of MNIST (20x20 px, `dcgan` of width 16, one seed) two samples of a class differed 0.16
    times as much as two real ones; with a tenth of the deviation, 0.94 times, and the classes are as distinct.
    """

    FIRST_DEVIATION = 0.1

    def __init__(self, conditions: Sequence[Condition], width: int) -> None:
        super().__init__()
        self.width = width * len(conditions)
        self.names = [condition.name for condition in conditions]
        self.tables = nn.ModuleList(_vector(condition, width) for condition in conditions)
        for table in self.tables.parameters():
            nn.init.normal_(table, std=self.FIRST_DEVIATION)

    def forward(self, latent: Tensor, condition: Conditions) -> Tensor:
        """(B, latent) to (B, latent + width)."""
        return torch.cat([latent, *(table(condition[name]) for name, table in zip(self.names, self.tables, strict=True))], 1)


class Projection(nn.Module):
    """The part of a discriminator's logit that tells whether a record is what it should be: <features, its vector>.

    Miyato and Koyama 2018 (arXiv:1802.05637), equation 3, of a class. Labels and numbers have a vector likewise.
    """

    def __init__(self, conditions: Sequence[Condition], features: int) -> None:
        super().__init__()
        self.names = [condition.name for condition in conditions]
        self.tables = nn.ModuleList(_vector(condition, features) for condition in conditions)
        for table in self.tables.parameters():
            nn.init.normal_(table, std=features**-0.5)  # as large as the weights of a linear layer of so many inputs

    def forward(self, logits: Tensor, features: Tensor, condition: Conditions) -> Tensor:
        """logits (B,) and features (B, F) to logits (B,)."""
        for name, table in zip(self.names, self.tables, strict=True):
            logits = logits + (features * table(condition[name])).sum(1)
        return logits


class LabelsVector(nn.Module):
    """float32 (B, K), 1 or 0, to (B, width): a vector for each label, added where it holds and taken away where not."""

    def __init__(self, labels: int, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(labels, width, bias=False)
        # So that many labels together are as long as one class's vector.
        self.scale = labels**-0.5

    def forward(self, labels: Tensor) -> Tensor:
        """(B, width)."""
        return self.linear((2 * labels - 1).to(self.linear.weight.dtype) * self.scale)


class NumberVector(nn.Module):
    """float32 (B,) in -1..1 to (B, width): a linear layer of the number's waves, so that near numbers have near vectors.

    Fixed frequencies as of Tancik et al. 2020 (arXiv:2006.10739), few and low: a condition is meant to be smooth. An angle
    has only waves that close the circle.
    """

    WAVES = 4

    def __init__(self, width: int, circular: bool) -> None:
        super().__init__()
        self.circular = circular
        # No bias: a vector that is there whatever the number says nothing of it.
        self.linear = nn.Linear(2 * self.WAVES + (not circular), width, bias=False)

    def forward(self, numbers: Tensor) -> Tensor:
        """(B, width)."""
        x = numbers.unsqueeze(1)
        turns = torch.arange(1, self.WAVES + 1, device=x.device, dtype=x.dtype) * math.pi * (1 if self.circular else 0.5)
        waves = torch.cat([(x * turns).cos(), (x * turns).sin(), *([] if self.circular else [x])], 1)
        # cos² + sin² = 1: so long as one class's vector, whatever the number.
        return self.linear(waves.to(self.linear.weight.dtype) * self.WAVES**-0.5)


def _vector(condition: Condition, width: int) -> nn.Module:
    """A condition's values (B, ...) to vectors (B, width)."""
    if condition.kind == "labels":
        return LabelsVector(len(condition.classes), width)
    if condition.kind == "number":
        return NumberVector(width, condition.circular)
    count = len(condition.classes)
    if not 1 <= count <= 8 * MAX_WIDTH:
        raise ValueError(f"condition {condition.name!r} must have 1..{8 * MAX_WIDTH} classes, not {count}")
    return nn.Embedding(count, width)
