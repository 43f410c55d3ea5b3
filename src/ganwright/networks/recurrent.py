"""Texts, written symbol by symbol by a recurrent generator and judged by convolutions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, embedding

from ganwright.core.schedule import Schedule, value_at
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
from ganwright.networks.parts.text_blocks import TextBlock, halved
from ganwright.runtime.precision import at_least_single

END = 0
"""The symbol behind which a text has only more of it."""
MOST_BLOCKS = 16


@dataclass(frozen=True)
class Recurrent(NetworkFamily):
    """A gated recurrent generator (Cho et al. 2014, arXiv:1406.1078) that chooses each symbol given those before it.

    The discriminator sees the choice itself, one-hot; its gradient goes on to the probabilities as if they were what it saw
    (the straight-through estimator of Bengio et al. 2013, arXiv:1308.3432, of probabilities at a temperature as in Jang et
    al. 2017, arXiv:1611.01144). No gradient goes back through the symbols that the generator reads of itself, as in RelGAN
    (Nie et al. 2019).
    """

    latent: int = 32
    """Length of the noise vector, which the generator begins with."""
    width: int = 256
    """Of the generator's memory."""
    symbol_width: int = 64
    """Of the vectors that stand for symbols, in both networks."""
    discriminator_width: int = 64
    """Channels of the discriminator."""
    blocks: int = 2
    """Residual blocks of the discriminator, each at half the length of the one before."""
    temperature: float | Schedule = 1.0
    """Of the probabilities that a gradient goes through: small ones have large gradients at few symbols."""

    kinds = frozenset({"text"})
    applies_output = True
    hears_conditions = False

    def __post_init__(self) -> None:
        for name in ("latent", "width", "symbol_width", "discriminator_width"):
            check_width(name, getattr(self, name))
        if not 0 < self.blocks <= MOST_BLOCKS:
            raise ValueError(f"blocks must lie in 1..{MOST_BLOCKS}, not {self.blocks}")
        for seen in (0, 1):
            if not 0.01 <= (temperature := value_at(self.temperature, seen, 1)) <= 100:
                raise ValueError(f"temperature must lie in 0.01..100, not {temperature}")

    def generator(self, spec: DataSpec) -> Generator:
        return RecurrentGenerator(self, spec)

    def discriminator(self, spec: DataSpec) -> Discriminator:
        return RecurrentDiscriminator(self, spec)


