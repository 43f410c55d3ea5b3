"""From what a user names, writes or passes to the parts of a config."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from torch import nn

from ganwright.core.config import from_plain
from ganwright.core.errors import UsageError
from ganwright.core.suggest import unknown_name_hints
from ganwright.losses.base import Loss
from ganwright.networks.base import Distribution, NetworkFamily
from ganwright.networks.keras.compiling import read_compile
from ganwright.networks.keras.definition import Layers
from ganwright.networks.layered import Layered
from ganwright.networks.own.module_pair import DiscriminatorOutput, ModulePair
from ganwright.optimizers.base import Optimizer
from ganwright.regularizers.base import Regularizer
from ganwright.training.augmenting import AugmentChoice, augmenting

Network = nn.Module | Layers | NetworkFamily | Sequence[Any]
"""One network as a user gives it: a module, text, half of a family, or a bare list of a text's rows."""
PartChoice = str | Mapping[str, Any]
"""A part by name, or its name and settings: {"name": "hinge", "margin": 2}."""

DEFAULT_LATENT = 100


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What a user chose of a config's parts; None leaves a part to the recipe.

    Raises:
        UsageError: no such noise or output, or one regularizer where a list is wanted.
    """

    generator: Network | None = None
    discriminator: Network | None = None
    latent: int | tuple[int, ...] | None = None
    noise: Distribution | None = None
    discriminator_output: DiscriminatorOutput = "auto"
    loss: Loss | PartChoice | None = None
    regularizers: Sequence[Regularizer | PartChoice] | None = None
    optimizer: Optimizer | PartChoice | None = None
    generator_optimizer: Optimizer | PartChoice | None = None
    discriminator_optimizer: Optimizer | PartChoice | None = None
    compile: str | None = None
    augment: AugmentChoice | None = None
    mirror: bool | None = None

    def __post_init__(self) -> None:
        for name, kind in (("noise", Distribution), ("discriminator_output", DiscriminatorOutput)):
            value, known = getattr(self, name), get_args(kind)
            if value is not None and value not in known:
                hints = unknown_name_hints(str(value), known)
                raise UsageError("E-CONFIG-02", f"{name} = {value!r} is not one of {', '.join(known)}", hints=hints)
        if isinstance(self.regularizers, str):
            hints = (f"regularizers=[{self.regularizers!r}]",)
            raise UsageError("E-CONFIG-02", "regularizers must be a list of them, not one name", hints=hints)

    def network(self) -> NetworkFamily | None:
        """The pair of networks, or None when none was given.

        Raises:
            UsageError: one without the other, or text that cannot be read.
        """
        if self.generator is None and self.discriminator is None:
            return None
        if self.generator is None or self.discriminator is None:
            missing = "generator" if self.generator is None else "discriminator"
            raise UsageError("E-NETWORK-06", f"a {missing} is missing", hints=("give both networks, or a recipe alone",))
        noise: Distribution = self.noise or "normal"
        generator, discriminator = _readable(self.generator), _readable(self.discriminator)
        if isinstance(generator, Layers) and isinstance(discriminator, Layers):
            family: NetworkFamily = Layered(generator, discriminator, noise=noise)
        else:
            latent = self.latent if self.latent is not None else DEFAULT_LATENT
            sizes = (latent,) if isinstance(latent, int) else tuple(latent)
            family = ModulePair(
                _half(generator, noise), _half(discriminator, noise), sizes, self.discriminator_output, noise=noise
            )
        self._check_latent(generator)
        return family

    def parts(self) -> dict[str, Any]:
        """Fields of a config that take the place of the recipe's.

        Raises:
            UsageError: an unknown name or setting; the known ones are listed.
        """
        compiled = read_compile(self.compile) if self.compile is not None else {}
        both = self.optimizer if self.optimizer is not None else compiled.get("optimizer")
        chosen: dict[str, tuple[Any, Any]] = {
            "loss": (Loss, self.loss if self.loss is not None else compiled.get("loss")),
            "generator_optimizer": (Optimizer, self.generator_optimizer if self.generator_optimizer is not None else both),
            "discriminator_optimizer": (
                Optimizer,
                self.discriminator_optimizer if self.discriminator_optimizer is not None else both,
            ),
        }
        parts = {name: _part(kind, value, name) for name, (kind, value) in chosen.items() if value is not None}
        if self.regularizers is not None:
            given = enumerate(self.regularizers)
            parts["regularizers"] = tuple(_part(Regularizer, each, f"regularizers[{i}]") for i, each in given)
        if self.augment is not None:
            parts |= augmenting(self.augment)
        if self.mirror is not None:
            parts["mirror"] = self.mirror
        if (network := self.network()) is not None:
            parts["network"] = network
        return parts

    def settings(self, more: Mapping[str, Any]) -> dict[str, Any]:
        """What is set anew in the network of a recipe, and `more`, which is nearer to the config and has the last word."""
        wanted = {} if self.generator is not None else {"latent": self.latent, "noise": self.noise}
        chosen = {name: value for name, value in wanted.items() if value is not None}
        if not chosen:
            return dict(more)
        network = more.get("network", {})
        network = {"name": network} if isinstance(network, str) else network
        return {**more, "network": {**chosen, **network}}

    def _check_latent(self, generator: object) -> None:
        if isinstance(generator, Layers) and self.latent is not None:
            wanted = (self.latent,) if isinstance(self.latent, int) else tuple(self.latent)
            graph = generator.graph
            takes = graph.nodes[graph.inputs[0]].shape
            if takes != wanted:
                what = f"latent={self.latent}, but the generator's first input takes {takes}"
                raise UsageError("E-LAYERS-20", what, hints=("leave latent out: the layers say it",))


def half(network: Network | None) -> nn.Module | NetworkFamily | None:
    """One network of a pair, for a model file that does not hold it."""
    return None if network is None else _half(_readable(network), "normal")


def _half(network: nn.Module | NetworkFamily | Layers, noise: Distribution) -> nn.Module | NetworkFamily:
    return Layered(network, network, noise=noise) if isinstance(network, Layers) else network


def _readable(network: Any) -> nn.Module | NetworkFamily | Layers:
    if isinstance(network, nn.Module | NetworkFamily | Layers):
        return network
    if isinstance(network, Sequence) and not isinstance(network, str):
        return Layers(tuple(network))
    what = f"a network cannot be made of {type(network).__name__}"
    hints = ("a torch.nn.Module", 'Layers(["layers.Dense(256, input_dim=100)", ...])')
    raise UsageError("E-NETWORK-07", what, hints=hints)


def _part(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, kind | str | Mapping):
        known = ", ".join(sorted(kind.registry))
        what = f"{where} must be one of Ganwright's, or its name, not {type(value).__name__}"
        raise UsageError("E-CONFIG-02", what, hints=(f"known: {known}",))
    return (
        value if isinstance(value, kind) else from_plain(kind, dict(value) if isinstance(value, Mapping) else value, where)
    )
