"""A command carried out by several processes, one of which something happens to.

`python faulty_process.py launch FAULT PROCESSES RESTARTS ARGUMENTS...` starts them as `ganwright ARGUMENTS` would, and
leaves with its exit code; with NODES and RENDEZVOUS in the environment, on several machines. FAULT is "none" or
RANK:STEP:KIND, and happens in the first start only, or RANK:STEP:KIND@START; several are joined by commas:

    kill   the process is killed before that step        stop   it is stopped, as by a debugger
    term   it alone gets SIGTERM                         data   a record cannot be read
    bug    something unforeseen is raised                save   it is killed while it writes the checkpoint of that step
    sleep  the step takes five seconds                   port   a stranger talks to the store meanwhile

With DRAWS in the environment, every process writes what records it has drawn for each step to the file DRAWS.RANK.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from killing import FILE_EVENTS


def main(arguments: Sequence[str]) -> int:
    """As the docstring of this file says."""
    role, fault, *rest = arguments
    if role == "launch":
        from ganwright.runtime.launching import launch

        processes, restarts = int(rest[0]), int(rest[1])
        nodes, rendezvous = int(os.environ.get("NODES", "1")), os.environ.get("RENDEZVOUS", "")
        program = (str(Path(__file__)), "work", fault)
        return launch(rest[2:], processes, nodes, rendezvous, restarts, lambda text: print(text, file=sys.stderr), program)
    from ganwright.cli.app import run
    from ganwright.training import loop

    loop.CHECKPOINT_SECONDS, loop.CHECKPOINT_SHARE = 0.0, 1e9  # one after every step
    for each in fault.split(",") if fault != "none" else ():
        what, _, start = each.partition("@")
        rank, step, kind = what.split(":")
        if (os.environ["RANK"], os.environ["TORCHELASTIC_RESTART_COUNT"]) == (rank, start or "0"):
            arm(int(step), kind)
    if "DRAWS" in os.environ:
        note_draws(Path(f"{os.environ['DRAWS']}.{os.environ['RANK']}"))
    return run(list(rest))


def arm(step: int, kind: str) -> None:
    """Have this process meet with the fault."""
    from ganwright.training import crew

    if kind == "save":
        die_in_saving(step)
        return
    real = crew.train_step

    def train_step(state: Any, *others: Any) -> Any:
        # Steps that are only timed have no plan of their own: the folder of the run is what tells them apart.
        if state.step == step and others[0].total_samples > 1:
            meet(kind)
        return real(state, *others)

    crew.train_step = train_step


def meet(kind: str) -> None:
    """With the fault."""
    from ganwright.core.errors import DataError

    if kind in ("kill", "stop", "term"):
        os.kill(os.getpid(), {"kill": signal.SIGKILL, "stop": signal.SIGSTOP, "term": signal.SIGTERM}[kind])
    elif kind == "data":
        raise DataError("E-DATA-99", "record 7 cannot be read", where="pictures/7.png")
    elif kind == "bug":
        raise ZeroDivisionError("unforeseen")
    elif kind == "sleep":
        time.sleep(5)
    elif kind == "port":
        for junk in (b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 4096, b""):
            with socket.create_connection((os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])), 5) as line:
                line.sendall(junk)


def note_draws(path: Path) -> None:
    """Write a line of step and records for every draw of the discriminator's turn."""
    from ganwright.data.sampler import Dealt

    real = Dealt.draw

    def draw(self: Any, key: Any, places: Any) -> Any:
        found = real(self, key, places)
        if key.turn == "discriminator":
            with path.open("a", encoding="utf-8") as file:
                file.write(f"{key.step} {' '.join(map(str, found.tolist()))}\n")
        return found

    Dealt.draw = draw


def records_of_passes(draws: Path, processes: int, steps: int) -> list[set[int]]:
    """The records that each pass of so many steps has seen, none where it saw one twice; steps done again drew the same."""
    seen: dict[tuple[int, int], list[int]] = {}
    for rank in range(processes):
        for line in Path(f"{draws}.{rank}").read_text(encoding="utf-8").splitlines():
            step, *records = map(int, line.split())
            assert seen.setdefault((step, rank), records) == records
    passes = (max(step for step, _ in seen) + 1) // steps
    found: list[set[int]] = []
    for number in range(passes):
        records = [record for (step, _), mine in seen.items() if step // steps == number for record in mine]
        found.append(set(records) if len(records) == len(set(records)) else set())
    return found


def die_in_saving(step: int) -> None:
    """At a file event of that checkpoint, when some of it is written."""
    count = 0

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count
        if event in FILE_EVENTS and f"step-{step:010d}" in str(arguments[0]):
            count += 1
            if count == 3:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
