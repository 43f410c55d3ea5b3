"""A leaf imports its base, never a sibling or its own package: read from the files, so that a new leaf is held to it too."""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path

import pytest

from ganwright.augment.base import AUGMENTATIONS
from ganwright.core.registry import Registry
from ganwright.data.modalities.base import MODALITIES
from ganwright.data.sources.base import SOURCES
from ganwright.features.base import FEATURES
from ganwright.losses.base import LOSSES
from ganwright.metrics.base import METRICS
from ganwright.networks.base import NETWORKS
from ganwright.optimizers.base import OPTIMIZERS
from ganwright.recipes.registry import RECIPES
from ganwright.regularizers.base import REGULARIZERS

# Recipes may call each other: a variant is its base with two fields changed.
MOST: list[Registry] = [
    AUGMENTATIONS,
    FEATURES,
    LOSSES,
    METRICS,
    MODALITIES,
    NETWORKS,
    OPTIMIZERS,
    REGULARIZERS,
    SOURCES,
]
BETWEEN = {f"ganwright.data.{name}" for name in ("file_folder", "file_zip", "files_by_path")}
"""What several leaves have in common lies below them, and imports their base."""
LEAVES = [(registry.package, name) for registry in MOST for name in registry]


def imported_modules(package: str, name: str) -> set[str]:
    """Every module that the file of a leaf imports anywhere in it; `from a.b import c` counts as a.b and a.b.c."""
    spec = find_spec(f"{package}.{name}")
    assert spec is not None
    assert spec.origin is not None
    found: set[str] = set()
    for node in ast.walk(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            found |= {f"{node.module}", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@pytest.mark.parametrize(("package", "name"), LEAVES, ids=[f"{package.split('.')[-1]}-{name}" for package, name in LEAVES])
def test_a_leaf_imports_its_base_and_no_sibling(package: str, name: str) -> None:
    siblings = {f"{package}.{other}" for home, other in LEAVES if home == package}
    imports = imported_modules(package, name)
    assert not imports & siblings
    assert package not in imports
    assert imports & {f"{package}.base", *BETWEEN}


def test_every_folder_of_parts_has_leaves() -> None:
    assert all(len(registry.names()) > 0 for registry in (*MOST, RECIPES))
