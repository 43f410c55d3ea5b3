"""What networks of other libraries share: pictures as they want them, and what is said where one is not there."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from torch import Tensor
from torch.nn.functional import interpolate

from ganwright.core.errors import UsageError
from ganwright.data.dataset import Dataset

OFFLINE = "--features self learns from your own data and downloads nothing; --features random needs no learning either"
HUB_CACHE = "the Hugging Face cache ($HF_HOME, else ~/.cache/huggingface); nothing is downloaded by us"
LONGEST_REASON = 200


def require_pictures(data: Dataset, name: str) -> None:
    """Checks that `data` are pictures.

    Raises:
        UsageError: they are not.
    """
    if data.codec.spec.kind != "image":
        what = f"{name} features are for pictures, not for {data.codec.noun}"
        raise UsageError("E-FEATURES-01", what, hints=("--features self", "--features random"))


def of_library(feature: str, library: str, name: str) -> Any:
    """What a library calls `name`.

    Raises:
        UsageError: the library is missing, does not start, or is another one of that name.
    """
    try:
        return getattr(import_module(library), name)
    except (ImportError, RuntimeError, OSError, AttributeError) as error:
        raise _no_library(feature, library, error) from error


def _no_library(feature: str, library: str, error: Exception) -> UsageError:
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    why = " ".join(f"{type(cause).__name__}: {cause}".split())[:LONGEST_REASON]
    # Of another build than torch, it breaks whatever imports it.
    torchvision = ("or install the torchvision that belongs to your torch",) if "torchvision" in why else ()
    hints = (f"pip install {library}", *torchvision, OFFLINE)
    return UsageError("E-FEATURES-02", f"{feature} features need the library {library}", why=why, hints=hints)


def no_weights(feature: str, weights: str, where: str, how: str, why: str = "") -> UsageError:
    """The error where weights are not on this machine, or cannot be used."""
    what = f"the weights {weights!r} of {feature} features cannot be used"
    return UsageError("E-FEATURES-03", what, where=where, why=" ".join(why.split())[:LONGEST_REASON], hints=(how, OFFLINE))


def as_colour(x: Tensor) -> Tensor:
    """(B, 3, H, W) in -1..1 of (B, 1 or 3 or 4, H, W): grey thrice, transparency on white."""
    if x.shape[1] == 1:
        return x.expand(-1, 3, -1, -1)
    if x.shape[1] == 4:
        opacity = (x[:, 3:] + 1) / 2
        return x[:, :3] * opacity + (1 - opacity)
    return x


def resized(x: Tensor, side: int) -> Tensor:
    """(B, 3, side, side), bicubic and antialiased, within -1..1 (Parmar et al. 2022, arXiv:2104.11222)."""
    return interpolate(x, (side, side), mode="bicubic", align_corners=False, antialias=True).clamp(-1, 1)
