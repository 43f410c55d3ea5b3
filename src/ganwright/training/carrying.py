"""What a network has learned, put into another of its family that is for records of another size, colour or classes.

Which axis of a weight runs through channels, or through the classes of a condition, no family has to say: the network is
built for records that differ in just that (on the meta device, where nothing is allocated), and the axis is the one that
changes. A family says where its weights stand (`Network.place`), since stages are numbered from one end or the other.

What is changed on the way leaves the function as it is where that is possible: a discriminator judges a grey picture as it
judged the same picture in three equal channels, and what is told of classes that a generator did not know is multiplied by
zero at first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ganwright.core.errors import UsageError
from ganwright.data.spec import MAPS, Condition, DataSpec
from ganwright.networks.base import Network, NetworkFamily
from ganwright.networks.layered import Layered
from ganwright.networks.own.module_pair import ModulePair
from ganwright.networks.parts.upsampling import UpsampleConv2d

Player = Literal["generator", "discriminator"]
FIXED = (Layered, ModulePair)
"""Families whose layers a user gave: they fit as they are, or not at all."""
INPUT_SECOND = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
INPUT_FIRST = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d, UpsampleConv2d)


@dataclass(frozen=True)
class Carried:
    """What one player took over."""

    player: str
    tensors: int
    """That the new network has; counters of batches are left out."""
    tensors_carried: int
    weights: int
    weights_carried: int
    changed: tuple[str, ...] = ()
    """What was carried in another form, and how."""
    fresh: tuple[str, ...] = ()
    """What starts fresh, and why."""

    @property
    def share(self) -> float:
        """Of the weights."""
        return self.weights_carried / max(1, self.weights)

    def lines(self, most: int = 4) -> list[str]:
        """For people; of what is changed or fresh, `most` are named."""
        if not self.tensors_carried:
            return [f"the {self.player} starts fresh: {self.fresh[0] if self.fresh else 'nothing of it is there'}"]
        head = (
            f"{self.tensors_carried} of {self.tensors} tensors of the {self.player} ({_percent(self.share)} of its weights)"
        )
        return [head, *_listed("changed", self.changed, most), *_listed("fresh", self.fresh, most)]


@dataclass(frozen=True)
class _Network:
    """One player of a family for one kind of record, and which axes of its weights mean what."""

    spec: DataSpec
    network: Network
    shapes: dict[str, tuple[int, ...]]
    colours: dict[str, int] = field(default_factory=dict[str, int])
    """Axes that run through the channels of records, each channel perhaps in several entries that lie together."""
    classes: dict[str, tuple[int, Condition]] = field(default_factory=dict[str, tuple[int, Condition]])
    """Axes that run through the classes of a condition."""
    untold: dict[str, int] = field(default_factory=dict[str, int])
    """Of inputs, what is left of their second axis without any condition: what conditions say comes behind it."""


def carry(
    player: Player,
    old: tuple[NetworkFamily, DataSpec, Mapping[str, Tensor]],
    new: tuple[NetworkFamily, DataSpec, Network],
) -> Carried:
    """Put the weights of `old` into the network `new`, as far as they mean the same there; the rest stays as it is.

    Raises:
        UsageError: of layers that a user gave, one does not fit.
    """
    (old_family, old_spec, tensors), (family, spec, network) = old, new
    if isinstance(family, FIXED) or isinstance(old_family, FIXED):
        return _copied(player, tensors, network)
    theirs, ours = _looked_at(player, old_family, old_spec), _looked_at(player, family, spec)
    sources = {_stands(theirs.network, name): name for name in theirs.shapes}
    found: dict[str, int] = {}
    changed: list[str] = []
    fresh: list[str] = []
    for name, value in network.state_dict().items():
        source = sources.get(_stands(ours.network, name))
        if source is None or source not in tensors:
            what = "the model has none"
        else:
            filled, what = _fill(value, tensors[source], (ours, name), (theirs, source))
            if filled:
                found[name] = filled
                changed += [f"{name} ({what})"] if what else []
                continue
        if value.is_floating_point():
            fresh.append(f"{name} ({what})")
    return _summed(player, network, found, changed, fresh)


def untouched(player: Player, network: Network, why: str) -> Carried:
    """The report where nothing was taken over."""
    return _summed(player, network, {}, [], [why])


def _stands(network: Network, name: str) -> str:
    """Where a weight stands; one of a condition under the condition's name, since other data may have others before it."""
    place = network.place(name).name
    owner, is_table, rest = place.partition(".tables.")
    if not is_table:
        return place
    names: tuple[str, ...] = tuple(getattr(network.get_submodule(owner), "names", ()))
    number, _, rest = rest.partition(".")
    return f"{owner}.{names[int(number)]}.{rest}" if int(number) < len(names) else place


