"""Exchanges between processes of one machine, through memory that all of them see.

gloo hands a message from the thread that computes to one that sends, through a socket to one that receives, and on to
another that computes. Where all cores are busy each of them waits for its turn: two milliseconds an exchange, many times a
step. Here each process has memory that the others read, and tells them through sockets that something new lies there, from
one computing thread to the other: a quarter of a millisecond. A socket tells as well when its other end is gone.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import socket
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

HALF = 4 << 20
"""Bytes that a process shows at a time. It has two such pieces, and fills one while others still read from the other."""
MEETING_SECONDS = 30.0
TOLD = struct.Struct("q")
MOST = 16
"""Processes; each speaks to every other."""
BOOT = Path("/proc/sys/kernel/random/boot_id")
NETWORK = Path("/proc/self/ns/net")


class Words(Protocol):
    """A store of short texts by key that all processes reach: `torch.distributed.Store`."""

    def set(self, key: str, value: str, /) -> object: ...

    def get(self, key: str, /) -> bytes: ...


class Nearby:
    """The processes of a training, as one of them sees them where all are on one machine."""

    def __init__(self, rank: int, sockets: dict[int, socket.socket], memories: list[mmap.mmap]) -> None:
        self._rank, self._sockets = rank, sockets
        whole = [torch.frombuffer(memory, dtype=torch.uint8) for memory in memories]
        self._pieces = tuple([memory[place * HALF :][:HALF] for memory in whole] for place in (0, 1))
        self._turn = 0

    def gathered(self, value: Tensor) -> list[Tensor]:
        """What each process has as its `value`, of one shape and at most HALF bytes, in their order.

        Raises:
            RuntimeError: a process is gone, or does not do the same as this one.
        """
        return [shown.view(value.shape).clone() for shown in self._shown(value.reshape(-1))]

    def add(self, flat: Tensor) -> None:
        """Replace `flat` (N,) by the sum of what each process has there, added in their order.

        Raises:
            RuntimeError: as for `gathered`.
        """
        for part in flat.split(HALF // flat.element_size()):
            first, second, *others = self._shown(part)
            torch.add(first, second, out=part)
            for other in others:
                part += other

    def close(self) -> None:
        """Tell the others that there will be no more of it."""
        for line in self._sockets.values():
            line.close()

    def _shown(self, flat: Tensor) -> list[Tensor]:
        """What each process shows, to be read before the next exchange."""
        size = flat.nbytes
        # Whoever has told of this turn is done with reading what was shown two turns ago, in the same piece.
        pieces = self._pieces[self._turn % 2]
        self._turn += 1
        shown = [piece[:size].view(flat.dtype) for piece in pieces]
        shown[self._rank].copy_(flat)
        try:
            for each in self._sockets.values():
                each.send(TOLD.pack(size))
            for rank, each in self._sockets.items():
                told = each.recv(TOLD.size)
                if not told:
                    raise RuntimeError(f"connection closed by rank {rank}")
                if TOLD.unpack(told) != (size,):
                    raise RuntimeError(f"rank {rank} shows {TOLD.unpack(told)[0]} bytes where this process shows {size}")
        except OSError as error:
            raise RuntimeError(f"connection closed: {error}") from error
        return shown


def meet(rank: int, size: int, store: Words) -> Nearby | None:
    """The others; None, in all processes alike, where not all of them are on one machine that has such memory.

    Args:
        store: keys of this start of the processes alone.
    """
    if not 1 < size <= MOST:
        return None
    with contextlib.ExitStack() as keeping:
        folder = Path(
            keeping.enter_context(tempfile.TemporaryDirectory(prefix="ganwright-near-", ignore_cleanup_errors=True))
        )
        if (door := _door(folder) if (machine := _machine()) else None) is not None:
            keeping.enter_context(door)
        store.set(f"near/{rank}", json.dumps([machine if door else "", str(folder)]))
        places = [json.loads(store.get(f"near/{other}")) for other in range(size)]
        if len({machine for machine, _ in places} - {""}) != 1 or any(not machine for machine, _ in places):
            return None
        assert door is not None
        found = None
        with contextlib.suppress(OSError, ValueError):
            found = _met(rank, [Path(place) for _, place in places], door)
        # Containers can share a machine and not see each other's files.
        store.set(f"near/met/{rank}", "1" if found else "0")
        if all(store.get(f"near/met/{other}") == b"1" for other in range(size)):
            return found
        if found is not None:
            found.close()
        return None


def _machine() -> str:
    """The same in processes that can meet here; empty where none can. Networks that are kept apart are machines apart."""
    if not hasattr(os, "memfd_create"):
        return ""
    try:
        return f"{BOOT.read_text().strip()} {os.readlink(NETWORK)} {os.getuid()}"
    except OSError:
        return ""


def _door(folder: Path) -> socket.socket | None:
    """Where the processes of higher rank come in: a socket in a folder of this user's own."""
    door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        door.settimeout(MEETING_SECONDS)
        door.bind(str(folder / "door"))
        door.listen(MOST)
    except OSError:
        door.close()
        return None
    return door


def _met(rank: int, places: list[Path], door: socket.socket) -> Nearby:
    """Everyone: those of lower rank are gone to, the others come."""
    sockets: dict[int, socket.socket] = {}
    with contextlib.ExitStack() as handles, contextlib.ExitStack() as unless_all_is_well:
        memories = {rank: os.memfd_create("ganwright")}
        handles.callback(os.close, memories[rank])
        os.ftruncate(memories[rank], 2 * HALF)
        for other, line in _lines(rank, places, door):
            unless_all_is_well.enter_context(line)
            line.settimeout(MEETING_SECONDS)
            socket.send_fds(line, [TOLD.pack(rank)], [memories[rank]])
            told, (theirs,), _, _ = socket.recv_fds(line, TOLD.size, 1)
            handles.callback(os.close, theirs)
            who = TOLD.unpack(told)[0]
            if other not in (None, who):
                raise ValueError(f"rank {who} where {other} was to be")
            sockets[who], memories[who] = line, theirs
        for line in sockets.values():
            line.settimeout(None)  # a slow step is no fault
        maps = [mmap.mmap(memories[each], 2 * HALF) for each in range(len(places))]
        unless_all_is_well.pop_all()
    return Nearby(rank, dict(sorted(sockets.items())), maps)


def _lines(rank: int, places: list[Path], door: socket.socket) -> Iterator[tuple[int | None, socket.socket]]:
    """A socket to each of the others, and which one it is where that is known."""
    for other in range(rank):
        line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            line.connect(str(places[other] / "door"))
        except OSError:
            line.close()
            raise
        yield other, line
    for _ in range(rank + 1, len(places)):
        yield None, door.accept()[0]
