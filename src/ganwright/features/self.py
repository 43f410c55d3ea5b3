"""A small network that learns from the data themselves what there is to see in them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from ganwright.core.errors import UsageError
from ganwright.data.dataset import Dataset
from ganwright.data.progress import Progress, no_progress
from ganwright.data.sampler import Shuffled
from ganwright.data.spec import MAPS, DataSpec
from ganwright.features.base import BATCH, Extractor, Features
from ganwright.features.parts.encoders import Encoder, PictureEncoder, RowEncoder
from ganwright.features.parts.kept_weights import cached_at, digest_of, keep, kept
from ganwright.features.parts.views import picture_view, row_view
from ganwright.runtime.device import own_random_state
from ganwright.runtime.keys import Key
from ganwright.runtime.placing import place

VERSION = 2
TRAINING_BATCH = 128
LEARNING_RATE, WEIGHT_DECAY = 3e-3, 1e-2
SMOOTHING = 0.1
TEMPERATURE = 0.2
COMPARED = 128
"""Values in which two views are compared, apart from the features (Chen et al. 2020, arXiv:2002.05709, section 4.2)."""
WINDOW, LABELLED_WINDOW = 0.7, 0.85
"""Part of each side of a picture that a view shows."""
CORRUPTED, LABELLED_CORRUPTED = 0.6, 0.1
"""Share of a row that a view has from other rows; 0.6 is that of Bahri et al. 2021."""
SCALED_BY = 4096
"""Records from which the features' scales are learned."""


@dataclass(frozen=True)
class Self(Features):
    """Learned from your own data, once: with classes to tell them apart, else to tell records apart whatever their view.

    The highest layer says what a record is, and learns to overlook how it is drawn; so the lowest are part of the features,
    and weigh as much. Fréchet distances of 2,000 records, as multiples of their floor, after 300 steps, highest layer alone
    and both: noise
    of 6 grey levels on MNIST 1.3 and 4.9 (learned with classes 1.1 and 6.6), a checkerboard of 4 on CIFAR-10 0.9 and 1.4;
    five of ten classes missing 2.1 and 2.1 on CIFAR-10 (with classes 9.2 and 4.2).
    """

    steps: int = 200
    """Of training, with 128 records each; always as many, whatever the clock says, so that results can be repeated."""
    seed: int = 0
    """Of the training."""

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"steps must be at least 1, not {self.steps}")

    def extractor(self, data: Dataset, device: str = "cpu", progress: Progress = no_progress) -> Extractor:
        """The network for these records, from the cache or learned now: on two cores in about a minute.

        The weights are a function of data and settings on one machine and device with one number of threads. Of a stream,
        the first records are learned from.
        """
        data = data.head
        key = self._cache_key(data)
        path = cached_at(f"self-v{VERSION}-{key[:24]}")
        network = _SelfNetwork(_untrained(data.codec.measured_spec, Key(self.seed, turn="self features")))
        weights = kept(path, key, network.state_dict())
        if weights is None:
            _train(network, data, self, device, progress)
            weights = network.state_dict()
            keep(path, key, weights)
        network.load_state_dict(weights)
        return _SelfExtractor(network, device, self._about(data), data.codec.measured)

    def _cache_key(self, data: Dataset) -> str:
        """Of all that decides the weights. Some records go into it, as parts of one data set share its fingerprint."""
        facts = (
            VERSION,
            data.fingerprint,
            len(data),
            data.codec.measured_spec,
            bool(_class_count(data)),
            self.steps,
            self.seed,
        )
        digest = hashlib.sha256(repr(facts).encode())
        for name, column in sorted(data.some(256).items()):
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(column.numpy()).data)
        return digest.hexdigest()

    def _about(self, data: Dataset) -> str:
        classes = _class_count(data)
        task = f"to tell {classes} classes apart" if classes else "to tell records apart, without classes"
        return f"a small network that learned {task} on {len(data):,} {data.codec.noun} in {self.steps:,} steps"


