"""Child processes that decode files: one per core, so it is fast, and apart, so that no file can harm the program.

Plain subprocesses, not multiprocessing: that would run a user's script a second time where it lacks a `__main__` guard.
"""

from __future__ import annotations

import atexit
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import IO, Any

from ganwright.data.decoding_protocol import READY, read_answers, write_request
from ganwright.runtime.cores import usable_cores

PICTURES = "ganwright.data.picture_decoding"
"""The module that a child runs for pictures."""
MEMORY_BYTES = 2 << 30
"""Of address space per child; the largest picture that is let in needs about half."""
FILE_SECONDS = 30.0
START_SECONDS = 60.0
IDLE_SECONDS = 5.0
MOST_WORKERS = 16
BATCH_FILES = 32
BATCH_BYTES = 16 << 20


@dataclass(frozen=True)
class Answer:
    """What came of one file."""

    fault: str = ""
    """Why it is skipped; empty when it is fine."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    content: bytes = b""
    """Pixels, or the samples of a sound."""


class DecodingWorkers:
    """A pool of children, started when first used and ended when idle.

    A child that dies or takes too long over a file is replaced and that file reported as skipped.
    """

    def __init__(
        self,
        most: int | None = None,
        memory_bytes: int = MEMORY_BYTES,
        file_seconds: float = FILE_SECONDS,
        command: Sequence[str] | None = None,
        module: str = PICTURES,
    ) -> None:
        self.most = most or min(usable_cores(), MOST_WORKERS)
        self._command = list(command or _command(module, memory_bytes))
        self._seconds = file_seconds
        self._workers: list[_Worker] = []
        self._busy = threading.Lock()
        self._last_used = time.monotonic()
        self._watch: threading.Thread | None = None
        self._owner = os.getpid()

    def run(self, task: Mapping[str, Any], files: Sequence[tuple[bytes, str]]) -> list[Answer]:
        """An answer to each (content, name), in order; see `picture_decoding` and `sound_decoding` for the tasks.

        Raises:
            RuntimeError: children cannot be started at all.
        """
        batches = list(_batches(files))
        if not batches:
            return []
        with self._busy:
            free: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
            while len(self._workers) < min(self.most, len(batches)):
                self._workers.append(_Worker(self._command, self._seconds))
            for worker in self._workers:
                free.put(worker)
            self._start_watching()

            def work(batch: Sequence[tuple[bytes, str]]) -> list[Answer]:
                worker = free.get()
                try:
                    return worker.ask(task, batch)
                finally:
                    free.put(worker)

            threads = ThreadPoolExecutor(len(self._workers), thread_name_prefix="decoding")
            try:
                return [answer for answers in threads.map(work, batches) for answer in answers]
            except BaseException:  # Ctrl-C too: nothing may be left running.
                threads.shutdown(wait=False, cancel_futures=True)
                self._end_workers()
                raise
            finally:
                threads.shutdown(wait=True, cancel_futures=True)
                self._last_used = time.monotonic()

    def close(self) -> None:
        """Ends the children; the pool can be used again."""
        if self._owner == os.getpid():  # A forked copy must not end its parent's children.
            with self._busy:
                self._end_workers()

    def _end_workers(self) -> None:
        workers, self._workers = self._workers, []
        for worker in workers:
            worker.end()

    def _start_watching(self) -> None:
        if self._watch is None or not self._watch.is_alive():
            self._watch = threading.Thread(target=self._watch_over, name="decoding-watch", daemon=True)
            self._watch.start()

    def _watch_over(self) -> None:
        """Kills a child that is over its time; ends all when nobody has asked for a while."""
        while True:
            time.sleep(min(0.25, self._seconds / 4))
            for worker in list(self._workers):
                worker.check_time()
            if not self._busy.acquire(blocking=False):
                continue
            try:
                if time.monotonic() - self._last_used > IDLE_SECONDS:
                    self._end_workers()
                    self._watch = None
                    return
            finally:
                self._busy.release()


class _Worker:
    """One child at a time, and the next when it dies. Used by one thread at a time, apart from `check_time` and `end`."""

    def __init__(self, command: Sequence[str], file_seconds: float) -> None:
        self._command = command
        self._seconds = file_seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._deadline = float("inf")
        self._too_late = False
        self._ended = False

    def ask(self, task: Mapping[str, Any], files: Sequence[tuple[bytes, str]]) -> list[Answer]:
        """An answer to each file; of a batch that killed its child, the rest is asked one by one to find the culprit."""
        answers = self._ask_until_it_dies(task, files)
        if len(answers) == len(files):
            return answers
        self._stop_child()
        for file in files[len(answers) :]:
            answer = self._ask_until_it_dies(task, [file])
            if not answer:
                answer = [Answer(fault="takes too long to decode" if self._too_late else "needs too much memory")]
                self._stop_child()
            answers += answer
        return answers

    def check_time(self) -> None:
        """Kills the child if its file is over time; the thread that waits for it then goes on."""
        child = self._child
        if child is not None and time.monotonic() > self._deadline:
            self._too_late = True
            child.kill()

    def end(self) -> None:
        self._ended = True
        self._stop_child()

    def _ask_until_it_dies(self, task: Mapping[str, Any], files: Sequence[tuple[bytes, str]]) -> list[Answer]:
        to_child, from_child = self._streams()
        answers: list[Answer] = []
        self._too_late = False
        try:
            # Answers come together, so a batch has the time of one file; a good one needs a small part of it.
            self._deadline = time.monotonic() + self._seconds
            write_request(to_child, task, files)
            while len(answers) < len(files) and (found := read_answers(from_child)):
                answers += [Answer(facts.pop("fault", ""), facts, content) for facts, content in found]
        except (OSError, ValueError):  # A broken pipe, or one closed by `end`.
            pass
        finally:
            self._deadline = float("inf")
        return answers

    def _streams(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._ended:
            raise RuntimeError("the decoders were ended")
        if self._child is None:
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
            self._child = subprocess.Popen(self._command, env=_environment(), **pipes)  # type: ignore[call-overload]
            self._deadline = time.monotonic() + START_SECONDS
            assert self._child is not None
            assert self._child.stdout is not None
            if self._child.stdout.read(len(READY)) != READY:
                self._stop_child()
                raise RuntimeError(f"a decoder does not start: {' '.join(self._command)}")
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        return self._child.stdin, self._child.stdout

    def _stop_child(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for stream in (child.stdin, child.stdout):
            try:
                if stream is not None:
                    stream.close()
            except OSError:
                pass  # What was still to be written to a dead child.


def _batches(files: Sequence[tuple[bytes, str]]) -> Iterable[Sequence[tuple[bytes, str]]]:
    start, size = 0, 0
    for i, (content, _) in enumerate(files):
        if i > start and (i - start >= BATCH_FILES or size + len(content) > BATCH_BYTES):
            yield files[start:i]
            start, size = i, 0
        size += len(content)
    if start < len(files):
        yield files[start:]


def _command(module: str, memory_bytes: int) -> list[str]:
    # -P: a file in the current folder that is named like a module must not be taken for it.
    return [sys.executable, "-P", "-m", module, str(memory_bytes)]


def _environment() -> dict[str, str]:
    """The child finds what this process finds; numpy's helpers, which would reserve memory, are not started."""
    paths = os.pathsep.join(path for path in sys.path if path)
    return {**os.environ, "PYTHONPATH": paths, "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


_shared: dict[str, DecodingWorkers] = {}
_shared_lock = threading.Lock()


def shared_workers(module: str = PICTURES) -> DecodingWorkers:
    """The pool that all of this process uses for what `module` decodes; a forked process gets its own."""
    with _shared_lock:
        workers = _shared.get(module)
        if workers is None or workers._owner != os.getpid():
            workers = _shared[module] = DecodingWorkers(module=module)
            atexit.register(workers.close)
        return workers
