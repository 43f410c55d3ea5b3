"""A pair of networks of a user's own choice: torch modules, or either half of a family."""

from __future__ import annotations

import copy
import inspect
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Self, TypeVar

import torch
from torch import Tensor, nn

from ganwright.core.errors import UsageError
from ganwright.data.spec import MAPS, Condition, DataSpec
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
    mean_verdict,
)
from ganwright.networks.own.sigmoid import WatchedSigmoids
from ganwright.networks.own.tracing import first_line, traced, two_of
from ganwright.runtime.precision import at_least_single

DiscriminatorOutput = Literal["auto", "logits", "probability"]
Network = TypeVar("Network", bound=nn.Module)
NO_GRADIENT = ("take torch.no_grad, detach and item out of its forward",)
EPSILON = 1e-6


@dataclass(frozen=True)
class ModulePair(NetworkFamily):
    """Two torch modules. Training works on copies: the user's objects stay as they are.

    The generator is called with the latent (B, *latent), the discriminator with records (B, *shape), and both, where they
    take more, with each condition: a class as int64 (B,), labels as float32 (B, K), a number as float32 (B,).
    What the generator returns is the record as the discriminator sees it; pictures lie in -1..1.
    """

    generator_from: nn.Module | NetworkFamily
    """The generator, or a family that builds one."""
    discriminator_from: nn.Module | NetworkFamily | None = None
    """The discriminator, likewise; None where only samples are wanted."""
    latent: tuple[int, ...] = (100,)
    """Shape of one record's noise."""
    discriminator_output: DiscriminatorOutput = "auto"
    """What the discriminator returns; "auto" looks for a sigmoid at its end, whose logit is then what is trained on."""

    kinds = frozenset()
    applies_output = True

    def __post_init__(self) -> None:
        if not 1 <= len(self.latent) <= 4:
            raise ValueError(f"latent must be one to four sizes, not {self.latent}")
        for side in self.latent:
            check_width("latent", side)

    @property
    def condition_inputs(self) -> int | None:
        """What both take beside noise or record; None when that is optional in either."""
        counts = [_condition_inputs(half) for half in (self.generator_from, self.discriminator_from) if half is not None]
        required = {count for count in counts if count is not None}
        if len(required) > 1:
            what = f"the generator takes {counts[0]} condition(s), the discriminator {counts[1]}"
            raise UsageError("E-NETWORK-05", what, hints=("both are called with the same conditions",))
        return required.pop() if required else None

    def plain_settings(self) -> dict[str, Any]:
        return {
            "noise": self.noise,
            "latent": list(self.latent),
            "generator": type(self.generator_from).__name__,
            "discriminator": type(self.discriminator_from).__name__,
            "discriminator_output": self.discriminator_output,
        }

    def generator(self, spec: DataSpec) -> Generator:
        if isinstance(self.generator_from, NetworkFamily):
            return self.generator_from.generator(spec)
        return OwnGenerator(copied(self.generator_from), NoiseInput(self.latent, self.noise))

    def discriminator(self, spec: DataSpec) -> Discriminator:
        if self.discriminator_from is None:
            raise UsageError("E-NETWORK-06", "there is no discriminator", hints=("pass discriminator= too",))
        if isinstance(self.discriminator_from, NetworkFamily):
            return self.discriminator_from.discriminator(spec)
        return OwnDiscriminator(copied(self.discriminator_from), self.discriminator_output == "probability")

    def resolved(self, spec: DataSpec) -> Self:
        """Runs two records through both networks, and settles what the discriminator returns.

        Raises:
            UsageError: a network does not run, or its shapes are not the data's; it names the layer.
        """
        with torch.random.fork_rng(devices=[]), torch.enable_grad():
            check_generator(_ready_to_learn("generator", self.generator(spec)), spec)
            discriminator = _ready_to_learn("discriminator", self.discriminator(spec))
            found = isinstance(discriminator, OwnDiscriminator) and check_discriminator(discriminator, spec)
        if self.discriminator_output != "auto":
            return self
        return replace(self, discriminator_output="probability" if found else "logits")