def _copied(player: Player, tensors: Mapping[str, Tensor], network: Network) -> Carried:
    own = network.state_dict()
    for name in {**own, **tensors}:
        there, here = tensors.get(name), own.get(name)
        if there is None or here is None or there.shape != here.shape:
            words = [_times(each.shape) if each is not None else "not there" for each in (there, here)]
            why = f"{name} is {words[0]} in the model, {words[1]} in the networks of this run"
            hints = ("layers of your own are taken over as they are, for records of the same shape",)
            raise UsageError("E-FROM-02", f"the {player} is not the one that was trained", why=why, hints=hints)
    network.load_state_dict(dict(tensors))
    return _summed(player, network, {name: value.numel() for name, value in own.items()}, [], [])


def _summed(player: Player, network: Network, found: Mapping[str, int], changed: list[str], fresh: list[str]) -> Carried:
    sizes = {name: value.numel() for name, value in network.state_dict().items() if value.is_floating_point()}
    carried = [name for name in found if name in sizes]
    weights = sum(found[name] for name in carried)
    return Carried(player, len(sizes), len(carried), sum(sizes.values()), weights, tuple(changed), tuple(fresh))


def _looked_at(player: Player, family: NetworkFamily, spec: DataSpec) -> _Network:
    """The network, and its axes, by what changes when the records do."""

    def built(spec: DataSpec) -> Network:
        with torch.device("meta"):
            return family.generator(spec) if player == "generator" else family.discriminator(spec)

    network = built(spec)
    found = _Network(spec, network, _shapes(network))
    if spec.kind in MAPS and len(spec.shape) == 3:
        channels, height, width = spec.shape
        other = _shapes(built(replace(spec, shape=(channels + 1, height, width))))
        for name, shape in found.shapes.items():
            axis = _changed_axis(shape, other.get(name))
            if axis is not None and other[name][axis] * channels == shape[axis] * (channels + 1):
                found.colours[name] = axis
    for place, condition in enumerate(spec.conditions):
        if not condition.classes:
            continue
        # One less, since there may be as many as there may be at most.
        classes = condition.classes[:-1] or ("one", "another")
        others = replace(condition, classes=classes, counts=())
        other = _shapes(built(replace(spec, conditions=(*spec.conditions[:place], others, *spec.conditions[place + 1 :]))))
        for name, shape in found.shapes.items():
            axis = _changed_axis(shape, other.get(name))
            if axis is not None and shape[axis] == len(condition.classes):
                found.classes[name] = axis, condition
    other = _shapes(built(replace(spec, conditions=())))
    for name, shape in found.shapes.items():
        if (
            name in other
            and len(shape) == 2
            and (_changed_axis(shape, other[name]) in (1, None))
            and _reads(network, name, 1)
        ):
            found.untold[name] = other[name][1]
    return found


def _shapes(network: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}


def _changed_axis(shape: tuple[int, ...], other: tuple[int, ...] | None) -> int | None:
    """The only axis in which two shapes differ."""
    if other is None or len(other) != len(shape):
        return None
    axes = [axis for axis in range(len(shape)) if shape[axis] != other[axis]]
    return axes[0] if len(axes) == 1 else None


