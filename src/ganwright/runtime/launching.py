"""Several processes of one command, started and minded by torch's elastic agent.

On one machine they meet on the loopback interface, where nobody else can reach them. On several they meet at an address that
the user gives, and whoever can reach it could take part: that is said.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import tempfile
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from torch._C._distributed_c10d import PrefixStore, TCPStore
from torch.distributed.elastic.multiprocessing.api import DefaultLogsSpecs, SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError, ProcessFailure
from torch.distributed.elastic.rendezvous import (
    RendezvousError,
    RendezvousHandler,
    RendezvousInfo,
    RendezvousParameters,
    RendezvousStoreInfo,
    rendezvous_handler_registry,
)
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from ganwright.core.errors import ResourceError, UsageError
from ganwright.runtime.cores import usable_cores
from ganwright.runtime.group import MEETING_SECONDS

HOME = "127.0.0.1"
LOOPBACK, NETWORK = "ganwright-loopback", "ganwright-network"
PREEMPTED, INTERRUPTED = 75, 130
CLOSING_SECONDS = 600
"""That processes which were told to stop get for their last save and look."""


class LoopbackRendezvous(RendezvousHandler):
    """Where the processes of one machine meet: a store that listens on the loopback interface alone."""

    def __init__(self, run_id: str) -> None:
        self._server, port = loopback_store()
        self._run_id, self._round, self._place = run_id, 0, RendezvousStoreInfo(HOME, port)

    @property
    def use_agent_store(self) -> bool:
        """The processes use the store, too."""
        return True

    def get_backend(self) -> str:
        """The name that it is registered by."""
        return LOOPBACK

    def next_rendezvous(self) -> RendezvousInfo:
        """The only machine there is, again."""
        self._round += 1
        store = PrefixStore(f"agent {self._round}", self._server)
        return RendezvousInfo(store, 0, 1, self._place)

    def is_closed(self) -> bool:
        """Never: it goes with this process."""
        return False

    def set_closed(self) -> None:
        """It need not be."""

    def num_nodes_waiting(self) -> int:
        """No other machine can come."""
        return 0

    def get_run_id(self) -> str:
        """As it was given."""
        return self._run_id

    def shutdown(self) -> bool:
        """Nothing has to be told to anybody."""
        return True


def loopback_store() -> tuple[TCPStore, int]:
    """A store that no other machine can reach, and its port."""
    listening = socket.create_server((HOME, 0))
    port = int(listening.getsockname()[1])
    patience = timedelta(seconds=MEETING_SECONDS)
    return TCPStore(HOME, port, None, True, patience, False, master_listen_fd=listening.detach()), port


def _loopback(parameters: RendezvousParameters) -> RendezvousHandler:
    return LoopbackRendezvous(parameters.run_id)


def _network(parameters: RendezvousParameters) -> RendezvousHandler:
    """torch's own, which is not asked what nobody needs to know: over a dead line each question waits for a minute.

    A machine that comes back is known by its processes, whose loss has ended those of the others.
    """
    parameters.backend = "c10d"
    handler = rendezvous_handler_registry.create_handler(parameters)
    handler.num_nodes_waiting = lambda: 0
    handler.shutdown = lambda: True
    return handler


def launch(
    arguments: Sequence[str],
    processes: int,
    nodes: int = 1,
    rendezvous: str = "",
    max_restarts: int = 0,
    say: Callable[[str], object] = lambda text: None,
    program: Sequence[str] = ("-m", "ganwright"),
) -> int:
    """Run `python PROGRAM ARGUMENTS` in so many processes on this machine, and on others that do likewise.

    Args:
        processes: on this machine.
        nodes: machines in all.
        rendezvous: HOST:PORT of the machine where they meet, which listens there; needed for several.
        max_restarts: how often all are started anew when one of them dies.
        say: what is told beside what the processes tell.

    Returns: the exit code of the command.

    Raises:
        UsageError: several machines and no address.
        ResourceError: they do not come together.
    """
    _check(processes, nodes, rendezvous)
    logging.getLogger("torch.distributed").setLevel(logging.CRITICAL)  # what happened is told once, by us
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, usable_cores() // processes)))
    if LOOPBACK not in rendezvous_handler_registry._registry:
        rendezvous_handler_registry.register(LOOPBACK, _loopback)
        rendezvous_handler_registry.register(NETWORK, _network)
    if nodes == 1:
        for name in ("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME"):
            os.environ.setdefault(name, loopback_interface())
    else:
        say(f"whoever reaches {rendezvous} can take part in this training: let only these machines reach it")
    # Left to itself torch goes by names, and many a machine has a name that leads to its loopback interface.
    mine, is_here = _own_address(rendezvous) if nodes > 1 else (HOME, True)
    with tempfile.TemporaryDirectory(prefix="ganwright-launch-") as folder:
        config = LaunchConfig(
            min_nodes=nodes,
            max_nodes=nodes,
            nproc_per_node=processes,
            run_id=uuid.uuid4().hex if nodes == 1 else "ganwright",
            rdzv_backend=LOOPBACK if nodes == 1 else NETWORK,
            rdzv_endpoint=rendezvous,
            rdzv_configs={} if nodes == 1 else {"join_timeout": MEETING_SECONDS, "is_host": is_here},
            local_addr=mine if nodes > 1 else None,
            max_restarts=max_restarts,
            monitor_interval=0.1,
            logs_specs=DefaultLogsSpecs(folder),
            shutdown_timeout=CLOSING_SECONDS,
        )
        try:
            elastic_launch(config, sys.executable)(*program, *arguments)
        except ChildFailedError as error:
            return _code_of(error.failures, say)
        except SignalException as error:
            return INTERRUPTED if error.sigval == signal.SIGINT else PREEMPTED
        except (RendezvousError, OSError, RuntimeError, ValueError) as error:
            hints = ("the same --rendezvous HOST:PORT on every machine; HOST is one of them, and PORT is free there",)
            why = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            what = "the machines of this training do not come together"
            raise ResourceError("E-PEER-03", what, where=rendezvous, why=why, hints=hints) from error
    return 0


def _check(processes: int, nodes: int, rendezvous: str) -> None:
    if processes < 1 or nodes < 1:
        raise UsageError("E-PEER-04", "--processes and --nodes must be at least 1")
    if nodes == 1:
        return
    host, _, port = rendezvous.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        hints = ("--rendezvous HOST:29500, HOST being one of the machines", "ganwright train ... on each of them")
        raise UsageError("E-PEER-04", f"{nodes} machines need to know where to meet", where=rendezvous, hints=hints)
    try:
        socket.getaddrinfo(host, int(port))
    except OSError as error:
        raise ResourceError("E-PEER-03", f"there is no host {host!r}", where=rendezvous, why=str(error)) from None


def _own_address(rendezvous: str) -> tuple[str, bool]:
    """The address by which this machine is reached by those that meet there, and whether it is the one that they meet at."""
    host, _, port = rendezvous.rpartition(":")
    family, _, _, _, there = socket.getaddrinfo(host, int(port), type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect(there)  # nothing is sent: it only finds the way
        mine = str(probe.getsockname()[0])
    return mine, mine == there[0]


def _code_of(failures: Mapping[int, ProcessFailure], say: Callable[[str], object]) -> int:
    """The exit code of the command; where all processes here were killed, and none could tell, that is told."""
    codes = {rank: failure.exitcode for rank, failure in sorted(failures.items())}
    told = [code for code in codes.values() if code > 0]
    if told:
        return told[0]
    for rank, code in codes.items():
        say(f"rank {rank} was killed ({signal.Signals(-code).name}); ganwright resume goes on from the newest checkpoint")
    return ResourceError.exit_code


def loopback_interface() -> str:
    """The name of the network interface that leads nowhere else."""
    names = [name for _, name in socket.if_nameindex()]
    return next((name for name in ("lo", "lo0") if name in names), names[0])
