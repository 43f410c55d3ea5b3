"""The fixed random network: the same rows however they come, shapes of every kind, and that damage is seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from support import image_codec, tiny_dataset
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from ganwright.core.errors import UsageError
from ganwright.data.dataset import Dataset
from ganwright.data.preparation import prepare
from ganwright.features.base import BATCH, Extractor
from ganwright.features.parts.filters import colour_and_edge_filters, orthogonal, reference_pictures
from ganwright.features.random import COSINES, Random


def pictures_like(data: Dataset, count: int) -> Tensor:
    """Smooth noise (count, C, H, W) of the shape of `data`."""
    channels, height, width = data.codec.spec.shape
    return reference_pictures(np.random.default_rng(1), count, (channels, height, width))


def rows(count: int, columns: int) -> Dataset:
    """Seeded rows of numbers."""
    return prepare(np.random.default_rng(0).normal(size=(count, columns)))


def extractor(height: int, width: int, channels: int) -> Extractor:
    return Random().extractor(tiny_dataset(4, height, width, channels))


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("size", [(4, 4), (7, 5), (28, 28), (72, 72), (200, 120)])
def test_every_shape_of_pictures_is_described(size: tuple[int, int], channels: int) -> None:
    data = tiny_dataset(4, *size, channels)
    network = Random().extractor(data)
    features = network.extract([pictures_like(data, 5)])
    assert features.shape == (5, network.dimensions)
    assert features.dtype == torch.float32
    assert features.isfinite().all()
    assert torch.unique(features, dim=0).shape[0] == 5


def test_a_long_strip_and_a_large_picture_are_described() -> None:
    for size in ((4, 1024), (300, 1024)):
        data = tiny_dataset(4, *size, 3)
        network = Random().extractor(data)
        assert network.extract([pictures_like(data, 2)]).isfinite().all()


def test_rows_do_not_depend_on_how_they_come() -> None:
    """To the bit: batches are padded to one size, in which the place of a record changes nothing on this CPU."""
    data = tiny_dataset(4, 28, 28, 3)
    network, pictures = Random().extractor(data), pictures_like(data, 150)
    order = torch.from_numpy(np.random.default_rng(2).permutation(150))
    whole = network.extract([pictures])
    assert torch.equal(network.extract(pictures.split(7)), whole)
    assert torch.equal(network.extract(pictures[order].split([64, 86])), whole[order])
    assert torch.equal(network.extract([pictures[3:4]]), whole[3:4])


def test_the_layout_in_memory_changes_nothing() -> None:
    data = tiny_dataset(4, 28, 28, 3)
    network, pictures = Random().extractor(data), pictures_like(data, BATCH)
    assert torch.equal(
        network.extract([pictures]), network.extract([pictures.contiguous(memory_format=torch.channels_last)])
    )


def test_two_networks_are_the_same_whatever_torch_draws() -> None:
    state = torch.get_rng_state()
    first = extractor(28, 28, 3)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(7)
    second = extractor(28, 28, 3)
    torch.set_rng_state(state)
    pictures = pictures_like(tiny_dataset(4, 28, 28, 3), 9)
    assert first.identity == second.identity == "random-v1-3x28x28"
    assert torch.equal(first.extract([pictures]), second.extract([pictures]))


def test_values_stay_what_they_were() -> None:
    """Figures that were written down must compare with later ones: where this fails, the version has to change."""
    features = extractor(8, 8, 1).extract([torch.linspace(-1, 1, 64).reshape(1, 1, 8, 8)])
    torch.testing.assert_close(features[0, :3], torch.tensor([-0.14529, 0.47958, 2.68387]), rtol=1e-3, atol=1e-3)
    numbers = Random().extractor(rows(8, 3)).extract([torch.tensor([[-0.5, 0.0, 0.9]])])
    torch.testing.assert_close(numbers[0, :4], torch.tensor([0.51819, -0.21680, -0.86283, 0.97177]), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("size", [16, 160])
def test_blur_and_noise_move_pictures_further_than_chance_does(size: int) -> None:
    """Of large pictures too, which are looked at from afar."""
    data = tiny_dataset(4, size, size, 3)
    network = Random().extractor(data)
    # As smooth as photos are at the pixel's scale.
    smooth = interpolate(pictures_like(tiny_dataset(4, size // 2, size // 2, 3), 128), scale_factor=2, mode="bilinear")
    half, other = smooth.split(64)
    noise = torch.from_numpy(np.random.default_rng(3).normal(0, 0.3, other.shape).astype(np.float32))
    blurred = avg_pool2d(other, 3, stride=1, padding=1, count_include_pad=False)
    real, chance = network.extract([half]).mean(0), network.extract([other]).mean(0)
    for worse in (other + noise, blurred):
        moved = network.extract([worse]).mean(0)
        assert (moved - real).norm() > 1.3 * (chance - real).norm()


def test_where_something_is_matters() -> None:
    data = tiny_dataset(4, 16, 16, 1)
    network = Random().extractor(data)
    picture = -torch.ones(1, 1, 16, 16)
    picture[..., 2:6, 2:6] = 1
    features = network.extract([picture, picture.flip(3), picture.roll(1, 3)])
    assert (features[1] - features[0]).norm() > 2 * (features[2] - features[0]).norm()


@pytest.mark.parametrize("columns", [1, 2, 14, 300])
def test_rows_of_numbers_are_described(columns: int) -> None:
    data = rows(16, columns)
    network = Random().extractor(data)
    features = network.extract([data.codec.expand(data.batch(np.arange(16)))])
    assert features.shape == (16, network.dimensions) == (16, min(columns, 64) + COSINES)
    assert network.identity == f"random-v1-{columns}"
    assert torch.unique(features, dim=0).shape[0] == 16


def test_rows_that_depend_on_each_other_otherwise_are_told_apart() -> None:
    """Two columns, each spread the same in both sets and uncorrelated in both: only their joint distribution differs."""
    network = Random().extractor(rows(16, 2))
    generator = np.random.default_rng(4)
    x, sign = generator.uniform(-1, 1, (3, 2000)), generator.choice([-1.0, 1.0], 2000)
    sets = [np.stack([x[0], x[1]], 1), np.stack([x[1], x[2]], 1), np.stack([x[0], x[0] * sign], 1)]
    means = [network.extract([torch.from_numpy(each.astype(np.float32))]).mean(0) for each in sets]
    assert (means[2] - means[0]).norm() > 3 * (means[1] - means[0]).norm()


def test_records_of_another_kind_are_told_of() -> None:
    codec = image_codec()
    codec._spec = replace(codec.spec, kind="sound")
    data = tiny_dataset()
    data.codec = codec
    with pytest.raises(UsageError, match="sound") as caught:
        Random().extractor(data)
    assert caught.value.code == "E-FEATURES-01"


def test_nothing_extracted_is_an_empty_table() -> None:
    network = extractor(8, 8, 1)
    assert network.extract([]).shape == (0, network.dimensions)


def test_filters_are_orthonormal_and_edges_answer_nothing_to_an_even_area() -> None:
    filters = colour_and_edge_filters(np.random.default_rng(0), 3, 16)
    flat = filters.reshape(16, 27)
    np.testing.assert_allclose(flat @ flat.T, np.eye(16), atol=1e-12)
    np.testing.assert_allclose(filters[3:].sum(axis=(2, 3)), 0, atol=1e-12)
    wide = orthogonal(np.random.default_rng(0), 3, 5)
    np.testing.assert_allclose(wide @ wide.T, np.eye(3), atol=1e-12)
