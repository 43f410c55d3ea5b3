"""`ganwright classic`: the flags, networks and file names of the cat-picture command line that Ganwright supersedes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from ganwright.cli.options import Debug, Device
from ganwright.cli.output import Output
from ganwright.core.errors import UsageError

if TYPE_CHECKING:
    from ganwright.model.model import Model

DEFAULT_NOISE = 100
GRID = (2, 10)
FINAL_MODEL = "final_cat_generator.safetensors"
LATEST_MODEL = "gan_generator.safetensors"
PROGRESS_PICTURE = "gan_generated_image_epoch_{}.png"
NEW_PICTURE = "generated_image_{}.png"


def flag(letter: str) -> Parameter:
    """--f for f: the old command's one-letter names with two dashes."""
    return Parameter(name=[f"--{letter}", f"-{letter}"])


def classic(
    *,
    f: Annotated[Path, flag("f")],
    d: Annotated[Path | None, flag("d")] = None,
    p: Annotated[str | None, flag("p")] = None,
    a: Annotated[int, flag("a")] = 20,
    e: Annotated[int, flag("e")] = 5001,
    b: Annotated[int, flag("b")] = 256,
    n: Annotated[int | None, flag("n")] = None,
    i: Annotated[int, flag("i")] = 64,
    s: Annotated[int, flag("s")] = 5,
    ng: Annotated[int, flag("ng")] = 256,
    nd: Annotated[int, flag("nd")] = 256,
    seed: int = 0,
    device: Device = "auto",
    debug: Debug = False,
) -> int:
    """The old cat-picture command, flag by flag: --f OUT --d CATS to train, --f OUT --p MODEL for pictures.

    The same dense networks, file names and defaults. `ganwright train CATS` makes far better pictures in less time.

    Parameters
    ----------
    f
        The folder that everything goes to.
    d
        The folder of pictures to train on.
    p
        A trained model: training is skipped, and --a pictures are made. It knows its own noise size. A .keras or .h5 file
        of the old command will do, too.
    a
        Pictures to make with --p.
    e
        Epochs, each one pass over the pictures.
    b
        Pictures per batch.
    n
        Values of noise. Default: 100.
    i
        Side of the pictures in pixels.
    s
        Epochs between two saves.
    ng
        Neurons of the generator's first layer.
    nd
        Neurons of the discriminator's dense layer; the usual advice is 4 to 16 % of i x i x 3.
    seed
        Every random number follows from it.
    """
    output = Output()
    if p is not None:
        return make_pictures(p, a, n, seed, f, output)
    if d is None:
        hints = ("--d FOLDER to train on its pictures", "--p MODEL to make pictures with a trained model")
        raise UsageError("E-USAGE-02", "--d or --p is needed", hints=hints)
    sizes = {"--e": e, "--b": b, "--n": n or DEFAULT_NOISE, "--i": i, "--s": s, "--ng": ng, "--nd": nd}
    if low := [name for name, value in sizes.items() if value < 1]:
        raise UsageError("E-USAGE-03", f"{low[0]} must be at least 1, not {sizes[low[0]]}")
    return train_as_of_old(f, d, sizes, seed, device, output)


def networks(noise: int, side: int, generator_width: int, discriminator_width: int) -> dict[str, Any]:
    """The old pair as layers."""
    from ganwright.networks.keras.definition import Layers

    values = f"{side} * {side} * 3"
    return {
        "generator": Layers(
            (
                f"layers.Dense({generator_width}, input_dim={noise})",
                "layers.LeakyReLU(0.2)",
                f"layers.Dense({values}, activation='tanh')",
                f"layers.Reshape(({side}, {side}, 3))",
            )
        ),
        "discriminator": Layers(
            (
                f"layers.Flatten(input_shape=({side}, {side}, 3))",
                f"layers.Dense({discriminator_width})",
                "layers.LeakyReLU(0.2)",
                "layers.Dense(1, activation='sigmoid')",
            )
        ),
        "compile": "compile(loss='binary_crossentropy', optimizer=Adam(0.0002))",
    }


