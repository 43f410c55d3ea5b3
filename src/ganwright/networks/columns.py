"""Rows of a table, drawn column by column: each column given those that are known already."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, silu

from ganwright.data.blocks import KNOWN, BlockLayout, Part
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
from ganwright.networks.parts.choosing import chosen, gumbel, largest, with_values
from ganwright.runtime.precision import at_least_single

MOST_LAYERS = 32

Choose = Callable[[Part, Tensor], Tensor | None]
"""Of a pass and its logits (B, W of the pass): the modes and values that it gives, or None for what is drawn."""


@dataclass(frozen=True)
class Columns(NetworkFamily):
    """A residual generator that fills in what is not known of a row, and a dense discriminator.

    A sample is drawn in passes: all numbers at once, then word after word, each pass given all before it. In training the
    generator does one pass of a real row of which any columns may be known, and the discriminator sees what is known and
    what was drawn. So whatever a user asks for is simply known from the start.
    """

    latent: int = 64
    """Length of the noise vector."""
    width: int = 256
    """Neurons of the generator's layers."""
    layers: int = 1
    """Residual layers of the generator, each twice as wide inside."""
    discriminator_widths: tuple[int, ...] = (256, 256)
    """Neurons of the discriminator's hidden layers."""
    temperature: float = 0.5
    """Of the choice among modes (Jang et al. 2017, arXiv:1611.01144); small ones have large gradients."""

    kinds = frozenset({"table"})
    applies_output = True
    hears_conditions = False

    def __post_init__(self) -> None:
        for name, width in (("latent", self.latent), ("width", self.width)):
            check_width(name, width)
        if not 0 < self.layers <= MOST_LAYERS:
            raise ValueError(f"layers must lie in 1..{MOST_LAYERS}, not {self.layers}")
        if len(self.discriminator_widths) > MOST_LAYERS:
            raise ValueError(f"at most {MOST_LAYERS} hidden layers a network")
        for width in self.discriminator_widths:
            check_width("a hidden layer's width", width)
        if not 0.01 <= self.temperature <= 100:
            raise ValueError(f"temperature must lie in 0.01..100, not {self.temperature}")

    def generator(self, spec: DataSpec) -> Generator:
        return ColumnGenerator(self, spec)

    def discriminator(self, spec: DataSpec) -> Discriminator:
        return ColumnDiscriminator(self, spec)


