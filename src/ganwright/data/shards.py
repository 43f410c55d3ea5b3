"""Packed records dealt out to files, for data that no single machine can hold: `ganwright pack`, then train on the folder.

A fixed number of readers, one for each shard, takes turns: of the endless sequence of records that a training sees, place t
is drawn by reader t mod V from its own shard. So the order does not depend on how many processes there are. Of W processes,
where W divides both V and the batch, each draws from the shards v with v mod W its rank, and needs no others.

The folder holds one .npy file of contents per shard, the records held out from training as another, what is known of each
record (conditions, digests) whole, since that is small, and `shards.json`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganwright.core.config import from_plain, to_plain
from ganwright.core.errors import DataError, UsageError
from ganwright.data.columns import ColumnWriter
from ganwright.data.dataset import Dataset, column_file, dataset_facts, load_tensors, save_tensors
from ganwright.data.held_out import hold_out, record_digests
from ganwright.data.modalities.base import MODALITIES
from ganwright.data.progress import Progress, no_progress
from ganwright.data.report import DataReport
from ganwright.data.subset import Subset
from ganwright.runtime.files import require_space

VERSION = 1
FACTS_FILE = "shards.json"
DIGESTS, HELD_OUT = "digests.npy", "held-out.npy"
CHUNK = 4096
MOST_SHARDS = 65_536


def is_packed(data: Any) -> bool:
    """Whether it is the path of a folder that `write_shards` has written."""
    try:
        return isinstance(data, str | Path) and (Path(data).expanduser() / FACTS_FILE).is_file()
    except OSError:  # A folder that may not be looked into: whoever opens it says so.
        return False


def write_shards(
    dataset: Dataset, folder: Path, shards: int, holdout: bool = True, progress: Progress = no_progress
) -> None:
    """Deal the records of `dataset` out to so many shards in `folder`, which must not be there or be empty.

    Args:
        holdout: keep the usual records from training, in a file of their own, which every machine needs.

    Raises:
        UsageError: something is in the folder, or there are more shards than records.
    """
    if not 1 <= shards <= min(MOST_SHARDS, len(dataset)):
        raise UsageError("E-PACK-01", f"{len(dataset):,} records cannot be dealt out to {shards:,} shards")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError("E-PACK-02", f"{folder} is not empty", hints=("-o NEW_FOLDER",))
    digests = record_digests(dataset)
    split = hold_out(dataset) if holdout else None
    held = np.empty(0, np.int64)
    if split is not None and isinstance(split.held_out, Subset):
        held = np.sort(split.held_out.places)
    learned = np.setdiff1d(np.arange(len(dataset)), held)
    order = np.concatenate([learned, held])
    folder.mkdir(parents=True, exist_ok=True)
    sample = dataset.batch(order[:1], ("x",))["x"].numpy()
    require_space(folder, sample.nbytes * len(dataset), "the shards")
    contents = [_write(folder / _shard_file(v), dataset, learned[v::shards], sample) for v in range(shards)]
    for v in range(shards):
        progress("dealing out shards", v + 1, shards)
    contents.append(_write(folder / HELD_OUT, dataset, held, sample))
    names = [name for name in dataset.columns if name != "x"]
    for place, name in enumerate(names, start=1):
        np.save(folder / column_file(name, place), np.take(dataset.columns[name], order, axis=0), allow_pickle=False)
    np.save(folder / DIGESTS, digests[order], allow_pickle=False)
    save_tensors(folder, dataset.codec)
    fingerprint = hashlib.sha256("\n".join([dataset.fingerprint, *contents]).encode()).hexdigest()
    facts = dataset_facts(dataset.codec, tuple(names), len(dataset), to_plain(dataset.report), fingerprint)
    facts |= {"version": VERSION, "shards": shards, "learned": len(learned)}
    (folder / FACTS_FILE).write_text(json.dumps(facts, indent=1), encoding="utf-8")


class Shards(Dataset):
    """Records of a folder of shards. Those to learn from come first, then those held out."""

    def __init__(self, folder: Path) -> None:
        """
        Raises:
            DataError: the folder is damaged or of another version.
        """
        try:
            facts = json.loads((folder / FACTS_FILE).read_text(encoding="utf-8"))
            if facts["version"] != VERSION:
                raise ValueError(f"its format is {facts['version']}, expected {VERSION}")
            codec = MODALITIES.get(facts["modality"]).codec.from_state(
                facts["codec"], load_tensors(folder, facts["tensors"])
            )
            columns = {
                name: np.load(folder / column_file(name, place), mmap_mode="r", allow_pickle=False)
                for place, name in enumerate(facts["columns"], start=1)
            }
            digests = np.load(folder / DIGESTS, mmap_mode="r", allow_pickle=False)
            self._count, self._learned, self._shards = (int(facts[name]) for name in ("rows", "learned", "shards"))
            if {len(column) for column in (*columns.values(), digests)} != {self._count}:
                raise ValueError("its columns differ in length")
            if not 0 <= self._learned <= self._count or not 1 <= self._shards <= MOST_SHARDS:
                raise ValueError("its counts do not fit")
            report = replace(from_plain(DataReport, facts["report"]), place=str(folder), cached=True)
        except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
            raise DataError("E-PACK-03", "packed data cannot be opened", where=str(folder), why=str(error)) from None
        super().__init__(columns, codec, report, str(facts["fingerprint"]))
        self._folder, self._digests = folder, digests
        self._open: dict[str, np.ndarray] = {}

    def __len__(self) -> int:
        return self._count

    @property
    def digests(self) -> np.ndarray | None:
        return self._digests

    @property
    def withholds(self) -> bool:
        return self._learned < self._count

    @property
    def readers(self) -> np.ndarray | None:
        return np.arange(self._count) % self._shards

    @property
    def present(self) -> np.ndarray | None:
        """bool (N,): whether the record's shard is on this machine; None where all are."""
        here = np.array([(self._folder / _shard_file(v)).is_file() for v in range(self._shards)])
        if here.all():
            return None
        return np.concatenate([here[np.arange(self._learned) % self._shards], np.ones(self._count - self._learned, bool)])

    def batch(self, indices: np.ndarray, names: Collection[str] | None = None) -> dict[str, Tensor]:
        """
        Raises:
            DataError: a record's shard is not here, or damaged.
        """
        wanted = [name for name in self.columns if names is None or name in names]
        found = {name: torch.from_numpy(np.take(self.columns[name], indices, axis=0)) for name in wanted}
        if names is not None and "x" not in names:
            return found
        learned = indices < self._learned
        shards = np.where(learned, indices % self._shards, -1)
        rows = np.where(learned, indices // self._shards, indices - self._learned)
        x: np.ndarray | None = None
        for shard in np.unique(shards).tolist():
            here = shards == shard
            part = np.take(self._contents(shard), rows[here], axis=0)
            if x is None:
                x = np.empty((len(indices), *part.shape[1:]), part.dtype)
            x[here] = part
        assert x is not None
        return {"x": torch.from_numpy(x), **found}

    def _contents(self, shard: int) -> np.ndarray:
        name = HELD_OUT if shard < 0 else _shard_file(shard)
        if name not in self._open:
            rows = self._count - self._learned if shard < 0 else len(range(shard, self._learned, self._shards))
            try:
                contents = np.load(self._folder / name, mmap_mode="r", allow_pickle=False)
                if len(contents) != rows:
                    raise ValueError(f"it holds {len(contents):,} records, expected {rows:,}")
            except (OSError, ValueError, EOFError) as error:
                missing = isinstance(error, FileNotFoundError)
                what = f"{name} is {'not on this machine' if missing else 'damaged'}"
                hints = ("the shards v with v mod (number of processes) = rank, for each rank of this machine, or all",)
                raise DataError("E-PACK-04", what, where=str(self._folder), why=str(error), hints=hints) from None
            self._open[name] = contents
        return self._open[name]


def _write(path: Path, dataset: Dataset, places: np.ndarray, sample: np.ndarray) -> str:
    """The contents of these records as a file; the digest of them."""
    writer = ColumnWriter(path, sample)
    try:
        for start in range(0, len(places), CHUNK):
            writer.append(dataset.batch(places[start : start + CHUNK], ("x",))["x"].numpy())
        return writer.finish()
    finally:
        writer.abandon()


def _shard_file(number: int) -> str:
    return f"shard-{number:05d}.npy"
