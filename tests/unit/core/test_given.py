"""Numbers as users of Python give them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from ganwright.core.errors import UsageError
from ganwright.core.given import real_number, unboxed, whole_number


@pytest.mark.parametrize("given", [5, 5.0, np.int64(5), np.float32(5), np.array(5), torch.tensor(5)])
def test_a_whole_number_is_one_whoever_made_it(given: Any) -> None:
    assert type(whole_number("batch", given)) is int
    assert whole_number("batch", given) == 5
    assert type(real_number("epochs", given)) is float


@pytest.mark.parametrize("given", ["5", 5.5, np.float64(5.5), True, np.array([5, 6]), np.bool_(True), object()])
def test_what_is_no_whole_number_is_refused_by_name(given: Any) -> None:
    with pytest.raises(UsageError, match="batch must be a whole number"):
        whole_number("batch", given)


@pytest.mark.parametrize("given", ["5", False, [5.0], 1j])
def test_what_is_no_number_is_refused_by_name(given: Any) -> None:
    with pytest.raises(UsageError, match="epochs must be a number"):
        real_number("epochs", given)


def test_nothing_stays_nothing_and_what_is_no_number_stays_as_it_is() -> None:
    assert whole_number("batch", None) is None
    assert real_number("batch", None) is None
    assert unboxed("word") == "word"
    array = np.arange(3)
    assert unboxed(array) is array
