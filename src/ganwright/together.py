"""A training by several processes, from its first word to its last: what the leader does besides, and what the others do."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from ganwright.core.config import from_plain, to_plain
from ganwright.core.errors import DataError, GanwrightError, UsageError
from ganwright.data.dataset import Dataset
from ganwright.data.held_out import Split, hold_out
from ganwright.data.preparation import prepare
from ganwright.data.stream import open_stream
from ganwright.model.model import Model
from ganwright.resuming import Half, config_from, data_of
from ganwright.runtime.companions import companions
from ganwright.runtime.device import own_random_state
from ganwright.runtime.distributed import LEADER
from ganwright.runtime.group import Group, Lost, group, join
from ganwright.runtime.interrupt import StopRequest, watched
from ganwright.training import crew
from ganwright.training.config import TrainConfig
from ganwright.training.events import Ended
from ganwright.training.request import Request

RUN, OVER = "run", "over"
"""Words that outlive the processes: the run's folder, and the exit code of a training that is not to be begun again."""
CODES = {"finished": 0, "stopped": 130, "preempted": 75}

Told = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Followed:
    """What a process that followed knows in the end."""

    ended: Ended
    stop_signal: str
    config: TrainConfig
    split: Split
    run: Path | None
    model: Model | None
    """None where there was no time to hand it on."""


def joined() -> Group | None:
    """Join the processes that were started with this one; None for a lone one.

    Raises:
        SystemExit: they were started anew, although their training is over.
    """
    us = join()
    if us is not None and us.place.restarts and (code := us.word(OVER)) is not None:
        raise SystemExit(int(code))
    return us


@contextlib.contextmanager
def company(processes: int | None, halves: tuple[Half, Half], device: str) -> Generator[Group | None]:
    """Those that this process trains with: the ones that were started with it, or so many that are started now.

    Raises:
        UsageError: networks of one's own cannot be handed to processes that know nothing of the program.
    """
    if processes is not None and processes > 1 and any(isinstance(half, nn.Module) for half in halves):
        what = "processes that are started here do not know your own networks"
        hints = ("torchrun --nproc-per-node 2 program.py", "networks as text: Layers([...])")
        raise UsageError("E-PEER-08", what, hints=hints)
    with companions(processes, ("-m", "ganwright.following", device)):
        yield joined()


def begun_run() -> Path | None:
    """The folder of the run that these processes had begun before they were started anew."""
    us = group()
    word = us.word(RUN) if us is not None and us.place.restarts else None
    return None if word is None else Path(word)


def note_run(folder: Path) -> None:
    """If all are started anew, they go on with this run."""
    if (us := group()) is not None:
        us.leave_word(RUN, str(folder.absolute()))


@contextlib.contextmanager
def leading() -> Generator[None]:
    """What the others follow; if it fails, they are let go."""
    us = group()
    if us is None:
        yield
        return
    try:
        yield
    except BaseException as error:
        if not us.broken:
            with contextlib.suppress(Exception):
                crew.end()
        if isinstance(error, GanwrightError) and not isinstance(error, Lost):
            us.leave_word(OVER, str(error.exit_code))
        raise


def hand_over(ended: Ended, signal: str, config: TrainConfig, run: Path | None, model: Model | None) -> None:
    """Let the others go, with what came of it."""
    us = group()
    if us is None:
        return
    content = b""
    if model is not None and ended.ending != "preempted":
        with tempfile.TemporaryDirectory() as folder:
            content = model.save(Path(folder) / "model.safetensors").read_bytes()
    crew.end(content, ended=to_plain(ended), signal=signal, config=to_plain(config), run=str(run) if run else "")
    us.leave_word(OVER, str(CODES[ended.ending]))


def records(request: Request, data: Any, progress: Told | None = None) -> Split:
    """The records of a run, opened as its request says; the leader tells the others to open theirs."""
    options: dict[str, Any] = {} if progress is None else {"progress": progress}
    whole = prepare(data, request.modality, limit=request.limit, as_numbers=request.as_numbers, **options)
    split = hold_out(whole) if request.holdout else Split(whole)
    crew.show_data(request=to_plain(request), fingerprint=whole.fingerprint, folder=str(whole.folder or ""))
    return split


def stream_of(request: Request, data: Any, progress: Told) -> Split:
    """The records of an endless stream, which one process draws from."""
    whole = open_stream(data, request.modality, limit=request.limit, progress=progress)
    return hold_out(whole) if request.holdout else Split(whole)


def follow(us: Group, data: Any, halves: tuple[Half, Half], device: str, handle_signals: bool) -> Followed:
    """Train along until the leader ends it.

    Args:
        data: as the leader has them; None to take them from where it says.
        halves: the user's own networks, which no words can describe.

    Raises:
        DataError: this machine has other records.
        SystemExit: the leader had nothing to train.
    """
    with watched(handle_signals) as stop, own_random_state(device):
        try:
            return _follow(us, data, halves, device, stop)
        except Lost as error:
            if us.tells_of_losses:  # the leader can say nothing any more
                print(error, file=sys.stderr, flush=True)
            raise
        except Exception as error:
            us.complain(error)
            raise


def _follow(us: Group, data: Any, halves: tuple[Half, Half], device: str, stop: StopRequest) -> Followed:
    if not any(isinstance(each, nn.Module) for each in halves):
        halves = None, None  # networks as text are in the leader's config
    seen = crew.see_data()
    if seen is None:
        raise SystemExit(1)
    request = from_plain(Request, seen["request"], "request")
    split = _records_here(us, request, data, seen["folder"])
    if (found := split.train.whole.fingerprint) != seen["fingerprint"]:
        what = f"the data of {split.train.whole.report.place} are not those of rank {LEADER}"
        why = f"fingerprint {found[:12]}, {seen['fingerprint'][:12]} there"
        raise DataError("E-PEER-06", what, why=why, hints=("the same files on every machine", "a shared folder"))

    def config_of(plain: Any) -> TrainConfig:
        return config_from(plain, Path("the leader's config"), halves)

    told = False

    def tell() -> None:
        nonlocal told
        if stop and not told:
            us.ask_to_stop(stop.signal_name)
            told = True

    facts, content = crew.follow(split.train, config_of, tell)
    if "ended" not in facts:
        raise SystemExit(1)
    ended, model = from_plain(Ended, facts["ended"], "ended"), None
    if content:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.safetensors"
            path.write_bytes(content)
            model = Model.load(path, device, generator=halves[0])
    run = Path(facts["run"]) if facts["run"] else None
    return Followed(ended, str(facts["signal"]), config_of(facts["config"]), split, run, model)


def _records_here(us: Group, request: Request, data: Any, folder: str) -> Split:
    """One process of a machine reads the data, the others find what it has packed.

    Args:
        folder: where the leader's lie packed; on its own machine, what it had in memory is found there.
    """
    if data is None and not request.place and folder and Path(folder).is_dir():
        packed = Dataset.open(Path(folder))
        return hold_out(packed) if request.holdout else Split(packed)
    ready = f"{us.place.restarts}/data of node {us.place.node}"
    first = us.place.local_rank == 0
    if us.place.node != 0 and not first:
        us.wait_for(ready)
    split = records(request, data_of(request, data))
    if first:
        us.leave_word(ready, "ready")
    return split
