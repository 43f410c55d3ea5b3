"""This process among those that were started with it: joining them, leaving word for them, and missing who fell silent.

Whoever starts the processes (torchrun, `ganwright train --processes`, a scheduler) tells each by torchrun's variables which
one it is and where the others are met: at a store of short texts by key, which outlives a process where an agent holds it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import timedelta

import torch
import torch.distributed
from torch._C._distributed_c10d import PrefixStore, Store, TCPStore

from ganwright.core.errors import GanwrightError, ResourceError
from ganwright.runtime.distributed import LEADER, come_near
from ganwright.runtime.interrupt import StopRequest
from ganwright.runtime.nearby import Nearby, meet

SILENCE = "GANWRIGHT_SILENCE_SECONDS"
"""The variable that says after how long without a sign of life a process counts as lost."""
SILENCE_SECONDS = 60.0
BEAT_SECONDS = 1.0
LAST_WORDS_SECONDS = 5.0
"""That the others get to hear of a lost process by themselves, before they are ended."""
MEETING_SECONDS = 300
"""That processes wait for each other to begin."""
LONG = timedelta(days=7)
"""A slow step is no fault: silence is what is waited for, elsewhere."""


@dataclass(frozen=True)
class Place:
    """Which of the processes this one is."""

    rank: int
    world_size: int
    local_rank: int
    """Among those of this machine."""
    local_size: int
    node: int
    restarts: int
    """How often all of them were started anew."""

    @classmethod
    def here(cls) -> Place | None:
        """As the variables say; None for a lone process."""
        got = os.environ.get
        size = int(got("WORLD_SIZE", "1"))
        if size < 2 or "RANK" not in os.environ or "MASTER_ADDR" not in os.environ:
            return None
        local = int(got("LOCAL_RANK", "0"))
        node, restarts = int(got("GROUP_RANK", "0")), int(got("TORCHELASTIC_RESTART_COUNT", "0"))
        return cls(int(os.environ["RANK"]), size, local, int(got("LOCAL_WORLD_SIZE", "1")), node, restarts)


class Lost(ResourceError):
    """Another process of this training is gone."""


@dataclass
class Group:
    """The processes of one training, as one of them sees them."""

    place: Place
    store: Store
    """What is written in it stays there when all are started anew."""
    asked: StopRequest = field(default_factory=StopRequest)
    """In the leader: takes the name of a signal that another process got."""
    last_words: list[Callable[[GanwrightError], object]] = field(default_factory=list[Callable[[GanwrightError], object]])
    """Called before this process is ended because another one was lost."""
    nearby: Nearby | None = None
    """A quicker way to the others, where all are on one machine."""
    lost: Lost | None = None
    broken: bool = False
    """Whether an exchange has failed, so that there can be no other."""
    _seen: dict[int, tuple[bytes, float]] = field(default_factory=dict[int, tuple[bytes, float]])
    _left: threading.Event = field(default_factory=threading.Event)

    @property
    def tells_of_losses(self) -> bool:
        """Whether this process speaks of lost ones: the leader does, and of a lost leader the next one."""
        return self.place.rank in (LEADER, LEADER + 1)  # the others look at the leader only

    def leave_word(self, name: str, text: str) -> None:
        """Write what all processes can read from now on, those that are started anew too."""
        self.store.set(name, text)

    def word(self, name: str) -> str | None:
        """What was written; None where nothing was."""
        return self.store.get(name).decode() if self.store.check([name]) else None

    def wait_for(self, name: str) -> str:
        """What is written there, as soon as it is.

        Raises:
            Lost: whoever was to write it is lost.
        """
        while (text := self.word(name)) is None:
            if self.lost is not None:
                raise self.lost
            time.sleep(0.05)
        return text

    def ask_to_stop(self, signal_name: str) -> None:
        """Have the leader save and stop, since this process was told to."""
        self.leave_word(self._now("stop"), signal_name)

    def complain(self, error: BaseException) -> None:
        """Leave word of what ends this process; the leader tells it."""
        known = isinstance(error, GanwrightError)
        facts = error.as_dict() if known else {"what": f"{type(error).__name__}: {error}"}
        with contextlib.suppress(RuntimeError):
            self.leave_word(self._now("fault"), json.dumps({"rank": self.place.rank, "host": socket.gethostname(), **facts}))

    def reason(self, error: BaseException) -> BaseException:
        """Why an exchange between processes failed, as far as it can be found out; otherwise the error itself."""
        if not _is_of_an_exchange(error):
            return error
        self.broken = True
        until = time.monotonic() + LAST_WORDS_SECONDS
        while time.monotonic() < until:
            with contextlib.suppress(RuntimeError):
                if (fault := self.word(self._now("fault"))) is not None:
                    return _told(json.loads(fault))
            if self.lost is not None:
                return self.lost
            silent = [rank for rank, (_, since) in self._seen.items() if time.monotonic() - since > 3 * BEAT_SECONDS]
            if silent:
                return self._lost(silent[0], "ended without a word (killed, or out of memory)")
            time.sleep(BEAT_SECONDS / 4)
        return Lost("E-PEER-02", "the exchange between the processes of this training broke off", why=str(error)[:200])

    def watch(self) -> None:
        """Give signs of life, and look for those of the others, in a thread of its own, until `leave`."""
        self.store.set(self._now(f"who/{self.place.rank}"), f"{socket.gethostname()} {os.getpid()}")
        self.store.set(self._now(f"beat/{self.place.rank}"), "0")
        threading.Thread(target=self._watch, name="ganwright-watch", daemon=True).start()

    def leave(self) -> None:
        """No longer look after the others, nor exchange anything with them."""
        self._left.set()
        if self.nearby is not None:
            self.nearby.close()

    def _now(self, name: str) -> str:
        """A key of this start of the processes."""
        return f"{self.place.restarts}/{name}"

    def _watch(self) -> None:
        size, mine, leads = self.place.world_size, self.place.rank, self.place.rank == LEADER
        others = [rank for rank in range(size) if rank != mine] if leads else [LEADER]
        keys = [self._now(f"beat/{rank}") for rank in others]
        patience = float(os.environ.get(SILENCE, SILENCE_SECONDS))
        count, heard = 0, time.monotonic()
        while not self._left.wait(BEAT_SECONDS):
            count += 1
            try:
                self.store.set(self._now(f"beat/{mine}"), str(count))
                beats = self.store.multi_get(keys) if self.store.check(keys) else []
                if leads and (name := self.word(self._now("stop"))) is not None:
                    self.asked.signal_name = self.asked.signal_name or name
            except RuntimeError:  # the store cannot be reached
                beats = []
                if time.monotonic() - heard > patience:
                    self._end(self._lost(None, f"could not be reached for {patience:g} s"))
                    return
            else:
                heard = time.monotonic()
            now = time.monotonic()
            for rank, beat in zip(others, beats, strict=False):
                if rank not in self._seen or self._seen[rank][0] != beat:
                    self._seen[rank] = beat, now
            silent = [rank for rank, (_, since) in self._seen.items() if now - since > patience]
            if silent:
                self._end(self._lost(silent[0], f"gave no sign of life for {patience:g} s"))
                return

    def _lost(self, rank: int | None, how: str) -> Lost:
        who = "the store that all processes meet at" if rank is None else f"rank {rank}"
        with contextlib.suppress(RuntimeError):
            if rank is not None:
                host, pid = (self.word(self._now(f"who/{rank}")) or "unknown 0").split()
                who = f"rank {rank} (host {host}, process {pid})"
        return Lost("E-PEER-01", f"{who} {how}", hints=("ganwright resume goes on from the newest checkpoint",))

    def _end(self, lost: Lost) -> None:
        """End what waits for the lost process: by ending that one where it can be, and otherwise this one."""
        self.lost = lost
        for rank, (_, _) in self._seen.items():
            if f"rank {rank} " in lost.what:
                self._kill(rank)
        if self._left.wait(LAST_WORDS_SECONDS):
            return
        for say in self.last_words:
            with contextlib.suppress(Exception):
                say(lost)
        if self.tells_of_losses:
            print(lost, file=sys.stderr, flush=True)
        os._exit(lost.exit_code)

    def _kill(self, rank: int) -> None:
        with contextlib.suppress(RuntimeError, OSError, ValueError):
            host, pid = (self.word(self._now(f"who/{rank}")) or "").split()
            if host == socket.gethostname():
                os.kill(int(pid), signal.SIGKILL)


_group: Group | None = None


def group() -> Group | None:
    """The processes of which this is one; None for a lone process, and before it has joined."""
    return _group


def join() -> Group | None:
    """Meet the others that were started with this process; None for a lone one. Once joined, stays so.

    Raises:
        ResourceError: they cannot be reached.
    """
    global _group
    place = Place.here()
    if place is None or _group is not None:
        return _group
    if torch.cuda.is_available():
        torch.cuda.set_device(place.local_rank % torch.cuda.device_count())
    try:
        address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
        if not torch.distributed.is_initialized():
            backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
            holds_it = place.rank == LEADER and os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True"
            met = TCPStore(address, port, None, holds_it, timedelta(seconds=MEETING_SECONDS), False, multi_tenant=True)
            # An agent's store still has the addresses of processes that are gone: each start has keys of its own.
            here = PrefixStore(f"start {place.restarts}", met)
            torch.distributed.init_process_group(
                backend, store=here, rank=place.rank, world_size=place.world_size, timeout=LONG
            )
        store = TCPStore(address, port, is_master=False, timeout=timedelta(seconds=30))  # a line of its own to it
    except (RuntimeError, ValueError, KeyError) as error:
        where = f"{os.environ.get('MASTER_ADDR')}:{os.environ.get('MASTER_PORT')}"
        why = str(error).splitlines()[0][:200]
        hints = ("the same --rendezvous HOST:PORT on every machine, which the others can reach",)
        raise ResourceError("E-PEER-03", "the other processes cannot be met", where=where, why=why, hints=hints) from error
    _group = Group(place, PrefixStore("ganwright", store))
    _group.nearby = meet(place.rank, place.world_size, PrefixStore(f"ganwright {place.restarts}", store))
    come_near(_group.nearby)
    _group.watch()
    return _group


def depart() -> None:
    """Leave the others for good; this process is alone again, and can join others."""
    global _group
    if _group is None:
        return
    _group.leave()
    _group = None
    come_near(None)
    torch.distributed.destroy_process_group()


@contextlib.contextmanager
def explained() -> Generator[None]:
    """An exchange that fails meanwhile is told of by its reason."""
    try:
        yield
    except RuntimeError as error:
        if _group is None:
            raise
        reason = _group.reason(error)
        if reason is error:
            raise
        raise reason from None


def _is_of_an_exchange(error: BaseException) -> bool:
    if isinstance(error, torch.distributed.DistError):
        return True
    signs = ("gloo", "onnection closed", "onnection reset", "roken pipe", "NCCL", "ProcessGroup")
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in signs)


def _told(facts: dict[str, object]) -> GanwrightError:
    """What another process has left word of, as an error of the same family."""
    code = facts.get("exit_code", 1)
    kinds = [kind for kind in GanwrightError.__subclasses__() if kind.exit_code == code]
    hints = facts.get("try")
    return (kinds[0] if kinds else GanwrightError)(
        str(facts.get("code", "E-BUG")),
        f"rank {facts['rank']} (host {facts['host']}): {facts['what']}",
        where=str(facts.get("where", "")),
        why=str(facts.get("why", "")),
        hints=tuple(map(str, hints)) if isinstance(hints, list) else (),
    )
