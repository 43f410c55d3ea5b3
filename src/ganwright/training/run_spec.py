"""The data's spec as the networks of a run see it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ganwright.core.errors import DataError, UsageError
from ganwright.core.suggest import unknown_name_hints
from ganwright.data.dataset import Dataset
from ganwright.data.joint_rows import with_rows
from ganwright.data.spec import Condition, DataSpec, unknown
from ganwright.data.told import counted
from ganwright.networks.base import NetworkFamily
from ganwright.training.config import TrainConfig


def run_spec(config: TrainConfig, dataset: Dataset) -> DataSpec:
    """What `config`'s networks are built for: the codec's spec, with the run's conditions and their counts.

    Raises:
        UsageError: the data know no such condition.
        DataError: a record's condition is not known.
    """
    known = {condition.name: condition for condition in dataset.codec.conditions}
    for name in config.conditions:
        if name not in known:
            hints = unknown_name_hints(name, known) if known else _label_hints()
            raise UsageError("E-RECIPE-02", f"the data have no {name!r} to be conditioned on", hints=hints)
    conditions = with_rows([_counted(known[name], dataset) for name in config.conditions], dataset.columns)
    spec = dataset.codec.spec
    return replace(spec, output="linear" if config.network.applies_output else spec.output, conditions=conditions)


def choose_conditions(network: NetworkFamily, dataset: Dataset, asked: bool | None) -> tuple[str, ...]:
    """The names of the conditions of a run: what the networks take, or all there are where the user asks.

    Raises:
        UsageError: the networks take more than the data have, or none where the user asks.
    """
    names = tuple(condition.name for condition in dataset.codec.conditions)
    wanted = network.condition_inputs
    if wanted is None:
        if asked and not names:
            raise UsageError("E-RECIPE-02", "the data have no labels to be conditioned on", hints=_label_hints())
        return names if asked else _unasked(dataset) if asked is None else ()
    if asked and wanted == 0:
        raise UsageError("E-RECIPE-03", "a conditional GAN was asked for, but its networks take no condition")
    if asked is False and wanted > 0:
        raise UsageError("E-RECIPE-03", f"the networks take {wanted} condition(s), but none was to be used")
    if wanted > len(names):
        what = f"the networks take {wanted} condition(s), the data have {len(names)}"
        raise UsageError("E-RECIPE-02", what, hints=_label_hints())
    return names[:wanted]


def _unasked(dataset: Dataset) -> tuple[str, ...]:
    """The class of such records as are told it without being asked, if all of them have one."""
    condition = dataset.class_condition
    if condition is None or not dataset.codec.tells_class or bool(unknown(dataset.columns[condition.name]).any()):
        return ()
    return (condition.name,)


def _counted(condition: Condition, dataset: Dataset) -> Condition:
    places = np.asarray(dataset.columns[condition.name])
    if (missing := int(unknown(places).sum())) > 0:
        what = f"{missing:,} of {len(places):,} records have no {condition.name}"
        hints = ("--unlabelled skip, or Image(unlabelled='skip'), leaves them out", "or train without conditions")
        raise DataError("E-DATA-12", what, hints=hints)
    return counted(condition, places)


def _label_hints() -> tuple[str, ...]:
    return ("one sub-folder per class, labels.csv beside the pictures, IDX files with labels, or (array, labels)",)
