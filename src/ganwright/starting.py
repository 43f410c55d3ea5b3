"""What a run begins with: a folder, and perhaps the networks of an earlier run."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ganwright.core.config import to_plain
from ganwright.core.errors import GanwrightError, ModelFileError, UsageError
from ganwright.core.registry import OWN
from ganwright.data.dataset import Dataset
from ganwright.data.held_out import Split
from ganwright.data.modalities.base import Modality
from ganwright.data.modalities.image import Image
from ganwright.data.spec import DataSpec
from ganwright.model.locate import find_model, find_run
from ganwright.model.model_file import read_facts, read_model
from ganwright.networks.base import NetworkFamily
from ganwright.networks.layered import Layered
from ganwright.networks.own.module_pair import ModulePair
from ganwright.plan import Plan
from ganwright.recipes.registry import RECIPES
from ganwright.runtime.commit import newest
from ganwright.training.carrying import FIXED, Carried, Player, carry, untouched
from ganwright.training.checkpoint import TENSORS, Checkpoint
from ganwright.training.config import TrainConfig
from ganwright.training.origin import Origin
from ganwright.training.request import REQUEST, Request
from ganwright.training.run_folder import RunFolder
from ganwright.training.state import TrainState

Half = nn.Module | NetworkFamily | None
LEAST_SHARE = 0.01
"""Of the generator's weights; with less there is nothing to go on from."""


@dataclass(frozen=True)
class Carriage:
    """What a run took over from a model."""

    origin: Origin
    generator: Carried
    discriminator: Carried

    def lines(self) -> list[str]:
        """For people."""
        return [f"from {self.origin.model}", *self.generator.lines(), *self.discriminator.lines()]


@dataclass(frozen=True)
class Start:
    """Trained networks, to begin a run with."""

    place: str
    """The absolute path of the model file or of the run folder."""
    origin: Origin
    recipe: str
    """That they were trained by; empty where it is not one of this Ganwright."""
    family: NetworkFamily
    spec: DataSpec
    generator: Mapping[str, Tensor]
    discriminator: Mapping[str, Tensor]
    """Empty where the file has none."""

    def modality(self, asked: Modality | None) -> Modality | None:
        """How to read new data: pictures in the model's size, where neither the user nor their own size says otherwise."""
        if self.spec.kind != "image" or not isinstance(asked, Image | None):
            return asked
        image = asked or Image()
        return image if image.size is not None else replace(image, usual_size=(self.spec.shape[1], self.spec.shape[2]))

    def conditional(self, asked: bool | None, dataset: Dataset) -> bool | None:
        """Whether the new networks are told classes: as the old ones were, if the data have some."""
        return True if asked is None and self.spec.conditions and dataset.codec.conditions else asked

    def begin(self, config: TrainConfig, spec: DataSpec, asked: str = "", given: bool = False) -> TrainConfig:
        """A recipe's config with the networks of the model, for records of `spec`.

        Args:
            asked: the recipe, where the user named one.
            given: whether the user passes the networks, which then stay.

        Raises:
            UsageError: the recipe's networks are others, or the records of another kind.
        """
        if spec.kind != self.spec.kind:
            what = f"{self.origin.model} makes records of kind {self.spec.kind!r}, the data are of kind {spec.kind!r}"
            raise UsageError("E-FROM-03", what, hints=("train without starting from it",))
        started = replace(config, trained_from=self.origin)
        if given:
            return started
        if isinstance(self.family, Layered) and self.family.discriminator_layers is None:
            what = f"{self.origin.model} holds no layers of a discriminator"
            raise UsageError("E-FROM-03", what, hints=("pass generator= and discriminator= as layers too",))
        if asked and asked != self.recipe and type(config.network) is not type(self.family):
            names = [type(family).registry.name_of(family) for family in (self.family, config.network)]
            what = f"{self.origin.model} has networks of the family {names[0]}, recipe {asked} trains {names[1]}"
            raise UsageError("E-FROM-03", what, hints=("leave the recipe out: the model's own is taken",))
        return replace(started, network=self.family.resized(self.spec, spec))

    def carry_into(self, state: TrainState, config: TrainConfig, spec: DataSpec) -> Carriage:
        """Put what was learned into the networks of a run that has not begun; its average generator starts so too.

        Raises:
            UsageError: next to nothing of the generator fits, or one of the user's own layers does not.
        """

        def carried(player: Player, tensors: Mapping[str, Tensor], network: Any) -> Carried:
            return carry(player, (self.family, self.spec, tensors), (config.network, spec, network))

        generator = carried("generator", self.generator, state.generator)
        if generator.share < LEAST_SHARE:
            what = f"nothing of {self.origin.model} fits the generator of this run"
            hints = ("leave out --recipe and settings of the network: the model's own are taken",)
            raise UsageError("E-FROM-01", what, why=generator.lines()[0], hints=hints)
        state.average.generator.load_state_dict(state.generator.state_dict())
        if not self.discriminator:
            why = "the model was kept without it (--keep-discriminator, or start from its run folder)"
            return Carriage(self.origin, generator, untouched("discriminator", state.discriminator, why))
        return Carriage(self.origin, generator, carried("discriminator", self.discriminator, state.discriminator))


