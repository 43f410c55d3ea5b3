"""Where the weights of networks that grow with the picture stand, so that those of small maps are found again."""

from __future__ import annotations

from collections.abc import Collection

from torch import nn

from ganwright.data.spec import DataSpec
from ganwright.networks.base import MAX_WIDTH
from ganwright.networks.parts.stages import stage_sizes


def width_for(width: int, old: DataSpec, new: DataSpec) -> int:
    """Channels of the largest map for pictures of `new`, so that the smallest maps keep theirs: a stage more halves it."""
    more = len(stage_sizes(*new.shape[1:])) - len(stage_sizes(*old.shape[1:]))
    return max(1, width >> more) if more > 0 else min(width << -more, MAX_WIDTH)


def from_the_end(network: nn.Module, name: str, lists: Collection[str]) -> str:
    """The name of a weight, with its number in one of `lists` counted from the end: "blocks.-1.weight"."""
    path = name.split(".")
    for place in range(1, len(path)):
        owner = ".".join(path[:place])
        if path[place].isdigit() and owner in lists:
            layers = network.get_submodule(owner)
            assert isinstance(layers, nn.Sequential | nn.ModuleList)
            return ".".join([owner, str(int(path[place]) - len(layers)), *path[place + 1 :]])
    return name
