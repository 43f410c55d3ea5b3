"""Text such as `layers.Dense(128 * 7 * 7, activation="relu")` read as plain values: nothing is looked up or evaluated."""

from __future__ import annotations

import ast
import math
import operator
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from ganwright.core.errors import UsageError

MAX_TEXT = 1000
"""Characters of one definition."""
MAX_NUMBER = 2**53
"""The largest magnitude of a number, literal or calculated: beyond it whole numbers are not exact as floats."""
_MAX_DEPTH = 24

_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}


@dataclass(frozen=True)
class Reference:
    """A dotted name that is not called, such as `tf.nn.relu`."""

    path: str

    @property
    def name(self) -> str:
        """The part after the last dot."""
        return self.path.rpartition(".")[2]


@dataclass(frozen=True)
class Call:
    """A name with arguments: `keras.initializers.RandomNormal(stddev=0.02)`."""

    path: str
    positional: tuple[Value, ...] = ()
    named: tuple[tuple[str, Value], ...] = ()

    @property
    def name(self) -> str:
        """The part after the last dot."""
        return self.path.rpartition(".")[2]

    @property
    def prefix(self) -> str:
        """The part before the last dot, the empty string without one."""
        return self.path.rpartition(".")[0]


Value: TypeAlias = "int | float | str | bool | tuple[Value, ...] | Reference | Call | None"
"""What an argument can be; a list reads as a tuple."""


def parse_call(text: str) -> Call:
    """The call that `text` writes down.

    Raises:
        UsageError: it is longer than MAX_TEXT characters, is not Python, or is anything but one call whose arguments are
            numbers, strings, tuples, lists, names and further such calls.
    """
    if len(text) > MAX_TEXT:
        raise _unreadable(f"it has {len(text)} characters, at most {MAX_TEXT} are read")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what the compiler thinks of '\d' is no concern of the user's
            body = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise _unreadable(f"it is not written as a call: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError) as error:  # NUL bytes, and nesting beyond the compiler's stack
        raise _unreadable("it is not written as a call") from error
    value = _read(body, 0)
    if isinstance(value, Reference):
        raise _unreadable(f"{value.path} needs parentheses: {value.path}()")
    if not isinstance(value, Call):
        raise _unreadable("it is not a call such as Dense(10)")
    return value


def described(value: Value) -> str:
    """`value` as a user would write it, cut where it is long."""
    text = _described(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _described(value: Value) -> str:
    if isinstance(value, Reference):
        return value.path
    if isinstance(value, Call):
        parts = [_described(item) for item in value.positional]
        return f"{value.path}({', '.join(parts + [f'{name}={_described(item)}' for name, item in value.named])})"
    if isinstance(value, tuple):
        return f"({', '.join(map(_described, value))}{',' * (len(value) == 1)})"
    return repr(value)


def _read(node: ast.expr, depth: int) -> Value:
    if depth > _MAX_DEPTH:
        raise _unreadable(f"it is nested more than {_MAX_DEPTH} deep")
    match node:
        case ast.Constant(value=None | bool() | str() as value):
            return value
        case ast.Constant(value=int() | float() as value):
            return _bounded(value)
        case ast.Tuple(elts=items) | ast.List(elts=items):
            return tuple(_read(item, depth + 1) for item in items)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_number(operand, depth)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _number(operand, depth)
        case ast.BinOp():
            return _calculated(node, depth)
        case ast.Name() | ast.Attribute():
            return Reference(_path(node))
        case ast.Call():
            return _call(node, depth)
        case _:
            raise _unreadable(f"{_words(node)} is not allowed, only numbers, strings, tuples, lists, names and calls")


def _call(node: ast.Call, depth: int) -> Call:
    positional = tuple(_read(argument, depth + 1) for argument in node.args)
    named: list[tuple[str, Value]] = []
    for keyword in node.keywords:
        if keyword.arg is None:
            raise _unreadable("** is not allowed")
        named.append((keyword.arg, _read(keyword.value, depth + 1)))
    return Call(_path(node.func), positional, tuple(named))


def _path(node: ast.expr) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        raise _unreadable(f"{_words(node)} cannot be called or have attributes")
    return ".".join([node.id, *reversed(parts)])


def _calculated(node: ast.BinOp, depth: int) -> int | float:
    function = _OPERATORS.get(type(node.op))
    if function is None:
        raise _unreadable(f"{_words(node.op)} is not allowed, only + - * / // %")
    left, right = _number(node.left, depth), _number(node.right, depth)
    try:
        return _bounded(function(left, right))
    except ZeroDivisionError:
        raise _unreadable("it divides by zero") from None


def _number(node: ast.expr, depth: int) -> int | float:
    value = _read(node, depth + 1)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _unreadable(f"it calculates with {described(value)}, which is not a number")
    return value


def _bounded(value: float) -> int | float:
    if not math.isfinite(value) or abs(value) > MAX_NUMBER:
        raise _unreadable("a number in it is too large")
    return value


def _unreadable(why: str) -> UsageError:
    return UsageError("E-LAYERS-01", "this text cannot be read as a layer or a compile call", why=why)


def _words(node: ast.AST) -> str:
    kind = type(node).__name__
    known = {"Pow": "a power", "Lambda": "a function", "JoinedStr": "a formatted string", "Subscript": "an index"}
    return known.get(kind, f"Python's {kind}")
