"""Rows of a table as networks see them."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support import table_spec

from ganwright.data.blocks import BlockLayout
from ganwright.data.spec import Block, DataSpec

BLOCKS = table_spec().blocks


@st.composite
def layouts(draw: st.DrawFn) -> BlockLayout:
    """Columns of every sort, in any order."""
    sorts = st.sampled_from([(1, True), (2, False), (2, True), (5, False), (7, True)])
    found = draw(st.lists(sorts, min_size=1, max_size=6))
    return BlockLayout([Block(f"c{i}", modes, valued) for i, (modes, valued) in enumerate(found)])


def packed_rows(layout: BlockLayout, count: int = 9, seed: int = 0) -> torch.Tensor:
    random = torch.Generator().manual_seed(seed)
    modes = [torch.randint(0, block.modes, (count,), generator=random).float() for block in layout.blocks]
    values = [
        torch.where(mode == 0, torch.rand(count, generator=random) * 2 - 1, 0.0)
        for block, mode in zip(layout.blocks, modes, strict=True)
        if block.valued
    ]
    return torch.stack([*modes, *values], 1)


@given(layouts())
def test_packing_undoes_expanding(layout: BlockLayout) -> None:
    packed = packed_rows(layout)
    x = layout.expand(packed)
    assert x.shape == (9, layout.width)
    torch.testing.assert_close(layout.pack(x), packed)


@given(layouts())
def test_one_mode_of_each_column_is_one(layout: BlockLayout) -> None:
    x = layout.expand(packed_rows(layout))
    modes = x * layout.on(x.device).is_mode
    written = sum(block.modes > 1 for block in layout.blocks)
    torch.testing.assert_close(modes.sum(1), torch.full((9,), float(written)))
    assert set(modes.flatten().tolist()) <= {0.0, 1.0}


@given(layouts())
def test_log_softmax_is_that_of_each_column(layout: BlockLayout) -> None:
    logits = torch.randn(4, layout.width, generator=torch.Generator().manual_seed(1)) * 30
    found = layout.log_softmax(logits)
    for block, mine, theirs in zip(
        layout.blocks,
        found.split([block.width for block in layout.blocks], 1),
        logits.split([block.width for block in layout.blocks], 1),
        strict=True,
    ):
        assert (mine[:, : block.valued] == 0).all()
        if block.modes > 1:
            torch.testing.assert_close(mine[:, block.valued :], theirs[:, block.valued :].log_softmax(1))


def test_what_is_told_is_masked_and_comes_apart_again() -> None:
    layout = BlockLayout(BLOCKS)
    x = layout.expand(packed_rows(layout, 2))
    known = torch.tensor([[1.0, 0, 0, 1, 0], [0, 1, 1, 0, 0]])
    row, mask, drawn = layout.split(layout.told(x, known, 1 - known))
    assert torch.equal(mask, known)
    assert torch.equal(drawn, 1 - known)
    parts = zip(row.split([b.width for b in BLOCKS], 1), x.split([b.width for b in BLOCKS], 1), strict=True)
    for place, (told, whole) in enumerate(parts):
        for i in range(2):
            assert torch.equal(told[i], whole[i] if known[i, place] else torch.zeros_like(whole[i]))


def test_numbers_are_drawn_first_and_together() -> None:
    assert BlockLayout(BLOCKS).passes == [[0, 2], [1], [3], [4]]
    assert BlockLayout([Block("a", 2, valued=False)]).passes == [[0]]
    assert BlockLayout([Block("a", 1, valued=True, number=True)]).passes == [[0]]


@pytest.mark.parametrize(("modes", "valued"), [(0, True), (1, False), (-1, False), (10**9, False)])
def test_a_column_that_tells_nothing_is_refused(modes: int, valued: bool) -> None:
    with pytest.raises(ValueError, match="tell nothing"):
        Block("a", modes, valued)


def test_a_spec_whose_shape_is_not_that_of_its_columns_is_refused() -> None:
    with pytest.raises(ValueError, match="columns take"):
        DataSpec("table", (3,), "blocks", blocks=(Block("a", 2, valued=False),))
