"""Companions of this process: others on this machine that are started by it and follow it for the time of one training."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Generator, Sequence

import torch

from ganwright.core.errors import UsageError
from ganwright.runtime.cores import usable_cores
from ganwright.runtime.group import depart
from ganwright.runtime.launching import HOME, loopback_interface, loopback_store

CLOSING_SECONDS = 30.0
"""That companions get to leave by themselves."""


@contextlib.contextmanager
def companions(processes: int | None, program: Sequence[str]) -> Generator[None]:
    """Meanwhile this process is the first of so many; the others run `python PROGRAM`. None and 1: it stays alone.

    Raises:
        UsageError: less than one, or this process is one of several already.
    """
    if processes is None or processes == 1:
        yield
        return
    if processes < 1:
        raise UsageError("E-PEER-04", f"processes must be at least 1, not {processes}")
    if "RANK" in os.environ:
        what = "this process was started as one of several already"
        raise UsageError("E-PEER-04", what, hints=("leave processes= out", "or start the program by itself, with python"))
    server, port = loopback_store()
    threads = torch.get_num_threads()
    share = max(1, usable_cores() // processes)
    told = {
        "WORLD_SIZE": str(processes),
        "LOCAL_WORLD_SIZE": str(processes),
        "GROUP_RANK": "0",
        "MASTER_ADDR": HOME,
        "MASTER_PORT": str(port),
        "TORCHELASTIC_USE_AGENT_STORE": "True",
        "GLOO_SOCKET_IFNAME": loopback_interface(),
        "NCCL_SOCKET_IFNAME": loopback_interface(),
        "OMP_NUM_THREADS": str(share),
        "TORCH_CPP_LOG_LEVEL": "ERROR",
        # What this process can import, they can, too.
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    before = {name: os.environ.get(name) for name in (*told, "RANK", "LOCAL_RANK")}
    others: list[subprocess.Popen[bytes]] = []
    try:
        for rank in range(1, processes):
            environment = {**os.environ, **told, "RANK": str(rank), "LOCAL_RANK": str(rank)}
            # In a session of their own they get no Ctrl-C of a terminal: it is for this process, which lets them go.
            started = subprocess.Popen([sys.executable, *program], env=environment, start_new_session=True)
            others.append(started)
        os.environ.update({**told, "RANK": "0", "LOCAL_RANK": "0"})
        torch.set_num_threads(share)
        yield
    finally:
        depart()
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        torch.set_num_threads(threads)
        for each in others:
            with contextlib.suppress(subprocess.TimeoutExpired):
                each.wait(CLOSING_SECONDS)
            each.kill()
            each.wait()
        del server