class ColumnGenerator(Generator):
    """(B, 1 or C, latent), and what is known, to (B, W): values in -1..1, modes as one-hot."""

    block = 1024

    def __init__(self, family: Columns, spec: DataSpec) -> None:
        super().__init__()
        self.layout = BlockLayout(spec.blocks)
        self.latent = NoiseInput((family.latent,), family.noise)
        self.temperature = family.temperature
        self.parts = self.layout.parts
        self.entry = nn.Linear(family.latent + self.layout.width + self.layout.columns, family.width)
        self.layers = nn.Sequential(*(_Residual(family.width) for _ in range(family.layers)))
        self.norm = nn.LayerNorm(family.width)
        self.exit = nn.Linear(family.width, self.layout.width)

    @property
    def noise(self) -> dict[str, NoiseInput]:  # type: ignore[override]
        """One latent in training, where a row gets one pass; otherwise one for each pass."""
        draws = 1 if self.training else len(self.parts)
        return {
            "latent": replace(self.latent, shape=(draws, *self.latent.shape)),
            "choices": NoiseInput((self.layout.modes,), "uniform"),
        }

    def forward(self, noise: Mapping[str, Tensor], condition: Conditions = UNCONDITIONED) -> Generated:
        latent, choices = noise["latent"], gumbel(self.layout, noise["choices"])
        told = condition.get(KNOWN)
        row, known, drawn = self.layout.split(self.layout.nothing(latent) if told is None else told)
        if not self.training:
            return Generated(self._in_passes(latent, choices, row, known, self.parts))
        logits = at_least_single(self.raw(latent[:, 0], row, known))
        unknown = drawn[:, self.layout.on(drawn.device).column_of]
        x = row + unknown * chosen(self.layout, logits, choices, self.temperature)
        return Generated(x, {"log_probabilities": self.layout.log_softmax(logits), "drawn": self._words(unknown)})

    def drawn(
        self, latent: Tensor, choices: Tensor, row: Tensor, known: Tensor, passes: int, choose: Choose | None = None
    ) -> Tensor:
        """(B, W): rows with the columns of the first `passes` that are not known.

        Args:
            latent: (B, passes, latent).
            choices: (B, modes), uniform in -1..1.
            choose: says what a pass gives instead of what would be drawn.
        """
        return self._in_passes(latent, gumbel(self.layout, choices), row, known, self.parts[:passes], choose)

    def _in_passes(
        self,
        latent: Tensor,
        choices: Tensor,
        row: Tensor,
        known: Tensor,
        parts: Sequence[Part],
        choose: Choose | None = None,
    ) -> Tensor:
        """(B, W): the columns of each pass that are not known, given all that are."""
        of_latent, of_row, of_known = self.entry.weight.split([latent.shape[-1], row.shape[1], known.shape[1]], 1)
        told = self.entry.bias + linear(row, of_row) + linear(known, of_known)
        for number, part in enumerate(parts):
            places, columns = part.places(known.device), part.columns
            hidden = self._hidden(told + linear(latent[:, number], of_latent))
            logits = at_least_single(linear(hidden, self.exit.weight[places], self.exit.bias[places]))
            mine = 1 - known[:, columns]
            x = choose(part, logits) if choose is not None else None
            if x is None:
                x = with_values(part.layout, logits, largest(part.layout, logits + choices[:, places]))
            x = x * mine[:, part.layout.on(known.device).column_of]
            row = row.index_add(1, places, x)
            # What the next pass is told is what this one was, and what it drew.
            told = told + linear(x, of_row[:, places]) + linear(mine, of_known[:, columns])
        return row

    def _words(self, unknown: Tensor) -> Tensor:
        """(B, W): what is drawn, but for numbers."""
        words = torch.tensor([not block.number for block in self.layout.blocks], device=unknown.device)
        return unknown * words[self.layout.on(unknown.device).column_of]

    def raw(self, latent: Tensor, row: Tensor, known: Tensor) -> Tensor:
        """(B, W): logits of modes and values before their tanh, given (B, latent), a row (B, W) and its mask (B, C)."""
        return self.exit(self._hidden(self.entry(torch.cat([latent, row, known], 1))))

    def _hidden(self, entered: Tensor) -> Tensor:
        return self.norm(self.layers(entered))


class ColumnDiscriminator(Discriminator):
    """(B, W), and what the generator was told of the row, to (B,)."""

    by_itself = True

    def __init__(self, family: Columns, spec: DataSpec) -> None:
        super().__init__()
        self.layout = BlockLayout(spec.blocks)
        layers: list[nn.Module] = []
        width_in = self.layout.width + self.layout.told_width
        for width in family.discriminator_widths:
            layers += [nn.Linear(width_in, width), nn.LeakyReLU(0.2)]
            width_in = width
        self.layers = nn.Sequential(*layers)
        self.logit = nn.Linear(width_in, 1)

    def forward(self, x: Tensor, condition: Conditions = UNCONDITIONED) -> Verdict:
        told = condition.get(KNOWN)
        features = self.layers(torch.cat([x, self.layout.nothing(x) if told is None else told], 1))
        return Verdict((self.logit(features).squeeze(1),), features)


class _Residual(nn.Module):
    """x + what a layer twice as wide makes of it, which is little at first."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, 2 * width)
        self.narrow = nn.Linear(2 * width, width)
        nn.init.normal_(self.narrow.weight, std=0.1 * (2 * width) ** -0.5)
        nn.init.zeros_(self.narrow.bias)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.narrow(silu(self.widen(self.norm(x))))
