"""What a child process does that reads a file of Keras, `.keras` or `.h5`, which may come from a stranger.

The definition is JSON, the weights are HDF5 datasets. Nothing is read before its size is known to fit: a dataset is opened
along hard links only, and read when it lies in the file itself, unfiltered, as large as the network wants it. Even so the
HDF5 library can be made to turn in circles for ever, which is why this runs apart; see `keras_files` for the other side.
"""

from __future__ import annotations

import io
import math
import os
import signal
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, NoReturn

import numpy as np

from ganwright.core.errors import ModelFileError
from ganwright.core.strict_json import strict_json
from ganwright.core.text import printable
from ganwright.data.decoding_protocol import read_request, write_answers

MAX_DEFINITION_BYTES = 16 << 20
MAX_WEIGHTS_BYTES = 64 << 30
MAX_RATIO = 20
"""How much smaller the weights may have been made by the zip archive, which Keras does not do at all."""
MAX_MEMBERS = 1000
MAX_DIRECTORY_BYTES = 1 << 20
MAX_NAMES = 10_000
"""Weights of one layer or model."""
MAX_NAMES_BYTES = 4 << 20
MAX_PARTS = 100

HDF5, ZIP = b"\x89HDF\r\n\x1a\n", b"PK\x03\x04"
DEFINITION, FACTS, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_DAMAGE = (OSError, RuntimeError, ValueError, KeyError, TypeError, AttributeError, OverflowError, IndexError)
"""What h5py raises for a damaged file."""
_ZIP_DAMAGE = (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, *_DAMAGE)


@dataclass(frozen=True)
class Opened:
    """An open file of Keras."""

    definition: str
    """JSON."""
    version: str
    """Of the Keras that wrote it, as the file has it; may be empty."""
    legacy: bool
    """Whether it is a `.h5` file, whose weights go by the layers' names."""
    weights: WeightFile


@contextmanager
def open_keras(path: Path) -> Generator[Opened]:
    """The file at `path`, whatever it is called: a `.keras` archive or a `.h5` file of `model.save`.

    Raises:
        ModelFileError: it is no such file, is damaged, or is not what Keras writes.
    """
    refuse = refusal(path)
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        refuse(error.strerror or str(error))
    import h5py

    if start[:4] == ZIP:
        definition, version, weights = _read_archive(path, refuse)
        with _opened(h5py, weights, refuse) as file:
            yield Opened(definition, version, False, WeightFile(file, len(weights.getvalue()), path))
    elif start == HDF5:
        with _opened(h5py, path, refuse) as file:
            found = WeightFile(file, path.stat().st_size, path)
            text = found.text("model_config")
            if text is None:
                why = "it holds weights without the network that they belong to"
                refuse(why, hint="save the whole model: model.save('generator.h5'), not save_weights")
            if found.text("backend") in ("theano", "cntk"):
                refuse("it was made with Theano or CNTK, whose kernels are turned")
            yield Opened(text, found.text("keras_version") or "", True, found)
    else:
        refuse("it is neither a .keras archive nor an HDF5 file", hint=".keras and .h5 files of Keras's model.save")


def refusal(path: Path) -> Callable[..., NoReturn]:
    """A function that raises the error for a file that cannot be read, with the reason and perhaps a hint."""

    def refuse(why: str, hint: str = "save it again with Keras, or convert the original") -> NoReturn:
        what = f"{printable(str(path))} is not a usable Keras file"
        raise ModelFileError("E-MODEL-10", what, why=printable(why), hints=(printable(hint),))

    return refuse


@contextmanager
def _opened(h5py: Any, place: Path | BinaryIO, refuse: Callable[..., NoReturn]) -> Generator[Any]:
    try:
        file = h5py.File(place, "r", locking=False) if isinstance(place, Path) else h5py.File(place, "r")
    except _DAMAGE as error:
        refuse(f"HDF5 cannot read it ({_first_line(error)})")
    try:
        yield file
    finally:
        file.close()


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def _read_archive(path: Path, refuse: Callable[..., NoReturn]) -> tuple[str, str, io.BytesIO]:
    """(definition, version, weights) of a `.keras` archive; every size is capped by what the archive says and while
    reading."""
    try:
        with path.open("rb") as file:
            _check_directory(file, refuse)
            file.seek(0)
            with zipfile.ZipFile(file) as archive:
                members = _members(archive, refuse)
                definition = _member(archive, members, DEFINITION, MAX_DEFINITION_BYTES, refuse)
                facts = _member(archive, members, FACTS, MAX_DEFINITION_BYTES, refuse) if FACTS in members else b"{}"
                if WEIGHTS in members:
                    ratio = members[WEIGHTS].file_size / max(members[WEIGHTS].compress_size, 1)
                    if ratio > MAX_RATIO:
                        refuse(f"its weights claim to be {ratio:,.0f} times as large as they are in the archive")
                weights = _member(archive, members, WEIGHTS, MAX_WEIGHTS_BYTES, refuse)
    except ModelFileError:
        raise
    except _ZIP_DAMAGE as error:
        refuse(f"the archive is damaged ({_first_line(error)})")
    try:
        texts = definition.decode("utf-8"), facts.decode("utf-8")
    except UnicodeDecodeError:
        refuse("its definition is not text")
    try:
        found = strict_json(texts[1])
    except (ValueError, RecursionError):
        found = None  # it only tells the version
    version = found.get("keras_version") if isinstance(found, dict) else ""
    return texts[0], str(version or "")[:40], io.BytesIO(weights)


