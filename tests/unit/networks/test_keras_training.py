"""What training asks of layers given as text: statistics that can be held, slopes of slopes, seeded noise."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ganwright.data.spec import DataSpec
from ganwright.networks.keras.catalogue import read_layer
from ganwright.networks.keras.definition import Layers
from ganwright.networks.keras.network import LayersDiscriminator, LayersGenerator
from ganwright.networks.keras.parse import parse_call
from ganwright.networks.keras.wrappers import SpectralModule

BATCH = 6


@pytest.fixture(autouse=True)
def seeded() -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def discriminator(*rows: str) -> LayersDiscriminator:
    return LayersDiscriminator(Layers(["Input(shape=(28, 28, 1))", *rows]), DataSpec("image", (1, 28, 28)))


def norm_of(text: str, shape: tuple[int, ...]) -> _BatchNorm:
    module = read_layer(parse_call(text)).module(shape)
    assert isinstance(module, _BatchNorm)
    return module


def test_held_statistics_stay_and_the_batch_s_own_normalise() -> None:
    norm, x = norm_of("BatchNormalization(momentum=0.5)", (4, 4, 3)), torch.randn(5, 4, 4, 3) * 3 + 1
    moved = norm(x)
    before = [value.clone() for value in norm.buffers()]
    norm.track_running_stats = False
    torch.testing.assert_close(norm(x), moved)
    assert all(torch.equal(one, other) for one, other in zip(before, norm.buffers(), strict=True))
    norm.eval()
    assert norm.running_mean is not None
    assert not torch.allclose(norm(x), moved)
    torch.testing.assert_close(norm.running_mean, x.mean((0, 1, 2)) / 2)


def test_estimated_statistics_are_a_plain_mean_of_biased_variances() -> None:
    norm = norm_of("BatchNormalization(momentum=0.9)", (3,))
    norm(torch.randn(8, 3))
    batches = [torch.randn(4, 3) * scale for scale in (1, 2, 3)]
    norm.reset_running_stats()
    norm.momentum = None
    for batch in batches:
        norm(batch)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    torch.testing.assert_close(norm.running_mean, torch.stack([batch.mean(0) for batch in batches]).mean(0))
    variances = torch.stack([batch.var(0, correction=0) for batch in batches])
    torch.testing.assert_close(norm.running_var, variances.mean(0))


def test_a_batch_of_one_record_is_its_own_mean() -> None:
    norm = norm_of("BatchNormalization()", (3,))
    torch.testing.assert_close(norm(torch.randn(1, 3)), torch.zeros(1, 3), rtol=0, atol=1e-5)
    assert norm.running_var is not None
    torch.testing.assert_close(norm.running_var, torch.full((3,), 0.99))


SPECTRAL = ("SpectralNormalization(Conv2D(4, 3, strides=2, padding='same'))", "Flatten()", "SpectralNormalization(Dense(1))")


def hold(network: nn.Module, held: bool) -> None:
    for module in network.modules():
        if isinstance(module, SpectralModule):
            module.hold_statistics = held


def test_spectral_normalisation_moves_once_and_backward_passes_through_both_turns() -> None:
    network = discriminator(*SPECTRAL).train()
    x = torch.randn(BATCH, 1, 28, 28, requires_grad=True)
    first = {name: value.clone() for name, value in network.state_dict().items()}
    real = network(x).logits[0]
    after = {name: value.clone() for name, value in network.state_dict().items()}
    assert all(not torch.equal(first[name], after[name]) for name in first if not name.endswith("bias"))
    hold(network, True)
    fake = network(x * 0.5).logits[0]
    assert all(torch.equal(value, after[name]) for name, value in network.state_dict().items())
    (slope,) = torch.autograd.grad(network(x).logits[0].sum(), x, create_graph=True)
    (real.mean() - fake.mean() + slope.square().sum()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


def test_a_normalised_kernel_has_a_norm_of_one() -> None:
    network = discriminator(*SPECTRAL).train()
    for _ in range(30):
        network(torch.randn(2, 1, 28, 28))
    kernel = network.keras_layers()[0][1].keras_tensors()[0].detach()
    assert float(torch.linalg.matrix_norm(kernel.reshape(-1, 4), 2)) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    "rows",
    [
        ("Conv2D(4, 3)", "BatchNormalization()", "LeakyReLU()", "Flatten()", "Dense(1)"),
        ("Reshape((28, 28))", "LSTM(4, return_sequences=True)", "GRU(3)", "Dense(1)"),
        ("Conv2D(4, 3, activation='hard_sigmoid')", "Flatten()", "Dense(1)"),
        ("Conv2D(4, 3)", "LayerNormalization()", "AveragePooling2D(padding='same')", "GlobalAveragePooling2D()", "Dense(1)"),
    ],
)
def test_gradients_can_be_differentiated_again(rows: tuple[str, ...]) -> None:
    network = discriminator(*rows).train()
    x = torch.randn(BATCH, 1, 28, 28, requires_grad=True)
    (slope,) = torch.autograd.grad(network(x).logits[0].sum(), x, create_graph=True)
    slope.square().sum().backward()
    assert any(p.grad is not None and float(p.grad.abs().sum()) > 0 for p in network.parameters())


@pytest.mark.parametrize("layer", ["Dropout(0.5)", "SpatialDropout1D(0.5)", "GaussianNoise(0.5)", "GaussianDropout(0.5)"])
def test_noise_is_drawn_in_training_only_and_from_the_global_generator(layer: str) -> None:
    spec = DataSpec("series", (40, 50), "linear")  # channels first, as networks of ours have them
    network = LayersGenerator(Layers(["Input((50, 40))", layer]), spec)
    x = torch.ones(20, 50, 40)

    def run() -> Tensor:
        torch.manual_seed(3)
        return network({"latent": x}).raw

    drawn = run()
    assert torch.equal(drawn, run())
    assert float(drawn.std()) == pytest.approx(0.5 if "Noise" in layer else 1, abs=0.05)
    assert float(drawn.mean()) == pytest.approx(1, abs=0.1)
    if "Spatial" in layer:
        assert all(len(channel.unique()) == 1 for record in drawn[:3] for channel in record)
    network.eval()
    assert torch.equal(network({"latent": x}).raw, x.mT)


def test_recurrent_dropout_of_inputs_is_the_same_at_every_step() -> None:
    spec = DataSpec("series", (1, 9), "linear")
    text = "SimpleRNN(1, activation='linear', dropout=0.5, return_sequences=True, recurrent_initializer='zeros')"
    network = LayersGenerator(Layers(["Input((9, 1))", text]), spec)
    out = network({"latent": torch.ones(200, 9, 1)}).raw
    assert all(len(record.unique()) == 1 for record in out)
    assert 0.3 < float((out == 0).float().mean()) < 0.7


@pytest.mark.parametrize(
    "text", ["BatchNormalization()", "LayerNormalization(scale=False)", "LayerNormalization(center=False)"]
)
def test_half_precision(text: str) -> None:
    module = read_layer(parse_call(text)).module((5, 4))
    x = torch.randn(8, 5, 4)
    with torch.autocast("cpu", torch.bfloat16):
        half = module(x.bfloat16())
    torch.testing.assert_close(half.float(), module(x), rtol=0, atol=0.1)
