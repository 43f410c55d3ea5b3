"""What a GAN can do once it is trained, and `load(path)`: all of it is its model's work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as PillowImage

from ganwright.choices import Network, half
from ganwright.core.errors import UsageError
from ganwright.evaluation.result import Evaluation
from ganwright.model.interpolation import Interpolation
from ganwright.model.locate import find_model
from ganwright.model.model import Model
from ganwright.runtime.device import DeviceChoice, find_machine


class Fitted:
    """Something that has learned a model, or has not yet."""

    model_: Model
    """The average generator, ready to sample."""

    def sample(self, n: int = 1, **options: Any) -> Any:
        """`n` new natural objects, `label=7` of a class, `where={"age": (30, 40)}`; see `Model.sample`."""
        return self._fitted().sample(n, **options)

    def complete(self, data: Any, *, seed: int = 0) -> Any:
        """Rows of a table with what is not in them drawn; see `Model.complete`."""
        return self._fitted().complete(data, seed=seed)

    def interpolate(self, n: int = 6, **options: Any) -> Interpolation:
        """Pictures on the way from sample to sample, to look at or to `.save("film.gif")`; see `Model.interpolate`."""
        return self._fitted().interpolate(n, **options)

    def grid(self, rows: int | None = None, columns: int | None = None, **options: Any) -> PillowImage.Image:
        """rows x columns samples in one picture, or one row a class with `by_class=True`; see `Model.grid`."""
        return self._fitted().grid(rows, columns, **options)

    def score(self, data: Any) -> np.ndarray:
        """How real the trained discriminator takes each record of `data` to be, float32 (N,); see `Model.score`."""
        return self._fitted().score(data)

    def evaluate(self, data: Any, **options: Any) -> Evaluation:
        """How good samples are beside the records of `data`, those kept from training included; see `Model.evaluate`."""
        return self._fitted().evaluate(data, **options)

    def save(self, path: str | Path, *, discriminator: bool = False) -> Path:
        """Write the model file, which is all that sampling needs; with `discriminator`, all that `score` needs too."""
        return self._fitted().save(path, discriminator=discriminator)

    def _fitted(self) -> Model:
        if not hasattr(self, "model_"):
            raise UsageError("E-MODEL-06", "this GAN has not been trained yet", hints=("gan.fit(data)", "load(path)"))
        return self.model_

    def _repr_png_(self) -> bytes | None:
        """What a notebook shows: samples, once there is a model."""
        return self.model_._repr_png_() if hasattr(self, "model_") else None


def load(
    reference: str | Path,
    device: DeviceChoice = "cpu",
    *,
    generator: Network | None = None,
    discriminator: Network | None = None,
) -> Model:
    """The model that `reference` names: a file, a run folder, a run's unique prefix, or "last".

    A file of your own modules holds their weights, not their code: pass modules like those that were trained, and the
    weights are put into copies of them.

    Raises:
        ModelFileError: there is none, or it is damaged or hostile.
    """
    halves = {"generator": half(generator), "discriminator": half(discriminator)}
    return Model.load(find_model(str(reference)), find_machine(device).device, **halves)
