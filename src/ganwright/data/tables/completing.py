"""Rows of which some cells were given, brought back to what holds in every row of the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ganwright.data.tables.cells import Cells
from ganwright.data.tables.constraints import Constraint, Order, Rows, Unfinished


def reconciled(
    constraints: Sequence[Constraint],
    natural: Mapping[str, np.ndarray],
    given: Mapping[str, np.ndarray],
    drawn: Mapping[str, np.ndarray],
    random: np.random.Generator,
) -> dict[str, np.ndarray]:
    """The columns again, in which only cells that were not given are other ones.

    A generator is not told of what is computed from others. So where such a cell is given and what it follows from is not,
    that is worked out backwards: of T = A + B the part that is missing, of A <= B an A that is small enough, of what another
    column decides one of the cells that decide it so. Where all of it was given, it stays as it is, right or wrong.

    Args:
        constraints: in the order of computing.
        natural: each column's cells (n,), those that were given in their places.
        given: bool (n,) of columns of which some are.
        drawn: the cells (n,) as they were drawn, with their gaps.
    """
    values = dict(natural)
    nothing = np.zeros(len(next(iter(natural.values()))), bool)
    fixed = {name: given.get(name, nothing).copy() for name in natural}
    changed = nothing.copy()
    as_drawn = _rows(drawn)
    gaps = {each.computed.name: each.gaps(as_drawn) for each in constraints if isinstance(each, Order)}
    for each in reversed(constraints):
        name = each.computed.name
        wrong = fixed[name] & ~each.kept(_rows(values))
        if not wrong.any():
            continue
        free = {need.name: wrong & ~fixed[need.name] for need in each.needs}
        for need, cells in each.inverted(Unfinished(values, free, gaps.get(name, np.empty(0)), random)).items():
            values[need] = np.where(free[need], cells, values[need])
            fixed[need] |= free[need]
            changed |= free[need]
    for each in constraints:
        name = each.computed.name
        again = changed & ~fixed[name]
        if again.any():
            values[name] = np.where(again, each.compute(values, gaps.get(name, np.empty(0))), values[name])
    return values


def _rows(columns: Mapping[str, np.ndarray]) -> Rows:
    return Rows(Cells(tuple(columns), tuple(columns.values()), 0))
