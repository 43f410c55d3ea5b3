"""A Keras user's compile call, read as settings: `compile(loss='binary_crossentropy', optimizer=Adam(0.0002, 0.5))`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Any, ClassVar

from ganwright.core.errors import UsageError
from ganwright.networks.keras.binding import Written, bind, name_hints
from ganwright.networks.keras.parse import Call, Reference, Value, described, parse_call
from ganwright.networks.keras.values import Flag, Ignored, Never, NotSupported, Unsupported, anything, one_of, only, real


def _no_share(value: Value) -> float:
    if isinstance(value, bool) or value not in (0, None):
        raise NotSupported("0")
    return 0.0


def _rate(value: Value) -> float:
    if isinstance(value, Call):
        raise NotSupported("a number: schedules are settings of the training here")
    return real(0)(value)


Rate = Annotated[float, _rate]
Share = Annotated[float, real(0, 1)]
NoShare = Annotated[float, _no_share]
Reduction = Annotated[str, one_of("sum_over_batch_size", "auto", "mean")]


@dataclass(frozen=True)
class Adam(Written):
    """Kingma & Ba 2014, arXiv:1412.6980."""

    learning_rate: Rate = 0.001
    beta_1: Share = 0.9
    beta_2: Share = 0.999
    epsilon: Share = 1e-7
    amsgrad: Never = False

    old_names: ClassVar = {"lr": "learning_rate"}

    def settings(self) -> dict[str, Any]:
        """By this product's names; the form is where epsilon is added."""
        betas = {"beta1": self.beta_1, "beta2": self.beta_2}
        return {"name": "adam", "learning_rate": self.learning_rate, **betas, "epsilon": self.epsilon, "form": "keras"}


@dataclass(frozen=True)
class RMSprop(Written):
    """Tieleman & Hinton 2012."""

    learning_rate: Rate = 0.001
    rho: Share = 0.9
    momentum: Share = 0.0
    epsilon: Share = 1e-7
    centered: Never = False

    old_names: ClassVar = {"lr": "learning_rate"}

    def settings(self) -> dict[str, Any]:
        """By this product's names."""
        means = {"decay": self.rho, "momentum": self.momentum}
        return {"name": "rmsprop", "learning_rate": self.learning_rate, **means, "epsilon": self.epsilon, "form": "keras"}


@dataclass(frozen=True)
class SGD(Written):
    """Plain gradient descent."""

    learning_rate: Rate = 0.01
    momentum: Share = 0.0
    nesterov: Flag = False

    old_names: ClassVar = {"lr": "learning_rate"}

    def settings(self) -> dict[str, Any]:
        """By this product's names."""
        return {"name": "sgd", **asdict(self)}


@dataclass(frozen=True)
class BinaryCrossentropy(Written):
    """Of the discriminator's probabilities or logits: training always uses the logits."""

    from_logits: Flag = False
    label_smoothing: NoShare = 0.0
    axis: Annotated[Any, only(-1)] = -1
    reduction: Reduction = "sum_over_batch_size"

    loss: ClassVar = "non_saturating"


@dataclass(frozen=True)
class MeanSquaredError(Written):
    """Mao et al. 2016, arXiv:1611.04076."""

    reduction: Reduction = "sum_over_batch_size"

    loss: ClassVar = "least_squares"


@dataclass(frozen=True)
class Hinge(Written):
    """Lim & Ye 2017, arXiv:1705.02894."""

    reduction: Reduction = "sum_over_batch_size"

    loss: ClassVar = "hinge"


_OPTIMIZERS = {"adam": Adam, "rmsprop": RMSprop, "sgd": SGD}
_LOSSES = {
    "binarycrossentropy": BinaryCrossentropy,
    "bce": BinaryCrossentropy,
    "meansquarederror": MeanSquaredError,
    "mse": MeanSquaredError,
    "hinge": Hinge,
}
_LOSS_NAMES = ("binary_crossentropy", "mean_squared_error", "hinge")
_UNUSED = {
    "name": anything,
    "weight_decay": only(None),
    "clipnorm": only(None),
    "clipvalue": only(None),
    "global_clipnorm": only(None),
    "use_ema": only(False, None),
    "ema_momentum": anything,
    "ema_overwrite_frequency": only(None),
    "loss_scale_factor": only(None),
    "gradient_accumulation_steps": only(None),
    "decay": _no_share,
    "jit_compile": anything,
    "dtype": anything,
}
"""Arguments that every optimizer and loss of Keras takes, with what leaves them unused."""


def _optimizer(value: Value) -> dict[str, Any]:
    """A reader of 'adam' and tf.keras.optimizers.Adam(0.0002, 0.5)."""
    call, key = _named(value)
    if key not in _OPTIMIZERS:
        hints = name_hints(key, [kind.__name__ for kind in _OPTIMIZERS.values()])
        raise UsageError("E-LAYERS-09", f"unknown or unsupported optimizer {described(value)}", hints=hints)
    return bind(call, _OPTIMIZERS[key], _UNUSED).settings()


def _loss(value: Value) -> dict[str, Any]:
    """A reader of 'binary_crossentropy' and tf.keras.losses.BinaryCrossentropy(from_logits=True)."""
    call, key = _named(value)
    key = key.replace("_", "")
    if key not in _LOSSES:
        hints = name_hints(key, _LOSS_NAMES)
        raise UsageError("E-LAYERS-09", f"unknown or unsupported loss {described(value)}", hints=hints)
    return {"name": bind(call, _LOSSES[key], _UNUSED).loss}


def _named(value: Value) -> tuple[Call, str]:
    """As a call, and the name in lower case."""
    if isinstance(value, Call):
        return value, value.name.lower()
    name = value.path if isinstance(value, Reference) else value
    if not isinstance(name, str):
        raise ValueError("a name, or a call such as Adam(0.0002, 0.5)")
    call = Call(name)
    return call, call.name.lower()


@dataclass(frozen=True)
class Compile(Written):
    """Model.compile's arguments."""

    optimizer: Annotated[Any, _optimizer] = None
    loss: Annotated[Any, _loss] = None
    loss_weights: Unsupported = None
    metrics: Ignored = None
    weighted_metrics: Ignored = None
    run_eagerly: Ignored = None
    steps_per_execution: Ignored = None
    jit_compile: Ignored = None
    auto_scale_loss: Ignored = None


def read_compile(text: str) -> dict[str, dict[str, Any]]:
    """The "loss" and the "optimizer" that a compile call asks for, each a table with its "name" and settings.

    What is before `compile(` does not matter, metrics change nothing, and an optimizer that is not given is Keras's default,
    RMSprop.

    Raises:
        UsageError: the text cannot be read, or names what is not supported.
    """
    try:
        call = parse_call(text)
        if call.name != "compile":
            raise UsageError("E-LAYERS-09", f"{call.path} is not a compile call", hints=_EXAMPLE)
        settings = bind(call, Compile, {})
    except UsageError as error:
        shown = " ".join(text.split())[:100]
        raise UsageError(error.code, error.what, where=shown, why=error.why, hints=error.hints) from None
    if settings.loss is None:
        raise UsageError("E-LAYERS-09", "the compile call names no loss", where=text[:100], hints=_EXAMPLE)
    return {"loss": settings.loss, "optimizer": settings.optimizer or RMSprop().settings()}


_EXAMPLE = ("compile(loss='binary_crossentropy', optimizer=tf.keras.optimizers.Adam(0.0002, 0.5))",)