class OwnGenerator(Generator):
    """A user's module, (B, *latent) -> (B, *shape)."""

    reentrant = False  # who knows what it remembers from call to call

    def __init__(self, module: nn.Module, noise: NoiseInput) -> None:
        super().__init__()
        self.noise = {"latent": noise}
        self.module = module

    def forward(self, noise: Mapping[str, Tensor], condition: Conditions = UNCONDITIONED) -> Generated:
        made = self.module(noise["latent"], *condition.values())
        # A constant of NumPy's makes doubles of singles, which no layer after it would take.
        return Generated(made.float() if isinstance(made, Tensor) and made.dtype == torch.float64 else made)


class OwnDiscriminator(Discriminator):
    """A user's module, (B, *shape) -> one tensor or several, each of B rows."""

    def __init__(self, module: nn.Module, gives_probability: bool) -> None:
        super().__init__()
        self.module = module
        self.gives_probability = gives_probability

    def forward(self, x: Tensor, condition: Conditions = UNCONDITIONED) -> Verdict:
        if not self.gives_probability:
            return Verdict(tuple(map(_rows, heads(self.module(x, *condition.values())))))
        with WatchedSigmoids() as sigmoids:
            outputs = heads(self.module(x, *condition.values()))
        return Verdict(tuple(_rows(self._logits(output, sigmoids)) for output in outputs))

    def score(self, x: Tensor, condition: Conditions = UNCONDITIONED) -> Tensor:
        """(B,): a probability where the module ends in a sigmoid, logits otherwise."""
        logits = self(x, condition).logits
        return mean_verdict([head.sigmoid() for head in logits] if self.gives_probability else logits)

    def _logits(self, output: Tensor, sigmoids: WatchedSigmoids) -> Tensor:
        found = sigmoids.logits_of(output)
        # A probability of unknown making: its logit is exact but for the last digits near 0 and 1.
        return found if found is not None else at_least_single(output).clamp(EPSILON, 1 - EPSILON).logit()


def _ready_to_learn(player: str, network: Network) -> Network:
    """The network with all weights as they are in training.

    Raises:
        UsageError: some of them have no size yet.
    """
    for name, weight in network.named_parameters():
        if isinstance(weight, nn.parameter.UninitializedParameter):
            hints = ("call it once with two records, or give the sizes: Linear(64, 1), not LazyLinear(1)",)
            what = f"the {player}'s {name.removeprefix('module.')} has no size yet"
            raise UsageError("E-NETWORK-07", what, hints=hints)
    return network.requires_grad_(True)


def copied(module: nn.Module) -> nn.Module:
    """A copy whose training leaves the original alone.

    Raises:
        UsageError: the module holds something that cannot be copied.
    """
    try:
        return copy.deepcopy(module).cpu()
    except Exception as error:
        what = f"{type(module).__name__} cannot be copied"
        hints = ("keep open files and computed tensors out of its attributes",)
        raise UsageError("E-NETWORK-03", what, why=first_line(error), hints=hints) from error


def heads(output: Any) -> tuple[Any, ...]:
    """A discriminator's output, one tensor or several, as a tuple."""
    return tuple(output) if isinstance(output, tuple | list) else (output,)


