"""WaveGAN's networks, and the shuffling of phases."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ganwright.data.spec import DataSpec
from ganwright.networks.parts.phase_shuffle import PhaseShuffle
from ganwright.networks.wavegan import Wavegan, lengths


def test_the_published_networks_are_those_of_the_paper() -> None:
    """Table 3: 16 places of 1,024 channels to 16,384 samples; about 19 million parameters each."""
    assert lengths(16_384) == [16, 64, 256, 1024, 4096, 16_384]
    with torch.device("meta"):
        generator, discriminator = Wavegan().build(DataSpec("waveform", (1, 16_384), "tanh"))
    for network in (generator, discriminator):
        assert 1.7e7 < sum(weight.numel() for weight in network.parameters()) < 2.1e7


@pytest.mark.parametrize("samples", [1, 15, 64, 65, 300, 512, 6912, 8000, 44_100])
def test_any_length_is_drawn(samples: int) -> None:
    spec = DataSpec("waveform", (1, samples), "tanh")
    generator, discriminator = Wavegan(latent=4, width=2, max_width=4).build(spec)
    made = generator({"latent": torch.randn(3, 4)}).raw
    assert made.shape == (3, 1, samples)
    assert discriminator(made).logits[0].shape == (3,)


def test_records_are_moved_each_by_its_own_places_in_training_only() -> None:
    shuffle, x = PhaseShuffle(2), torch.arange(24.0).expand(64, 1, 24)
    torch.manual_seed(0)
    moved = shuffle(x)
    assert {int(row[0, 12]) - 12 for row in moved} == {-2, -1, 0, 1, 2}
    back = moved[moved[:, 0, 12] == 10][0, 0]
    assert back[:4].tolist() == [2, 1, 0, 1], "what lies before the beginning is mirrored"
    assert torch.equal(shuffle.eval()(x), x)


def test_a_shuffled_verdict_depends_on_chance_and_says_so() -> None:
    spec = DataSpec("waveform", (1, 512), "tanh")
    family = Wavegan(width=2, max_width=4)
    plain = replace(family, shuffled=False).discriminator(spec)
    shuffled = family.discriminator(spec)
    assert plain.by_itself
    assert not shuffled.by_itself
    x = torch.randn(4, 1, 512, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(1)
    assert not torch.equal(shuffled(x).logits[0], shuffled(x).logits[0])
    assert torch.equal(plain(x).logits[0], plain(x).logits[0])
    assert torch.equal(shuffled.eval()(x).logits[0], shuffled(x).logits[0])
