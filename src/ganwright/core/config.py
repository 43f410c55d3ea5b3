"""Settings as frozen dataclasses, to and from plain TOML and JSON values.

A dataclass is the one description of its settings: the type of each field, its default, and the string below it. Everything
else (TOML files, `--set` overrides, help, the contract tests) is read from there.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
import types
from functools import cache
from typing import Any, ClassVar, Literal, Union, get_args, get_origin, get_type_hints

from ganwright.core.errors import UsageError
from ganwright.core.given import unboxed
from ganwright.core.registry import Registry
from ganwright.core.suggest import unknown_name_hints


class Part:
    """Base of the interchangeable parts: a frozen dataclass that its registry finds by name."""

    registry: ClassVar[Registry]

    def plain_settings(self) -> dict[str, Any]:
        """The fields as plain values; a part that holds what no file can hold describes it instead."""
        return _plain_fields(self)


def to_plain(value: Any) -> Any:
    """`value` as TOML and JSON can hold it; None-valued fields are left out, a part carries its name."""
    value = unboxed(value)
    if isinstance(value, Part):
        return {"name": value.registry.name_of(value), **value.plain_settings()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _plain_fields(value)
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): to_plain(item) for key, item in value.items()}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"{type(value).__name__} is no plain setting")


def _plain_fields(value: Any) -> dict[str, Any]:
    pairs = ((f.name, getattr(value, f.name)) for f in dataclasses.fields(value) if f.init)
    return {name: to_plain(item) for name, item in pairs if item is not None}


def from_plain(kind: Any, plain: Any, where: str = "") -> Any:
    """The value of type `kind` that `plain` describes; `where` names it in errors ("loss.weight").

    Raises:
        UsageError: an unknown setting, or one of another type; it names the setting.
    """
    plain = unboxed(plain)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        if plain is None and type(None) in arguments:
            return None
        return _first_that_fits([a for a in arguments if a is not type(None)], plain, where)
    if origin is Literal:
        if plain in arguments:
            return plain
        raise UsageError("E-CONFIG-02", f"{where} = {plain!r} is not one of {', '.join(map(repr, arguments))}")
    if origin is tuple:
        return _tuple_from_plain(arguments, plain, where)
    if origin is dict:
        return {key: from_plain(arguments[1], item, f"{where}.{key}") for key, item in _expect(dict, plain, where).items()}
    if inspect.isclass(kind) and isinstance(plain, kind) and (issubclass(kind, Part) or dataclasses.is_dataclass(kind)):
        return plain  # an object already, as users of Python give them
    if inspect.isclass(kind) and issubclass(kind, Part):
        table = {"name": plain} if isinstance(plain, str) else dict(_expect(dict, plain, where))
        if "name" not in table:
            raise UsageError("E-CONFIG-03", f"{where} needs a name", hints=unknown_name_hints("", kind.registry))
        name = _expect(str, table.pop("name"), f"{where}.name".strip("."))
        return _dataclass_from_plain(kind.registry.get(name), table, where)
    if dataclasses.is_dataclass(kind):
        return _dataclass_from_plain(kind, _expect(dict, plain, where), where)
    if kind is float and isinstance(plain, int) and not isinstance(plain, bool):
        return float(plain)
    return _expect(kind, plain, where)


def _dataclass_from_plain(cls: Any, table: dict[str, Any], where: str) -> Any:
    hints = get_type_hints(cls)
    known = {f.name for f in dataclasses.fields(cls) if f.init}
    for name in table:
        if name not in known:
            full = f"{where}.{name}".strip(".")
            raise UsageError("E-CONFIG-01", f"unknown setting {full!r}", hints=unknown_name_hints(name, known))
    values = {name: from_plain(hints[name], item, f"{where}.{name}".strip(".")) for name, item in table.items()}
    try:
        return cls(**values)
    except (TypeError, ValueError) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError("E-CONFIG-04", f"{where or cls.__name__}: {error}") from error


def _tuple_from_plain(kinds: tuple[Any, ...], plain: Any, where: str) -> tuple[Any, ...]:
    items = _expect(list | tuple, plain, where)
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return tuple(from_plain(kinds[0], item, f"{where}[{i}]") for i, item in enumerate(items))
    if len(items) != len(kinds):
        raise UsageError("E-CONFIG-02", f"{where} needs {len(kinds)} values, not {len(items)}")
    return tuple(from_plain(kind, item, f"{where}[{i}]") for i, (kind, item) in enumerate(zip(kinds, items, strict=True)))


def _first_that_fits(kinds: list[Any], plain: Any, where: str) -> Any:
    if isinstance(plain, dict):  # what is wrong with a table is told by the kind that knows most of its names
        kinds = sorted(kinds, key=lambda kind: len(plain.keys() & _field_names(kind)))
    for kind in kinds[:-1]:
        try:
            return from_plain(kind, plain, where)
        except UsageError:
            continue
    return from_plain(kinds[-1], plain, where)


def _field_names(kind: Any) -> set[str]:
    return {f.name for f in dataclasses.fields(kind)} if dataclasses.is_dataclass(kind) else set()


def _expect(kind: Any, plain: Any, where: str) -> Any:
    wrong_bool = isinstance(plain, bool) and kind in (int, float)
    if isinstance(plain, kind) and not wrong_bool:
        return plain
    name = getattr(kind, "__name__", str(kind))
    raise UsageError("E-CONFIG-02", f"{where} must be of type {name}, not {plain!r}")


@cache
def field_docs(cls: type) -> dict[str, str]:
    """The string below each field of a dataclass, its parents' included: {field: documentation}."""
    docs: dict[str, str] = {}
    for parent in reversed(cls.__mro__):
        if not dataclasses.is_dataclass(parent) or parent.__module__ == "builtins":
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(parent))).body[0]
        assert isinstance(body, ast.ClassDef)
        for field, text in zip(body.body, body.body[1:], strict=False):
            is_field = isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
            if is_field and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
                docs[field.target.id] = inspect.cleandoc(str(text.value.value))  # type: ignore[union-attr]
    return docs
