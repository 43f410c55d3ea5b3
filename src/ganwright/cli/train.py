"""`ganwright train PATH`"""

from __future__ import annotations

import dataclasses
import time as clock
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from ganwright.cli.options import Augment, Debug, Device, Json, Noise, Recipe
from ganwright.cli.output import Output
from ganwright.cli.processes import ALONE, Shared, launched
from ganwright.cli.reading import AS_FOUND, Reading
from ganwright.cli.settings import parse_settings
from ganwright.core.budget import Budget, parse_count, parse_duration
from ganwright.core.speaking import speaks
from ganwright.core.text import in_shell

if TYPE_CHECKING:
    from ganwright.gan import GAN

PREEMPTED = 75
INTERRUPTED = 130


def train(
    path: Path,
    /,
    *,
    recipe: Recipe = None,
    layers: Path | None = None,
    loss: str | None = None,
    latent: int | None = None,
    noise: Noise = None,
    conditional: bool | None = None,
    labels: Path | None = None,
    condition: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    unlabelled: Literal["keep", "skip"] = "keep",
    balance: Annotated[bool, Parameter(negative=())] = False,
    set_: Annotated[tuple[str, ...], Parameter(name="--set", negative=())] = (),
    run: Path | None = None,
    time: str | None = None,
    epochs: float | None = None,
    steps: str | None = None,
    images: str | None = None,
    batch: int | None = None,
    augment: Augment = None,
    mirror: bool | None = None,
    seed: int = 0,
    device: Device = "auto",
    precision: Literal["auto", "fp32", "bf16"] = "auto",
    save_every: float | None = None,
    keep_discriminator: Annotated[bool, Parameter(negative=())] = False,
    start_from: Annotated[str | None, Parameter(name=["--from", "--start-from"])] = None,
    keep: int = 2,
    holdout: Annotated[bool, Parameter(name="--holdout", negative="--no-holdout")] = True,
    patience: int | None = None,
    shared: Shared = ALONE,
    reading: Reading = AS_FOUND,
    json: Json = False,
    debug: Debug = False,
) -> int:
    """Train on pictures, sounds, tables, time series or texts, and keep a model, sample grids and curves.

    PATH is a folder of pictures or of recordings (searched through), a .zip, IDX files as MNIST is published, .npy/.npz
    arrays, a table as .csv, .tsv, .jsonl or .parquet, or texts as .txt, a folder of .txt, or .jsonl with one text a line.
    Time series are tables too: --time-column and --series-column, or --window, say how.

    The run folder gets sample grids, curves, metrics and the model as it goes. Ctrl-C saves and stops.

    Parameters
    ----------
    path
        The data. Sub-folders are taken as class labels and kept with the model; so is what labels.csv or
        metadata.jsonl or dataset.json beside the pictures says.
    layers
        Two networks of your own, as Keras-style layers in a TOML file: see docs/guide/layers.md.
    loss
        minimax, non_saturating, least_squares, hinge, wasserstein, relativistic. Default: the recipe's.
    latent
        Length of the noise vector. Default: the recipe's.
    conditional
        Tell the networks what is known of each record, so that samples can be asked for by --label and --where. Of sounds
        they are told the class anyway.
    labels
        A file of what is known of each picture that lies elsewhere; with it the networks are told, too.
    condition
        What a column of it is: age=number, angle=degrees, breed=class, glasses,hat=labels, id=none. May be repeated, and
        tells the networks, too. Default: found out.
    unlabelled
        Whether pictures of which something is not known are left out; a conditional GAN cannot train on them.
    balance
        Draw every class equally often, however many pictures it has.
    set_
        Any setting of the run, by its name in config.toml: loss.name=hinge, optimizer.learning_rate=1e-3. May be repeated.
    run
        Where the run goes. Default: runs/<date>-<data>-<shape>-<id>.
    time
        How long the whole command may take, as 90s, 20m or 1h30m. Default: 10m.
    epochs
        Instead: passes over the data.
    steps
        Instead: training steps, as 5000 or 5k.
    images
        Instead: pictures shown to the discriminator, as 2M.
    batch
        Pictures per turn. Default: the recipe's.
    mirror
        Mirror real pictures half of the time. Default: where mirrored ones look like the others.
    seed
        Every random number follows from it.
    precision
        Of the networks' products: bf16 where the hardware is fast at it, or as told.
    save_every
        Pictures and model after so many passes over the data each. Default: by the clock, about 25 times.
    keep_discriminator
        The model file gets the discriminator too, for `score` in Python.
    start_from
        A trained model to go on from, on these data: a file, a run folder, a run's name, or last. Its recipe and networks
        are taken, fitted to the data, with as much of what was learned as fits; of a run, the discriminator's too.
    keep
        Checkpoints that the run folder holds, the newest ones, for `ganwright resume`; at least 2.
    holdout
        Keep 5% of the records (at least 200, at most 10%) from training, for `ganwright evaluate`.
    patience
        Stop early: after so many scores in a row that are no better than the best one.
    """
    if (code := launched(shared, Output(json))) is not None:
        return code
    budget = Budget(
        seconds=parse_duration(time) if time is not None else None,
        epochs=epochs,
        steps=parse_count(steps) if steps is not None else None,
        images=parse_count(images) if images is not None else None,
    )
    # Whoever says what the pictures are wants the networks to hear it.
    said = labels is not None or bool(reading.sounds.label_from) or any(not each.endswith("=none") for each in condition)
    conditional = (said or None) if conditional is None else conditional
    chosen: dict[str, Any] = {"recipe": recipe, "batch": batch, "seed": seed, "device": device, "precision": precision}
    chosen |= {"loss": loss, "latent": latent, "noise": noise, "augment": augment, "mirror": mirror}
    chosen |= {"conditional": conditional, "balance": balance}
    if layers is not None:
        from ganwright.cli.layers_file import read_layers_file

        # A flag is said for this run; the file speaks where no flag does.
        chosen = read_layers_file(layers) | {name: value for name, value in chosen.items() if value is not None}
    fitting: dict[str, Any] = {"save_every_epochs": save_every, "keep_discriminator": keep_discriminator}
    fitting |= {"keep": keep, "start_from": start_from}
    fitting |= {"holdout": holdout, "patience": patience}
    fitting["limit"] = reading.count
    chosen["settings"] = parse_settings(set_)
    # What the data are is recognised, unless something is said of it.
    chosen["modality"] = reading.modality(path, condition, unlabelled)
    data = reading.data(path) if labels is None else (path, labels)
    _, code = run_training(data, chosen, budget, fitting, run, Output(json), began=clock.monotonic())
    return code


