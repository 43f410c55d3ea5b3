"""A user's own two networks, from data to samples, on both doors."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from ganwright import GAN, Layers, Model, load
from ganwright.cli.app import run
from ganwright.core.errors import DataError, ModelFileError, UsageError
from ganwright.data.modalities.numbers import Numbers
from ganwright.data.modalities.sound import Sound
from ganwright.losses.base import Loss
from ganwright.losses.hinge import Hinge
from ganwright.networks.mlp import Mlp
from ganwright.optimizers.adam import Adam
from ganwright.optimizers.sgd import Sgd
from ganwright.regularizers.r1 import R1

SIZE = 8
GENERATOR = ["layers.Dense(16, input_dim=12)", "layers.LeakyReLU(0.2)", "layers.Dense(64, activation='tanh')",
             "layers.Reshape((8, 8, 1))"]  # fmt: skip
DISCRIMINATOR = ["layers.Flatten(input_shape=(8, 8, 1))", "layers.Dense(16)", "layers.LeakyReLU(0.2)",
                 "layers.Dense(1, activation='sigmoid')"]  # fmt: skip


def digits(count: int = 40) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    return random.integers(0, 256, (count, SIZE, SIZE), np.uint8), np.arange(count) % 4


def generator(latent: int = 12) -> nn.Module:
    return nn.Sequential(
        nn.Linear(latent, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8))
    )


def discriminator(*end: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(16, 1), *end)


class Told(nn.Module):
    """Multiplies what it gets with a vector of the class."""

    def __init__(self, width: int, body: nn.Module) -> None:
        super().__init__()
        self.table = nn.Embedding(4, width)
        self.body = body

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        return self.body(x * self.table(label).unflatten(1, x.shape[1:]))


def test_two_modules_train_save_load_and_score(tmp_path: Path) -> None:
    mine, judge = generator(), discriminator(nn.Sigmoid())
    gan = GAN(generator=mine, discriminator=judge, latent=12, loss="non_saturating", optimizer="adam", batch=8)
    gan.fit(digits()[0], steps=6)
    assert gan.plan_.config.network.plain_settings()["discriminator_output"] == "probability"
    scores = gan.score(digits()[0])
    assert scores.shape == (40,)
    assert ((scores > 0) & (scores < 1)).all()
    path = gan.save(tmp_path / "own.safetensors", discriminator=True)
    again = load(path, generator=generator(), discriminator=discriminator(nn.Sigmoid()))
    assert torch.equal(again.tensor(5, seed=3), gan.model_.tensor(5, seed=3))
    assert np.array_equal(again.score(digits()[0]), scores)


def test_the_file_of_own_modules_names_no_code_and_needs_the_modules(tmp_path: Path) -> None:
    gan = GAN(generator=generator(), discriminator=discriminator(), latent=12, batch=8).fit(digits()[0], steps=2)
    path = gan.save(tmp_path / "own.safetensors")
    with pytest.raises(ModelFileError, match="weights of its author's own networks") as caught:
        load(path)
    assert "generator=Sequential(...)" in str(caught.value)
    with pytest.raises(ModelFileError, match=r"generator\.module\.0\.weight is 16×12 F32, expected 16×13 F32"):
        load(path, generator=generator(latent=13))
    header = (path.read_bytes()[8:]).split(b'"generator.module', 1)[0].decode("utf-8", "ignore")
    assert "torch.nn" not in header
    with pytest.raises(ModelFileError, match="without its discriminator"):
        load(path, generator=generator()).score(digits()[0])
    both = gan.save(tmp_path / "both.safetensors", discriminator=True)
    assert torch.equal(load(both, generator=generator()).tensor(2), gan.model_.tensor(2)), "enough to sample"
    assert run(["sample", str(path), "-o", str(tmp_path / "out")]) == 4


def test_a_file_that_holds_its_networks_takes_no_modules(tmp_path: Path) -> None:
    gan = GAN(generator=GENERATOR, discriminator=DISCRIMINATOR, batch=8).fit(digits()[0], steps=2)
    path = gan.save(tmp_path / "text.safetensors")
    with pytest.raises(ModelFileError, match="holds its networks itself"):
        load(path, generator=generator())


def test_modules_that_take_a_class_make_the_run_conditional(tmp_path: Path) -> None:
    pictures, labels = digits()
    gan = GAN(generator=Told(12, generator()), discriminator=Told(64, discriminator()), latent=12, batch=8)
    gan.fit((pictures, labels), steps=3)
    assert gan.plan_.config.conditions == ("label",)
    assert not torch.equal(gan.model_.tensor(3, label=1), gan.model_.tensor(3, label=2))
    with pytest.raises(UsageError, match="the networks take 1 condition"):
        gan.fit(pictures, steps=3)


def test_the_users_modules_and_random_state_stay_as_they_are() -> None:
    mine = generator()
    before = {name: value.clone() for name, value in mine.state_dict().items()}
    judge, random = discriminator(), torch.get_rng_state()
    GAN(generator=mine, discriminator=judge, latent=12, batch=8).fit(digits()[0], steps=3)
    assert torch.equal(random, torch.get_rng_state())
    assert all(torch.equal(value, before[name]) for name, value in mine.state_dict().items())
    assert all(parameter.requires_grad for parameter in mine.parameters())


def test_frozen_weights_of_a_module_stay_frozen() -> None:
    judge = discriminator()
    frozen = judge.get_parameter("1.weight").requires_grad_(False)
    before = frozen.detach().clone()
    gan = GAN(generator=generator(), discriminator=judge, latent=12, batch=8).fit(digits()[0], steps=4)
    trained = gan.model_.discriminator
    assert trained is not None
    assert torch.equal(trained.get_parameter("module.1.weight"), before)
    assert not torch.equal(trained.get_parameter("module.4.weight"), judge.get_parameter("4.weight"))


def test_a_module_that_cannot_learn_is_refused() -> None:
    judge = nn.Sequential(nn.Flatten(), nn.AvgPool1d(64))
    gan = GAN(generator=generator(), discriminator=judge, latent=12, batch=8)
    with pytest.raises(UsageError, match="the discriminator has no weights"):
        gan.fit(digits()[0], steps=1)


def test_dropout_of_a_module_repeats_with_the_seed() -> None:
    mine, judge = generator(), discriminator()

    def weights() -> Tensor:
        gan = GAN(generator=mine, discriminator=judge, latent=12, batch=8).fit(digits()[0], steps=5)
        torch.rand(7)  # whatever else the program draws
        return gan.model_.tensor(2)

    assert torch.equal(weights(), weights())


@dataclass(frozen=True)
class Mine(Loss):
    """Least squares between 0 and 2."""

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return (real_logits - 2).square() + fake_logits.square()

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        return (fake_logits - 2).square()


def test_losses_regularizers_and_optimizers_by_name_with_settings_and_as_objects(tmp_path: Path) -> None:
    pair: dict[str, Any] = {"generator": GENERATOR, "discriminator": DISCRIMINATOR, "batch": 8}
    named = GAN(
        **pair,
        loss={"name": "hinge", "margin": 2.0},
        regularizers=["r1", {"name": "gradient_penalty", "weight": 3.0}],
        optimizer={"name": "sgd", "learning_rate": 0.1},
        discriminator_optimizer="rmsprop",
    ).fit(digits()[0], steps=2)
    config = named.plan_.config
    assert config.loss == Hinge(margin=2.0)
    assert config.regularizers[0] == R1()
    assert config.generator_optimizer == Sgd(learning_rate=0.1)
    assert config.discriminator_optimizer.registry.name_of(config.discriminator_optimizer) == "rmsprop"
    objects = GAN(**pair, loss=Mine(), regularizers=[R1(weight=2.0)], optimizer=Adam(learning_rate=1e-3))
    objects.fit(digits()[0], steps=2, run=tmp_path / "run")
    assert isinstance(objects.plan_.config.loss, Mine)
    assert 'name = "own Mine"' in (tmp_path / "run" / "config.toml").read_text()
    assert load(tmp_path / "run").facts["training"]["config"]["loss"] == {"name": "own Mine"}
    with pytest.raises(UsageError, match="unknown loss 'hing'") as caught:
        GAN(**pair, loss="hing").fit(digits()[0], steps=1)
    assert "did you mean hinge?" in str(caught.value)


def test_the_compile_string_says_loss_and_optimizer() -> None:
    text = "compile(loss='mse', optimizer=tf.keras.optimizers.Adam(0.0002, 0.5), metrics=['accuracy'])"
    config = (
        GAN(generator=GENERATOR, discriminator=DISCRIMINATOR, compile=text, batch=8).fit(digits()[0], steps=1).plan_.config
    )
    assert config.loss.registry.name_of(config.loss) == "least_squares"
    wanted = Adam(learning_rate=0.0002, beta1=0.5, beta2=0.999, epsilon=1e-7, form="keras")
    assert config.generator_optimizer == config.discriminator_optimizer == wanted


def test_latent_and_noise_go_with_other_settings_of_a_recipe_s_network() -> None:
    gan = GAN(recipe="mlp", latent=9, noise="sphere", batch=8, settings={"network": {"generator_widths": [16]}})
    network = gan.fit(digits()[0], steps=1).plan_.config.network
    assert network == Mlp(latent=9, generator_widths=(16,), noise="sphere")
    gan = GAN(recipe="dcgan", latent=9, batch=8, settings={"network": "mlp"})
    assert gan.fit(digits()[0], steps=1).plan_.config.network == Mlp(latent=9)


def test_a_gan_says_in_a_line_what_it_was_given() -> None:
    gan = GAN(generator=generator(), discriminator=DISCRIMINATOR, latent=12, batch=8)
    assert repr(gan) == "GAN(generator=<Sequential>, discriminator=<list>, latent=12, batch=8, seed=0)"


def test_half_a_pair_is_refused() -> None:
    with pytest.raises(UsageError, match="a discriminator is missing"):
        GAN(generator=GENERATOR).fit(digits()[0], steps=1)
    with pytest.raises(UsageError, match=r"latent=7, but the generator's first input takes \(12,\)"):
        GAN(generator=GENERATOR, discriminator=DISCRIMINATOR, latent=7).fit(digits()[0], steps=1)
    with pytest.raises(UsageError, match="cannot be made of int"):
        GAN(generator=3, discriminator=DISCRIMINATOR).fit(digits()[0], steps=1)  # type: ignore[arg-type]


def test_text_and_module_may_be_mixed(tmp_path: Path) -> None:
    gan = GAN(generator=Layers(GENERATOR), discriminator=discriminator(), batch=8).fit(digits()[0], steps=2)
    path = gan.save(tmp_path / "mixed.safetensors")
    assert torch.equal(load(path, generator=Layers(GENERATOR)).tensor(2), gan.model_.tensor(2))


def batches() -> Iterator[Tensor]:
    random = torch.Generator().manual_seed(0)
    while True:
        yield torch.randn(10, 5, generator=random)


@pytest.mark.parametrize("form", ["array", "tensor", "batches", "stream", "waveforms"])
def test_any_kind_of_numbers_trains_the_same_way(form: str) -> None:
    values = torch.randn(60, 5, generator=torch.Generator().manual_seed(0))
    loader: DataLoader[Tensor] = DataLoader(values, batch_size=7)  # type: ignore[arg-type]  # rows of a tensor will do
    forms = {"array": values.numpy(), "tensor": values, "waveforms": values.numpy(), "batches": loader, "stream": batches()}
    data = forms[form]
    made = nn.Sequential(nn.Linear(12, 16), nn.ReLU(), nn.Linear(16, 5), nn.Tanh())
    judge = nn.Sequential(nn.Linear(5, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
    modality = Numbers(scaling="all") if form == "waveforms" else None
    gan = GAN(generator=made, discriminator=judge, latent=12, batch=8, modality=modality)
    gan.fit(data, steps=4, stream=form == "stream")
    rows = gan.sample(9, seed=1)
    assert rows.shape == (9, 5)
    assert np.isfinite(rows).all()


def test_a_data_frame_gives_a_data_frame(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    random = np.random.default_rng(0)
    frame = pandas.DataFrame({"length": random.normal(size=50), "count": random.integers(0, 9, 50)})
    gan = GAN(seed=0).fit(frame, steps=4)
    new = load(gan.save(tmp_path / "frame.safetensors")).sample(70, seed=1)
    assert list(new.columns) == ["length", "count"]
    assert len(new) == 70
    assert set(new["count"]) <= set(range(9))


def test_a_stream_has_no_epochs() -> None:
    with pytest.raises(UsageError, match="a stream has no passes"):
        GAN(recipe="mlp", batch=8).fit(batches(), epochs=2, stream=True)


def test_epochs_are_told_one_by_one_and_saves_come_when_asked_for(tmp_path: Path) -> None:
    from ganwright.training.events import Progress, Snapshot

    seen: list[object] = []
    gan = GAN(generator=GENERATOR, discriminator=DISCRIMINATOR, batch=8)
    gan.fit(digits()[0], epochs=6, save_every_epochs=2, holdout=False, run=tmp_path / "run", subscribers=[seen.append])
    ends = [event.epoch for event in seen if isinstance(event, Progress) and event.epoch_ended]
    assert ends == [1, 2, 3, 4, 5, 6]
    assert [event.epoch for event in seen if isinstance(event, Snapshot)] == [2, 4, 6, 6]


# --- the command line ---


@pytest.fixture
def layers_file(tmp_path: Path) -> Path:
    """The pair above as TOML."""
    path = tmp_path / "net.toml"
    head = 'noise = "uniform"\nbatch = 8\ncompile = "compile(loss=\'binary_crossentropy\', optimizer=Adam(0.0002, 0.5))"\n'
    path.write_text(head + f"generator = {json.dumps(GENERATOR)}\ndiscriminator = {json.dumps(DISCRIMINATOR)}\n")
    return path


@pytest.fixture
def data_file(tmp_path: Path) -> Path:
    path = tmp_path / "digits.npy"
    np.save(path, digits()[0])
    return path


def test_layers_in_a_file_train_and_sample_from_the_model_alone(layers_file: Path, data_file: Path, tmp_path: Path) -> None:
    train = ["train", str(data_file), "--layers", str(layers_file), "--steps", "3", "--run", str(tmp_path / "run")]
    assert run([*train, "--set", "loss.name=hinge", "--set", "optimizer.learning_rate=1e-3", "--noise", "sphere"]) == 0
    layers_file.unlink()
    model = load(tmp_path / "run")
    config = model.facts["training"]["config"]
    assert config["loss"]["name"] == "hinge"
    assert config["generator_optimizer"]["learning_rate"] == 1e-3
    assert config["network"]["noise"] == "sphere"
    assert config["batch"] == 8
    program = f"from ganwright import load; print(load({str(tmp_path / 'run')!r}).tensor(3, seed=5).sum().item())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=600, check=True)
    assert float(done.stdout) == pytest.approx(float(model.tensor(3, seed=5).sum()), abs=1e-4)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text.replace("Dense(16)", "Dnse(16)"), "Dense"),
        (lambda text: text.replace("generator = ", "generatr = ", 1), "no list of layers called generator"),
        (lambda text: text + "epochs = 3\n", "unknown entry 'epochs'"),
        (lambda text: text.replace("batch = 8", 'batch = "8"'), "batch must be of type int"),
        (lambda text: text.replace("[", "", 1), "is not a TOML file"),
        (lambda text: text.replace("(8, 8, 1)", "(9, 8, 1)"), "9"),
    ],
)  # fmt: skip
def test_mistakes_in_a_layers_file_are_told(
    change: Callable[[str], str],
    words: str,
    layers_file: Path,
    data_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    layers_file.write_text(change(layers_file.read_text()))
    code = run(["train", str(data_file), "--layers", str(layers_file), "--steps", "3", "--run", str(tmp_path / "run")])
    said = capsys.readouterr().err
    assert code == 2
    assert words in said
    assert len(said.splitlines()) <= 6
    assert not (tmp_path / "run").exists()


def test_an_unknown_setting_lists_the_known_ones(data_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", str(data_file), "--steps", "3", "--set", "loss.name=hindge"]) == 2
    said = capsys.readouterr().err
    assert "did you mean hinge?" in said
    assert re.search(r"known: .*hinge.*minimax", said)
    assert run(["train", str(data_file), "--steps", "3", "--set", "optimiser.learning_rate=1"]) == 2
    assert "did you mean" in capsys.readouterr().err


def test_conditional_sampling_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from PIL import Image

    for name in ("cat", "dog"):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for number, pixels in enumerate(digits(8)[0]):
            Image.fromarray(pixels).save(tmp_path / "pets" / name / f"{number}.png")
    pets, trained, out = str(tmp_path / "pets"), str(tmp_path / "run"), tmp_path / "out"
    assert run(["train", pets, "--steps", "3", "--batch", "8", "--conditional", "--run", trained]) == 0
    assert run(["sample", trained, "--label", "dog", "-n", "3", "-o", str(out / "dogs"), "--format", "jpg"]) == 0
    assert sorted(path.name for path in (out / "dogs").iterdir()) == ["000000.jpg", "000001.jpg", "000002.jpg"]
    with Image.open(out / "dogs" / "000000.jpg") as picture:
        assert picture.format == "JPEG"
    assert run(["sample", trained, "--by-class", "-o", str(out / "classes.png"), "--title", "pets"]) == 0
    with Image.open(out / "classes.png") as grid:
        assert grid.width > 3 * grid.height
    capsys.readouterr()
    assert run(["sample", trained, "--label", "cow", "-o", str(out)]) == 2
    assert "cat, dog" in capsys.readouterr().err
    assert run(["sample", trained, "--by-class", "--label", "dog", "-o", str(out)]) == 2
    assert run(["inspect", trained]) == 0
    assert "told       label" in capsys.readouterr().out


def test_a_model_of_numbers_writes_one_table(tmp_path: Path) -> None:
    (tmp_path / "flowers.csv").write_text("length,width\n" + "\n".join(f"{i / 7},{i % 5}" for i in range(40)) + "\n")
    assert run(["train", str(tmp_path / "flowers.csv"), "--steps", "3", "--run", str(tmp_path / "run")]) == 0
    assert run(["sample", str(tmp_path / "run"), "-n", "70", "-o", str(tmp_path / "out")]) == 0
    lines = (tmp_path / "out" / "samples.csv").read_text().splitlines()
    assert lines[0] == "length,width"
    assert len(lines) == 71


def test_the_discriminator_is_kept_where_it_is_asked_for(data_file: Path, tmp_path: Path) -> None:
    for flag, kept in ((["--keep-discriminator"], True), ([], False)):
        run_folder = tmp_path / f"run-{kept}"
        assert run(["train", str(data_file), "--steps", "2", "--batch", "8", "--run", str(run_folder), *flag]) == 0
        assert (Model.load(run_folder / "model.safetensors").discriminator is not None) is kept


def test_numbers_of_numpy_are_as_good_as_any(tmp_path: Path) -> None:
    pictures, _ = digits()
    settings: dict[str, Any] = {"recipe": "mlp", "batch": np.int64(8), "seed": np.int64(3), "latent": np.int64(4)}
    fitting: dict[str, Any] = {"steps": np.int64(2), "limit": np.int64(20)}
    gan = GAN(**settings).fit(pictures, **fitting, run=tmp_path / "run")
    same = GAN("mlp", batch=8, seed=3, latent=4).fit(pictures, steps=2, limit=20)
    assert [np.asarray(each).tolist() for each in gan.sample(2)] == [np.asarray(each).tolist() for each in same.sample(2)]
    more: dict[str, Any] = {"steps": np.int32(1)}
    assert GAN.resume(tmp_path / "run", pictures, **more).ended_.step == 3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"noise": "unifrom"}, "noise = 'unifrom'"),
        ({"discriminator_output": "logit"}, "discriminator_output = 'logit'"),
        ({"regularizers": "r1"}, "must be a list"),
        ({"loss": nn.BCELoss()}, "loss must be one of Ganwright's, or its name, not BCELoss"),
        ({"optimizer": 0.001}, "must be one of Ganwright's, or its name, not float"),
    ],
)
def test_a_word_that_does_not_exist_is_refused_before_training(settings: dict[str, Any], message: str) -> None:
    pictures, _ = digits()
    with pytest.raises(UsageError, match=message):
        GAN(generator=GENERATOR, discriminator=DISCRIMINATOR, batch=8, **settings).fit(pictures, steps=1)


def test_a_word_in_a_file_of_layers_that_does_not_exist_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures, _ = digits()
    np.save(tmp_path / "pictures.npy", pictures)
    layers = tmp_path / "layers.toml"
    layers.write_text(
        f"generator = {json.dumps(GENERATOR)}\ndiscriminator = {json.dumps(DISCRIMINATOR)}\nnoise = 'unifrom'\n"
    )
    assert run(["train", str(tmp_path / "pictures.npy"), "--layers", str(layers), "--run", str(tmp_path / "run")]) == 2
    assert "did you mean uniform" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_judge_of_labelled_records_asks_for_labels() -> None:
    pictures, labels = digits()
    gan = GAN("mlp", conditional=True, batch=8).fit((pictures, labels), steps=1)
    assert np.isfinite(gan.score((pictures, labels))).all()
    with pytest.raises(DataError, match="with their label, which none"):
        gan.score(pictures)


def test_layers_see_waveforms_as_keras_does() -> None:
    """(steps, channels), so that Conv1D runs along time."""
    waves = np.stack([np.sin(np.arange(800) * (0.02 + i / 300)) for i in range(30)]).astype(np.float32)
    generator = ["layers.Dense(800, input_dim=8, activation='tanh')", "layers.Reshape((800, 1))"]
    discriminator = ["layers.Conv1D(4, 25, strides=4, padding='same', input_shape=(800, 1))", "layers.LeakyReLU(0.2)",
                     "layers.Flatten()", "layers.Dense(1)"]  # fmt: skip
    modality = Sound(rate=8000, representation="waveform")
    gan = GAN(generator=generator, discriminator=discriminator, modality=modality, batch=8).fit(waves, steps=2)
    assert gan.sample(1)[0].samples.shape[0] >= 800
    assert gan.model_.generator({"latent": torch.zeros(1, 8)}).raw.shape == (1, 1, *gan.model_.spec.shape[1:])


def test_a_column_of_words_is_named_where_networks_want_numbers(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("age,town,pay\n" + "".join(f"{20 + i % 40},{'Rome' if i % 2 else 'Bonn'},{i % 9}\n" for i in range(60)))
    pair = [nn.Linear(4, 3), nn.Linear(3, 1)]
    with pytest.raises(DataError, match="no usable rows") as caught:
        GAN(generator=pair[0], discriminator=pair[1], latent=4).fit(table, steps=1)
    assert "words in town" in caught.value.why
    assert "leave that column out" in caught.value.hints[0]
