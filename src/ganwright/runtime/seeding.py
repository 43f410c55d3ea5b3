"""The seed of what modules draw by themselves."""

from __future__ import annotations

import torch


def seed_draws(seed: int, device: str) -> None:
    """Seed torch's own generators: the CPU's, and the device's.

    `torch.manual_seed` seeds those of every kind of accelerator, and notes the call stack for each that is absent, which
    takes a percent of a small step.
    """
    torch.default_generator.manual_seed(seed)
    if device != "cpu":
        getattr(torch, device).manual_seed(seed)
