"""Dense networks: what their generator draws from, and what their discriminator sees."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ganwright.data.spec import DataSpec
from ganwright.model.noise import draw_noise
from ganwright.networks.mlp import Mlp
from ganwright.networks.parts.octaves import with_octaves
from ganwright.runtime.keys import Key

PAIRS = DataSpec("numbers", (2,), "tanh")


def test_signs_decide_beside_the_latent() -> None:
    generator = Mlp(latent=3, signs=4, generator_widths=(16,), batch_normalisation=False).generator(PAIRS)
    noise = draw_noise(generator.noise, 2, Key(0))
    assert {name: value.shape[1] for name, value in noise.items()} == {"latent": 3, "signs": 4}
    with torch.no_grad():
        first = generator(noise).raw
        assert not torch.allclose(generator({**noise, "signs": -noise["signs"]}).raw, first)
        assert not torch.allclose(generator({**noise, "latent": -noise["latent"]}).raw, first)


def test_without_batch_normalisation_a_record_is_the_same_beside_any_others() -> None:
    def changed(family: Mlp) -> bool:
        generator = family.generator(PAIRS).train()
        latent = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            together, others = generator({"latent": latent}).raw, generator({"latent": torch.cat([latent[:1], -latent])}).raw
        return not torch.allclose(together[0], others[0], atol=1e-6)

    assert changed(Mlp(latent=3, generator_widths=(16,)))
    assert not changed(Mlp(latent=3, generator_widths=(16,), batch_normalisation=False))


def test_octaves_tell_close_numbers_apart() -> None:
    x = torch.tensor([[0.5, -0.25], [0.51, -0.25]])
    seen = with_octaves(x, 3)
    assert seen.shape == (2, 14)
    assert torch.equal(seen[:, :2], x)
    # Of the first number: the sine of the shortest wave, whose length is 4 / 2 ** 2.
    torch.testing.assert_close(seen[:, 10], torch.sin(2 * math.pi * x[:, 0]))
    assert (seen[1] - seen[0]).norm() > 5 * (x[1] - x[0]).norm()
    assert torch.equal(with_octaves(x, 0), x)


def test_a_discriminator_with_octaves_sees_them() -> None:
    seen: list[Tensor] = []
    discriminator = Mlp(octaves=3, discriminator_widths=(8,)).discriminator(PAIRS)
    first = next(module for module in discriminator.modules() if isinstance(module, nn.Linear))
    first.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    x = torch.tensor([[0.5, -0.25]])
    discriminator(x)
    assert torch.equal(seen[0], with_octaves(x, 3))


@pytest.mark.parametrize("wrong", [{"signs": 0}, {"signs": 10**6}, {"octaves": 0}, {"octaves": 17}], ids=str)
def test_settings_out_of_bounds_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} must lie in 1"):
        Mlp(**wrong)
