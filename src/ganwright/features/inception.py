"""Inception v3, as found on the user's machine: near to what the FID of papers is made of, and not the same."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ganwright.data.dataset import Dataset
from ganwright.data.progress import Progress, no_progress
from ganwright.features.base import Extractor, Features
from ganwright.features.parts.kept_weights import digest_of
from ganwright.features.parts.pretrained import HUB_CACHE, as_colour, no_weights, of_library, require_pictures, resized

ARCHITECTURE = "inception_v3"
FILE = "model.safetensors"
SIDE = 299
NOT_FEATURES = ("fc.", "AuxLogits.")
"""Begin the names of weights of classifiers."""


@dataclass(frozen=True)
class Inception(Features):
    """The 2,048 pooled values of timm's Inception v3 for pictures brought to 299x299 px.

    Not the FID of papers: that is defined by TensorFlow's graph of 2015-12-05, whose usual port to PyTorch is a pickle, and
    we unpickle nothing. timm's weights are another training of the same architecture on the same photos, ported from
    TensorFlow's models, without that graph's own pooling (a maximum in its last block); and the resizing is antialiased,
    as in clean-fid (Parmar et al. 2022, arXiv:2104.11222). Figures compare with each other, not with published ones. Nothing
    is ever downloaded.
    """

    weights: str = "timm/inception_v3.tf_in1k"
    """A safetensors file or a folder with a model.safetensors, or a name of the Hugging Face hub that is in its cache."""

    def extractor(self, data: Dataset, device: str = "cpu", progress: Progress = no_progress) -> Extractor:
        """The network with the weights that are on this machine."""
        require_pictures(data, "inception")
        create_model = of_library("inception", "timm", "create_model")
        progress("loading Inception", 0, 1)
        path = self._file()
        network = create_model(ARCHITECTURE, pretrained=False, num_classes=0)
        try:
            tensors = load_file(path)
            network.load_state_dict({name: value for name, value in tensors.items() if not name.startswith(NOT_FEATURES)})
        except (SafetensorError, OSError, RuntimeError) as error:
            how = "give the file of timm/inception_v3.tf_in1k"
            raise no_weights("inception", self.weights, str(path), how, str(error)) from error
        return _InceptionExtractor(network, device, self.weights)

    def _file(self) -> Path:
        """The file of the weights.

        Raises:
            UsageError: it is not on this machine.
        """
        path = Path(self.weights).expanduser()
        if path.is_dir():
            path = path / FILE
        if path.is_file():
            return path
        try:
            found = import_module("huggingface_hub").try_to_load_from_cache(self.weights, FILE)
        except (ImportError, RuntimeError, OSError, ValueError):
            found = None  # No hub, or not a name that it could have.
        if isinstance(found, str):
            return Path(found)
        raise no_weights("inception", self.weights, HUB_CACHE, f"hf download {self.weights} {FILE}")


class _InceptionExtractor(Extractor):
    def __init__(self, network: Any, device: str, weights: str) -> None:
        self.network = network.requires_grad_(False).eval().to(device=device, dtype=torch.float32)
        self.device = device
        self.dimensions = int(network.num_features)
        self.identity = f"inception-timm-{SIDE}-{digest_of(network.state_dict())}"
        self.about = f"Inception v3 of timm ({weights}), not the FID of papers; pictures resized to {SIDE}x{SIDE} px"

    def describe(self, x: Tensor) -> Tensor:
        return self.network(resized(as_colour(x.to(self.device, torch.float32)), SIDE))
