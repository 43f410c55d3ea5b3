"""The one file that a user keeps: average generator, codec and facts, as safetensors with a JSON header.

Opening it runs no code from it and trusts no size: the header is verified (`tensor_file`), the network that it asks for is
built on the meta device within bounds, and names, shapes and types are compared before anything is allocated.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from ganwright.core.config import from_plain, to_plain
from ganwright.core.errors import GanwrightError, ModelFileError
from ganwright.core.registry import OWN
from ganwright.core.strict_json import strict_json
from ganwright.data.joint_rows import check_rows
from ganwright.data.modalities.base import MODALITIES, Codec
from ganwright.data.spec import DataSpec
from ganwright.data.told import check
from ganwright.model.tensor_file import TensorEntry, read_header, write_tensors
from ganwright.networks.base import Discriminator, Generator, NetworkFamily
from ganwright.networks.own.module_pair import DiscriminatorOutput, ModulePair

FORMAT = "ganwright-model"
VERSION = 1

_TORCH_NAMES = {
    torch.float32: "F32",
    torch.float64: "F64",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
_GENERATOR, _DISCRIMINATOR, _CODEC = "generator.", "discriminator.", "codec."


@dataclass(frozen=True)
class ModelContents:
    """What a model file holds, ready for use."""

    family: NetworkFamily
    spec: DataSpec
    codec: Codec
    generator: Generator
    facts: dict[str, Any]
    """Recipe, data, training and scores: JSON values for people, which sampling does not need."""
    discriminator: Discriminator | None = None
    """Where it is kept: it scores records."""


def write_model(path: Path, contents: ModelContents) -> None:
    """Write the file at once or not at all: a reader sees the old one or the new one.

    Raises:
        ModelFileError: a weight is not finite.
        OSError: the disk refuses.
    """
    tensors = _weights(_GENERATOR, contents.generator) | _weights(_DISCRIMINATOR, contents.discriminator)
    tensors |= {_CODEC + name: value for name, value in contents.codec.tensors().items()}
    tensors = _apart({name: value.detach().cpu().contiguous() for name, value in tensors.items()})
    _check_finite(path, tensors)
    header = {
        "format": FORMAT,
        "version": VERSION,
        "network": to_plain(contents.family),
        "discriminator": contents.discriminator is not None,
        "spec": to_plain(contents.spec),
        "codec": {"modality": contents.codec.modality, "state": contents.codec.state()},
        "facts": contents.facts,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".tmp-", suffix=".safetensors")
    os.close(handle)
    try:
        write_tensors(Path(temporary), tensors, {"ganwright": json.dumps(header, allow_nan=False)})
        os.chmod(temporary, 0o644)
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read_facts(path: Path) -> dict[str, Any]:
    """The header of a model file as plain values, plus "tensors" with each one's dtype and shape; no weight is read.

    Raises:
        ModelFileError: it is not a model file of ours.
    """
    entries, header = _read_header(path)
    tensors = {name: {"dtype": entry.dtype, "shape": list(entry.shape)} for name, entry in entries.items()}
    return {**header, "tensors": tensors}


def samples_seen(facts: Mapping[str, Any]) -> int:
    """In training, as a model file's facts, which may be a stranger's, tell; 0 where they do not."""
    training = facts.get("training")
    found = training.get("samples_seen") if isinstance(training, dict) else None
    return found if type(found) is int and found > 0 else 0


def read_model(
    path: Path,
    generator_from: nn.Module | NetworkFamily | None = None,
    discriminator_from: nn.Module | NetworkFamily | None = None,
) -> ModelContents:
    """The model at `path`, on the CPU in fp32, ready to sample.

    A file of a user's own modules holds their weights only: `generator_from` is what they are put into, and
    `discriminator_from` where the discriminator is wanted too.

    Raises:
        ModelFileError: the file is damaged, hostile, of a newer version, not a model of ours, or of other modules.
    """
    entries, header = _read_header(path)
    try:
        spec = from_plain(DataSpec, header["spec"], "spec")
        check(spec.conditions)
        check_rows(spec.conditions)
        both = header["discriminator"] is True
        family = stored_family(path, header["network"], generator_from, discriminator_from, both=both)
        if family.kinds and spec.kind not in family.kinds:
            raise ValueError(f"network {header['network']['name']} does not draw records of kind {spec.kind!r}")
        with torch.device("meta"):
            generator = family.generator(spec)
            # Of a user's own pair, the half that was not passed is left where it is.
            wanted = header["discriminator"] is True and (generator_from is None or discriminator_from is not None)
            discriminator = family.discriminator(spec) if wanted else None
        codec_class = MODALITIES.get(from_plain(str, header["codec"]["modality"], "codec.modality")).codec
    except ModelFileError:
        raise
    except (GanwrightError, KeyError, TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise _unusable(path, getattr(error, "what", None) or str(error)) from error
    expected = _weights(_GENERATOR, generator) | _weights(_DISCRIMINATOR, discriminator)
    if not wanted:
        entries = {name: entry for name, entry in entries.items() if not name.startswith(_DISCRIMINATOR)}
    _compare(path, expected, {name: entry for name, entry in entries.items() if not name.startswith(_CODEC)})

    tensors = _read_tensors(path, entries)
    _check_finite(path, tensors)
    generator.load_state_dict(_under(_GENERATOR, tensors), assign=True)
    if discriminator is not None:
        discriminator.load_state_dict(_under(_DISCRIMINATOR, tensors), assign=True)
        discriminator.requires_grad_(False).eval()
    codec_tensors = _under(_CODEC, tensors)
    try:
        codec = codec_class.from_state(header["codec"]["state"], codec_tensors)
    except (GanwrightError, KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise _unusable(path, f"its codec: {getattr(error, 'what', None) or error}") from error
    if codec.spec.shape != spec.shape:
        raise _unusable(path, f"its network draws {spec.shape}, its codec decodes {codec.spec.shape}")
    generator.requires_grad_(False).eval()
    return ModelContents(family, spec, codec, generator, dict(header["facts"]), discriminator)


def stored_family(
    path: Path,
    plain: Mapping[str, Any],
    generator: nn.Module | NetworkFamily | None,
    discriminator: nn.Module | NetworkFamily | None,
    *,
    both: bool = True,
) -> NetworkFamily:
    """The networks that a file tells of, `plain`: a registered family, or the modules that are passed.

    Args:
        both: whether both modules are asked for where they are missing.

    Raises:
        ModelFileError: modules that are not wanted, or none that are.
        UsageError: no such family or setting.
    """
    if not str(plain.get("name", "")).startswith(OWN):
        if generator is not None or discriminator is not None:
            what = f"{path} holds its networks itself"
            raise ModelFileError("E-MODEL-08", what, hints=("leave generator= and discriminator= out",))
        return from_plain(NetworkFamily, plain, "network")
    if generator is None:
        what = f"{path} holds the weights of its author's own networks, not the networks"
        names = ("generator", "discriminator") if both else ("generator",)
        call = ", ".join(f"{name}={_printable(plain.get(name))}(...)" for name in names)
        raise ModelFileError("E-MODEL-07", what, hints=(f"in Python: load(path, {call})",))
    settings = {name: plain[name] for name in ("noise", "latent", "discriminator_output")}
    # By the fields' own types, as every setting of a stranger's file.
    noise = from_plain(get_type_hints(ModulePair)["noise"], settings["noise"], "network.noise")
    output = from_plain(DiscriminatorOutput, settings["discriminator_output"], "network.discriminator_output")
    latent = from_plain(tuple[int, ...], settings["latent"], "network.latent")
    return ModulePair(generator, discriminator, latent, output, noise=noise)


def _weights(prefix: str, network: nn.Module | None) -> dict[str, Tensor]:
    return {prefix + name: value for name, value in network.state_dict().items()} if network is not None else {}


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _apart(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same values with no memory shared, as the format wants it: a user's own module may tie weights."""
    seen: set[int] = set()
    apart: dict[str, Tensor] = {}
    for name, value in tensors.items():
        place = value.untyped_storage().data_ptr()
        apart[name] = value.clone() if place in seen else value
        seen.add(place)
    return apart


