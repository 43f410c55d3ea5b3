"""Samples as files, without writing over what is not ours."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ganwright.core.errors import DataError
from ganwright.data.ownership import PICTURES, is_ours, picture_path, save_picture
from ganwright.runtime.background import background_thread

if TYPE_CHECKING:
    from PIL.Image import Image

    from ganwright.model.interpolation import Film, Interpolation
    from ganwright.model.model import Model

NO_WISHES: Mapping[str, Any] = MappingProxyType({})


def write_samples(
    model: Model,
    count: int,
    seed: int,
    folder: Path,
    suffix: str = "",
    sampling: Mapping[str, Any] = NO_WISHES,
    *,
    ids: bool = False,
) -> list[Path]:
    """`count` samples as files in `folder`, pictures one by one, rows all in one; gives back their paths.

    Args:
        suffix: of the files, such as ".jpg"; empty for the usual one of the model's kind.
        sampling: what else `Model.stream` is to be told.
        ids: rows get new ids in the columns that were left out.

    Raises:
        DataError: the folder cannot be written to, or holds a file of that name that Ganwright did not make.
        UsageError: the model's samples cannot be written as such files.
    """
    # Looked at first and all of them: nothing is written where something is in the way.
    paths = model.codec.paths(folder, 0, count, suffix)
    for path in paths:
        check_ours(path)
    _make_folder(paths[0].parent if paths else folder)
    done = 0
    written: Future[Any] | None = None
    try:
        # While a block is written, the next one is made.
        with background_thread("ganwright-writer") as writer:
            for block in model.stream(count, seed=seed, **sampling):
                if ids:
                    block = model.codec.with_identifiers(block, done, seed)
                if written is not None:
                    written.result()
                written = writer.submit(model.codec.write, block, folder, done, suffix)
                done += len(block)
            if written is not None:
                written.result()
    except OSError as error:
        raise _cannot_write(folder, error) from error
    return paths


def write_completed(model: Model, data: Path, seed: int, folder: Path) -> tuple[list[Path], int]:
    """The rows of a table completed, as files in `folder`; gives back their paths and the number of rows.

    Raises:
        DataError: as `write_samples`; or there is no table at `data`.
        UsageError: the model makes no rows, or knows none of the columns.
    """
    rows = model.complete(data, seed=seed)
    paths = model.codec.paths(folder, 0, len(rows))
    for path in paths:
        check_ours(path)
    try:
        model.codec.write(rows, folder, 0)
    except OSError as error:
        raise _cannot_write(folder, error) from error
    return paths, len(rows)


def write_grid(
    model: Model, shape: tuple[int | None, int | None], seed: int, out: Path, sampling: Mapping[str, Any] = NO_WISHES
) -> list[Path]:
    """One picture of rows x columns samples, at `out` (a .png or .jpg file) or as grid.png within it.

    Args:
        shape: None leaves a side to `Model.grid`.
        sampling: what else `Model.grid` is to be told.

    Raises:
        DataError: as `write_samples`.
    """
    path = picture_path(out, "grid.png")
    check_ours(path)
    write_picture(model.grid(*shape, seed=seed, **sampling), path)
    return [path]


def write_picture(picture: Image, path: Path) -> None:
    """A picture as the file at `path`, whose folder is made.

    Raises:
        DataError: it cannot be written, or there is a file that Ganwright did not make.
    """
    check_ours(path)
    _make_folder(path.parent)
    try:
        save_picture(picture, path)
    except OSError as error:
        raise _cannot_write(path, error) from error


def write_film(way: Interpolation, out: Path, fps: float, *, measure: bool) -> Film:
    """A way from sample to sample, as `Interpolation.save` writes it.

    Raises:
        DataError: as `write_samples`.
        UsageError: it cannot be written as such a file.
    """
    from ganwright.data.films import FILMS

    for path in [out] if out.suffix.lower() in (*FILMS, *PICTURES) else way.codec.paths(out, 0, len(way)):
        check_ours(path)
    try:
        return way.save(out, fps=fps, measure=measure)
    except OSError as error:
        raise _cannot_write(out, error) from error


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_write(folder, error) from error


def _cannot_write(where: Path, error: OSError) -> DataError:
    return DataError("E-SAMPLE-02", f"cannot write to {where}", why=error.strerror or str(error), hints=("another -o",))


def check_ours(path: Path) -> None:
    """Raise DataError if there is a file at `path` that Ganwright did not make, or that was changed since."""
    try:
        in_the_way = path.exists() and not is_ours(path)
    except OSError as error:  # A folder that may not be looked into.
        raise _cannot_write(path, error) from error
    if in_the_way:
        why = "" if path.suffix.lower() in PICTURES else "or it was changed since"
        raise DataError("E-SAMPLE-03", f"{path} exists and was not made by Ganwright", why=why, hints=("another -o",))