class RecurrentGenerator(Generator):
    """(B, latent), and a number in -1..1 for each choice, (B, L), to (B, V, L): one-hot.

    Of samples that are to be more typical it is told a "temperature" (B,) besides, by which logits are divided.
    """

    block = 256

    def __init__(self, family: Recurrent, spec: DataSpec) -> None:
        super().__init__()
        self.symbols, self.length = spec.shape
        self.noise = {
            "latent": NoiseInput((family.latent,), family.noise),
            "choices": NoiseInput((self.length,), "uniform"),
        }
        self._schedule = family.temperature
        self.follow(0, 1)
        self.start = nn.Linear(family.latent, family.width)
        # One vector more than there are symbols: that of "nothing yet".
        self.read = nn.Embedding(self.symbols + 1, family.symbol_width)
        self.memory = nn.GRU(family.symbol_width, family.width, batch_first=True)
        self.write = nn.Linear(family.width, self.symbols)

    def follow(self, samples_seen: int, total_samples: int) -> None:
        """Let the temperature follow its schedule."""
        self.temperature = value_at(self._schedule, samples_seen, total_samples)

    def forward(self, noise: Mapping[str, Tensor], condition: Conditions = UNCONDITIONED) -> Generated:
        memory = self.start(noise["latent"]).tanh()
        numbers = self.chosen(memory, (noise["choices"] + 1) / 2, noise.get("temperature"))
        x = one_hot(numbers, self.symbols)
        if torch.is_grad_enabled():
            # What was chosen carries no gradient, so the pass over all of it at once is the same function as the one symbol
            # by symbol, in a third of the time.
            soft = (self.logits(memory, numbers) / self.temperature).softmax(2) * _going(numbers)[:, :, None]
            x = x + (soft - soft.detach())
        return Generated(x.transpose(1, 2))

    @torch.no_grad()
    def chosen(self, memory: Tensor, chances: Tensor, temperature: Tensor | None = None) -> Tensor:
        """int64 (B, L): symbols given the first memory (B, width), each by its chance (B, L) in 0..1."""
        sharper = 1.0 if temperature is None else 1 / temperature[:, None]
        weights = self.memory.all_weights[0]
        read = self.read.weight[self.symbols].expand(len(chances), -1)
        ended = torch.zeros(len(chances), dtype=torch.bool, device=chances.device)
        numbers: list[Tensor] = []
        for place in range(self.length):
            memory = torch.gru_cell(read, memory, *weights)
            number = drawn(self.write(memory).float() * sharper, chances[:, place]).masked_fill(ended, END)
            ended = ended | (number == END)
            read = embedding(number, self.read.weight)
            numbers.append(number)
        return torch.stack(numbers, 1)

    def logits(self, memory: Tensor, numbers: Tensor) -> Tensor:
        """(B, L, V) float32: of each symbol, given those of `numbers` (B, L) before it and the first memory."""
        before = torch.cat([torch.full_like(numbers[:, :1], self.symbols), numbers[:, :-1]], 1)
        return at_least_single(self.write(self.memory(self.read(before), memory[None])[0]))

    def log_likelihood(self, x: Tensor, noise: Mapping[str, Tensor], condition: Conditions = UNCONDITIONED) -> Tensor:
        """Up to and with the first END, given the noise's "latent"."""
        numbers = x.argmax(1)
        logits = self.logits(self.start(noise["latent"]).tanh(), numbers)
        likely = -cross_entropy(logits.transpose(1, 2), numbers, reduction="none")
        return (likely * _going(numbers)).sum(1)


class RecurrentDiscriminator(Discriminator):
    """(B, V, L) -> (B,)."""

    by_itself = True

    def __init__(self, family: Recurrent, spec: DataSpec) -> None:
        super().__init__()
        symbols = spec.shape[0]
        width = family.discriminator_width
        self.read = nn.Linear(symbols, family.symbol_width, bias=False)
        # As large as an embedding's vectors: a linear layer's first weights are small where symbols are many.
        nn.init.normal_(self.read.weight)
        self.first = nn.Conv1d(family.symbol_width, width, 5, padding=2)
        self.blocks = nn.ModuleList(TextBlock(width, 3) for _ in range(family.blocks))
        self.logit = nn.Linear(2 * width, 1)

    def forward(self, x: Tensor, condition: Conditions = UNCONDITIONED) -> Verdict:
        hidden = self.first(self.read(x.transpose(1, 2)).transpose(1, 2))
        for block in self.blocks:
            hidden = block(halved(hidden))
        # The mean says how much of the text is wrong, the largest that something is.
        features = torch.cat([hidden.mean(2), hidden.amax(2)], 1)
        return Verdict((self.logit(features).squeeze(1),), features)


def drawn(logits: Tensor, chances: Tensor) -> Tensor:
    """int64 (B,): for each row of logits (B, V) the symbol whose part of 0..1 holds its chance (B,)."""
    edges = logits.softmax(1).cumsum(1)
    return torch.searchsorted(edges, (chances * edges[:, -1])[:, None]).squeeze(1).clamp(max=logits.shape[1] - 1)


def one_hot(numbers: Tensor, symbols: int) -> Tensor:
    """float32 (B, L, V) of int64 (B, L)."""
    found = torch.zeros(*numbers.shape, symbols, device=numbers.device)
    return found.scatter_(2, numbers[:, :, None], 1.0)


def _going(numbers: Tensor) -> Tensor:
    """float32 (B, L): 1 up to and with the first END."""
    ended = (numbers == END).long().cumsum(1)
    return ((ended - (numbers == END).long()) == 0).float()
