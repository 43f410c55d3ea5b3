"""Texts, drawn all at once by convolutions: the character model of Gulrajani et al. 2017 (arXiv:1704.00028)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from ganwright.data.spec import DataSpec
from ganwright.networks.base import (
    UNCONDITIONED,
    Conditions,
    Discriminator,
    Generated,
    Generator,
    NetworkFamily,
    NoiseInput,
    Verdict,
    check_width,
)
from ganwright.networks.parts.text_blocks import TextBlock

MOST_BLOCKS = 64
SHARE = 0.3
"""Of a block's result that is added."""
KERNEL = 5


@dataclass(frozen=True)
class ConvText(NetworkFamily):
    """Five residual blocks each; the generator ends in a softmax without any choice, so that what it makes is never quite a
    text, and the discriminator may see that."""

    latent: int = 128
    """Length of the noise vector."""
    width: int = 512
    """Channels of both networks."""
    blocks: int = 5
    """Residual blocks of each."""

    kinds = frozenset({"text"})
    hears_conditions = False

    def __post_init__(self) -> None:
        for name in ("latent", "width"):
            check_width(name, getattr(self, name))
        if not 0 < self.blocks <= MOST_BLOCKS:
            raise ValueError(f"blocks must lie in 1..{MOST_BLOCKS}, not {self.blocks}")

    def generator(self, spec: DataSpec) -> Generator:
        return ConvTextGenerator(self, spec)

    def discriminator(self, spec: DataSpec) -> Discriminator:
        return ConvTextDiscriminator(self, spec)


class ConvTextGenerator(Generator):
    """(B, latent) -> (B, V, L)."""

    def __init__(self, family: ConvText, spec: DataSpec) -> None:
        super().__init__()
        symbols, length = spec.shape
        self.noise = {"latent": NoiseInput((family.latent,), family.noise)}
        self.first_shape = (family.width, length)
        self.first = nn.Linear(family.latent, family.width * length)
        self.blocks = nn.Sequential(*(TextBlock(family.width, KERNEL, SHARE, slope=0.0) for _ in range(family.blocks)))
        self.last = nn.Conv1d(family.width, symbols, 1)

    def forward(self, noise: Mapping[str, Tensor], condition: Conditions = UNCONDITIONED) -> Generated:
        return Generated(self.last(self.blocks(self.first(noise["latent"]).unflatten(1, self.first_shape))))


class ConvTextDiscriminator(Discriminator):
    """(B, V, L) -> (B,)."""

    by_itself = True

    def __init__(self, family: ConvText, spec: DataSpec) -> None:
        super().__init__()
        symbols, length = spec.shape
        self.first = nn.Conv1d(symbols, family.width, 1)
        self.blocks = nn.Sequential(*(TextBlock(family.width, KERNEL, SHARE, slope=0.0) for _ in range(family.blocks)))
        self.logit = nn.Linear(family.width * length, 1)

    def forward(self, x: Tensor, condition: Conditions = UNCONDITIONED) -> Verdict:
        features = self.blocks(self.first(x)).flatten(1)
        return Verdict((self.logit(features).squeeze(1),), features)