def _reads(network: nn.Module, name: str, axis: int) -> bool:
    """Whether this axis of a weight is what its layer takes, and not what it gives."""
    path = name.split(".")[:-1]
    while path:
        layer = network.get_submodule(".".join(path))
        if isinstance(layer, INPUT_SECOND):
            return axis == 1
        if isinstance(layer, INPUT_FIRST):
            return axis == 0
        path.pop()
    return axis > 0


def _fill(value: Tensor, source: Tensor, new: tuple[_Network, str], old: tuple[_Network, str]) -> tuple[int, str]:
    """Put `source` into `value` along every axis; how many entries of it are carried, and what was changed or is missing."""
    (ours, name), (theirs, source_name) = new, old
    shapes = f"{_times(value.shape)} instead of {_times(source.shape)}"
    if value.ndim != source.ndim or value.dtype != source.dtype:
        return 0, shapes
    carried, mask = source.to(value.device), torch.ones((), dtype=torch.bool, device=value.device)
    notes: list[str] = []
    for axis in range(value.ndim):
        along = _along(axis, value.shape[axis], (ours, name), (theirs, source_name))
        if along is None:
            return 0, shapes
        change, note = along
        if change is None:
            continue
        notes += [note] if note else []
        moved = carried.movedim(axis, 0)
        rows, filled = change(moved.flatten(1) if moved.ndim > 1 else moved[:, None])
        carried = rows.unflatten(1, moved.shape[1:]).movedim(0, axis) if moved.ndim > 1 else rows[:, 0]
        mask = mask & filled.to(mask.device).view([-1 if each == axis else 1 for each in range(value.ndim)])
    mask = mask.expand(value.shape)
    with torch.no_grad():
        value.copy_(torch.where(mask, carried, value))
    return int(mask.sum()), ", ".join(notes)


_Change = Callable[[Tensor], tuple[Tensor, Tensor]]
"""From (n, R) to (m, R), and which of the m (bool) are filled."""


def _along(axis: int, size: int, new: tuple[_Network, str], old: tuple[_Network, str]) -> tuple[_Change | None, str] | None:
    """What to do along one axis, None for nothing, and a note for people; None where it cannot be carried."""
    (ours, name), (theirs, source) = new, old
    before = theirs.shapes[source][axis]
    ours_class, theirs_class = ours.classes.get(name), theirs.classes.get(source)
    if ours_class is not None and theirs_class is not None and ours_class[0] == theirs_class[0] == axis:
        return _of_classes(theirs_class[1], ours_class[1])
    ours_map, theirs_map = (each.network.place(its).maps.get(axis) for each, its in (new, old))
    is_colour = ours.colours.get(name) == theirs.colours.get(source) == axis
    channels = (theirs.spec.shape[0], ours.spec.shape[0]) if is_colour else (1, 1)
    if channels[0] != channels[1] or ours_map != theirs_map:
        return _of_pictures(channels, (before, size), (theirs_map, ours_map), _reads(ours.network, name, axis))
    untold = ours.untold.get(name) if axis == 1 else None
    if untold is not None and theirs.untold.get(source) == untold and max(before, size) > untold:
        conditions = theirs.spec.conditions, ours.spec.conditions
        return _of_told(untold, (before, size), conditions)
    return (None, "") if before == size else None


def _of_classes(old: Condition, new: Condition) -> tuple[_Change | None, str] | None:
    """Rows of classes of the same name; those of new classes start at the mean."""
    if old.name != new.name:
        return None
    if old.classes == new.classes:
        return None, ""
    places = {name: place for place, name in enumerate(old.classes)}
    known = [places.get(name, -1) for name in new.classes]

    def change(x: Tensor) -> tuple[Tensor, Tensor]:
        rows = torch.cat([x, x.mean(0, keepdim=True)])
        return rows[known], torch.ones(len(known), dtype=torch.bool)

    count = sum(place >= 0 for place in known)
    rest = ", others start at the mean" if count < len(known) else ""
    return change, f"{count} of {len(known)} classes are known{rest}"


