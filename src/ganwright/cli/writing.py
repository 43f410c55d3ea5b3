"""Samples as files, without writing over what is not ours."""

from __future__ import annotations

from pathlib import Path

from PIL import Image as PillowImage

from ganwright.core.errors import DataError
from ganwright.data.modalities.base import MADE_BY
from ganwright.data.modalities.image import made_by_us
from ganwright.model.model import Model


def write_samples(model: Model, count: int, seed: int, folder: Path) -> list[Path]:
    """`count` samples as files of their own in `folder`; gives back their paths.

    Raises:
        DataError: the folder cannot be written to, or holds a file of that name that Ganwright did not make.
    """
    _make_folder(folder)
    files: list[Path] = []
    for block in model.stream(count, seed=seed):
        for number in range(len(files), len(files) + len(block)):
            _check_ours(folder / f"{number:06d}.png")
        files += model.codec.write(block, folder, len(files))
    return files


def write_grid(model: Model, shape: tuple[int, int], seed: int, out: Path) -> list[Path]:
    """One picture of rows x columns samples, at `out` or as grid.png within it.

    Raises:
        DataError: as `write_samples`.
    """
    path = out if out.suffix.lower() == ".png" else out / "grid.png"
    _make_folder(path.parent)
    _check_ours(path)
    model.grid(*shape, seed=seed).save(path, pnginfo=made_by_us())
    return [path]


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            "E-SAMPLE-02", f"cannot write to {folder}", why=error.strerror or str(error), hints=("another -o",)
        ) from error


def _check_ours(path: Path) -> None:
    if not path.exists():
        return
    try:
        with PillowImage.open(path, formats=["PNG"]) as picture:
            ours = picture.info.get("Software") == MADE_BY
    except OSError:
        ours = False
    if not ours:
        raise DataError("E-SAMPLE-03", f"{path} exists and was not made by Ganwright", hints=("another -o",))
