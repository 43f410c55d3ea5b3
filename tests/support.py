"""What several tests need: records, configs and models small enough to train in milliseconds, and a clock that obeys."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from ganwright.data.dataset import Dataset
from ganwright.data.modalities.image import ImageCodec
from ganwright.data.modalities.series import Series
from ganwright.data.modalities.sound import Representation, SoundCodec
from ganwright.data.picture_decoding import PicturePolicy
from ganwright.data.preparation import prepare
from ganwright.data.report import DataReport
from ganwright.data.sound_fitting import SoundPolicy
from ganwright.data.sounds import to_sixteen_bits
from ganwright.data.spec import Block, DataSpec
from ganwright.data.spectrogram import Spectrogram
from ganwright.losses.non_saturating import NonSaturating
from ganwright.model.model_file import ModelContents, write_model
from ganwright.networks.base import NetworkFamily
from ganwright.networks.dcgan import Dcgan
from ganwright.runtime.device import Machine
from ganwright.training.batches import Batches
from ganwright.training.config import TrainConfig
from ganwright.training.run_spec import run_spec
from ganwright.training.state import TrainState, initial_state
from ganwright.training.step import train_step

# Networks this small are quicker on one thread, and their sums come out the same on any number of cores.
torch.set_num_threads(1)

TINY = Dcgan(latent=8, width=4, max_width=8)
CPU = Machine(device="cpu", name="CPU, 2 threads", threads=2, memory_bytes=1 << 30, fast_bf16=False)


def image_codec(height: int = 8, width: int = 8, channels: int = 1, classes: tuple[str, ...] = ()) -> ImageCodec:
    """A codec of pictures of that size."""
    return ImageCodec(PicturePolicy(height, width, channels), classes)


def image_spec(height: int, width: int, channels: int) -> DataSpec:
    """The spec of pictures of that size."""
    return DataSpec("image", (channels, height, width), "tanh")


def table_spec(output: Literal["blocks", "linear"] = "blocks") -> DataSpec:
    """The spec of rows with two numbers, one of them with spikes, and three columns of words, one with rare ones."""
    blocks = (
        Block("age", 1, valued=True, number=True),
        Block("city", 4, valued=False),
        Block("gain", 3, valued=True, number=True),
        Block("name", 5, valued=True),
        Block("sex", 2, valued=False),
    )
    return DataSpec("table", (sum(block.width for block in blocks),), output, blocks=blocks)


def tiny_dataset(
    count: int = 16, height: int = 8, width: int = 8, channels: int = 1, seed: int = 0, classes: tuple[str, ...] = ()
) -> Dataset:
    """Seeded noise as packed pictures, their classes in turn; nothing touches the disk."""
    codec = image_codec(height, width, channels, classes)
    pixels = np.random.default_rng(seed).integers(0, 256, (count, height, width, channels), np.uint8)
    report = DataReport(name="noise", place="noise", noun="pictures", found=count, used=count, size=codec.describe())
    labels = {"label": np.arange(count, dtype=np.int64) % len(classes)} if classes else {}
    return Dataset({"x": pixels, **labels}, codec, report, fingerprint="0" * 64)


def tiny_sounds(
    count: int = 16, seed: int = 0, representation: Representation = "spectrogram", classes: tuple[str, ...] = ()
) -> Dataset:
    """Tones with some noise as packed sounds of 512 samples, their classes in turn; nothing touches the disk."""
    policy, looks = SoundPolicy(8000, 512), Spectrogram(frames=32, bands=16, hop=16)
    codec = SoundCodec(policy, looks, representation, told=classes)
    random = np.random.default_rng(seed)
    turns = random.uniform(0.02, 0.4, (count, 1)) * np.arange(512)
    waves = 0.6 * np.sin(2 * np.pi * turns) + 0.05 * random.standard_normal((count, 512))
    labels = {"label": np.arange(count, dtype=np.int64) % len(classes)} if classes else {}
    report = DataReport(name="tones", place="tones", noun="sounds", found=count, used=count, size=codec.describe())
    return Dataset({"x": to_sixteen_bits(waves), **labels}, codec, report, fingerprint="1" * 64)


def tiny_table(count: int = 64, seed: int = 0) -> Dataset:
    """Seeded rows with two numbers, words, and gaps."""
    random = np.random.default_rng(seed)
    age = random.integers(18, 90, count).astype(np.float64)
    gain = np.where(random.random(count) < 0.6, 0.0, random.lognormal(5, 1, count).round(2))
    city = np.array(["Bergen", "Lima", "Rome"], object)[random.integers(0, 3, count)]
    sex = np.where(random.random(count) < 0.5, "f", "m").astype(object)
    age[:4], city[4:8] = np.nan, None
    table = np.empty(count, [("age", float), ("gain", float), ("city", object), ("sex", object)])
    table["age"], table["gain"], table["city"], table["sex"] = age, gain, city, sex
    return prepare(table)


def text_spec(output: Literal["softmax", "linear"] = "softmax") -> DataSpec:
    """The spec of texts of twelve symbols, nine of them at most."""
    return DataSpec("text", (12, 9), output)


def tiny_lines(count: int = 64, seed: int = 0) -> list[str]:
    """Seeded sentences of a small grammar, each of them once or twice."""
    random = np.random.default_rng(seed)
    words = [("a", "the", "one"), ("cat", "dog", "owl", "fish"), ("eats", "sees", "is"), ("it", "here", "now", "big", "up")]
    return [" ".join(some[random.integers(len(some))] for some in words) for _ in range(count)]


def tiny_texts(count: int = 64, seed: int = 0) -> Dataset:
    """The same, packed."""
    return prepare(tiny_lines(count, seed))


def tiny_data_of(recipe: str) -> Dataset:
    """Records of the kind that a recipe is for."""
    if recipe == "columns":
        return tiny_table()
    if recipe in ("text", "wgan_gp_text"):
        return tiny_texts()
    if recipe in ("spectrogram", "wavegan"):
        return tiny_sounds(representation="waveform" if recipe == "wavegan" else "spectrogram")
    if recipe in ("conv_series", "doppelganger", "recurrent_series"):
        return tiny_series()
    return tiny_dataset(16)


def series_spec() -> DataSpec:
    """The spec of series of up to nine steps: two numbers, one with gaps, a word of each step and one of the whole."""
    told = [*(Block(f"{what} {place}", 1, valued=True, number=True) for what in ("level", "size") for place in (1, 2))]
    told += [Block("city", 3, valued=False), Block("age", 2, valued=True)]
    steps = [Block(f"course {place}", 1, valued=True, number=True) for place in (1, 2)]
    steps += [Block("temp missing", 2, valued=False), Block("sky", 3, valued=False), Block("end", 2, valued=False)]
    width = sum(block.width for block in (*told, *steps))
    return DataSpec("series", (width, 9), "linear", blocks=(*told, *steps), statics=len(told))


def station_rows(count: int = 24, seed: int = 0) -> list[str]:
    """Lines of a .csv file: days of so many weather stations, with gaps, and of different lengths."""
    random = np.random.default_rng(seed)
    lines = ["station,day,city,temp,sky,hum"]
    for station in range(count):
        city, length = ("Rome", "Lima", "Oslo")[station % 3], int(random.integers(8, 13))
        course = np.sin(np.arange(length) / 7 * 2 * np.pi + random.uniform(0, 6))
        first = np.datetime64("2024-01-01") + int(random.integers(0, 50))
        for step, value in enumerate(course.tolist()):
            temp = "" if random.random() < 0.1 else f"{10 + 5 * value + 3 * (station % 3) + random.normal():.1f}"
            sky = ("clear", "grey")[int(random.random() < 0.5)]
            lines.append(f"S{station:02},{first + step},{city},{temp},{sky},{50 + 20 * value + random.normal():.2f}")
    return lines


def tiny_series(count: int = 24, seed: int = 0) -> Dataset:
    """The same, packed."""
    import pandas as pd

    rows = [line.split(",") for line in station_rows(count, seed)]
    frame = pd.DataFrame(rows[1:], columns=rows[0])
    return prepare(frame, Series(time_column="day", series_column="station"))


def tiny_config(**changes: Any) -> TrainConfig:
    """A DCGAN that trains a step in milliseconds, with some fields set anew."""
    config = TrainConfig(recipe="dcgan", network=TINY, loss=NonSaturating(), batch=8, total_samples=8 * 1000)
    return replace(config, **changes)


def train(
    config: TrainConfig, steps: int, dataset: Dataset | None = None, state: TrainState | None = None
) -> tuple[TrainState, list[dict[str, float]]]:
    """The state after `steps` more steps, and the numbers of each."""
    dataset = dataset or tiny_dataset()
    spec = run_spec(config, dataset)
    state = state or initial_state(config, spec)
    batches = Batches(dataset, config)
    reports = [train_step(state, config, spec, batches) for _ in range(steps)]
    return state, [{name: float(value) for name, value in report.items()} for report in reports]


def tiny_contents(
    family: NetworkFamily = TINY, facts: dict[str, Any] | None = None, classes: tuple[str, ...] = ()
) -> ModelContents:
    """A model with random weights, as training would leave it."""
    codec = image_codec(classes=classes)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        generator = family.generator(codec.spec)
    generator.requires_grad_(False).eval()
    return ModelContents(family, codec.spec, codec, generator, {} if facts is None else facts)


def tiny_model_file(path: Path, **kwargs: Any) -> Path:
    """A good model file at `path`."""
    write_model(path, tiny_contents(**kwargs))
    return path


def safetensors_bytes(header: dict[str, Any] | bytes, data: bytes = b"") -> bytes:
    """A safetensors file put together by hand, so that it may lie."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def taken_apart(content: bytes) -> tuple[dict[str, Any], bytes]:
    """The header and the data of a safetensors file."""
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + length]), content[8 + length :]


@dataclass
class FakeClock:
    """A clock that moves on by `tick` seconds whenever it is read."""

    tick: float = 0.0
    time: float = 1000.0

    def __call__(self) -> float:
        """The time, and a tick passes."""
        self.time += self.tick
        return self.time


def small_mnist(folder: Path, count: int = 40) -> Path:
    """MNIST's four files with `count` pictures of noise each, 28x28, labelled 0 to 9 in turn."""
    folder.mkdir()
    random = np.random.default_rng(0)
    for split in ("train", "t10k"):
        for name, array in (
            ("images-idx3", random.integers(0, 256, (count, 28, 28), dtype=np.uint8)),
            ("labels-idx1", np.arange(count, dtype=np.uint8) % 10),
        ):
            head = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
            (folder / f"{split}-{name}-ubyte").write_bytes(head + array.tobytes())
    return folder
