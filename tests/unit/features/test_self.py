"""Features learned from the data: that they learn, are learned once, and that a file in the cache is trusted in nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load, save
from sklearn.datasets import load_digits
from support import image_codec, tiny_dataset
from torch import Tensor

from ganwright.data.classes import Classes
from ganwright.data.dataset import Dataset
from ganwright.data.modalities.image import ImageCodec
from ganwright.data.preparation import prepare
from ganwright.data.report import DataReport
from ganwright.data.stream import open_stream
from ganwright.features.base import Extractor
from ganwright.features.parts.encoders import PictureEncoder
from ganwright.features.parts.views import picture_view, row_view
from ganwright.features.random import Random
from ganwright.features.self import Self

QUICK = Self(steps=3)
TWO, TEN = ("first", "second"), tuple("0123456789")


class Watched:
    """A progress that counts how often it was told of training."""

    def __init__(self) -> None:
        self.told: list[tuple[int, int]] = []

    def __call__(self, what: str, done: int, total: int) -> None:
        self.told.append((done, total))


def dataset(pixels: np.ndarray, labels: np.ndarray, classes: tuple[str, ...]) -> Dataset:
    """Pictures (N, H, W, C) and their classes as a data set."""
    count, height, width, channels = pixels.shape
    codec = image_codec(height, width, channels, classes)
    report = DataReport(name="made", place="made", noun="pictures", found=count, used=count, size=codec.describe())
    return Dataset({"x": pixels, "label": labels}, codec, report, fingerprint="f" * 64)


def digits(first: int, last: int) -> Dataset:
    """Some of scikit-learn's digits, 8x8 in ten classes."""
    images, labels = map(np.asarray, load_digits(return_X_y=True))
    pixels = (images[first:last] * 15.9).astype(np.uint8).reshape(-1, 8, 8, 1)
    return dataset(pixels, labels[first:last].astype(np.int64), TEN)


def all_of(data: Dataset) -> Tensor:
    return data.codec.expand(data.batch(np.arange(len(data))))


def cache_file(cache: Path) -> Path:
    (path,) = (cache / "features").glob("*.safetensors")
    return path


def told_wrong(network: Extractor, train: Dataset, test: Dataset) -> float:
    """The share of `test` that lies nearer to the mean of another class of `train` than to that of its own."""
    features, others = (network.extract([all_of(data)]) for data in (train, test))
    assert train.labels is not None
    assert test.labels is not None
    means = torch.stack([features[train.labels == label].mean(0) for label in range(len(TEN))])
    return float((torch.cdist(others, means).argmin(1).numpy() != test.labels).mean())


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("size", [(4, 4), (7, 5), (28, 28), (72, 72), (33, 130)])
def test_every_shape_of_pictures_is_learned(size: tuple[int, int], channels: int) -> None:
    data = tiny_dataset(6, *size, channels)
    network = Self(steps=1).extractor(data)
    features = network.extract([all_of(data)])
    assert features.shape == (6, network.dimensions)
    assert features.isfinite().all()
    assert "without classes" in network.about


@pytest.mark.parametrize("columns", [1, 3, 300])
def test_rows_of_numbers_are_learned(columns: int) -> None:
    data = prepare(np.random.default_rng(0).normal(size=(30, columns)))
    network = QUICK.extractor(data)
    features = network.extract([all_of(data)])
    assert features.shape == (30, network.dimensions)
    assert features.isfinite().all()
    assert "30 rows" in network.about


def test_classes_are_told_apart_better_than_by_random_features() -> None:
    train, test = digits(0, 600), digits(1000, 1500)
    learned = Self(steps=30).extractor(train)
    assert "to tell 10 classes apart on 600 pictures in 30 steps" in learned.about
    assert told_wrong(learned, train, test) < 0.6 * told_wrong(Random().extractor(train), train, test)


