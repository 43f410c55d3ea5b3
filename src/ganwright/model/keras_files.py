"""Files of Keras, `.keras` and `.h5`, read by a child process: no damaged file can take the program down or hold it up."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NoReturn

import numpy as np

from ganwright.core.errors import ModelFileError, UsageError
from ganwright.core.strict_json import strict_json
from ganwright.core.text import printable
from ganwright.data.decoding_protocol import read_answers, write_request
from ganwright.model.keras_reading import refusal

MEMORY_BYTES = 2 << 30
"""Of the child's address space, beside three times the file's size."""
SECONDS = 30.0
"""Of one request, beside what the file's size takes."""
BYTES_A_SECOND = 5 << 20


class KerasFile:
    """An open file of Keras; every method may raise ModelFileError: the file is damaged, or is not what Keras writes."""

    def __init__(self, path: Path, command: Sequence[str] = ()) -> None:
        """Start reading it.

        Args:
            command: another child, for tests.
        """
        self.refuse = refusal(path)
        bytes_there = path.stat().st_size
        self._seconds = SECONDS + bytes_there / BYTES_A_SECOND
        # -P: a file in the current folder that is named like a module must not be taken for it.
        own = [sys.executable, "-P", "-m", "ganwright.model.keras_reading", str(path), str(MEMORY_BYTES + 3 * bytes_there)]
        paths = os.pathsep.join(path for path in sys.path if path)
        one = dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"), "1")
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self._child = subprocess.Popen(command or own, env={**os.environ, "PYTHONPATH": paths, **one}, **pipes)
        try:
            facts, definition = self._ask(do="open")
            self.version: str = facts["version"]
            """Of the Keras that wrote it, as the file has it; may be empty."""
            self.legacy: bool = facts["legacy"]
            """Whether it is a `.h5` file, whose weights go by the layers' names."""
            self.size: int = facts["size"]
            """Bytes of what holds the weights."""
            try:
                self.definition: Any = strict_json(definition.decode("utf-8"))
                """The value of its JSON."""
            except (ValueError, RecursionError) as error:
                self.refuse(f"its definition is not valid JSON ({error})")
        except BaseException:
            self.close()
            raise

    def weight_names(self, layer: str) -> list[str]:
        """The names that a `.h5` file has for the weights of a layer or a model of the outermost one; [] for none."""
        return self._ask(do="names", layer=layer)[0]["names"]

    def children(self, path: Sequence[str]) -> list[str]:
        """The names in a group; [] where there is none."""
        return self._ask(do="children", path=path)[0]["names"]

    def check(self, path: Sequence[str], shape: tuple[int, ...]) -> int:
        """Bytes of the dataset at `path`, once it is known to lie in this file as plain floats of that shape."""
        return self._ask(do="check", path=path, shape=shape)[0]["bytes"]

    def read(self, path: Sequence[str], shape: tuple[int, ...]) -> np.ndarray:
        """The finite values of the dataset at `path`, float32; it is checked before."""
        content = self._ask(do="read", path=path, shape=shape)[1]
        return np.frombuffer(bytearray(content), np.float32).reshape(shape)

    def close(self) -> None:
        """End the child."""
        self._child.kill()
        self._child.wait()
        for stream in (self._child.stdin, self._child.stdout):
            try:
                if stream is not None:
                    stream.close()
            except OSError:
                pass  # what was still to be written to a dead child

    def _ask(self, **task: Any) -> tuple[dict[str, Any], bytes]:
        """An answer of the child, or the error that it tells of or that its end is."""
        late = threading.Event()

        def end() -> None:
            late.set()
            self._child.kill()

        watch = threading.Timer(self._seconds, end)
        watch.start()
        try:
            answer = self._exchange(task)
        finally:
            watch.cancel()
        if answer is None:
            self.refuse("it takes too long to read: it is damaged" if late.is_set() else "the HDF5 library gave up on it")
        if "error" in answer[0]:
            self._tell(answer[0]["error"])
        return answer

    def _exchange(self, task: dict[str, Any]) -> tuple[dict[str, Any], bytes] | None:
        stdin: IO[bytes] | None = self._child.stdin
        stdout: IO[bytes] | None = self._child.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            write_request(stdin, task, [])
            return next(iter(read_answers(stdout)), None)
        except (OSError, ValueError):  # a pipe that its death broke
            return None

    def _tell(self, error: dict[str, Any]) -> NoReturn:
        if "code" not in error:
            self.refuse(error["why"])
        raise ModelFileError(error["code"], error["what"], why=error["why"], hints=tuple(error["try"]))


@contextmanager
def open_keras(path: Path) -> Generator[KerasFile]:
    """The file at `path`, whatever it is called: a `.keras` archive or a `.h5` file of `model.save`.

    Raises:
        ModelFileError: it is no such file, is damaged, or is not what Keras writes.
        UsageError: h5py is not installed.
    """
    if (path / "saved_model.pb").is_file():
        hints = (
            f'where TensorFlow is: tf.keras.models.load_model({str(path)!r}).save("generator.h5")',
            "then: ganwright import generator.h5",
        )
        what = f"{printable(str(path))} is a TensorFlow SavedModel, which holds a program"
        raise ModelFileError("E-MODEL-11", what, why="it was not opened", hints=hints)
    if not path.is_file():
        refusal(path)("there is no such file", hint="a .keras or .h5 file of Keras's model.save")
    if importlib.util.find_spec("h5py") is None:
        hints = ("pip install 'ganwright[keras]'",)
        raise UsageError("E-IMPORT-01", "reading files of Keras needs the package h5py", hints=hints)
    file = KerasFile(path)
    try:
        yield file
    finally:
        file.close()
