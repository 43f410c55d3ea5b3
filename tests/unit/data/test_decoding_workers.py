"""Children that decode pictures: alive, dying, hanging, orphaned."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from io import BytesIO

import pytest
from PIL import Image

from ganwright.data import decoding_workers
from ganwright.data.decoding_protocol import read_answers, write_answers
from ganwright.data.decoding_workers import DecodingWorkers

PROBE = {"do": "probe"}
# A child that answers each picture by what its bytes say.
PUPPET = """
import os, sys, time
from ganwright.data.decoding_protocol import *
sys.stdout.buffer.write(READY); sys.stdout.buffer.flush()
while (request := read_request(sys.stdin.buffer)) is not None:
    for content, name in request[1]:
        if content == b"die": os._exit(1)
        if content == b"hang": time.sleep(60)
        write_answers(sys.stdout.buffer, [({"pid": os.getpid(), "name": name}, content)])
    sys.stdout.buffer.flush()
"""


def png() -> bytes:
    stream = BytesIO()
    Image.new("RGB", (9, 7)).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def puppets() -> Iterator[DecodingWorkers]:
    workers = DecodingWorkers(most=2, file_seconds=1.0, command=[sys.executable, "-c", PUPPET])
    yield workers
    workers.close()


def test_answers_come_in_order_from_several_children(puppets: DecodingWorkers) -> None:
    pictures = [(f"{i}".encode(), f"{i}.png") for i in range(500)]
    answers = puppets.run(PROBE, pictures)
    assert [answer.content for answer in answers] == [content for content, _ in pictures]
    assert len({answer.facts["pid"] for answer in answers}) == 2


def test_a_child_that_dies_costs_one_picture(puppets: DecodingWorkers) -> None:
    pictures = [(b"die" if i in (3, 40, 41) else b"ok", "x") for i in range(90)]
    faults = [answer.fault for answer in puppets.run(PROBE, pictures)]
    assert [i for i, fault in enumerate(faults) if fault] == [3, 40, 41]
    assert faults[3] == "needs too much memory"


def test_a_child_that_hangs_costs_one_picture(puppets: DecodingWorkers) -> None:
    faults = [answer.fault for answer in puppets.run(PROBE, [(b"ok", "x"), (b"hang", "x"), (b"ok", "x")])]
    assert faults == ["", "takes too long to decode", ""]


def test_answers_are_sent_some_at_a_time() -> None:
    said = [({"n": i}, bytes([i]) * i) for i in range(5)]
    sent = BytesIO()
    write_answers(sent, said[:3])
    write_answers(sent, said[3:])
    sent.seek(0)
    assert [read_answers(sent), read_answers(sent), read_answers(sent)] == [said[:3], said[3:], []]
    for end in (1, 20, len(sent.getvalue()) - 1):
        cut = BytesIO(sent.getvalue()[:end])
        read_answers(cut)
        assert read_answers(cut) == [], "what is not whole is not there"


def test_large_pictures_are_sent_before_all_of_a_batch_are_decoded() -> None:
    """Or a child would hold thirty-two of them at once."""
    large = BytesIO()
    Image.new("RGB", (2048, 2048)).save(large, "PNG")
    policy = {"height": 2048, "width": 2048, "channels": 3}
    workers = DecodingWorkers(most=1, memory_bytes=400 << 20)
    try:
        answers = workers.run({"do": "decode", "policy": policy}, [(large.getvalue(), "a.png")] * 40)
        assert {(answer.fault, len(answer.content)) for answer in answers} == {("", 12 << 20)}
    finally:
        workers.close()


def test_nothing_to_do_starts_nothing() -> None:
    workers = DecodingWorkers(command=["/nowhere"])
    assert workers.run(PROBE, []) == []


def test_children_that_cannot_start_are_a_bug_and_not_a_skipped_picture() -> None:
    workers = DecodingWorkers(command=[sys.executable, "-c", "pass"])
    with pytest.raises(RuntimeError, match="does not start"):
        workers.run(PROBE, [(b"", "x")])


def test_idle_children_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding_workers, "IDLE_SECONDS", 0.1)
    workers = DecodingWorkers(most=1, command=[sys.executable, "-c", PUPPET])
    pid = workers.run(PROBE, [(b"a", "a")])[0].facts["pid"]
    assert gone(int(pid))
    assert workers.run(PROBE, [(b"a", "a")])[0].content == b"a"
    workers.close()


def test_children_end_with_a_killed_parent() -> None:
    code = (
        "import time\nfrom ganwright.data.decoding_workers import *\n"
        f"w = DecodingWorkers(most=1, command=[{sys.executable!r}, '-c', {PUPPET!r}])\n"
        "print(w.run({'do': 'probe'}, [(b'a', 'a')])[0].facts['pid'], flush=True)\ntime.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert gone(child)


def test_real_children_ignore_ctrl_c_and_odd_modules_in_the_current_folder(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("cwd")
    (folder / "struct.py").write_text("raise SystemExit(9)")
    monkeypatch.chdir(folder)
    workers = DecodingWorkers(most=1)
    try:
        assert workers.run(PROBE, [(png(), "a.png")])[0].facts == {"width": 9, "height": 7, "colour": "colour"}
        child = workers._workers[0]._child
        assert child is not None
        os.kill(child.pid, signal.SIGINT)
        assert workers.run(PROBE, [(png(), "a.png")])[0].fault == ""
        assert workers._workers[0]._child is child
    finally:
        workers.close()


def gone(pid: int) -> bool:
    """Waits until a process is no more, at most 5 s; a zombie counts as gone."""
    for _ in range(100):
        try:
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return True
        except OSError:
            return True
        time.sleep(0.05)
    return False
