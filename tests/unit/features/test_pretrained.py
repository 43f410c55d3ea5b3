"""Networks of other libraries, which stand-ins play here: what they are given, and what is said where they are not there."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from support import tiny_dataset
from torch import Tensor, nn

from ganwright.core.errors import UsageError
from ganwright.features.base import BATCH, Features
from ganwright.features.dinov2 import Dinov2
from ganwright.features.inception import Inception
from ganwright.features.parts.pretrained import as_colour, resized


class StandInDinov2(nn.Module):
    """Takes and gives what transformers' Dinov2Model does."""

    asked: dict[str, Any]
    found: dict[str, list[str]]

    def __init__(self) -> None:
        super().__init__()
        self.config = SimpleNamespace(hidden_size=3)
        self.weight = nn.Parameter(torch.ones(3))
        self.seen: Tensor | None = None

    @classmethod
    def from_pretrained(cls, weights: str, **options: Any) -> tuple[StandInDinov2, dict[str, list[str]]]:
        cls.asked = {"weights": weights, **options}
        if not Path(weights).is_dir():
            raise OSError(f"{weights} is not a local folder\nin lines of its own")
        return cls(), cls.found

    def forward(self, pixel_values: Tensor) -> Any:
        self.seen = pixel_values
        means = (pixel_values.mean((2, 3)) * self.weight)[:, None]
        return SimpleNamespace(last_hidden_state=torch.cat([means, means + 9], 1))


class StandInInception(nn.Module):
    """Takes and gives what timm's inception_v3 does with num_classes=0."""

    num_features = 3

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3))

    def forward(self, x: Tensor) -> Tensor:
        assert x.shape == (BATCH, 3, 299, 299)
        return x.mean((2, 3)) * self.weight


def module(name: str, **content: Any) -> ModuleType:
    found = ModuleType(name)
    found.__dict__.update(content)
    return found


@pytest.fixture
def transformers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", module("transformers", Dinov2Model=StandInDinov2))
    monkeypatch.setattr(StandInDinov2, "found", {"missing_keys": [], "mismatched_keys": []}, raising=False)