def check_generator(generator: Generator, spec: DataSpec) -> None:
    """Raise UsageError unless `generator` turns noise into records of `spec`."""
    noise = {name: two_of(each.shape) for name, each in generator.noise.items()}
    with traced(generator) as trace:
        made = _run("generator", trace, lambda: generator(noise, _two_conditions(spec)).raw)
    if not isinstance(made, Tensor):
        raise UsageError("E-NETWORK-02", f"the generator returns {type(made).__name__}, not a tensor of records")
    if tuple(made.shape) != (2, *spec.shape):
        what = f"the generator makes {tuple(made.shape)} of two latents, two records of the data are {(2, *spec.shape)}"
        raise UsageError("E-NETWORK-02", what, where=f"its last {trace.last.rstrip(',')}", hints=_shape_hints(made, spec))
    if not made.is_floating_point():
        raise UsageError("E-NETWORK-02", f"the generator makes {made.dtype} values, which have no gradient")
    if any(True for _ in generator.parameters()) and not made.requires_grad:
        raise UsageError("E-NETWORK-08", "no gradient reaches the generator's weights", hints=NO_GRADIENT)


def check_discriminator(discriminator: OwnDiscriminator, spec: DataSpec) -> bool:
    """Whether `discriminator` ends in a sigmoid; raises UsageError unless it judges records of `spec`, row by row."""
    with traced(discriminator) as trace, WatchedSigmoids() as sigmoids:
        inputs = (two_of(spec.shape), *_two_conditions(spec).values())
        outputs = heads(_run("discriminator", trace, lambda: discriminator.module(*inputs)))
    for output in outputs:
        if not isinstance(output, Tensor) or output.ndim < 1 or output.shape[0] != 2:
            shown = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
            what = f"the discriminator returns {shown} for two records; expected (2,), (2, 1) or (2, patches)"
            raise UsageError("E-NETWORK-02", what, where=f"its last {trace.last.rstrip(',')}")
        if any(True for _ in discriminator.parameters()) and not output.requires_grad:
            raise UsageError("E-NETWORK-08", "no gradient reaches the discriminator's weights", hints=NO_GRADIENT)
    return all(sigmoids.logits_of(output) is not None for output in outputs)


def _run(player: str, trace: Any, call: Any) -> Any:
    try:
        return call()
    except (RuntimeError, TypeError, ValueError, IndexError, AssertionError) as error:
        # The outermost entry is our own wrapper; the layer that failed is the innermost.
        where = trace.at_work[-1] if trace.at_work else ""
        what = f"the {player} does not run on two records"
        raise UsageError("E-NETWORK-01", what, where=where, why=first_line(error)) from error


def _two_conditions(spec: DataSpec) -> dict[str, Tensor]:
    return {condition.name: _two_values(condition) for condition in spec.conditions}


def _two_values(condition: Condition) -> Tensor:
    """As `Condition` says: classes int64 (2,), labels float32 (2, K), numbers float32 (2,)."""
    if condition.kind == "labels":
        return torch.stack([torch.zeros(condition.width), torch.ones(condition.width)])
    if condition.kind == "number":
        return torch.tensor([-1.0, 1.0])
    return torch.tensor([0, len(condition.classes) - 1])


def _shape_hints(made: Tensor, spec: DataSpec) -> tuple[str, ...]:
    if made.ndim > 0 and made.numel() == 2 * math.prod(spec.shape):
        return (f"end it with nn.Unflatten(1, {spec.shape})",) if made.ndim == 2 else ("channels come first: (C, H, W)",)
    if spec.kind in MAPS and made.ndim == 4:
        return (f"or read the pictures in its size: modality=Image(size={tuple(made.shape[-2:])})",)
    return ()


def _condition_inputs(half: nn.Module | NetworkFamily) -> int | None:
    """Positional parameters of `forward` after the first that must be given; None when there are only optional ones."""
    if isinstance(half, NetworkFamily):
        return half.condition_inputs
    module = half
    try:
        parameters = list(inspect.signature(module.forward).parameters.values())
    except (TypeError, ValueError):
        return 0
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][1:]
    required = sum(p.default is p.empty for p in positional)
    return None if positional and required == 0 else required


def _rows(output: Tensor) -> Tensor:
    """(B, ...) as logits (B,) or (B, patches)."""
    flat = output.flatten(1) if output.ndim > 1 else output
    return flat.squeeze(1) if flat.ndim == 2 and flat.shape[1] == 1 else flat