def test_rows_learn_what_columns_have_to_do_with_each_other() -> None:
    """Without labels: after training, a row and its view lie closer to each other than to others."""
    generator = np.random.default_rng(0)
    hidden = generator.normal(size=(400, 2))
    data = prepare(np.tanh(hidden @ generator.normal(size=(2, 12)) + 0.05 * generator.normal(size=(400, 12))))
    x = all_of(data)
    view = row_view(x, 0.5, np.random.default_rng(1))

    def found_again(steps: int) -> float:
        network = Self(steps=steps).extractor(data)
        top = slice(0, network.dimensions - 12)
        a, b = (network.extract([each])[:, top] for each in (x, view))
        return float((torch.cdist(b, a).argsort(1)[:, :20] == torch.arange(len(a))[:, None]).any(1).double().mean())

    assert found_again(150) > 1.2 * found_again(1)


def test_what_was_learned_is_kept_and_not_learned_again(own_cache: Path) -> None:
    data, watched = tiny_dataset(20, classes=TWO), Watched()
    first = QUICK.extractor(data, progress=watched)
    assert watched.told == [(1, 3), (2, 3), (3, 3)]
    content = cache_file(own_cache).read_bytes()
    second = QUICK.extractor(data, progress=watched)
    assert len(watched.told) == 3
    assert second.identity == first.identity
    assert torch.equal(second.extract([all_of(data)]), first.extract([all_of(data)]))
    assert cache_file(own_cache).read_bytes() == content


def test_the_same_data_and_seed_give_the_same_weights(own_cache: Path) -> None:
    data = tiny_dataset(20, classes=TWO)
    torch.manual_seed(1)
    first = QUICK.extractor(data)
    cache_file(own_cache).unlink()
    torch.manual_seed(2)
    assert QUICK.extractor(data).identity == first.identity
    assert Self(steps=3, seed=1).extractor(data).identity != first.identity


def test_torch_draws_on_as_if_nothing_had_been_learned() -> None:
    state = torch.get_rng_state()
    QUICK.extractor(tiny_dataset(20))
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    "other",
    [
        lambda: tiny_dataset(19),
        lambda: tiny_dataset(20, seed=1),
        lambda: tiny_dataset(20, classes=TWO),
        lambda: tiny_dataset(20, 8, 9),
    ],
    ids=["fewer", "others", "labelled", "larger"],
)
def test_parts_of_a_data_set_are_learned_each_for_itself(other: Callable[[], Dataset], own_cache: Path) -> None:
    """All have one fingerprint here, as a part has that of the whole."""
    first = QUICK.extractor(tiny_dataset(20))
    assert QUICK.extractor(other()).identity != first.identity
    assert len(list((own_cache / "features").glob("*.safetensors"))) == 2


def _cut(content: bytes) -> bytes:
    return content[:-100]


def _flipped_header(content: bytes) -> bytes:
    return content[:20] + bytes([content[20] ^ 0xFF]) + content[21:]


def _pickle(content: bytes) -> bytes:
    return b"\x80\x04K\x01." + content


def _not_finite(content: bytes) -> bytes:
    tensors = load(content)
    tensors["mean"][3] = float("nan")
    return save(tensors, {"key": _key(content)})


def _of_another_shape(content: bytes) -> bytes:
    tensors = load(content)
    tensors["mean"] = tensors["mean"][:-1].clone()
    return save(tensors, {"key": _key(content)})


def _one_missing(content: bytes) -> bytes:
    tensors = load(content)
    del tensors["mean"]
    return save(tensors, {"key": _key(content)})


def _of_other_data(content: bytes) -> bytes:
    return save(load(content), {"key": "0" * 64})


def _endless(content: bytes) -> bytes:
    return content + bytes(1 << 20)


def _key(content: bytes) -> str:
    return content.split(b'"key":"', 1)[1][:64].decode()


