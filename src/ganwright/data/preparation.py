"""From a path to packed data, once: the next start finds it ready."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ganwright.core.config import to_plain
from ganwright.core.errors import DataError, UsageError
from ganwright.data.chunks import chunks
from ganwright.data.columns import ColumnWriter
from ganwright.data.dataset import (
    DIGESTS_FILE,
    FACTS_FILE,
    FORMAT_VERSION,
    Dataset,
    codec_digest,
    column_file,
    dataset_facts,
    save_tensors,
)
from ganwright.data.digests import as_numbers, content_digest
from ganwright.data.disk import disk_errors
from ganwright.data.limited import Limited
from ganwright.data.modalities.base import MODALITIES, Codec, Modality, Packed, Progress, no_progress
from ganwright.data.opening import open_source
from ganwright.data.record import Skipped
from ganwright.data.record_kind import Kind, kind_of
from ganwright.data.report import FEWEST_RECORDS, DataReport, grouped, too_few
from ganwright.data.seen import Seen
from ganwright.data.series.arranged import Arranged
from ganwright.data.series.recognition import ask, recognised
from ganwright.data.shards import Shards, is_packed
from ganwright.data.sources.base import Source
from ganwright.runtime.files import cache_root, require_space, temporary_beside
from ganwright.runtime.memory import garbage_collected

ABANDONED_SECONDS = 24 * 3600.0
MEMORY = "memory"
"""The place of objects that have no path."""


def prepare(
    data: Any,
    modality: Modality | None = None,
    *,
    codec: Codec | None = None,
    limit: int | None = None,
    cache: Path | None = None,
    as_numbers: bool = False,
    progress: Progress = no_progress,
) -> Dataset:
    """The packed records of `data`: a path, or objects in memory.

    Args:
        modality: what the records mean, with settings; by default the first modality that they look like.
        codec: packs them as other data were packed, instead of learning a codec from them; of a modality that is given too
            only what is done about duplicates is asked.
        limit: at most so many records, evenly spread; only these are looked at.
        cache: the folder for packed data; by default the user's cache.
        as_numbers: take a table as rows of plain numbers, if no modality is given: one value a column, as networks with
            given layers want it.

    Raises:
        DataError: nothing there, nothing readable, or fewer than 4 usable records; then nothing is left on disk.
        UsageError: a limit of fewer than that.
        ResourceError: too little disk space, or a cache that cannot be written to.
    """
    if is_packed(data):
        if modality is not None or limit is not None:
            what = f"{data} is packed: how its records are read was decided then"
            raise UsageError("E-PACK-05", what, hints=("leave flags about reading out", "or give them to ganwright pack"))
        return Shards(Path(data).expanduser())
    if limit is not None and limit < FEWEST_RECORDS:
        raise UsageError("E-SETTING-04", f"limit must be at least {FEWEST_RECORDS} records, not {limit}")
    began = time.monotonic()
    root = cache_root() if cache is None else cache
    source = open_source(data)
    try:
        source.load(root / "data", progress, limit)
        if codec is not None:
            check_kind(source, codec.reads, f"the model is one of {codec.noun}")
        if modality is None:
            modality = modality_for(source, as_numbers) if codec is None else _usual(codec)
        elif codec is None:
            check_kind(source, modality.codec.reads, f"they are to be read as {modality.codec.noun}")
        source = (modality if codec is None else codec).arranged(source)
        if limit is not None and limit < len(source):
            source = limited(source, limit)
        folder = root / "data" / _cache_key(source, modality, codec)
        if (ready := _open_ready(folder)) is not None:
            return ready.as_cached(time.monotonic() - began, source.place or MEMORY)
        _remove_abandoned(folder.parent)
        with garbage_collected():
            if codec is None:
                source = Seen(source) if modality.decodes_twice else source
                codec = modality.fit(source, progress)
            temporary = temporary_beside(folder)
            try:
                with disk_errors(root):
                    temporary.mkdir(parents=True)
                    _pack_into(temporary, source, modality, codec, progress, began)
                    _publish(temporary, folder)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
        return Dataset.open(folder)
    finally:
        source.close()


def check_kind(source: Source, reads: Kind, why: str) -> None:
    """Raise DataError, with `why` they are wanted, where records are seen to be others than `reads`."""
    found = kind_of(source)
    if found is None and reads != "texts":
        return
    if found != reads:
        hints = ("--field: a text in .jsonl",) if reads == "texts" else (f"leave out what is said of {reads}",)
        what = f"{source.place or source.name} holds {found or 'something else'}, no {reads}"
        raise DataError("E-DATA-13", what, why=why, hints=hints)


def limited(source: Source, count: int) -> Source:
    """So many of the source's records, evenly spread."""
    if isinstance(source, Arranged):
        source.limit(count)
        return source
    return Limited(source, count)


def _usual(codec: Codec) -> Modality:
    """The codec's modality with its usual settings."""
    modality: Modality = MODALITIES.get(codec.modality)()
    return modality


def modality_for(source: Source, as_numbers: bool = False) -> Modality:
    """The first modality, with its usual settings, that the records look like.

    Raises:
        DataError: there is none.
        UsageError: rows look like steps of time series, which a user has to say.
    """
    for name in MODALITIES:
        modality: Modality = MODALITIES.get(name)()
        if modality.fits(source):
            if name == "table" and (found := recognised(source)) is not None:
                raise ask(found, source.place)
            return MODALITIES.get("numbers")() if as_numbers and name == "table" else modality
    known = ", ".join(MODALITIES)
    raise DataError("E-DATA-01", f"cannot tell what {source.place or source.name} holds", hints=(f"known kinds: {known}",))


