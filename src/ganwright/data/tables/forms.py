"""How a program held the columns of a DataFrame, so that samples come back in the same types."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_NUMBERS = re.compile(r"u?int(8|16|32)|uint64|U?Int(8|16|32|64)|float(16|32)|Float(32|64)|boolean|string")
_TIMES = re.compile(r"datetime64\[(s|ms|us|ns)(, [A-Za-z0-9_+\-/:]{1,40})?\]")
CATEGORY = "category"
MOST_FORMS = 10_000


def form_of(series: Any) -> str:
    """The pandas type of a column, if samples would not have it anyway and it can be given back; else ""."""
    name = str(series.dtype)
    if name == CATEGORY:
        return name if all(isinstance(each, str) for each in series.cat.categories) else ""
    return name if is_form(name) and name != "datetime64[us]" else ""


def is_form(name: Any) -> bool:
    """Whether `form_of` may have given it."""
    return isinstance(name, str) and (name == CATEGORY or bool(_NUMBERS.fullmatch(name) or _TIMES.fullmatch(name)))


def check_forms(forms: Any) -> dict[str, str]:
    """Forms by column, from a file.

    Raises:
        ValueError: they are none.
    """
    if not isinstance(forms, dict) or len(forms) > MOST_FORMS or not all(map(is_form, forms.values())):
        raise ValueError("columns are held in a form that does not exist")
    return dict(forms)


def in_forms(frame: Any, forms: Mapping[str, str], words: Mapping[str, tuple[str, ...]]) -> Any:
    """The DataFrame with its columns in their forms; a column that does not fit stays as it is.

    Args:
        words: of the columns that hold some, all there are.
    """
    for name, form in forms.items():
        if name in frame:
            try:
                frame[name] = _in_form(frame[name], form, words.get(name, ()))
            except (TypeError, ValueError, OverflowError, KeyError, AttributeError):  # a cell beyond it, a zone unknown here
                continue
    return frame


def _in_form(series: Any, form: str, words: tuple[str, ...]) -> Any:
    import pandas as pd

    if form == CATEGORY:
        # The same categories in every block, or pandas would forget them as it joins the blocks.
        return series.astype(pd.CategoricalDtype(sorted({*words, *series.dropna()})))
    if ", " in form:
        zone = form.partition(", ")[2].rstrip("]")
        return series.dt.tz_localize("UTC").dt.tz_convert(zone).astype(form)
    found = series.astype(form)
    if form.startswith(("int", "uint", "Int", "UInt")) and not (found == series).fillna(True).all():
        raise OverflowError(form)
    return found
