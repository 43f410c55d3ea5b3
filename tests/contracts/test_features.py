"""What holds for every feature network, and for each that comes to the folder."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support import tiny_dataset

from ganwright.core.errors import UsageError
from ganwright.data.preparation import prepare
from ganwright.features.base import FEATURES, Features
from ganwright.features.self import Self

OFFLINE = ["random", "self"]
"""Those that need nothing but the data."""


def part(name: str) -> Features:
    """With settings that take no time."""
    return Self(steps=2) if name == "self" else FEATURES.get(name)()


@pytest.mark.parametrize("kind", ["pictures", "rows"])
@pytest.mark.parametrize("name", OFFLINE)
def test_an_extractor_keeps_what_its_base_promises(name: str, kind: str) -> None:
    data = tiny_dataset(20, 12, 9, 3) if kind == "pictures" else prepare(np.random.default_rng(0).normal(size=(20, 5)))
    x = data.codec.expand(data.batch(np.arange(20)))
    before, random_state = x.clone(), torch.get_rng_state()
    network = part(name).extractor(data)
    whole = network.extract([x])
    assert whole.shape == (20, network.dimensions)
    assert whole.dtype == torch.float32
    assert not whole.requires_grad
    assert whole.isfinite().all()
    assert network.identity.startswith(f"{name}-v")
    assert network.about
    torch.testing.assert_close(network.extract(x.flip(0).split(3)), whole.flip(0), rtol=1e-5, atol=1e-5)
    again = part(name).extractor(data)
    assert again.identity == network.identity
    assert torch.equal(again.extract([x]), whole)
    assert torch.equal(x, before)
    assert torch.equal(torch.get_rng_state(), random_state)


@pytest.mark.parametrize("name", [name for name in FEATURES.names() if name not in OFFLINE])
def test_what_is_for_pictures_refuses_rows(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        part(name).extractor(prepare(np.random.default_rng(0).normal(size=(20, 5))))
    assert caught.value.code == "E-FEATURES-01"
    assert "--features self" in str(caught.value)
