"""From a folder of recordings to new ones, as a user goes."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from recordings import RATE, record, tone

from ganwright import GAN, load
from ganwright.cli.app import run
from ganwright.data.modalities.sound import Sound
from ganwright.data.sounds import Clip

pytestmark = pytest.mark.costly

SMALL = ["--set", "network.width=8", "--set", "network.max_width=16", "--batch", "16"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with recordings of two kinds, named as they sound, and a run that was trained on them for a few steps."""
    folder = tmp_path_factory.mktemp("sounds")
    random = np.random.default_rng(0)
    for number in range(120):
        low = number % 2 == 0
        hum = tone(random.uniform(200, 300) if low else random.uniform(900, 1500), random.uniform(0.1, 0.3))
        record(folder / "tones" / f"{'low' if low else 'high'}_{number}.wav", hum + 0.01 * random.standard_normal(len(hum)))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("GANWRIGHT_CACHE", str(folder / "cache"))
        assert run(["train", "tones", "--label-from", "{label}_*.wav", "--steps", "10", "--run", "runs/tones", *SMALL]) == 0
    return folder


@pytest.fixture(autouse=True)
def there(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    monkeypatch.setenv("GANWRIGHT_CACHE", str(home / "cache"))


def read(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def test_what_was_found_and_chosen_is_said(home: Path) -> None:
    report = json.loads((home / "runs/tones/data_report.json").read_text(encoding="utf-8"))
    assert "8,000 Hz" in report["size"]
    assert "the rate of all sounds" in report["size"]
    config = (home / "runs/tones/config.toml").read_text(encoding="utf-8")
    assert 'recipe = "spectrogram"' in config
    assert '"label"' in config, "classes that names tell are told to the networks"


def test_sheets_can_be_seen_and_heard(home: Path) -> None:
    pictures, heard = sorted(home.glob("runs/tones/samples/*.png")), sorted(home.glob("runs/tones/samples/*.wav"))
    assert [path.stem for path in pictures] == [path.stem for path in heard]
    assert len(pictures) >= 2
    with Image.open(pictures[-1]) as picture:
        assert picture.mode == "RGB"
    one = load("runs/tones").codec.policy.samples  # type: ignore[attr-defined]
    assert len(read(heard[-1])) > 16 * one


def test_samples_are_wav_files_at_the_rate_of_the_set(home: Path) -> None:
    assert run(["sample", "runs/tones", "-n", "5", "--label", "low", "--seed", "3", "-o", "out"]) == 0
    files = sorted((home / "out").iterdir())
    assert [path.name for path in files] == [f"{number:06d}.wav" for number in range(5)]
    sounds = [read(path) for path in files]
    assert len({sound.tobytes() for sound in sounds}) == 5
    again = load("runs/tones").sample(3, label="low", seed=3)
    for sound, wav in zip(again, sounds, strict=False):
        assert isinstance(sound, Clip)
        np.testing.assert_allclose(sound.samples, wav / 32_767, atol=1e-3)
    # Ours are written over, others' are not.
    assert run(["sample", "runs/tones", "-n", "2", "-o", "out"]) == 0
    record(home / "out" / "000000.wav", tone())
    assert run(["sample", "runs/tones", "-n", "2", "-o", "out"]) == 3


def test_an_evaluation_can_be_heard(home: Path) -> None:
    assert run(["evaluate", "runs/tones", "-n", "64", "--features", "random"]) == 0
    found = json.loads((home / "runs/tones/evaluation.json").read_text(encoding="utf-8"))
    assert {"frechet", "diversity", "agreement"} <= set(found["measurements"]) | set(found["by_class"]["low"])
    page = (home / "runs/tones/report.html").read_text(encoding="utf-8")
    assert page.count('<audio controls preload="none" src="data:audio/wav;base64,') == 3
    assert "media-src data:" in page
    for name in ("grid.wav", "nearest.wav"):
        assert len(read(home / "runs/tones" / name)) > RATE


def test_the_run_goes_on(home: Path) -> None:
    assert run(["resume", "runs/tones", "--steps", "14"]) == 0
    assert json.loads((home / "runs/tones/status.json").read_text(encoding="utf-8"))["step"] == 24


def test_a_recipe_of_waveforms_reads_waveforms(home: Path) -> None:
    gan = GAN("wavegan", batch=8, settings={"network": {"width": 2, "max_width": 8}, "discriminator_steps": 1})
    gan.fit(home / "tones", steps=3, run=home / "runs/waves")
    assert gan.model_.spec.kind == "waveform"
    assert not gan.config_.conditions, "nothing told of labels"
    assert len(gan.sample(2)[0].samples) == gan.model_.spec.shape[1]
    # Both kinds of model are measured by their spectrograms.
    assert gan.model_.codec.measured_spec.kind == "spectrogram"
    assert run(["resume", "runs/waves", "--steps", "5"]) == 0
    assert run(["evaluate", "runs/waves", "-n", "50", "--features", "random"]) == 0


def test_what_is_said_of_recordings_outweighs_what_is_found(home: Path) -> None:
    sound = Sound(rate=4000, seconds=0.2, bands=24)
    model = (
        GAN(modality=sound, batch=8, settings={"network": {"width": 4, "max_width": 8}}).fit(home / "tones", steps=2).model_
    )
    assert model.codec.describe() == "0.2 s at 4,000 Hz as 24x32 spectrograms"


def test_a_mistake_is_said_in_a_few_lines(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "tones", "--label-from", "{label}+*.wav", "--steps", "2"]) == 3
    assert run(["train", "tones", "--label-from", "label_*", "--steps", "2"]) == 2
    assert run(["train", "tones", "--recipe", "columns", "--steps", "2"]) == 2
    errors = capsys.readouterr().err
    for words in ("no name is like --label-from", "does not say where", "network columns draws table, not spectrogram"):
        assert words in errors
    assert "Traceback" not in errors


def test_a_preview_shows_masks(home: Path) -> None:
    assert run(["preview", "tones", "-o", "preview.png", "-n", "4"]) == 0
    with Image.open(home / "preview.png") as picture:
        assert picture.height > 5 * 64
