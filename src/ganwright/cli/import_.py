"""`ganwright import FILE`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from ganwright.cli.options import Debug, Json
from ganwright.cli.output import Output
from ganwright.core.errors import UsageError
from ganwright.core.text import in_shell

SUFFIX = ".safetensors"


def import_keras_file(
    file: Path,
    /,
    *,
    out: Annotated[Path | None, Parameter(name=["-o", "--out"])] = None,
    noise: Literal["normal", "uniform"] = "normal",
    values: Literal["auto", "signed", "unit", "bytes"] = "auto",
    force: Annotated[bool, Parameter(negative=())] = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Make a model file out of a generator that Keras saved, .keras or .h5.

    Nothing in the file is run: its layers are read as text, its weights as numbers. Needs `pip install 'ganwright[keras]'`.

    Parameters
    ----------
    file
        A .keras or .h5 file of Keras's model.save.
    out
        The model file to write. Default: FILE's name with .safetensors, in the current folder.
    noise
        What the noise was drawn from in training, which the file does not say; uniform is in -1..1.
    values
        The range of what it draws, where its last layer does not say: signed is -1..1, unit 0..1, bytes 0..255.
    force
        Write over a file that is there already.
    """
    output = Output(json)
    file = file.expanduser()
    target = Path(f"{file.stem or file.name}{SUFFIX}") if out is None else out.expanduser()
    if target.suffix.lower() != SUFFIX:
        raise UsageError("E-IMPORT-02", f"-o {target} is no name of a model file", hints=(f"end it in {SUFFIX}",))
    if target.is_dir() or (target.exists() and not force):
        hints = ("another name with -o",) if target.is_dir() else ("another name with -o", "--force to write over it")
        raise UsageError("E-IMPORT-03", f"{target} is there already", hints=hints)

    from ganwright.model.keras_import import import_keras

    model = import_keras(file, noise, values)
    model.save(target)
    latent = " x ".join(map(str, model.generator.noise["latent"].shape))
    classes = "".join(f", {len(condition.classes)} classes" for condition in model.spec.conditions)
    output.line(f"{file} → {target}   ({model.codec.describe()} from {latent} values of noise{classes})")
    output.line(f"ganwright sample {in_shell(target)} -n 16 -o out/")
    output.document(
        {
            "file": str(file),
            "model": str(target),
            "makes": {"kind": model.spec.kind, "shape": list(model.spec.shape)},
            "noise": {"shape": list(model.generator.noise["latent"].shape), "distribution": noise},
            "conditions": {condition.name: len(condition.classes) for condition in model.spec.conditions},
        }
    )