class _SelfNetwork(nn.Module):
    """The encoder, and the scales that make top and bottom count the same."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", torch.zeros(encoder.top + encoder.bottom))
        self.register_buffer("scale", torch.ones(encoder.top + encoder.bottom))

    def forward(self, x: Tensor) -> Tensor:
        """Features (B, D) of records (B, *shape)."""
        return (torch.cat(self.encoder(x), 1) - self.mean) * self.scale


class _SelfExtractor(Extractor):
    def __init__(self, network: _SelfNetwork, device: str, about: str, measured: Callable[[Tensor], Tensor]) -> None:
        place(network, device)
        self.network = network.requires_grad_(False).eval()
        self.device = device
        self.dimensions = len(network.mean)
        self.identity = f"self-v{VERSION}-{digest_of(network.state_dict())}"
        self.about = about
        self._measured = measured

    def describe(self, x: Tensor) -> Tensor:
        # One order of pixels, whoever made the records: another one gives other last digits.
        return self.network(_channels_last(self._measured(x.to(self.device, torch.float32))))


def _channels_last(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 else x


def _untrained(spec: DataSpec, key: Key) -> Encoder:
    with own_random_state("cpu"):
        torch.manual_seed(key.seed_for("weights"))
        if spec.kind in MAPS and len(spec.shape) == 3:
            return PictureEncoder(*spec.shape)
        if spec.kind in ("numbers", "table") and len(spec.shape) == 1:
            return RowEncoder(*spec.shape)
    raise UsageError("E-FEATURES-01", f"features are learned from pictures, sounds and rows, not from {spec.kind!r}")


def _class_count(data: Dataset) -> int:
    """How many classes there are to learn; 0 where records of two are not known."""
    condition, labels = data.class_condition, data.labels
    if condition is None or labels is None or len(np.unique(labels[labels >= 0])) < 2:
        return 0
    return len(condition.classes)


def _train(network: _SelfNetwork, data: Dataset, settings: Self, device: str, progress: Progress) -> None:
    """Trains the encoder, then learns the scales; the network is left on `device`."""
    key = Key(settings.seed, turn="self features")
    classes = _class_count(data)
    place(network, device)
    network.train()
    with own_random_state(device):
        torch.manual_seed(key.seed_for("head"))
        head = nn.Linear(network.encoder.top, classes) if classes else _comparing_head(network.encoder.top)
    head.to(device)
    weights = [*network.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(weights, LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    rates = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, settings.steps + 1)
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
        for step, (x, labels) in enumerate(_batches(data, settings, key, device)):
            loss = _loss(network.encoder, head, x, labels if classes else None, Key(settings.seed, step=step, turn=key.turn))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            rates.step()
            progress("learning features from the data", step + 1, settings.steps)
        network.eval()
        _learn_scales(network, data, device)


def _batches(data: Dataset, settings: Self, key: Key, device: str) -> Iterator[tuple[Tensor, Tensor]]:
    """Records as the network sees them and their classes, -1 where unknown, for each step."""
    sampler, size = Shuffled(len(data)), min(TRAINING_BATCH, len(data))
    label = data.class_condition.name if data.class_condition is not None else ""
    for step in range(settings.steps):
        columns = data.batch(sampler.draw(key, range(step * size, (step + 1) * size)))
        columns = {name: column.to(device) for name, column in columns.items()}
        x = data.codec.measured(data.codec.expand(columns))
        yield x, columns.get(label, torch.full((size,), -1, device=device))


def _comparing_head(width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, width, bias=False), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, COMPARED))


def _loss(encoder: Encoder, head: nn.Module, x: Tensor, labels: Tensor | None, key: Key) -> Tensor:
    """How badly classes are told apart, or without labels, each record's two views from those of the others.

    The latter is the InfoNCE of Chen et al. 2020, equation 1.
    """
    generator = key.generator("views")
    pictures = x.ndim == 4
    if labels is not None:
        view = picture_view(x, LABELLED_WINDOW, generator) if pictures else row_view(x, LABELLED_CORRUPTED, generator)
        known = labels >= 0
        logits = head(encoder(view)[0])
        losses = cross_entropy(logits, labels.clamp(min=0), label_smoothing=SMOOTHING, reduction="none")
        return (losses * known).sum() / known.sum().clamp(min=1)
    one, other = (picture_view(x, WINDOW, generator) if pictures else row_view(x, CORRUPTED, generator) for _ in range(2))
    ends = normalize(head(encoder(torch.cat([one, other]))[0]), dim=1)
    alike = (ends @ ends.T / TEMPERATURE).fill_diagonal_(-torch.inf)
    partners = torch.arange(len(ends), device=x.device).roll(len(x))
    return cross_entropy(alike, partners)


@torch.no_grad()
def _learn_scales(network: _SelfNetwork, data: Dataset, device: str) -> None:
    """Makes the mean of the features 0, and the variance that top and bottom have in all, 1 each."""
    count = min(SCALED_BY, len(data))
    found: list[Tensor] = []
    for start in range(0, count, BATCH):
        places = np.arange(start, min(start + BATCH, count)) * len(data) // count
        x = data.codec.measured(data.codec.expand(data.batch(places, ("x",))))
        found.append(torch.cat(network.encoder(x.to(device)), 1).double().cpu())
    features = torch.cat(found)
    deviation, top = features.std(0, correction=0), network.encoder.top
    scale = torch.empty_like(deviation)
    scale[:top] = deviation[:top].square().sum().clamp(min=1e-12).rsqrt()
    bottom = deviation[top:].clamp(min=float(deviation[top:].mean()) / 100 + 1e-6)
    scale[top:] = 1 / (bottom * len(bottom) ** 0.5)
    network.mean.copy_(features.mean(0))
    network.scale.copy_(scale)
