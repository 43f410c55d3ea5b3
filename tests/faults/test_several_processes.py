"""Trainings by two processes, one of which something happens to."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faulty_process
import numpy as np
import pytest
from killing import digest

from ganwright.runtime.commit import newest

STEPS = 30
NETWORK = ("--set", "network.name=mlp", "--set", "network.generator_widths=[16]")
SETTINGS = (*NETWORK, "--seed", "5", "--no-mirror", "--set", "scoring.every_samples=320", "--set", "scoring.samples=60")
PATIENCE_SECONDS = 300.0
"""A command that takes longer hangs."""


@dataclass
class Ended:
    """What became of a command."""

    code: int
    out: str
    problems: str
    seconds: float


@dataclass
class Cluster:
    """Where the processes of a test train."""

    folder: Path

    def command(self, fault: str, *arguments: str, restarts: int = 0, processes: int = 2) -> list[str]:
        """The words of a command that is carried out by several processes."""
        script = [sys.executable, faulty_process.__file__]
        return [*script, "launch", fault, str(processes), str(restarts), *arguments]

    def training(self, run: str, *more: str, batch: int = 32, steps: int = STEPS) -> list[str]:
        """The words of `ganwright train`."""
        words = ["train", str(self.folder / "pictures.npy"), "--run", str(self.folder / run), "--recipe", "mlp", *SETTINGS]
        return [*words, "--batch", str(batch), "--steps", str(steps), *more]

    def environment(self, **more: str) -> dict[str, str]:
        """That the processes see."""
        path = os.pathsep.join([str(Path(faulty_process.__file__).parent), *sys.path])
        cache = str(self.folder / "cache")
        return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "GANWRIGHT_CACHE": cache, **more}

    def run(self, command: list[str], **more: str) -> Ended:
        """Carry it out."""
        began = time.monotonic()
        process = subprocess.Popen(
            command, env=self.environment(**more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            out, problems = process.communicate(timeout=PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGTERM)
            out, problems = process.communicate(timeout=30)
            pytest.fail(f"it hangs:\n{out}\n{problems}")
        return Ended(process.returncode, out, problems, time.monotonic() - began)

    def status(self, run: str) -> dict[str, Any]:
        """What the run's folder says of it."""
        found: dict[str, Any] = json.loads((self.folder / run / "status.json").read_text())
        return found

    def same(self, run: str) -> bool:
        """Whether it ended as the run that nothing happened to."""
        return digest(self.folder / run) == digest(self.folder / "oracle")


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data, and the run of two processes that nothing happened to."""
    folder = tmp_path_factory.mktemp("oracle")
    np.save(folder / "pictures.npy", np.random.default_rng(0).integers(0, 256, (300, 8, 8, 1), np.uint8))
    cluster = Cluster(folder)
    assert cluster.run(cluster.command("none", *cluster.training("oracle"))).code == 0
    return folder


@pytest.fixture
def cluster(oracle: Path) -> Generator[Cluster]:
    yield Cluster(oracle)
    for path in oracle.iterdir():
        if path.name not in ("oracle", "pictures.npy", "cache"):
            shutil.rmtree(path, ignore_errors=True)


def test_d1_a_killed_process_is_named_and_the_run_goes_on_later(cluster: Cluster) -> None:
    ended = cluster.run(cluster.command("1:20:kill", *cluster.training("run")))
    assert ended.code == 5
    assert "rank 1 (host " in ended.problems
    assert ended.problems.count("error[") == 1, ended.problems
    assert "Traceback" not in ended.problems
    assert cluster.status("run")["state"] == "failed"
    again = cluster.run(cluster.command("none", "resume", str(cluster.folder / "run")))
    assert again.code == 0
    assert cluster.same("run")


@pytest.mark.parametrize("fault", ["1:20:kill", "0:20:kill"])
def test_d2_all_start_anew_from_the_newest_checkpoint(fault: str, cluster: Cluster) -> None:
    ended = cluster.run(cluster.command(fault, *cluster.training("run"), restarts=1))
    assert ended.code == 0, ended.problems
    assert "Resume" in ended.out
    assert cluster.same("run")


def test_d3_the_leader_is_killed_while_it_saves(cluster: Cluster) -> None:
    ended = cluster.run(cluster.command("0:20:save", *cluster.training("run"), restarts=1))
    assert ended.code == 0, ended.problems
    assert "from step 19" in ended.out
    assert cluster.same("run")


@pytest.mark.parametrize("rank", [0, 1])
def test_d4_a_process_that_hangs_is_named_and_ended(rank: int, cluster: Cluster) -> None:
    command = cluster.command(f"{rank}:20:stop", *cluster.training("run"))
    ended = cluster.run(command, GANWRIGHT_SILENCE_SECONDS="5")
    assert ended.code == 5
    assert f"rank {rank} (host " in ended.problems
    assert "gave no sign of life for 5 s" in ended.problems
    assert newest(cluster.folder / "run" / "checkpoints")[0] is not None


def test_d4_a_slow_step_is_no_fault(cluster: Cluster) -> None:
    ended = cluster.run(cluster.command("1:20:sleep", *cluster.training("run")), GANWRIGHT_SILENCE_SECONDS="3")
    assert ended.code == 0, ended.problems
    assert cluster.same("run")


def test_d7_of_a_damaged_checkpoint_the_one_before_is_taken_by_all(cluster: Cluster) -> None:
    assert cluster.run(cluster.command("1:20:kill", *cluster.training("run"))).code == 5
    found, _ = newest(cluster.folder / "run" / "checkpoints")
    assert found is not None
    content = bytearray((found.path / "state.safetensors").read_bytes())
    content[-5] ^= 1
    (found.path / "state.safetensors").write_bytes(content)
    ended = cluster.run(cluster.command("none", "resume", str(cluster.folder / "run")))
    assert ended.code == 0
    assert "was put aside" in ended.out + ended.problems
    assert cluster.same("run")


def test_d8_another_number_of_processes_goes_on_and_says_so(cluster: Cluster) -> None:
    assert cluster.run(cluster.command("0:20:kill", *cluster.training("run"))).code == 5
    ended = cluster.run(cluster.command("none", "resume", str(cluster.folder / "run"), processes=1))
    assert ended.code == 0
    assert "processes: 2 then, 1 now" in ended.out + ended.problems
    assert cluster.status("run")["state"] == "finished"


def test_d2_killed_again_and_again_each_pass_sees_every_record_once(cluster: Cluster) -> None:
    data, shards, draws = (cluster.folder / name for name in ("many.npy", "shards", "draws"))
    np.save(data, np.random.default_rng(0).integers(0, 256, (640, 8, 8, 1), np.uint8))
    packing = [sys.executable, "-m", "ganwright", "pack", str(data), "-o", str(shards), "--shards", "4", "--no-holdout"]
    assert cluster.run(packing).code == 0
    words = cluster.training("run", batch=32, steps=60)
    words[1] = str(shards)
    command = cluster.command("1:13:kill,0:31:kill@1", *words, restarts=2)
    ended = cluster.run(command, DRAWS=str(draws))
    assert ended.code == 0, ended.problems
    assert faulty_process.records_of_passes(draws, 2, 640 // 32) == [set(range(640))] * 3


@pytest.mark.parametrize("restarts", [0, 2])
def test_d9_one_process_that_is_told_to_end_has_all_save_and_stop(restarts: int, cluster: Cluster) -> None:
    """It is no fault: nothing starts anew."""
    ended = cluster.run(cluster.command("1:5:term", *cluster.training("run", steps=5000), restarts=restarts))
    assert ended.code == 75, ended.problems
    status = cluster.status("run")
    assert status["state"] == "preempted"
    found, _ = newest(cluster.folder / "run" / "checkpoints")
    assert found is not None
    assert found.facts["state"]["step"] == status["step"] < 5000
    assert "Resume" not in ended.out


@pytest.mark.parametrize(("number", "code", "state"), [(signal.SIGTERM, 75, "preempted"), (signal.SIGINT, 130, "stopped")])
def test_d9_a_launcher_that_is_told_to_end_passes_it_on(number: int, code: int, state: str, cluster: Cluster) -> None:
    command = cluster.command("none", *cluster.training("run", steps=50_000))
    process = subprocess.Popen(
        command, env=cluster.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
    )
    until = time.monotonic() + PATIENCE_SECONDS
    while not (cluster.folder / "run" / "checkpoints" / "latest").exists() and time.monotonic() < until:
        time.sleep(0.2)
    process.send_signal(number)
    out, problems = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == code, out + problems
    assert cluster.status("run")["state"] == state
    assert "Traceback" not in problems


def test_d10_strangers_at_the_store_are_ignored_and_it_listens_to_this_machine_only(cluster: Cluster) -> None:
    ended = cluster.run(cluster.command("1:20:port", *cluster.training("run")))
    assert ended.code == 0, ended.problems
    assert cluster.same("run")


def test_d10_the_store_of_one_machine_listens_on_the_loopback_interface() -> None:
    from ganwright.runtime.launching import LoopbackRendezvous

    store = LoopbackRendezvous("test")
    place = store.next_rendezvous().bootstrap_store_info
    assert place is not None
    port = place.master_port
    with socket.create_connection(("127.0.0.1", port), 5):
        pass
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # nothing is sent; it tells our address on the network
        address = probe.getsockname()[0]
    if address.startswith("127."):
        pytest.skip("this machine has no address but the loopback's")
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((address, port), 5)


@pytest.mark.parametrize(("where", "says"), [("nowhere.invalid:29500", "no host 'nowhere.invalid'"), ("here", "HOST:29500")])
def test_d10_a_bad_meeting_place_is_a_clear_error(where: str, says: str, cluster: Cluster) -> None:
    command = [sys.executable, "-m", "ganwright", *cluster.training("run"), "--nodes", "2", "--rendezvous", where]
    ended = cluster.run(command)
    assert ended.code in (2, 5)
    assert says in ended.problems
    assert "Traceback" not in ended.problems


def test_d11_data_that_cannot_be_shared_evenly_hang_nobody(cluster: Cluster) -> None:
    np.save(cluster.folder / "pictures.npy.few.npy", np.random.default_rng(0).integers(0, 256, (5, 8, 8, 1), np.uint8))
    words = cluster.training("run", "--no-holdout", batch=3)
    words[1] = str(cluster.folder / "pictures.npy.few.npy")
    ended = cluster.run(cluster.command("none", *words))
    assert ended.code == 0, ended.problems
    assert cluster.status("run")["step"] == STEPS


def test_d11_a_batch_of_fewer_records_than_processes_is_refused(cluster: Cluster) -> None:
    ended = cluster.run(cluster.command("none", *cluster.training("run", batch=2), processes=3))
    assert ended.code == 2
    assert "a batch of 2 cannot be shared by 3 processes" in ended.problems
    assert ended.problems.count("error[") == 1


@pytest.mark.parametrize(
    ("kind", "code", "says"), [("data", 3, "record 7 cannot be read"), ("bug", 1, "ZeroDivisionError: unforeseen")]
)
def test_d12_what_happens_to_one_process_is_told_once(kind: str, code: int, says: str, cluster: Cluster) -> None:
    ended = cluster.run(cluster.command(f"1:20:{kind}", *cluster.training("run"), restarts=1 if kind == "data" else 0))
    assert ended.code == code
    assert "rank 1 (host " in ended.problems
    assert says in ended.problems
    assert ended.problems.count("error[") == 1
    assert "Traceback" not in ended.problems
    assert "Resume" not in ended.out, "what is the user's to mend is not tried again"