def _printable(name: Any) -> str:
    return name if isinstance(name, str) and name.isidentifier() else "..."


def _read_header(path: Path) -> tuple[dict[str, TensorEntry], dict[str, Any]]:
    entries, metadata = read_header(path)
    try:
        header = strict_json(metadata.get("ganwright", "null"))
    except (ValueError, RecursionError) as error:
        raise _unusable(path, f"its description is not valid JSON ({error})") from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise _unusable(path, "it holds tensors, but no description of a Ganwright model")
    if header.get("version") != VERSION:
        why = f"it has format version {str(header.get('version'))[:20]!r}, this Ganwright reads version {VERSION}"
        raise ModelFileError("E-MODEL-02", f"{path} is of another version", why=why, hints=("pip install -U ganwright",))
    wanted = {"network": dict, "spec": dict, "codec": dict, "facts": dict}
    if any(not isinstance(header.get(name), kind) for name, kind in wanted.items()):
        raise _unusable(path, f"its description lacks one of {', '.join(wanted)}")
    return entries, header


def _compare(path: Path, expected: Mapping[str, Tensor], found: Mapping[str, TensorEntry]) -> None:
    for name, value in expected.items():
        if name not in found:
            raise _unusable(path, f"tensor {name} is missing")
        shape, dtype = tuple(value.shape), _TORCH_NAMES.get(value.dtype, str(value.dtype))
        if (found[name].shape, found[name].dtype) != (shape, dtype):
            theirs = f"{_times(found[name].shape)} {found[name].dtype}"
            raise _unusable(path, f"{name} is {theirs}, expected {_times(shape)} {dtype}")
    extra = sorted(set(found) - set(expected))
    if extra:
        raise _unusable(path, f"tensor {extra[0]!r} does not belong to this network ({len(extra)} such)")


def _read_tensors(path: Path, entries: Mapping[str, TensorEntry]) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in entries}
    except (SafetensorError, OSError) as error:
        raise _unusable(path, str(error)) from error


def _check_finite(path: Path, tensors: Mapping[str, Tensor]) -> None:
    for name, value in tensors.items():
        if value.is_floating_point() and not bool(value.isfinite().all()):
            raise ModelFileError("E-MODEL-03", f"{path}: {name} holds values that are not finite numbers")


def _times(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "a single value"


def _unusable(path: Path, why: str) -> ModelFileError:
    return ModelFileError("E-MODEL-01", f"{path} is not a usable model file", why=why)