def train_as_of_old(out: Path, data: Path, sizes: dict[str, int], seed: int, device: Any, output: Output) -> int:
    """Train; gives back the exit code."""
    from ganwright.cli.train import INTERRUPTED, PREEMPTED
    from ganwright.cli.writing import check_ours
    from ganwright.data.modalities.image import Image
    from ganwright.data.preparation import prepare
    from ganwright.gan import GAN

    side = sizes["--i"]
    reading = Image(size=side, channels=3)
    dataset = prepare(data, reading)  # so that a batch larger than the set is known of; packed once, found again by fit
    for line in dataset.report.lines():
        output.line(line)
    batch = min(sizes["--b"], len(dataset))
    if batch < sizes["--b"]:
        output.line(f"there are {len(dataset)} pictures, so a batch has {batch}, not {sizes['--b']}")
    for path in out.glob(PROGRESS_PICTURE.format("*")):
        check_ours(path)  # now, and not when training has gone on for an hour
    out.mkdir(parents=True, exist_ok=True)
    pair = networks(sizes["--n"], side, sizes["--ng"], sizes["--nd"])
    gan = GAN(**pair, batch=batch, seed=seed, device=device, modality=reading)
    gan.fit(
        data,
        epochs=sizes["--e"],
        save_every_epochs=sizes["--s"],
        subscribers=[Follower(out, sizes["--e"], seed, output)],
        handle_signals=True,
    )
    final = gan.save(out / FINAL_MODEL)
    output.line(f"{gan.ended_.ending}: {gan.ended_.why}")
    output.line(f"model     {final}")
    output.line(f"pictures  ganwright classic --f {out} --p {final}")
    if gan.ended_.ending == "stopped":
        return PREEMPTED if gan.stop_signal_ == "SIGTERM" else INTERRUPTED
    return 0


@dataclass
class Follower:
    """Tells both losses after every epoch, and keeps pictures and the model at every save."""

    out: Path
    epochs: int
    seed: int
    output: Output

    def __call__(self, event: object) -> None:
        from ganwright.data.ownership import save_picture
        from ganwright.training.events import Progress, Snapshot, Warned

        match event:
            case Progress(epoch_ended=True, epoch=float() as epoch, numbers=numbers):
                losses = f"discriminator {numbers['discriminator_loss']:.4f}  generator {numbers['generator_loss']:.4f}"
                self.output.line(f"epoch {int(epoch)}/{self.epochs}  {losses}")
            case Snapshot(epoch=float() as epoch, model=model):
                grid = model.grid(*GRID, seed=self.seed)
                save_picture(grid, self.out / PROGRESS_PICTURE.format(int(epoch)))
                model.save(self.out / LATEST_MODEL)
            case Warned(text=text):
                self.output.line(f"warning  {text}")
            case _:
                pass


def make_pictures(reference: str, count: int, noise: int | None, seed: int, out: Path, output: Output) -> int:
    """`count` pictures of a trained model as generated_image_1.png, ..."""
    from ganwright.cli.writing import check_ours
    from ganwright.data.ownership import save_picture

    if count < 1:
        raise UsageError("E-USAGE-03", f"--a must be at least 1, not {count}")
    model = open_model(reference)
    own = model.generator.noise["latent"].shape if "latent" in model.generator.noise else ()
    if noise is not None and (noise,) != own:
        output.line(f"the model was trained with {own[0] if own else 'other'} values of noise, so --n {noise} is not used")
    if model.spec.kind != "image":
        raise UsageError("E-USAGE-04", f"{reference} makes {model.codec.noun}, not pictures", hints=("ganwright sample",))
    paths = [out / NEW_PICTURE.format(number) for number in range(1, count + 1)]
    for path in paths:
        check_ours(path)
    out.mkdir(parents=True, exist_ok=True)
    left = iter(paths)
    for block in model.stream(count, seed=seed):
        for picture in block:
            save_picture(picture, next(left))
    output.line(f"{count} pictures → {paths[0]} ... {paths[-1].name}   (seed {seed})")
    return 0


def open_model(reference: str) -> Model:
    """A model file of ours, or one of Keras."""
    from ganwright.model.locate import find_model
    from ganwright.model.model import Model

    if Path(reference).suffix.lower() in (".keras", ".h5", ".hdf5"):
        from ganwright.model.keras_import import import_keras

        return import_keras(Path(reference).expanduser())
    return Model.load(find_model(reference))