def read_start(reference: str | Path, generator: Half = None, discriminator: Half = None) -> Start:
    """The networks that `reference` names: a model file, a run folder, a run's name or unique prefix, or "last".

    Of a run, it is the newest checkpoint: its average generator and its discriminator; without any, the run's model.

    Args:
        generator, discriminator: modules like those that were trained, where the file holds the weights of a user's own.

    Raises:
        ModelFileError: there is none, or it is damaged or hostile.
        UsageError: it is of a kind that cannot be trained on.
    """
    path = Path(reference).expanduser()
    run = None if path.is_file() else find_run(str(reference))
    path = find_model(str(reference)) if run is None else find_model(str(run))
    own = str(read_facts(path)["network"].get("name", "")).startswith(OWN)
    contents = read_model(path, generator, discriminator) if own else read_model(path)
    if contents.codec.cells:
        what, hints = f"{path} draws tables, whose columns mean something else in other data", ("train anew",)
        raise UsageError("E-FROM-03", what, hints=hints)
    generator_tensors = contents.generator.state_dict()
    discriminator_tensors = contents.discriminator.state_dict() if contents.discriminator is not None else {}
    file, name, facts = path, path.name, contents.facts
    if run is not None:
        name = run.name
        found, _ = newest(RunFolder(run).checkpoints_path)
        if found is not None:
            file = found.path / TENSORS
            tensors = Checkpoint.read(file, found.facts["state"]).tensors
            name = f"{run.name}, step {int(found.facts['state']['step']):,}"
            generator_tensors = _fitting(file, tensors, "average/", contents.generator)
            with torch.device("meta"):
                judge = contents.family.discriminator(contents.spec)
            discriminator_tensors = _fitting(file, tensors, "discriminator/", judge)
    data, recipe = facts.get("data"), facts.get("recipe")
    trained_on = str(data.get("name", "")) if isinstance(data, dict) else ""
    own_layers = "plain" if isinstance(contents.family, FIXED) else ""
    return Start(
        place=str((run or path).absolute()),
        origin=Origin(name, _digest(file), trained_on),
        recipe=recipe if isinstance(recipe, str) and recipe in RECIPES.names() else own_layers,
        family=contents.family,
        spec=contents.spec,
        generator=generator_tensors,
        discriminator=discriminator_tensors,
    )


def read_again(request: Request, config: TrainConfig, generator: Half = None, discriminator: Half = None) -> Start:
    """What a run was started from, which has no checkpoint yet.

    Raises:
        ModelFileError: it is gone, or not what it was.
    """
    hints = ("train anew with --from and a model that is there",)
    try:
        found = read_start(request.start_from, generator, discriminator)
    except GanwrightError as error:
        what = f"the model that this run started from cannot be read again: {error.what}"
        raise ModelFileError("E-FROM-04", what, where=request.start_from, hints=hints) from error
    if found.origin != config.trained_from:
        what = "the model that this run started from has changed"
        raise ModelFileError("E-FROM-04", what, where=request.start_from, hints=hints)
    return found


def new_folder(
    run: str | Path | bool, split: Split, plan: Plan, request: Request, carriage: Carriage | None = None
) -> RunFolder | None:
    """The folder of a new run with what is known before its first step; None where none is wanted."""
    if run is False:
        return None
    path = None if run is True else Path(run).expanduser()
    dataset = split.train
    folder = RunFolder.create(path, dataset.name, dataset.codec.describe())
    held_out = 0 if split.held_out is None else len(split.held_out)
    data = {"name": dataset.name, "records": len(dataset), "held_out": held_out}
    data["fingerprint"] = dataset.whole.fingerprint
    folder.write_config(plan.config, data)
    folder.write_json(REQUEST, to_plain(request))
    folder.write_json("data_report.json", to_plain(dataset.report))
    if carriage is not None:
        folder.write_json("carried_over.json", to_plain(carriage))
    folder.write_status("running", step=0)
    return folder


def halves_of(network: NetworkFamily | None) -> tuple[Half, Half]:
    """The user's own networks, for a file that holds their weights only."""
    return (network.generator_from, network.discriminator_from) if isinstance(network, ModulePair) else (None, None)


def _fitting(path: Path, tensors: Mapping[str, Tensor], prefix: str, network: nn.Module) -> dict[str, Tensor]:
    found = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
    wanted = network.state_dict()
    if {name: value.shape for name, value in found.items()} != {name: value.shape for name, value in wanted.items()}:
        what = f"{path} is not of the networks that the run's model file tells of"
        raise ModelFileError("E-FROM-04", what, hints=("start from the model file",))
    return found


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