def run_training(
    data: Any,
    settings: dict[str, Any],
    budget: Budget,
    fitting: dict[str, Any],
    run: Path | None,
    output: Output,
    began: float,
) -> tuple[GAN, int]:
    """Train with a console attached; gives back the trained GAN and the exit code."""
    from ganwright.cli.console import Console
    from ganwright.gan import GAN

    gan = GAN(**settings)
    console = Console(output)
    try:
        gan.fit(
            data,
            **dataclasses.asdict(budget),
            **fitting,
            run=run if run is not None else True,
            subscribers=[console],
            handle_signals=True,
            started=began,
        )
    finally:
        console.close()
    return gan, say_the_end(gan, output)


def say_the_end(gan: GAN, output: Output) -> int:
    """What came of a run; its exit code."""
    if speaks():
        _say_what_next(gan, output)
        output.document(_summary(gan))
    return {"finished": 0, "stopped": INTERRUPTED, "preempted": PREEMPTED}[gan.ended_.ending]


def _say_what_next(gan: GAN, output: Output) -> None:
    run = gan.run_
    assert run is not None
    named = in_shell(run)
    size = (run / "model.safetensors").stat().st_size / 1e6
    if written := sorted((run / "samples").glob("*.txt")):
        output.line(f"texts     {written[-1]}")
    else:
        output.line(f"pictures  {max((run / 'samples').glob('*.png'), default=run / 'samples')}")
    if heard := max((run / "samples").glob("*.wav"), default=None):
        output.line(f"sounds    {heard}")
    if (run / "curves.png").is_file():
        output.line(f"curves    {run / 'curves.png'}")
    output.line(f"model     {run / 'model.safetensors'}  ({size:.1f} MB, all that sampling needs)")
    if (run / "final.safetensors").is_file():
        last = run / "final.safetensors"
        output.line(f"          of step {gan.ended_.kept_step:,}, the last that scored as good as the best")
        output.line(f"          that of the end is {last}")
    if gan.ended_.ending != "finished":
        output.line(f"go on     ganwright resume {named}")
    output.line(f"next      ganwright sample {named} -n 100 --seed 7 -o {_where(gan)}")
    output.line(f"          ganwright evaluate {named}")


def _where(gan: GAN) -> str:
    """Where samples go."""
    return "lines.txt" if gan.model_.codec.spec.kind == "text" else "out/"


def _summary(gan: GAN) -> dict[str, Any]:
    from ganwright.core.config import to_plain

    assert gan.run_ is not None
    ended = gan.ended_
    return {
        "run": str(gan.run_),
        "model": str(gan.run_ / "model.safetensors"),
        "ending": ended.ending,
        "why": ended.why,
        "steps": ended.step,
        "samples_seen": ended.samples_seen,
        "seconds": round(ended.elapsed_seconds, 2),
        **({"planned_seconds": round(gan.plan_.seconds, 2)} if hasattr(gan, "plan_") else {}),
        **({"carried_over": to_plain(gan.carried_over_)} if hasattr(gan, "carried_over_") else {}),
        "health": ended.health,
        "kept_step": ended.kept_step,
        "recipe": gan.config_.recipe,
        "records": gan.data_report_.used,
        "seed": gan.config_.seed,
    }