def _check_directory(file: BinaryIO, refuse: Callable[..., NoReturn]) -> None:
    """Refuse a list of members that zipfile would take minutes and gigabytes for."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(size - 22 - 65_536 - 20, 0))
    tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) < end + 22:
        refuse("the archive is cut off: it has no list of members")
    count, length = struct.unpack("<HL", tail[end + 10 : end + 16])
    if count > MAX_MEMBERS or length > MAX_DIRECTORY_BYTES or tail[max(end - 20, 0) : end].startswith(b"PK\x06\x07"):
        refuse(f"the archive lists more than {MAX_MEMBERS} members")


def _members(archive: zipfile.ZipFile, refuse: Callable[..., NoReturn]) -> dict[str, zipfile.ZipInfo]:
    members: dict[str, zipfile.ZipInfo] = {}
    for member in archive.infolist():
        name = member.filename
        if name in members:
            refuse(f"its member {name[:60]!r} is there twice")
        if ".." in name.replace("\\", "/").split("/") or name.startswith(("/", "\\")):
            refuse(f"its member {name[:60]!r} would lie outside of it")
        members[name] = member
    return members


def _member(
    archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], name: str, limit: int, refuse: Callable[..., NoReturn]
) -> bytes:
    if name not in members:
        refuse(f"it has no {name}")
    size = members[name].file_size
    if size > limit:
        refuse(f"its {name} claims {size:,} bytes, at most {limit:,} are read")
    with archive.open(members[name]) as file:
        content = file.read(size + 1)
    if len(content) != size:
        refuse(f"its {name} is not as long as it claims")
    return content


class WeightFile:
    """The datasets and attributes of an open HDF5 file."""

    def __init__(self, file: Any, size: int, path: Path) -> None:
        self._file = file
        self._path = path
        self.size = size
        """Bytes."""
        self.refuse = refusal(path)

    def text(self, name: str) -> str | None:
        """An attribute of the whole file as text; None where there is none.

        Raises:
            ModelFileError: it is no text, or too long.
        """
        found = self._attribute(self._file, name, MAX_DEFINITION_BYTES)
        return None if found is None else found[0] if len(found) == 1 else self.refuse(f"its {name} is no text")

    def weight_names(self, layer: str) -> list[str]:
        """The names that a `.h5` file has for the weights of a layer or a model of the outermost one; [] for none.

        Raises:
            ModelFileError: they are not what Keras writes.
        """
        group = self._group(("model_weights", *layer.split("/")))
        if group is None:
            return []
        names = self._attribute(group, "weight_names", MAX_NAMES_BYTES)
        for number in range(MAX_PARTS if names is None else 0):  # in parts, where they are too many for one attribute
            part = self._attribute(group, f"weight_names{number}", MAX_NAMES_BYTES)
            if not part:
                break
            names = [*(names or []), *part]
        return names or []

    def children(self, path: Sequence[str]) -> list[str]:
        """The names in a group; [] where there is none.

        Raises:
            ModelFileError: there are absurdly many.
        """
        try:
            group = self._group(path)
            if group is None:
                return []
            if len(group) > MAX_NAMES:
                self.refuse(f"{'/'.join(path)} holds {len(group):,} things")
            return [str(name) for name in group]
        except ModelFileError:
            raise
        except _DAMAGE as error:
            self._damaged(path, error)

    def check(self, path: Sequence[str], shape: tuple[int, ...]) -> int:
        """Bytes of the dataset at `path`, once it is known to lie in this file as plain floats of that shape.

        Raises:
            ModelFileError: it does not.
        """
        name = printable("/".join(path))
        try:
            dataset = self._dataset(path)
            if dataset is None:
                self.refuse(f"the weight {name} is missing")
            if tuple(dataset.shape or ()) != shape or dataset.shape is None:
                found = "none" if dataset.shape is None else "×".join(map(str, dataset.shape))
                self.refuse(f"the weight {name} has the shape {found or '()'}, its layer takes {'×'.join(map(str, shape))}")
            kind, bytes_each = dataset.dtype, dataset.id.get_type().get_size()
            if kind.kind != "f" or kind.itemsize not in (2, 4, 8) or kind.itemsize != bytes_each:
                self.refuse(f"the weight {name} is of the type {kind}, not of floats")
            plan = dataset.id.get_create_plist()
            if dataset.is_virtual or dataset.external:
                self.refuse(f"the weight {name} lies in another file")
            if dataset.chunks is not None or plan.get_nfilters():
                self.refuse(f"the weight {name} is stored in compressed or separate pieces, as Keras never does")
            wanted = math.prod(shape) * kind.itemsize
            # Storage that was never written takes no place in the file, and any amount in memory.
            if dataset.id.get_storage_size() != wanted or wanted > self.size:
                self.refuse(f"the weight {name} has not the {wanted:,} bytes that it claims")
        except ModelFileError:
            raise
        except _DAMAGE as error:
            self._damaged(path, error)
        return wanted

    def read(self, path: Sequence[str], shape: tuple[int, ...]) -> np.ndarray:
        """The values of a dataset that `check` has passed, float32.

        Raises:
            ModelFileError: it cannot be read, or some are not finite as float32.
        """
        self.check(path, shape)
        try:
            with np.errstate(over="ignore"):
                values = np.asarray(self._dataset(path)[()]).astype(np.float32)
        except _DAMAGE as error:
            self._damaged(path, error)
        if not np.isfinite(values).all():
            what = f"{printable(str(self._path))}: {printable('/'.join(path))} holds values that are not finite numbers"
            raise ModelFileError("E-MODEL-03", what, hints=("its training failed; save an earlier state",))
        return values

    def _damaged(self, path: Sequence[str], error: BaseException) -> NoReturn:
        self.refuse(f"HDF5 cannot read {printable('/'.join(path))} ({_first_line(error)})")

    def _step(self, group: Any, name: str, kind: str) -> Any:
        """What `name` is in a group: a group or a dataset in this file itself; None where there is nothing."""
        import h5py

        if name in ("", ".", ".."):
            self.refuse(f"it has a {kind} without a name")
        link = group.get(name, getlink=True) if group.id.links.exists(name.encode("utf-8")) else None
        if link is None:
            return None
        if not isinstance(link, h5py.HardLink):
            self.refuse(f"{printable(name)} is a link to elsewhere")
        found = group[name]
        if not isinstance(found, h5py.Group if kind == "group" else h5py.Dataset):
            self.refuse(f"{printable(name)} is not a {kind}")
        return found

    def _group(self, path: Sequence[str]) -> Any:
        group = self._file
        try:
            for name in path:
                group = self._step(group, name, "group") if group is not None else None
        except ModelFileError:
            raise
        except _DAMAGE as error:
            self._damaged(path, error)
        return group

    def _dataset(self, path: Sequence[str]) -> Any:
        group = self._group(path[:-1])
        return None if group is None else self._step(group, path[-1], "dataset")

    def _attribute(self, item: Any, name: str, limit: int) -> list[str] | None:
        """An attribute of text or of several texts; None where there is none."""
        import h5py

        try:
            if not h5py.h5a.exists(item.id, name.encode()):
                return None
            found = h5py.h5a.open(item.id, name.encode())
            count = math.prod(found.shape)
            if count == 0:
                return []
            if not isinstance(found.get_type(), h5py.h5t.TypeStringID):
                self.refuse(f"its attribute {name} is no text")
            if count > MAX_NAMES or found.get_storage_size() > limit:
                self.refuse(f"its attribute {name} is too large")
            values = item.attrs[name]
            texts = [values] if isinstance(values, str | bytes) else list(np.ravel(values))
            decoded = [text.decode("utf-8") if isinstance(text, bytes) else str(text) for text in texts]
        except ModelFileError:
            raise
        except _DAMAGE as error:
            self.refuse(f"HDF5 cannot read its attribute {name} ({_first_line(error)})")
        if sum(map(len, decoded)) > limit:
            self.refuse(f"its attribute {name} is too large")
        return decoded


def answer(file: Opened, task: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """What the parent asked for: (plain values, raw bytes)."""
    weights, path = file.weights, tuple(task.get("path", ()))
    match task["do"]:
        case "open":
            return {"version": file.version, "legacy": file.legacy, "size": weights.size}, file.definition.encode()
        case "names":
            return {"names": weights.weight_names(task["layer"])}, b""
        case "children":
            return {"names": weights.children(path)}, b""
        case "check":
            return {"bytes": weights.check(path, tuple(task["shape"]))}, b""
        case _:
            return {}, weights.read(path, tuple(task["shape"])).tobytes()


def serve(path: Path, requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer requests until they end; an error is an answer, too."""
    with ExitStack() as stack:
        file: Opened | None = None
        while (request := read_request(requests)) is not None:
            facts, content = {}, b""
            try:
                file = file or stack.enter_context(open_keras(path))
                facts, content = answer(file, request[0])
            except ModelFileError as error:
                facts = {"error": error.as_dict()}
            except MemoryError:
                facts = {"error": {"why": "it needs too much memory"}}
            write_answers(answers, [(facts, content)])
            answers.flush()


def main(arguments: list[str]) -> None:
    """Serve the file that is named, within so many bytes of memory."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # Nothing that a library prints may fall among the answers.
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (int(arguments[1]), int(arguments[1])))
    except (ImportError, AttributeError, ValueError, OSError):
        pass  # Not on this system; the caps on sizes still hold.
    serve(Path(arguments[0]), sys.stdin.buffer, answers)


if __name__ == "__main__":
    main(sys.argv[1:])
