"""What holds for every feature network, and for each that comes to the folder."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from support import tiny_dataset, tiny_series, tiny_texts

from ganwright.core.errors import UsageError
from ganwright.data.dataset import Dataset
from ganwright.data.preparation import prepare
from ganwright.features.base import FEATURES, Features
from ganwright.features.self import Self

OFFLINE = ["random", "self"]
"""Those that need nothing but the data."""
OF_TABLES = ["encoded"]
OF_TEXTS = ["ngrams"]
OF_SERIES = ["courses"]


def part(name: str) -> Features:
    """With settings that take no time."""
    return Self(steps=2) if name == "self" else FEATURES.get(name)()


def records(kind: str) -> Dataset:
    """Twenty of them."""
    if kind == "pictures":
        return tiny_dataset(20, 12, 9, 3)
    if kind == "texts":
        return tiny_texts(20)
    if kind == "series":
        return tiny_series(20)
    draw = np.random.default_rng(0)
    if kind == "rows":
        return prepare(draw.normal(size=(20, 5)))
    words = np.array(["a", "b", "c"], object)[draw.integers(0, 3, 20)]
    return prepare(pd.DataFrame({"number": draw.normal(size=20), "word": words}))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *((name, kind) for name in OFFLINE for kind in ("pictures", "rows", "table")),
        *((name, "table") for name in OF_TABLES),
        *((name, "texts") for name in OF_TEXTS),
        *((name, "series") for name in OF_SERIES),
    ],
)
def test_an_extractor_keeps_what_its_base_promises(name: str, kind: str) -> None:
    data = records(kind)
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


OF_OTHERS = (*OF_TABLES, *OF_TEXTS, *OF_SERIES)


@pytest.mark.parametrize("name", [name for name in FEATURES.names() if name not in (*OFFLINE, *OF_OTHERS)])
def test_what_is_for_pictures_refuses_rows(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        part(name).extractor(prepare(np.random.default_rng(0).normal(size=(20, 5))))
    assert caught.value.code == "E-FEATURES-01"
    assert "--features self" in str(caught.value)


@pytest.mark.parametrize("name", OF_OTHERS)
def test_what_is_for_tables_texts_or_series_refuses_all_else(name: str) -> None:
    for kind in ("pictures", "rows"):
        with pytest.raises(UsageError) as caught:
            part(name).extractor(records(kind))
        assert caught.value.code == "E-FEATURES-01"
