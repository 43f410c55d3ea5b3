"""How real a trained discriminator takes given records to be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganwright.core.errors import DataError
from ganwright.data.chunks import chunks
from ganwright.data.modalities.base import Codec
from ganwright.data.opening import open_source
from ganwright.data.preparation import check_kind
from ganwright.data.record import Record
from ganwright.data.spec import DataSpec, unknown
from ganwright.model.noise import BLOCK
from ganwright.networks.base import Discriminator
from ganwright.runtime.files import cache_root


def verdicts(judge: Discriminator, data: Any, spec: DataSpec, codec: Codec, device: str) -> np.ndarray:
    """float32 (N,), high for real: NaN for a record of `data` that cannot be read, or whose condition is not known.

    Raises:
        DataError: nothing there, nothing that the codec reads, or no record whose condition is known.
    """
    source = open_source(data)
    try:
        source.load(cache_root() / "data")
        check_kind(source, codec.reads, f"the discriminator judges {codec.noun}")
        found = np.full(len(source), np.nan, np.float32)
        done, read = 0, False
        for records in chunks(source):
            places, scores = _of_some(judge, records, spec, codec, device)
            found[done + places] = scores
            read |= bool(len(places)) or any(not record.fault for record in records)
            done += len(records)
        if spec.conditions and read and np.isnan(found).all():
            names = ", ".join(condition.name for condition in spec.conditions)
            what = f"the discriminator judges records with their {names}, which none of these have"
            raise DataError("E-SCORE-01", what, hints=("score((records, labels))",))
        return found
    finally:
        source.close()


@torch.inference_mode()
def _of_some(
    judge: Discriminator, records: Sequence[Record], spec: DataSpec, codec: Codec, device: str
) -> tuple[np.ndarray, np.ndarray]:
    """(M,) twice: the places of those that can be judged, and their scores."""
    packed = codec.pack(records)
    numbers = {record.name: i for i, record in enumerate(records)}
    places = np.array([numbers[name] for name in packed.names], np.int64)
    columns = {name: torch.from_numpy(np.ascontiguousarray(column)) for name, column in packed.columns.items()}
    known = np.ones(len(places), bool)
    for condition in spec.conditions:
        known &= ~unknown(packed.columns[condition.name])
    columns = {name: column[known].to(device) for name, column in columns.items()}
    training = judge.training
    judge.to(device).eval()
    try:
        scores = [
            judge.score(codec.expand(some), {c.name: some[c.name] for c in spec.conditions}).float().cpu()
            for some in _parts(columns, BLOCK)
        ]
    finally:
        judge.train(training)
    return places[known], torch.cat(scores).numpy() if scores else np.empty(0, np.float32)


def _parts(columns: Mapping[str, Tensor], size: int) -> Iterator[dict[str, Tensor]]:
    count = len(next(iter(columns.values())))
    for start in range(0, count, size):
        yield {name: column[start : start + size] for name, column in columns.items()}
