"""Names of the interchangeable parts, found from the files of their folder.

A part's name is its file's name, so listing imports nothing and `--help` stays quick. The file of `least_squares` defines
`LeastSquares` (or, where a part is a function, `least_squares`). Another package adds a part with an entry point:

    [project.entry-points."ganwright.losses"]
    my_loss = "my_package.my_loss:MyLoss"
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import Any

from ganwright.core.errors import UsageError
from ganwright.core.suggest import unknown_name_hints

OWN = "own "
"""Begins the name of a part that no registry knows: it can be told of in a file, and not be looked up from it."""


def camel_case(name: str) -> str:
    """`least_squares` -> `LeastSquares`: the class that a part's file defines."""
    return "".join(word.capitalize() for word in name.split("_"))


@dataclass(frozen=True)
class Registry:
    """The parts of one kind, for example every loss in `ganwright.losses`."""

    kind: str
    """The word for one part in messages: "loss"."""
    package: str
    """The package whose files are the parts; it is also the entry-point group."""
    functions: bool = False
    """True where a part is a function named like its file, instead of a class."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Other names in use for a part: {"binary_crossentropy": "non_saturating"}."""
    variants: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Of functions: more of them in the file of one, {"r3gan": ("cifar10",)} for `r3gan_cifar10`, called "r3gan-cifar10"."""

    @cached_property
    def _files(self) -> tuple[str, ...]:
        spec = find_spec(self.package)
        assert spec is not None, self.package
        assert spec.submodule_search_locations is not None, self.package
        modules = pkgutil.iter_modules(spec.submodule_search_locations)
        return tuple(sorted(m.name for m in modules if not m.ispkg and m.name not in ("base", "registry")))

    @cached_property
    def _variants(self) -> dict[str, str]:
        """The file of each variant, by the variant's name."""
        return {f"{file}-{variant}": file for file, variants in self.variants.items() for variant in variants}

    @cached_property
    def _plugins(self) -> dict[str, Any]:
        return {point.name: point for point in entry_points(group=self.package)}

    def names(self) -> tuple[str, ...]:
        """Every known name, aliases left out, without importing a part."""
        return tuple(sorted({*self._files, *self._variants, *self._plugins}))

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def get(self, name: str) -> Any:
        """The class (or function) called `name`.

        Raises:
            UsageError: there is no such part; the nearest and all known names are given.
        """
        name = self.aliases.get(name, name)
        if name in self._files:
            module = importlib.import_module(f"{self.package}.{name}")
            return getattr(module, name if self.functions else camel_case(name))
        if name in self._variants:
            module = importlib.import_module(f"{self.package}.{self._variants[name]}")
            return getattr(module, name.replace("-", "_"))
        if name in self._plugins:
            return self._plugins[name].load()
        raise UsageError(
            "E-NAME-01", f"unknown {self.kind} {name!r}", hints=unknown_name_hints(name, [*self.names(), *self.aliases])
        )

    def name_of(self, part: object) -> str:
        """The name under which the class of `part` is registered; "own MyLoss" for a user's own class, which has none."""
        cls = part if isinstance(part, type) else type(part)
        for name in self.names():
            # Only an imported file can have made the part, so nothing is imported to find it.
            if cls.__module__ == f"{self.package}.{name}" or (name in self._plugins and self.get(name) is cls):
                return name
        return OWN + cls.__name__