@pytest.mark.parametrize(
    "damage",
    [_cut, _flipped_header, _pickle, _not_finite, _of_another_shape, _one_missing, _of_other_data, _endless, lambda _: b""],
)
def test_a_damaged_file_is_replaced(damage: Callable[[bytes], bytes], own_cache: Path) -> None:
    data, watched = tiny_dataset(20), Watched()
    first = QUICK.extractor(data)
    path = cache_file(own_cache)
    good = path.read_bytes()
    path.write_bytes(damage(good))
    assert QUICK.extractor(data, progress=watched).identity == first.identity
    assert len(watched.told) == 3
    assert path.read_bytes() == good


def test_a_cache_that_cannot_be_written_costs_only_time(own_cache: Path) -> None:
    (own_cache / "features").write_text("a file in the folder's place")
    assert QUICK.extractor(tiny_dataset(20)).identity.startswith("self-v2-")


def test_records_of_unknown_class_are_overlooked() -> None:
    pixels = tiny_dataset(64).columns["x"]
    known = np.arange(64) % 2
    assert "2 classes" in QUICK.extractor(dataset(pixels, np.where(np.arange(64) < 40, known, -1), TWO)).about
    assert "without classes" in QUICK.extractor(dataset(pixels, np.full(64, -1), TWO)).about
    assert "without classes" in QUICK.extractor(dataset(pixels, np.zeros(64, np.int64), TWO)).about


def test_a_batch_of_only_unknown_classes_teaches_nothing_and_breaks_nothing() -> None:
    few = np.where(np.arange(400) < 4, np.arange(400) % 2, -1)
    network = Self(steps=4).extractor(dataset(tiny_dataset(400).columns["x"], few, TWO))
    assert network.extract([torch.zeros(1, 1, 8, 8)]).isfinite().all()


def test_of_a_stream_only_the_first_records_are_learned_from() -> None:
    batches = [tiny_dataset(16, seed=seed).columns["x"] for seed in range(3)]
    stream = open_stream(iter(batches), head_records=16)
    network = QUICK.extractor(stream)
    assert "16 pictures" in network.about
    assert torch.equal(stream.batch(np.arange(4))["x"], torch.from_numpy(batches[0][:4]))


def test_features_are_centred_and_top_and_bottom_weigh_the_same() -> None:
    data = tiny_dataset(40, classes=TWO)
    features = QUICK.extractor(data).extract([all_of(data)])
    top = PictureEncoder(1, 8, 8).top
    torch.testing.assert_close(features.mean(0), torch.zeros(features.shape[1]), rtol=0, atol=1e-3)
    for part in (features[:, :top], features[:, top:]):
        assert part.var(0, correction=0).sum().item() == pytest.approx(1, rel=0.05)


def test_no_steps_are_refused() -> None:
    with pytest.raises(ValueError, match="steps"):
        Self(steps=0)


def test_views_show_the_record_s_own_pixels() -> None:
    """Nothing is resampled: in the same light, a view is a window of the picture."""
    ramp = torch.arange(100.0).reshape(1, 1, 10, 10).expand(6, 1, 10, 10)
    views = picture_view(ramp, 0.7, np.random.default_rng(0))
    assert views.shape == (6, 1, 7, 7)
    steps = views.diff(dim=3)
    torch.testing.assert_close(steps, steps[:, :, :1, :1].expand_as(steps), rtol=1e-4, atol=1e-3)
    assert torch.unique(views[:, 0, 0, 0]).numel() > 1


def test_a_view_of_a_row_takes_its_share_from_the_same_columns_of_others() -> None:
    x = torch.arange(200.0)[:, None] + torch.tensor([0.0, 1000.0, 2000.0])
    view = row_view(x, 0.5, np.random.default_rng(0))
    assert torch.equal((view / 1000).floor(), (x / 1000).floor())
    assert 0.3 < float((view != x).double().mean()) < 0.7


def test_classes_need_names() -> None:
    """A column of labels that the codec does not know is no reason to learn classes."""
    data = tiny_dataset(20, classes=TWO)
    data.codec = ImageCodec(image_codec().policy, Classes())
    assert "without classes" in QUICK.extractor(data).about
