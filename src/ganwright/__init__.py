"""Ganwright makes generative adversarial networks practical: a folder in, new pictures out.

from ganwright import GAN, load

gan = GAN().fit("photos/", minutes=20)
gan.save("photos.safetensors")
load("photos.safetensors").sample(16, seed=7)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganwright.core.errors import GanwrightError as GanwrightError
    from ganwright.data.modalities.image import Image as Image
    from ganwright.data.modalities.numbers import Numbers as Numbers
    from ganwright.data.modalities.series import Series as Series
    from ganwright.data.modalities.sound import Sound as Sound
    from ganwright.data.modalities.table import Table as Table
    from ganwright.data.modalities.text import Text as Text
    from ganwright.evaluation.folders import evaluate as evaluate
    from ganwright.fitted import load as load
    from ganwright.gan import GAN as GAN
    from ganwright.model.model import Model as Model
    from ganwright.networks.keras.definition import Layers as Layers

__version__ = "0.1.0"

# Looked up when used, because torch takes seconds to import and `ganwright --help` should not wait for it.
_HOMES = {
    "GAN": "ganwright.gan",
    "load": "ganwright.fitted",
    "evaluate": "ganwright.evaluation.folders",
    "Model": "ganwright.model.model",
    "Image": "ganwright.data.modalities.image",
    "Layers": "ganwright.networks.keras.definition",
    "Numbers": "ganwright.data.modalities.numbers",
    "Sound": "ganwright.data.modalities.sound",
    "Series": "ganwright.data.modalities.series",
    "Table": "ganwright.data.modalities.table",
    "Text": "ganwright.data.modalities.text",
    "GanwrightError": "ganwright.core.errors",
}
__all__ = [
    "GAN",
    "GanwrightError",
    "Image",
    "Layers",
    "Model",
    "Numbers",
    "Series",
    "Sound",
    "Table",
    "Text",
    "evaluate",
    "load",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'ganwright' has no attribute {name!r}")
