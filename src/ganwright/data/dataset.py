"""Packed records on disk, ready to be drawn from."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganwright.core.config import from_plain
from ganwright.core.errors import DataError
from ganwright.data.modalities.base import MODALITIES, Codec
from ganwright.data.report import DataReport
from ganwright.data.spec import Condition, first_class
from ganwright.runtime.files import write_atomically

FORMAT_VERSION = 5
FACTS_FILE = "dataset.json"
DIGESTS_FILE = "digests.npy"


class Dataset:
    """Records of one modality as columns of equal length.

    A folder holds one .npy file per column, memory-mapped, `dataset.json`, and what was found out later. Nothing outside the
    folder is needed any more: the files it was made from may change or go.
    """

    folder: Path | None = None
    """Where it lies; None for what is in memory alone, or elsewhere."""

    def __init__(self, columns: Mapping[str, np.ndarray], codec: Codec, report: DataReport, fingerprint: str) -> None:
        self.columns = dict(columns)
        self.codec = codec
        self.report = report
        self.fingerprint = fingerprint
        """Hex digest of the packed content: equal data give equal fingerprints, wherever they came from."""

    @classmethod
    def open(cls, folder: Path) -> Dataset:
        """The dataset in `folder`.

        Raises:
            DataError: it is not there, incomplete, or of another version.
        """
        try:
            facts = json.loads((folder / FACTS_FILE).read_text(encoding="utf-8"))
            if facts["version"] != FORMAT_VERSION:
                raise ValueError(f"its format is {facts['version']}, expected {FORMAT_VERSION}")
            kind = MODALITIES.get(facts["modality"]).codec
            codec = kind.from_state(facts["codec"], load_tensors(folder, facts["tensors"]))
            columns = {
                name: np.load(folder / column_file(name, place), mmap_mode="r", allow_pickle=False)
                for place, name in enumerate(facts["columns"])
            }
            if {len(column) for column in columns.values()} != {facts["rows"]}:
                raise ValueError("its columns differ in length")
            opened = cls(columns, codec, from_plain(DataReport, facts["report"]), facts["fingerprint"])
        except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
            raise DataError("E-DATA-06", "packed data cannot be opened", where=str(folder), why=str(error)) from None
        opened.folder = folder
        return opened

    def __len__(self) -> int:
        return len(self.columns["x"])

    @property
    def name(self) -> str:
        """What the data are called."""
        return self.report.name

    @property
    def whole(self) -> Dataset:
        """All the records that these are some of."""
        return self

    @property
    def endless(self) -> bool:
        """Whether records come in an order of their own and without an end: then indices only say how many are wanted."""
        return False

    @property
    def notes(self) -> Sequence[str]:
        """What was noticed since it was opened; a stream may go on being surprising."""
        return ()

    @property
    def head(self) -> Dataset:
        """The records that can be drawn as often as one likes, for timing steps: all of them, unless the set is endless."""
        return self

    @property
    def digests(self) -> np.ndarray | None:
        """uint64 (N,), see `held_out.record_digests`, where they are known without reading all records."""
        if self.folder is None:
            return None
        try:
            digests = np.load(self.folder / DIGESTS_FILE, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        return digests if (digests.shape, digests.dtype) == ((len(self),), np.uint64) else None

    def keep_digests(self, digests: np.ndarray) -> None:
        """Have `digests` known the next time that these data are opened, where they lie on a disk that can be written to."""
        if self.folder is None:
            return
        content = io.BytesIO()
        np.save(content, digests, allow_pickle=False)
        with contextlib.suppress(OSError):  # where the disk refuses, they are made again next time
            write_atomically(self.folder / DIGESTS_FILE, content.getvalue())

    @property
    def withholds(self) -> bool:
        """Whether records may be held out from training."""
        return True

    @property
    def readers(self) -> np.ndarray | None:
        """int64 (N,): which of the readers, that take turns, draws each record; None where one draws them all."""
        return None

    @property
    def present(self) -> np.ndarray | None:
        """bool (N,): whether each record can be read on this machine; None where all can."""
        return None

    def batch(self, indices: np.ndarray, names: Collection[str] | None = None) -> dict[str, Tensor]:
        """The rows at `indices` (int64 (B,)), one tensor per column, in their order; copies, free to be written to.

        Args:
            names: of the columns wanted; all of them by default.
        """
        wanted = self.columns if names is None else [name for name in self.columns if name in names]
        return {name: torch.from_numpy(np.take(self.columns[name], indices, axis=0)) for name in wanted}

    def some(self, count: int) -> dict[str, Tensor]:
        """Up to `count` rows for looking at, evenly spread over all, as from `batch`."""
        head = self.head
        return head.batch(np.linspace(0, len(head) - 1, min(count, len(head))).astype(np.int64))

    @property
    def labels(self) -> np.ndarray | None:
        """The class of each record, int64 (N,): its place in `class_condition`'s, -1 for unknown; None without classes."""
        condition = self.class_condition
        return None if condition is None else self.columns.get(condition.name)

    @property
    def class_condition(self) -> Condition | None:
        """What the records have one of several classes of; of several such conditions the first."""
        return first_class(self.codec.conditions)

    def as_cached(self, seconds: float, place: str) -> Dataset:
        """The same data with a report that says it was prepared before."""
        report = replace(self.report, cached=True, seconds=seconds, place=place)
        same = Dataset(self.columns, self.codec, report, self.fingerprint)
        same.folder = self.folder
        return same


def column_file(name: str, place: int) -> str:
    """The file of a column. A condition is called as a stranger's table says, which may be no name for a file."""
    return f"{name}.npy" if name == "x" else f"condition-{place}.npy"


def dataset_facts(codec: Codec, columns: tuple[str, ...], rows: int, report: Any, fingerprint: str) -> dict[str, Any]:
    """What dataset.json says; `report` is plain already."""
    return {
        "version": FORMAT_VERSION,
        "modality": codec.modality,
        "codec": codec.state(),
        "tensors": sorted(codec.tensors()),
        "columns": list(columns),
        "rows": rows,
        "fingerprint": fingerprint,
        "report": report,
    }


def codec_digest(codec: Codec) -> str:
    """Hex digest of all that a codec has learned."""
    digest = hashlib.sha256(json.dumps(codec.state(), sort_keys=True).encode())
    for name, tensor in sorted(codec.tensors().items()):
        array = np.ascontiguousarray(tensor.detach().cpu().numpy())
        digest.update(f"{name}{array.shape}{array.dtype.str}".encode())
        digest.update(array.data)
    return digest.hexdigest()


def save_tensors(folder: Path, codec: Codec) -> None:
    """Writes the codec's tensors beside the columns."""
    for name, tensor in codec.tensors().items():
        np.save(folder / f"codec-{name}.npy", tensor.detach().cpu().numpy(), allow_pickle=False)


def load_tensors(folder: Path, names: list[str]) -> dict[str, Tensor]:
    """The codec's tensors again."""
    return {name: torch.from_numpy(np.load(folder / f"codec-{name}.npy", allow_pickle=False)) for name in names}
