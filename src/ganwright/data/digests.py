"""A digest of what is in a record, by which copies are found and records held out."""

from __future__ import annotations

import hashlib

import numpy as np

DIGEST_BYTES = 8
"""Of a million different records, two have the same with a probability of 3e-8."""


def content_digest(row: np.ndarray) -> bytes:
    """DIGEST_BYTES of one packed record, conditions left out."""
    return hashlib.blake2b(np.ascontiguousarray(row).data, digest_size=DIGEST_BYTES).digest()


def as_numbers(digests: bytes) -> np.ndarray:
    """uint64 (N,), of so many digests one after the other."""
    return np.frombuffer(digests, "<u8").astype(np.uint64)
