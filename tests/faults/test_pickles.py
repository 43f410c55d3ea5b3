"""No file that Ganwright reads is unpickled: not models, not checkpoints, not caches, not data.

The whole test run is watched by an audit hook (`conftest.py`), which fails whatever test gets Ganwright to unpickle. Here it
is shown that the hook bites, that no module of the product names what it may not use, and what becomes of pickles that are
passed off as something else.
"""

from __future__ import annotations

import ast
import pickle  # noqa: TID251 - to see it refused
import sys
from pathlib import Path

import numpy as np
import pytest

import ganwright
from ganwright import GAN, load
from ganwright.core.errors import GanwrightError

PACKAGE = Path(ganwright.__file__).parent
FORBIDDEN = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "shelve", "marshal", "joblib"}
CANARY: list[str] = []


class Hostile:
    """Unpickled, it leaves a mark."""

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return exec, ("import test_pickles; test_pickles.CANARY.append('sang')",)


def test_the_hook_bites() -> None:
    code = compile("import pickle\ndef read(content): return pickle.loads(content)", str(PACKAGE / "imagined.py"), "exec")
    names: dict[str, object] = {}
    exec(code, names)
    read = names["read"]
    assert callable(read)
    with pytest.raises(RuntimeError, match="Ganwright unpickles"):
        read(pickle.dumps(Hostile()))
    assert not CANARY


def test_a_pickle_outside_of_the_product_is_none_of_its_business() -> None:
    assert pickle.loads(pickle.dumps(Path("here"))) == Path("here")  # noqa: S301


def test_no_module_imports_what_unpickles() -> None:
    found: list[str] = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found += [f"{path}: {name}" for name in names if name.split(".")[0] in FORBIDDEN]
            if isinstance(node, ast.Attribute) and ast.unparse(node) in ("torch.load", "pandas.read_pickle", "np.load"):
                found += [f"{path}:{node.lineno}: {ast.unparse(node)}"]
    assert [each for each in found if "np.load" not in each] == []
    for each in found:
        line = Path(each.split(":")[0]).read_text().splitlines()[int(each.split(":")[1]) - 1]
        assert "allow_pickle=False" in line, each


@pytest.mark.parametrize(
    "name", ["x.npy", "x.npz", "x.pkl", "x.pt", "x.safetensors", "x.csv", "x.parquet", "x.zip", "x.jsonl"]
)
def test_m1_a_pickle_as_data_is_refused_and_never_run(name: str, tmp_path: Path) -> None:
    sys.modules.setdefault("test_pickles", sys.modules[__name__])
    path = tmp_path / name
    path.write_bytes(pickle.dumps(Hostile()))
    with pytest.raises(GanwrightError):
        GAN().fit(path, steps=1)
    with pytest.raises(GanwrightError):
        load(path)
    assert not CANARY


def test_m1_an_array_of_objects_is_refused_and_never_run(tmp_path: Path) -> None:
    np.save(tmp_path / "objects.npy", np.array([Hostile(), Hostile()], object), allow_pickle=True)
    with pytest.raises(GanwrightError):
        GAN().fit(tmp_path / "objects.npy", steps=1)
    assert not CANARY
