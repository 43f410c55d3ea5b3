"""Learned weights in the user's cache: a file that is not as it should be is as good as none."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ganwright.runtime.files import cache_root, write_atomically

MOST_HEADER_BYTES = 64 << 10
KEY = "key"


def cached_at(name: str) -> Path:
    """Where the weights of a feature network called `name` are kept."""
    return cache_root() / "features" / f"{name}.safetensors"


def keep(path: Path, key: str, tensors: Mapping[str, Tensor]) -> None:
    """Writes the file at once or not at all. Where the disk refuses, they will be learned anew next time."""
    plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    with contextlib.suppress(OSError):
        write_atomically(path, save(plain, metadata={KEY: key}))


def kept(path: Path, key: str, expected: Mapping[str, Tensor]) -> dict[str, Tensor] | None:
    """The tensors at `path`; None where there are none that were kept under that key, are shaped as `expected`, and finite.

    Nothing is allocated on the file's word: it may be only as large as the expected tensors and a header.
    """
    most = sum(value.numel() * value.element_size() for value in expected.values()) + MOST_HEADER_BYTES
    try:
        if path.stat().st_size > most:
            return None
        with safe_open(path, framework="pt") as file:
            if (file.metadata() or {}).get(KEY) != key or set(file.keys()) != set(expected):
                return None
            found = {name: file.get_tensor(name) for name in expected}
    except (OSError, SafetensorError):
        return None
    fits = all(_alike(found[name], value) for name, value in expected.items())
    return found if fits else None


def _alike(found: Tensor, expected: Tensor) -> bool:
    same = found.shape == expected.shape and found.dtype == expected.dtype
    return same and bool(torch.isfinite(found).all())


def digest_of(tensors: Mapping[str, Tensor]) -> str:
    """Twelve hex digits that change with any weight."""
    digest = hashlib.sha256()
    for name, value in sorted(tensors.items()):
        array = value.detach().cpu().contiguous().numpy()
        digest.update(f"{name}{array.shape}{array.dtype.str}".encode())
        digest.update(array.data)
    return digest.hexdigest()[:12]
