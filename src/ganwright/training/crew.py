"""One process leads a training, the others follow: each step is an order that the leader gives and all carry out.

Only the leader looks at the clock, plans, scores and saves, as if it were alone. The others hold the same networks and the
same data, and know nothing but the orders. In a lone process an order is a plain call.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any

import torch
import torch.distributed
from torch import Tensor

from ganwright.core.config import to_plain
from ganwright.core.errors import ResourceError, UsageError
from ganwright.data.dataset import Dataset
from ganwright.data.spec import DataSpec
from ganwright.runtime.distributed import LEADER, from_leader, rank, world_size
from ganwright.runtime.group import explained
from ganwright.runtime.memory import is_out_of_memory
from ganwright.training.batches import Batches
from ganwright.training.checkpoint import Checkpoint
from ganwright.training.config import TrainConfig
from ganwright.training.run_spec import run_spec
from ganwright.training.state import TrainState, initial_state
from ganwright.training.step import train_step
from ganwright.training.updating import Report


class Order(IntEnum):
    """What the leader may want of all."""

    DATA = 1
    """Open the data."""
    BEGIN = 2
    """Take up a config and a state."""
    STEP = 3
    """Train one step."""
    END = 4
    """Leave off."""


def is_led() -> bool:
    """Whether this process leads others."""
    return world_size() > 1 and rank() == LEADER


def show_data(**facts: Any) -> None:
    """Tell the others how to open the data, in plain values."""
    if is_led():
        with explained():
            _give(Order.DATA, facts)


def begin(config: TrainConfig, state: TrainState) -> None:
    """From now on all processes train `state` as `config` says; to be said again when either has changed.

    Raises:
        UsageError: a batch has fewer records than there are processes.
    """
    if is_led():
        if config.batch < world_size():
            what = f"a batch of {config.batch} cannot be shared by {world_size()} processes"
            raise UsageError("E-PEER-05", what, hints=("a larger --batch", f"--processes {config.batch} at most"))
        with explained():
            _give(Order.BEGIN, {"config": to_plain(config)})
            _give_state(state)


def step(state: TrainState, config: TrainConfig, spec: DataSpec, batches: Batches) -> Report:
    """One step, by all processes."""
    if world_size() == 1:
        return train_step(state, config, spec, batches)
    with explained():
        _give(Order.STEP)
        return _train(state, config, spec, batches)


def end(model: bytes = b"", **facts: Any) -> None:
    """The others leave off, with these facts and a model file; returns when each of them has heard it.

    Raises:
        Lost: one of them is gone.
    """
    if is_led():
        with explained():
            _give(Order.END, {**facts, "model": len(model)})
            if model:
                from_leader(torch.frombuffer(bytearray(model), dtype=torch.uint8))
            torch.distributed.barrier()


def see_data() -> Mapping[str, Any] | None:
    """What the leader tells of the data; None where it leaves off before."""
    with explained():
        order, facts = _take()
        if order == Order.END:
            torch.distributed.barrier()
            return None
    return facts


def follow(
    dataset: Dataset, config_of: Callable[[Any], TrainConfig], after_step: Callable[[], object]
) -> tuple[Mapping[str, Any], bytes]:
    """Carry out the leader's orders until the last one; gives what came with that: facts, and perhaps a model file.

    Args:
        config_of: a config from its plain form.
        after_step: called after each step.
    """
    train: Callable[[], object] | None = None
    while True:
        with explained():
            order, facts = _take()
        if order == Order.END:
            with explained():
                model = torch.empty(facts["model"], dtype=torch.uint8)
                if len(model):
                    from_leader(model)
                torch.distributed.barrier()
            return facts, model.numpy().tobytes()
        if order == Order.BEGIN:
            config = config_of(facts["config"])
            spec = run_spec(config, dataset)
            state = initial_state(config, spec)
            with explained():
                _take_state(state)
            batches = Batches(dataset, config)
            train = _one_step(state, config, spec, batches)
        else:
            assert train is not None
            with explained():
                train()
            after_step()


def _one_step(state: TrainState, config: TrainConfig, spec: DataSpec, batches: Batches) -> Callable[[], object]:
    return lambda: _train(state, config, spec, batches)


def _train(state: TrainState, config: TrainConfig, spec: DataSpec, batches: Batches) -> Report:
    """One step.

    Raises:
        ResourceError: memory ran out, in this process; the others have gone on, and cannot take the step back.
    """
    try:
        return train_step(state, config, spec, batches)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        hints = (f"--set micro_batches={2 * config.micro_batches}", "a smaller --batch or --size", "fewer --processes")
        raise ResourceError("E-MEMORY-03", "out of memory", hints=hints) from error


def _give(order: Order, facts: Mapping[str, Any] | None = None) -> None:
    text = json.dumps(facts).encode() if facts else b""
    from_leader(torch.tensor([order, len(text)]))
    if text:
        from_leader(torch.frombuffer(bytearray(text), dtype=torch.uint8))


def _take() -> tuple[Order, Any]:
    order, length = from_leader(torch.zeros(2, dtype=torch.int64)).tolist()
    text = torch.zeros(length, dtype=torch.uint8)
    if length:
        from_leader(text)
    return Order(order), json.loads(bytes(text.numpy())) if length else {}


def _give_state(state: TrainState) -> None:
    copy = Checkpoint.of(state)
    shapes = {name: (list(value.shape), str(value.dtype).removeprefix("torch.")) for name, value in copy.tensors.items()}
    _give(Order.BEGIN, {"shapes": shapes, "facts": copy.facts})
    for value in copy.tensors.values():
        from_leader(_bytes(value.contiguous()))


def _take_state(state: TrainState) -> None:
    _, told = _take()
    tensors: dict[str, Tensor] = {}
    for name, (shape, dtype) in told["shapes"].items():
        tensors[name] = torch.empty(shape, dtype=getattr(torch, dtype))
        from_leader(_bytes(tensors[name]))
    Checkpoint(tensors, told["facts"]).restore(state)


def _bytes(value: Tensor) -> Tensor:
    """The same memory as bytes, which can be of any type then; a scalar's too."""
    return value.view(-1).view(torch.uint8)
