"""Two machines whose network fails: two network namespaces of this one, joined by a cable that can be pulled."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import faulty_process
import numpy as np
import pytest
from killing import digest

from ganwright.runtime.commit import newest

STEPS = 40
NETWORK = ("--recipe", "mlp", "--set", "network.name=mlp", "--set", "network.generator_widths=[16]", "--batch", "32")
SETTINGS = (*NETWORK, "--seed", "5", "--no-mirror", "--set", "scoring.every_samples=320", "--set", "scoring.samples=60")
PATIENCE_SECONDS = 300.0


def _can_lay_cables() -> bool:
    if os.name != "posix" or not hasattr(os, "geteuid") or os.geteuid() != 0 or not shutil.which("ip"):
        return False
    name = f"gw{uuid.uuid4().hex[:8]}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True).returncode == 0
    if made:
        subprocess.run(["ip", "netns", "del", name], capture_output=True)
    return made


pytestmark = pytest.mark.skipif(not _can_lay_cables(), reason="network namespaces need root and the command ip")


@dataclass
class Machines:
    """Two of them, at 10.77.0.1 and 10.77.0.2."""

    folder: Path
    names: tuple[str, str]

    def network(self, *words: str) -> None:
        """Carry out a command of `ip` or `tc`."""
        subprocess.run(words, check=True, capture_output=True)

    def pull(self) -> None:
        """Pull the cable."""
        self.network("ip", "-n", self.names[0], "link", "set", "cable", "down")

    def plug_in(self) -> None:
        """Put it back."""
        self.network("ip", "-n", self.names[0], "link", "set", "cable", "up")

    def start(self, number: int, *arguments: str, silence_seconds: float = 60.0) -> subprocess.Popen[str]:
        """A command on one of them, carried out together with the other."""
        path = os.pathsep.join([str(Path(faulty_process.__file__).parent), *sys.path])
        environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "NODES": "2"}
        environment |= {"RENDEZVOUS": "10.77.0.1:29555", "GANWRIGHT_CACHE": str(self.folder / f"cache{number}")}
        environment |= {"GANWRIGHT_SILENCE_SECONDS": str(silence_seconds), "GLOO_SOCKET_IFNAME": "cable"}
        inside = ["ip", "netns", "exec", self.names[number]]
        command = [*inside, sys.executable, faulty_process.__file__, "launch", "none", "1", "0", *arguments]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def training(self, run: str, steps: int = STEPS) -> list[str]:
        """The words of `ganwright train`."""
        where = str(self.folder / run)
        return ["train", str(self.folder / "pictures.npy"), "--run", where, "--steps", str(steps), *SETTINGS]


@pytest.fixture
def machines(tmp_path: Path) -> Generator[Machines]:
    mark = uuid.uuid4().hex[:6]
    names = (f"gw-a-{mark}", f"gw-b-{mark}")
    np.save(tmp_path / "pictures.npy", np.random.default_rng(0).integers(0, 256, (300, 8, 8, 1), np.uint8))
    found = Machines(tmp_path, names)
    try:
        for name in names:
            found.network("ip", "netns", "add", name)
            found.network("ip", "-n", name, "link", "set", "lo", "up")
        found.network(
            *("ip", "link", "add", "cable", "netns", names[0], "type", "veth", "peer", "name", "cable", "netns", names[1])
        )
        for number, name in enumerate(names, start=1):
            found.network("ip", "-n", name, "addr", "add", f"10.77.0.{number}/24", "dev", "cable")
            found.network("ip", "-n", name, "link", "set", "cable", "up")
        yield found
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Its exit code, and all that it said."""
    try:
        out, problems = process.communicate(timeout=PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        out, problems = process.communicate()
        pytest.fail(f"it hangs:\n{out}\n{problems}")
    return process.returncode, out + problems


def wait_for_checkpoint(run: Path) -> None:
    """Until there is one."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not (run / "checkpoints" / "latest").exists():
        assert time.monotonic() < until
        time.sleep(0.2)


def test_d5_a_pulled_cable_ends_the_run_in_time_and_it_goes_on_later(machines: Machines) -> None:
    both = [machines.start(number, *machines.training("run", 100_000), silence_seconds=6) for number in (0, 1)]
    wait_for_checkpoint(machines.folder / "run")
    machines.pull()
    began = time.monotonic()
    results = [ended(process) for process in both]
    assert time.monotonic() - began < 90
    assert all(code == 5 for code, _ in results), results
    said = results[0][1] + results[1][1]  # which of them has rank 0 is torch's to say
    assert "no sign of life for 6 s" in said
    assert "rank 1 (host " in said
    found, _ = newest(machines.folder / "run" / "checkpoints")
    assert found is not None
    machines.plug_in()
    step = found.facts["state"]["step"]
    again = [machines.start(number, "resume", str(machines.folder / "run"), "--steps", "5") for number in (0, 1)]
    wait_for_checkpoint(machines.folder / "run")
    results = [ended(process) for process in again]
    assert all(code == 0 for code, _ in results), results
    assert f"from step {step:,}" in results[0][1] + results[1][1]


def test_d6_a_slow_and_lossy_network_changes_nothing_but_the_time(machines: Machines) -> None:
    plain = [machines.start(number, *machines.training("plain")) for number in (0, 1)]
    assert all(ended(process)[0] == 0 for process in plain)
    for name in machines.names:
        netem = ("tc", "-n", name, "qdisc", "add", "dev", "cable", "root", "netem", "delay", "20ms", "loss", "2%")
        if subprocess.run(netem, capture_output=True).returncode:
            pytest.skip("this kernel cannot delay packets (netem)")
    slow = [machines.start(number, *machines.training("slow")) for number in (0, 1)]
    results = [ended(process) for process in slow]
    assert all(code == 0 for code, _ in results), results
    assert digest(machines.folder / "slow") == digest(machines.folder / "plain")
