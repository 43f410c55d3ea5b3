"""Evaluation without a model: what another tool made, beside what it learned from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ganwright.data.dataset import Dataset
from ganwright.data.modalities.base import Modality, Progress, no_progress
from ganwright.data.modalities.table import Table, TableCodec
from ganwright.data.preparation import prepare
from ganwright.data.report import reasons
from ganwright.evaluation.evaluate import MOST_RECORDS, FeaturesChoice, evaluate_beside
from ganwright.evaluation.result import Evaluation
from ganwright.evaluation.samples import Recorded
from ganwright.runtime.keys import Key


def evaluate(
    real: Any,
    fake: Any,
    *,
    held_out: Any = None,
    features: FeaturesChoice | None = None,
    modality: Modality | None = None,
    n: int | None = None,
    seed: int = 0,
    folder: str | Path | None = None,
    device: str = "cpu",
    progress: Progress = no_progress,
) -> Evaluation:
    """How good the records of `fake` are beside those of `real`: any two sets, as anything that `GAN.fit` takes.

    Without `held_out`, some of `real` are set aside as the floor; whether `fake` copies cannot be told then, since its maker
    may have learned from them.

    Args:
        held_out: real records that the maker of `fake` did not learn from.
        features: see `Model.evaluate`.
        modality: how to read the real records, such as `Image(size=64)`; None finds out. The others are read the same way.
        n: take that many of `fake`, drawn at random; all of them by default.
        seed: of every random choice.
        folder: evaluation.json, nearest.png, grid.png and report.html are written there.

    Raises:
        DataError: nothing usable in one of them.
        UsageError: features that do not exist, or that cannot be had here.
    """
    dataset = prepare(real, modality, progress=progress)
    if modality is None and isinstance(dataset.codec, TableCodec):
        # What holds in all real rows need not hold in those of another maker, which have to be measured all the same.
        dataset = prepare(real, Table(learn_constraints=False), progress=progress)
    others = None if held_out is None else prepare(held_out, codec=dataset.codec, progress=progress)
    made = prepare(fake, codec=dataset.codec, progress=progress)
    count = min(len(made), MOST_RECORDS if n is None else n)
    order = Key(seed, turn="evaluate").generator("order of samples").permutation(len(made))[:count]
    return evaluate_beside(
        dataset,
        Recorded(made, order),
        subject=made.report.place,
        held_out=others,
        notes=_left_out(made),
        features=features,
        seed=seed,
        device=device,
        folder=folder,
        progress=progress,
    )


def _left_out(made: Dataset) -> tuple[str, ...]:
    """What is to be known of samples that are not measured."""
    report = made.report
    if not report.skipped:
        return ()
    return (f"Of {report.found:,} samples {report.found - report.used:,} are left out: {reasons(report.skipped)}.",)
