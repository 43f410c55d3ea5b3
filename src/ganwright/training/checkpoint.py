"""Everything that changes while training, as files and back: a run that went on from one is the run that never stopped.

Draws need nothing here, as they follow from the step. Tensors are safetensors, all else is JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.optim import Optimizer

from ganwright.core.errors import DataError
from ganwright.model.tensor_file import read_header, write_tensors
from ganwright.training.state import TrainState

TENSORS = "state.safetensors"


@dataclass(frozen=True)
class Checkpoint:
    """A state at one step, apart from the networks that go on changing."""

    tensors: dict[str, Tensor]
    """On the CPU, by names such as "generator/layers.0.weight" and "optimizer of discriminator/3/exp_avg"."""
    facts: dict[str, Any]
    """Plain JSON values."""

    @classmethod
    def of(cls, state: TrainState, spare: Checkpoint | None = None) -> Checkpoint:
        """A copy of the state as it is now.

        Args:
            spare: a checkpoint that nobody needs any more: its memory is written over where it fits.
        """
        tensors: dict[str, Tensor] = {}
        numbers: dict[str, Any] = {}
        for name, value in _everything(state):
            if isinstance(value, Tensor):
                tensors[name] = _copied(value.detach(), spare.tensors.get(name) if spare else None)
            else:
                numbers[name] = value
        facts = {"seed": state.seed, "attempt": state.attempt, "step": state.step, "samples_seen": state.samples_seen}
        return cls(tensors, {**facts, "numbers": numbers})

    @property
    def bytes(self) -> int:
        """That its tensors take."""
        return sum(value.nbytes for value in self.tensors.values())

    @property
    def broken(self) -> list[str]:
        """Names of tensors that hold values that are not finite."""
        return [name for name, value in self.tensors.items() if value.is_floating_point() and not _finite(value)]

    def write(self, path: Path) -> None:
        """The tensors as one file; the facts are for the manifest beside it."""
        write_tensors(path, {name: _in_rows(value) for name, value in self.tensors.items()})

    @classmethod
    def read(cls, path: Path, facts: Mapping[str, Any]) -> Checkpoint:
        """The checkpoint again.

        Raises:
            DataError: the file is not one that `write` has written.
        """
        try:
            read_header(path)
            return cls(load_file(path), dict(facts))
        except (SafetensorError, OSError, ValueError) as error:
            raise DataError("E-CHECKPOINT-02", f"{path} cannot be read", why=str(error)) from error

    @torch.no_grad()
    def restore(self, state: TrainState) -> None:
        """Put it into a state of the same config; it stays as it is.

        Raises:
            DataError: it is of other networks or of another optimizer; the state may be half changed then.
        """
        left = dict(self.tensors)
        numbers: Mapping[str, Any] = self.facts["numbers"]
        for player, network, optimizer in _players(state):
            _load(left, f"{player}/", network)
            _load_optimizer(left, numbers, f"optimizer of {player}", optimizer)
        _load(left, "average/", state.average.generator)
        device = next(state.generator.parameters()).device
        state.adapted = {name: _taken(left, f"augmentation/{name}", old).clone() for name, old in state.adapted.items()}
        for place, memory in enumerate(state.regularizer_states):
            prefix = f"regularizer {place}/"
            names = [name for name in left if name.startswith(prefix)]
            memory |= {name.removeprefix(prefix): left.pop(name).to(device, copy=True) for name in names}
        if left:
            raise _other(f"it has {sorted(left)[0]!r}, which this run has not")
        state.attempt, state.step, state.samples_seen = (
            int(self.facts[name]) for name in ("attempt", "step", "samples_seen")
        )


def _copied(value: Tensor, spare: Tensor | None) -> Tensor:
    """On the CPU, in its own order of memory, which is the quickest; memory that was used before need not be found."""
    fits = spare is not None and (spare.shape, spare.dtype, spare.stride()) == (value.shape, value.dtype, value.stride())
    if spare is not None and fits:
        return spare.copy_(value)
    fresh = torch.empty_like(value, device="cpu", memory_format=torch.preserve_format, pin_memory=value.is_cuda)
    return fresh.copy_(value)


# What is not finite NumPy finds in a fifteenth of the time that torch takes with one thread.


def _finite(value: Tensor) -> bool:
    if value.dtype == torch.bfloat16:
        return bool(value.isfinite().all())
    return bool(np.isfinite(value.numpy()).all())


def _in_rows(value: Tensor) -> Tensor:
    if value.is_contiguous() or value.dtype == torch.bfloat16:
        return value.contiguous()
    return torch.from_numpy(np.ascontiguousarray(value.numpy()))


def _players(state: TrainState) -> Iterator[tuple[str, nn.Module, Optimizer]]:
    yield "generator", state.generator, state.generator_optimizer
    yield "discriminator", state.discriminator, state.discriminator_optimizer


def _everything(state: TrainState) -> Iterator[tuple[str, Any]]:
    """Names, and tensors or plain numbers."""
    for player, network, optimizer in _players(state):
        for name, tensor in network.state_dict().items():
            yield f"{player}/{name}", tensor
        for place, memory in optimizer.state_dict()["state"].items():
            for name, value in memory.items():
                yield f"optimizer of {player}/{place}/{name}", value
    for name, tensor in state.average.generator.state_dict().items():
        yield f"average/{name}", tensor
    for place, memory in enumerate(state.regularizer_states):
        for name, tensor in memory.items():
            yield f"regularizer {place}/{name}", tensor
    for name, tensor in state.adapted.items():
        yield f"augmentation/{name}", tensor


def _load(left: dict[str, Tensor], prefix: str, network: nn.Module) -> None:
    for name, tensor in network.state_dict().items():
        tensor.copy_(_taken(left, prefix + name, tensor))


def _load_optimizer(left: dict[str, Tensor], numbers: Mapping[str, Any], prefix: str, optimizer: Optimizer) -> None:
    """Its memory of each weight, in the weight's own order of memory: fused steps go through both side by side."""
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    memory: dict[int, dict[str, Any]] = {}
    for name in [each for each in (*left, *numbers) if each.startswith(f"{prefix}/")]:
        place, key = name.removeprefix(f"{prefix}/").split("/", 1)
        if int(place) >= len(weights):
            raise _other(f"it has {name!r}, which this run has not")
        weight = weights[int(place)]
        value = left.pop(name) if name in left else numbers[name]
        if isinstance(value, Tensor) and value.shape == weight.shape:
            value = torch.empty_like(weight, dtype=value.dtype).copy_(value)
        elif isinstance(value, Tensor):
            value = value.clone()
        memory.setdefault(int(place), {})[key] = value
    optimizer.load_state_dict({"state": memory, "param_groups": optimizer.state_dict()["param_groups"]})


def _taken(left: dict[str, Tensor], name: str, like: Tensor) -> Tensor:
    found = left.pop(name, None)
    if found is None:
        raise _other(f"it has no {name!r}")
    if found.shape != like.shape or found.dtype != like.dtype:
        raise _other(f"{name!r} is {tuple(found.shape)} of {found.dtype}, not {tuple(like.shape)} of {like.dtype}")
    return found.to(like.device)


def _other(why: str) -> DataError:
    return DataError("E-CHECKPOINT-02", "the checkpoint is of another run", why=why)