def _of_told(
    untold: int, sizes: tuple[int, int], conditions: tuple[tuple[Condition, ...], tuple[Condition, ...]]
) -> tuple[_Change | None, str]:
    """What is told of conditions, behind all else: of those of the same name it is kept, others count for nothing yet."""
    names = [[condition.name for condition in each] for each in conditions]
    if names[0] == names[1] and sizes[0] == sizes[1]:
        return None, ""
    widths = [(size - untold) // max(1, len(each)) for size, each in zip(sizes, names, strict=True)]

    def change(x: Tensor) -> tuple[Tensor, Tensor]:
        rows = x.new_zeros(sizes[1], x.shape[1])
        rows[:untold] = x[:untold]
        for place, name in enumerate(names[1]):
            if name in names[0] and widths[0] == widths[1]:
                start, there = untold + place * widths[1], untold + names[0].index(name) * widths[0]
                rows[start : start + widths[1]] = x[there : there + widths[0]]
        return rows, torch.ones(len(rows), dtype=torch.bool)

    gone, come = (sorted(set(a) - set(b)) for a, b in (names, names[::-1]))
    return change, ", ".join([f"{name} is not told any more" for name in gone] + [f"{name} is told now" for name in come])


def _of_pictures(
    channels: tuple[int, int],
    sizes: tuple[int, int],
    maps: tuple[tuple[int, int] | None, tuple[int, int] | None],
    is_read: bool,
) -> tuple[_Change | None, str] | None:
    """Channels mixed, and maps resized, so that what is given looks alike, and what is read is read alike."""
    if (maps[0] is None) != (maps[1] is None):
        return None
    per_map = [each[0] * each[1] if each is not None else 1 for each in maps]
    inner = [size // (count * values) for size, count, values in zip(sizes, channels, per_map, strict=True)]
    if inner[0] != inner[1]:
        return None
    mix, filled = _mixed(*channels, is_read)

    def change(x: Tensor) -> tuple[Tensor, Tensor]:
        values = x.view(channels[0], -1, x.shape[1])
        values = torch.einsum("nc,cvr->nvr", mix.to(x), values)
        if maps[0] is not None and maps[1] is not None and maps[0] != maps[1]:
            planes = values.reshape(channels[1] * inner[0], *maps[0], -1).permute(0, 3, 1, 2)
            planes = interpolate(planes, maps[1], mode="bilinear", align_corners=False, antialias=True)
            # What is read is summed up: more values count for less each.
            planes = planes * (per_map[0] / per_map[1] if is_read else 1.0)
            values = planes.permute(0, 2, 3, 1).reshape(channels[1], -1, x.shape[1])
        return values.reshape(-1, x.shape[1]), filled.repeat_interleave(sizes[1] // channels[1])

    word = "channel" if channels[1] == 1 else "channels"
    notes = [f"{channels[1]} {word} from {channels[0]}"] if channels[0] != channels[1] else []
    if maps[0] != maps[1] and maps[0] and maps[1]:
        notes.append(f"map of {maps[1][0]}×{maps[1][1]} from {maps[0][0]}×{maps[0][1]}")
    return change, ", ".join(notes)


def _mixed(old: int, new: int, is_read: bool) -> tuple[Tensor, Tensor]:
    """(new, old): what each new channel has of the old ones, and which of them are filled at all; the fourth is opacity."""
    mix, filled = torch.eye(new, old), torch.ones(new, dtype=torch.bool)
    if old == 1 and new >= 3:  # Grey is red, green and blue alike; where it is read, each counts for a third.
        mix[:3] = 1 / 3 if is_read else 1.0
    if old >= 3 and new == 1:
        mix[0, :3] = 1.0 if is_read else 1 / 3
    if new == 4 and old < 4 and not is_read:
        filled[3] = False
    return mix, filled


def _percent(share: float) -> str:
    return f"{min(100 * share, 99.9) if share < 1 else 100:.3g} %"


def _listed(what: str, items: tuple[str, ...], most: int) -> list[str]:
    more = f", and {len(items) - most} more" if len(items) > most else ""
    return [f"{what}: {', '.join(items[:most])}{more}"] if items else []


def _times(shape: torch.Size) -> str:
    return "×".join(map(str, shape)) or "a single value"