def _cache_key(source: Source, modality: Modality, codec: Codec | None) -> str:
    """Changes with the records, their place, the settings and the format."""
    place = str(Path(source.place).expanduser().resolve()) if source.place else ""
    meaning = to_plain(modality) if codec is None else [codec_digest(codec), modality.duplicates]
    facts = [FORMAT_VERSION, source.fingerprint(), place, meaning, len(source)]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]


def _open_ready(folder: Path) -> Dataset | None:
    if not folder.is_dir():
        return None
    try:
        return Dataset.open(folder)
    except DataError:  # Someone meddled with the cache; it is made again.
        shutil.rmtree(folder, ignore_errors=True)
        return None


def _pack_into(folder: Path, source: Source, modality: Modality, codec: Codec, progress: Progress, began: float) -> None:
    """Writes the columns and dataset.json."""
    writers: dict[str, ColumnWriter] = {}
    skipped: list[Skipped] = []
    counts: Counter[str] = Counter()
    twins = None if modality.duplicates == "ignore" else _Twins(drop=modality.duplicates == "drop")
    try:
        for packed in _packed_chunks(source, codec, progress):
            skipped += packed.skipped
            counts.update(packed.notes)
            if twins is not None:
                twins.look_at(packed)
            if not writers:
                _require_room(folder, packed, len(source))
                writers = {
                    name: ColumnWriter(folder / column_file(name, place), column)
                    for place, (name, column) in enumerate(packed.columns.items())
                }
            for name, column in packed.columns.items():
                writers[name].append(column)
        rows = next(iter(writers.values())).rows if writers else 0
        dropped = [] if twins is None else twins.dropped
        if rows < FEWEST_RECORDS:
            raise too_few(source, codec.noun, rows, skipped + dropped)
        digests = [f"{name}:{writer.finish()}" for name, writer in sorted(writers.items())]
    finally:
        for writer in writers.values():
            writer.abandon()
    notes = [
        *source.notes,
        *codec.notes,
        *(f"{count:,} {sentence}" for sentence, count in counts.most_common()),
        *([] if twins is None else twins.notes()),
    ]
    groups = grouped([*source.skipped, *skipped, *dropped])
    report = DataReport(
        name=source.name,
        place=source.place or MEMORY,
        noun=codec.noun,
        found=rows + sum(group.count for group in groups),
        used=rows,
        size=codec.describe() + (f" ({codec.reason})" if codec.reason else ""),
        skipped=groups,
        notes=tuple(notes),
        seconds=time.monotonic() - began,
        reading=source.reading,
        labels=source.labels,
    )
    fingerprint = hashlib.sha256("\n".join([*digests, codec_digest(codec)]).encode()).hexdigest()
    facts = dataset_facts(codec, tuple(writers), rows, to_plain(report), fingerprint)
    save_tensors(folder, codec)
    if twins is not None and not codec.repeats:
        np.save(folder / DIGESTS_FILE, as_numbers(twins.digests), allow_pickle=False)
    (folder / FACTS_FILE).write_text(json.dumps(facts, indent=1), encoding="utf-8")


def _packed_chunks(source: Source, codec: Codec, progress: Progress) -> Iterator[Packed]:
    done = 0
    for records in chunks(source):
        yield codec.pack(records)
        done += len(records)
        progress(f"packing {codec.noun}", done, len(source))


def _require_room(folder: Path, packed: Packed, records: int) -> None:
    row_bytes = sum(column.itemsize * int(np.prod(column.shape[1:])) for column in packed.columns.values())
    require_space(folder, row_bytes * records, "the packed data")


class _Twins:
    """Rows that were there before, found by a digest of their content and by what else is known of them."""

    def __init__(self, *, drop: bool) -> None:
        self.dropped: list[Skipped] = []
        self._drop = drop
        self._seen: set[bytes] = set()
        self._digests: list[bytes] = []
        self._count = 0

    @property
    def digests(self) -> bytes:
        """`content_digest` of every row that was kept, one after the other."""
        return b"".join(self._digests)

    def look_at(self, packed: Packed) -> None:
        """Counts the repeated rows of `packed`, or takes them out."""
        keep: list[int] = []
        digests = [content_digest(row) for row in packed.columns["x"]]
        others = [np.ascontiguousarray(column) for name, column in packed.columns.items() if name != "x"]
        for i, (name, digest) in enumerate(zip(packed.names, digests, strict=True)):
            whole = digest + b"".join(column[i].tobytes() for column in others)
            if whole in self._seen and self._drop:
                self.dropped.append(Skipped(name, "exact duplicate"))
                continue
            self._count += whole in self._seen
            self._seen.add(whole)
            keep.append(i)
        if len(keep) < len(packed.names):
            packed.columns = {name: column[keep] for name, column in packed.columns.items()}
            packed.names = [packed.names[i] for i in keep]
        self._digests += (digests[i] for i in keep)

    def notes(self) -> list[str]:
        if not self._count:
            return []
        return [f"{self._count:,} exact duplicate{'s' if self._count > 1 else ''}; --dedupe keeps one of each"]


def _publish(temporary: Path, folder: Path) -> None:
    """Gives the finished folder its name; another process may have been quicker, and then its work is as good."""
    try:
        os.rename(temporary, folder)
    except OSError:
        if not (folder / FACTS_FILE).is_file():
            raise


def _remove_abandoned(folder: Path) -> None:
    """Clears what a killed process left in the cache more than a day ago."""
    for path in folder.glob(".tmp-*") if folder.is_dir() else ():
        try:
            if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                shutil.rmtree(path, ignore_errors=True)
        except OSError:
            continue
