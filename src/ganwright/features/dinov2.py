"""DINOv2, as found on the user's machine: what the field compares photos with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor

from ganwright.core.errors import UsageError
from ganwright.data.dataset import Dataset
from ganwright.data.progress import Progress, no_progress
from ganwright.features.base import Extractor, Features
from ganwright.features.parts.kept_weights import digest_of
from ganwright.features.parts.pretrained import HUB_CACHE, as_colour, no_weights, of_library, require_pictures, resized

SIDE = 224
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's pixels in 0..1."""


@dataclass(frozen=True)
class Dinov2(Features):
    """The class token of the last layer after its norm, of pictures brought to 224x224 px.

    Its Fréchet distance follows people's judgement of generated photos better than that of Inception (Stein et al. 2023,
    arXiv:2306.04675). Published figures are of the large network, which is the default; "facebook/dinov2-small" is ten times
    quicker, with figures of its own. Weights are read from safetensors only, and nothing is ever downloaded.
    """

    weights: str = "facebook/dinov2-large"
    """A folder with config.json and model.safetensors, or a name of the Hugging Face hub that is in its cache."""

    def extractor(self, data: Dataset, device: str = "cpu", progress: Progress = no_progress) -> Extractor:
        """The network with the weights that are on this machine."""
        require_pictures(data, "dinov2")
        kind = of_library("dinov2", "transformers", "Dinov2Model")
        progress("loading DINOv2", 0, 1)
        try:
            options = {"local_files_only": True, "use_safetensors": True, "output_loading_info": True}
            network, found = kind.from_pretrained(self.weights, **options)
        except (ImportError, RuntimeError, OSError, ValueError, SafetensorError) as error:
            raise self._unusable(str(error)) from error
        # The library draws weights that are missing at random, and only warns.
        if lacking := [str(name) for name in (*found["missing_keys"], *found["mismatched_keys"])]:
            raise self._unusable(f"{len(lacking):,} tensors are missing or of another shape, such as {lacking[0]}")
        return _Dinov2Extractor(network, device, self.weights)

    def _unusable(self, why: str) -> UsageError:
        if Path(self.weights).is_dir():
            how = "give a folder with config.json and model.safetensors; files that would be unpickled are not read"
            return no_weights("dinov2", self.weights, self.weights, how, why)
        return no_weights("dinov2", self.weights, HUB_CACHE, f"hf download {self.weights}", why)


class _Dinov2Extractor(Extractor):
    def __init__(self, network: Any, device: str, weights: str) -> None:
        self.network = network.requires_grad_(False).eval().to(device=device, dtype=torch.float32)
        self.device = device
        self.mean = torch.tensor(MEAN, device=device)[:, None, None]
        self.deviation = torch.tensor(DEVIATION, device=device)[:, None, None]
        self.dimensions = int(network.config.hidden_size)
        self.identity = f"dinov2-{SIDE}-{digest_of(network.state_dict())}"
        self.about = f"DINOv2 ({weights}), class token, pictures resized to {SIDE}x{SIDE} px with antialiased bicubic"

    def describe(self, x: Tensor) -> Tensor:
        pixels = resized(as_colour(x.to(self.device, torch.float32)), SIDE).add(1).div(2)
        found = self.network(pixel_values=(pixels - self.mean) / self.deviation)
        return found.last_hidden_state[:, 0]