@pytest.fixture
def timm(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """The models that were asked for; no hub beside it."""
    asked: list[tuple[str, dict[str, Any]]] = []

    def create_model(name: str, **options: Any) -> nn.Module:
        asked.append((name, options))
        return StandInInception()

    monkeypatch.setitem(sys.modules, "timm", module("timm", create_model=create_model))
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    return asked


def inception_file(folder: Path) -> Path:
    path = folder / "model.safetensors"
    save_file({"weight": torch.tensor([1.0, 2.0, 3.0]), "fc.weight": torch.ones(2), "AuxLogits.x": torch.ones(1)}, path)
    return path


@pytest.mark.parametrize(("name", "part"), [("transformers", Dinov2()), ("timm", Inception())])
def test_a_missing_library_is_named_with_what_works_without(
    name: str, part: Features, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UsageError) as caught:
        part.extractor(tiny_dataset())
    assert caught.value.code == "E-FEATURES-02"
    message = str(caught.value)
    assert f"pip install {name}" in message
    assert "--features self" in message
    assert len(message.splitlines()) <= 6


@pytest.mark.parametrize(("name", "part"), [("transformers", Dinov2()), ("timm", Inception())])
def test_a_library_that_breaks_when_imported_counts_as_missing(
    name: str, part: Features, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As torchvision does beside a torch that it was not built for, and what imports it with it."""
    (tmp_path / f"{name}.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(UsageError, match=name) as caught:
        part.extractor(tiny_dataset())
    assert caught.value.code == "E-FEATURES-02"
    assert "torchvision::nms" in caught.value.why


@pytest.mark.usefixtures("transformers")
@pytest.mark.parametrize(
    ("part", "command"),
    [(Dinov2(), "hf download facebook/dinov2-large"), (Inception(), "hf download timm/inception_v3.tf_in1k")],
)
def test_missing_weights_are_told_of(part: Features, command: str, timm: list[Any]) -> None:
    with pytest.raises(UsageError) as caught:
        part.extractor(tiny_dataset())
    assert caught.value.code == "E-FEATURES-03"
    message = str(caught.value)
    assert command in message
    assert "--features self" in message
    assert len(message.splitlines()) <= 6
    assert timm == []


@pytest.mark.usefixtures("transformers")
def test_dinov2_is_loaded_from_this_machine_alone_and_without_pickle(tmp_path: Path) -> None:
    Dinov2(str(tmp_path)).extractor(tiny_dataset())
    options = {"local_files_only": True, "use_safetensors": True, "output_loading_info": True}
    assert StandInDinov2.asked == {"weights": str(tmp_path), **options}


@pytest.mark.usefixtures("transformers")
@pytest.mark.parametrize("fault", ["missing_keys", "mismatched_keys"])
def test_weights_that_dinov2_would_make_up_are_refused(fault: str, tmp_path: Path) -> None:
    StandInDinov2.found[fault].append("embeddings.cls_token")
    with pytest.raises(UsageError) as caught:
        Dinov2(str(tmp_path)).extractor(tiny_dataset())
    assert caught.value.code == "E-FEATURES-03"
    assert "embeddings.cls_token" in caught.value.why


@pytest.mark.usefixtures("transformers")
def test_dinov2_sees_pixels_as_it_learned_them_and_gives_the_class_token(tmp_path: Path) -> None:
    network = Dinov2(str(tmp_path)).extractor(tiny_dataset(channels=1))
    features = network.extract([torch.full((2, 1, 8, 8), 1.0), torch.full((1, 1, 8, 8), -1.0)])
    white = (1 - torch.tensor([0.485, 0.456, 0.406])) / torch.tensor([0.229, 0.224, 0.225])
    black = -torch.tensor([0.485, 0.456, 0.406]) / torch.tensor([0.229, 0.224, 0.225])
    torch.testing.assert_close(features, torch.stack([white, white, black]), rtol=1e-4, atol=1e-4)
    seen: Tensor = network.network.seen  # type: ignore[attr-defined]
    assert seen.shape == (BATCH, 3, 224, 224)
    assert network.dimensions == 3
    assert network.identity.startswith("dinov2-224-")


def test_inception_is_made_empty_and_filled_from_the_file(timm: list[Any], tmp_path: Path) -> None:
    path = inception_file(tmp_path)
    by_file, by_folder = (Inception(str(place)).extractor(tiny_dataset(channels=3)) for place in (path, tmp_path))
    assert timm == [("inception_v3", {"pretrained": False, "num_classes": 0})] * 2
    assert by_file.identity == by_folder.identity
    features = by_file.extract([torch.full((1, 3, 8, 8), 0.5)])
    torch.testing.assert_close(features, torch.tensor([[0.5, 1.0, 1.5]]))


def test_inception_is_found_in_the_hub_s_cache(timm: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = inception_file(tmp_path)
    hub = module(
        "huggingface_hub", try_to_load_from_cache=lambda name, file: str(path) if name.startswith("timm/") else None
    )
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    assert Inception().extractor(tiny_dataset()).dimensions == 3
    with pytest.raises(UsageError, match="someone/else"):
        Inception("someone/else").extractor(tiny_dataset())


@pytest.mark.parametrize("content", [b"\x80\x04K\x01.", b"", b"PK\x03\x04 a checkpoint"])
def test_a_file_of_inception_that_is_none_is_told_of(timm: list[Any], content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        Inception(str(path)).extractor(tiny_dataset())
    assert caught.value.code == "E-FEATURES-03"
    assert caught.value.where == str(path)


def test_weights_of_another_network_are_told_of(timm: list[Any], tmp_path: Path) -> None:
    save_file({"weight": torch.ones(4)}, tmp_path / "model.safetensors")
    with pytest.raises(UsageError) as caught:
        Inception(str(tmp_path)).extractor(tiny_dataset())
    assert caught.value.code == "E-FEATURES-03"
    assert len(str(caught.value).splitlines()) <= 6


def test_grey_is_repeated_and_transparency_lies_on_white() -> None:
    grey = torch.linspace(-1, 1, 4).reshape(1, 1, 2, 2)
    assert torch.equal(as_colour(grey), grey.expand(1, 3, 2, 2))
    black_at = torch.tensor([-1.0, -1.0, -1.0]).reshape(1, 3, 1, 1)
    for opacity, seen in ((1.0, -1.0), (-1.0, 1.0), (0.0, 0.0)):
        picture = torch.cat([black_at, torch.full((1, 1, 1, 1), opacity)], 1)
        assert torch.equal(as_colour(picture), torch.full((1, 3, 1, 1), seen))


def test_a_fine_pattern_that_is_made_smaller_becomes_grey() -> None:
    """Antialiasing: without it every second pixel would be left, all of them white."""
    pattern = torch.ones(1, 3, 64, 64)
    pattern[..., 1::2] = -1
    assert resized(pattern, 16).abs().max() < 0.1
