"""What holds for every family of networks, at shapes that data really have."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from support import image_spec, series_spec, table_spec, text_spec
from torch import Tensor, nn

from ganwright.data.spec import Condition, DataSpec
from ganwright.losses.non_saturating import NonSaturating
from ganwright.model.noise import draw_noise
from ganwright.model.output import apply_output
from ganwright.networks.base import NETWORKS, UNCONDITIONED, Conditions, Discriminator, Generator, NetworkFamily
from ganwright.runtime.keys import Key
from ganwright.training.statistics import held_statistics

SIZES = [(64, 64, 3), (28, 28, 1), (72, 72, 4), (48, 64, 3), (7, 5, 1), (1, 1, 3), (100, 37, 3)]
COUNT = 4
SPEC = image_spec(28, 28, 1)
LABEL = Condition("label", ("cat", "dog", "owl"))
KINDS = {
    "class": (LABEL, torch.tensor([0, 1, 1])),
    "labels": (Condition("tags", ("hat", "tie"), kind="labels"), torch.tensor([[0.0, 1.0], [1.0, 1.0], [1.0, 1.0]])),
    "number": (Condition("age", kind="number", low=18, high=90), torch.tensor([-0.5, 0.25, 0.25])),
    "angle": (Condition("angle", kind="number", high=360, circular=True), torch.tensor([0.0, 1.0, -1.0])),
}
every_kind = pytest.mark.parametrize("kind", KINDS)

WAVES = DataSpec("waveform", (1, 300), "tanh")
SPECS = {"x".join(map(str, size)): image_spec(*size) for size in SIZES} | {
    "table": table_spec(),
    "text": text_spec(),
    "series": series_spec(),
    "spectrogram": DataSpec("spectrogram", (1, 80, 32), "tanh"),
    "waves": WAVES,
    "long waves": DataSpec("waveform", (1, 8192), "tanh"),
}


def draws(name: str, spec: DataSpec) -> bool:
    kinds = NETWORKS.get(name).kinds
    return not kinds or spec.kind in kinds


def usual(name: str) -> DataSpec:
    """A spec that the family draws."""
    return next(spec for spec in (SPEC, table_spec(), text_spec(), series_spec(), WAVES) if draws(name, spec))


def odd(name: str) -> str:
    """The size of small records of odd sides, or of whatever else the family draws."""
    return next(size for size in ("7x5x1", "table", "text", "series", "waves") if draws(name, SPECS[size]))


every_family = pytest.mark.parametrize("name", NETWORKS.names())
every_pair = pytest.mark.parametrize(
    ("name", "size"), [pytest.param(n, size, id=f"{n}-{size}") for n in NETWORKS for size in SPECS if draws(n, SPECS[size])]
)
every_family_of_classes = pytest.mark.parametrize(
    "name", [n for n in NETWORKS if NETWORKS.get(n).example(usual(n)).condition_inputs != 0 or n == "layered"]
)


def small(name: str, spec: DataSpec | None = None) -> NetworkFamily:
    """An example of the family with whatever promises a size cut down, so that a test takes milliseconds."""
    spec = spec or usual(name)
    example = NETWORKS.get(name).example(spec)
    changes: dict[str, Any] = {}
    for field in dataclasses.fields(example):
        value = getattr(example, field.name)
        if isinstance(value, tuple) and all(isinstance(width, int) for width in value):
            changes[field.name] = tuple(min(width, 16) for width in value)
        elif isinstance(value, int) and not isinstance(value, bool):
            changes[field.name] = min(value, 8)
    return dataclasses.replace(example, **changes)


def built(name: str, size: str = "", conditions: tuple[Condition, ...] = ()) -> tuple[DataSpec, Generator, Any]:
    spec = dataclasses.replace(SPECS[size] if size else usual(name), conditions=conditions)
    if NETWORKS.get(name).applies_output:  # as a run has it
        spec = dataclasses.replace(spec, output="linear")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        generator, discriminator = small(name, spec).build(spec)
    return spec, generator.train(), discriminator.train()


def noise_for(generator: Generator, count: int = COUNT) -> dict[str, Tensor]:
    return draw_noise(generator.noise, count, Key(0))


@every_pair
def test_shapes_are_those_of_the_data(name: str, size: str) -> None:
    spec, generator, discriminator = built(name, size)
    raw = generator(noise_for(generator)).raw
    assert raw.shape == (COUNT, *spec.shape)
    assert raw.isfinite().all()
    verdict = discriminator(apply_output(spec, raw))
    assert verdict.logits
    for head in verdict.logits:
        assert head.shape[0] == COUNT
        assert head.ndim in (1, 2)
    assert verdict.features is None or verdict.features.shape[0] == COUNT


@every_pair
def test_every_parameter_learns_from_two_adversarial_steps(name: str, size: str) -> None:
    """A dead parameter, such as a bias that the batch normalisation behind it takes away, has no gradient to speak of.

    At the second step, since what lies behind weights that start at zero, as residual branches do, has none at the first.
    """
    spec, generator, discriminator = built(name, size)
    after_steps(spec, generator, discriminator, 2)
    assert dead(discriminator) == []
    assert dead(generator) == []


def redrawn(discriminator: Discriminator, x: Tensor) -> Tensor:
    """What helper networks within the discriminator learn from, where it has any."""
    if not discriminator.reconstruction_draws:
        return torch.zeros(())
    pairs = discriminator.reconstruct(x, torch.rand(len(x), discriminator.reconstruction_draws))
    return sum(((drawn - meant).square().mean() for drawn, meant in pairs), start=torch.zeros(()))


def after_steps(
    spec: DataSpec, generator: Generator, discriminator: Discriminator, steps: int, condition: Conditions = UNCONDITIONED
) -> None:
    """Leave the gradients of the last of so many steps of both players, reals being noise."""
    count = len(next(iter(condition.values()))) if condition else 16
    real = torch.rand((count, *spec.shape), generator=torch.Generator().manual_seed(1)) * 2 - 1
    optimizer = torch.optim.Adam([*generator.parameters(), *discriminator.parameters()], lr=1e-3)
    for step in range(steps):
        if step:
            optimizer.step()
            optimizer.zero_grad()
        fake = apply_output(spec, generator(noise_for(generator, count), condition).raw)
        loss = torch.zeros(())
        heads = zip(discriminator(real, condition).logits, discriminator(fake.detach(), condition).logits, strict=True)
        for on_real, on_fake in heads:
            loss = loss + NonSaturating().discriminator(on_real, on_fake).mean()
        (loss + redrawn(discriminator, real)).backward()
        learning = list(discriminator.parameters())
        for parameter in learning:
            parameter.requires_grad_(False)
        for head in discriminator(fake, condition).logits:
            NonSaturating().generator(None, head).mean().backward(retain_graph=True)
        for parameter in learning:
            parameter.requires_grad_(True)


def dead(network: nn.Module) -> list[str]:
    """Parameters without a gradient, or with one that is nothing but rounding errors beside the largest."""
    norms = {name: 0.0 if p.grad is None else float(p.grad.norm()) for name, p in network.named_parameters()}
    largest = max(norms.values())
    assert largest > 0
    return [name for name, norm in norms.items() if not norm > 1e-6 * largest]


@every_pair
def test_a_network_on_the_meta_device_has_the_names_and_shapes_of_a_real_one(name: str, size: str) -> None:
    spec, generator, discriminator = built(name, size)
    with torch.device("meta"):
        meta = small(name, spec).build(spec)
    for real, described in zip((generator, discriminator), meta, strict=True):
        shapes = {key: (value.shape, value.dtype) for key, value in described.state_dict().items()}
        assert shapes == {key: (value.shape, value.dtype) for key, value in real.state_dict().items()}
        assert all(value.is_meta for value in described.state_dict().values())


@every_pair
def test_the_same_seed_builds_the_same_weights(name: str, size: str) -> None:
    _, generator, discriminator = built(name, size)
    _, again, discriminator_again = built(name, size)
    for one, other in ((generator, again), (discriminator, discriminator_again)):
        assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


@every_family
def test_the_generator_is_the_same_alone_and_in_the_pair(name: str) -> None:
    spec = usual(name)
    alone, pair = small(name).generator(spec), small(name).build(spec)[0]
    shapes = {key: value.shape for key, value in alone.state_dict().items()}
    assert shapes == {key: value.shape for key, value in pair.state_dict().items()}


@every_family
def test_a_sample_does_not_depend_on_its_neighbours(name: str) -> None:
    """In sampling, that is: batch statistics couple the records of a batch in training only."""
    spec, generator, _ = built(name)
    generator.eval()
    noise = noise_for(generator)
    with torch.no_grad():
        before = generator(noise).raw[0]
        other = {key: torch.cat([value[:1], value[1:] + 1]) for key, value in noise.items()}
        after = generator(other).raw
    torch.testing.assert_close(after[0], before, rtol=1e-5, atol=1e-5)
    assert after.shape[1:] == spec.shape
    assert not torch.allclose(after[1], before)


@every_family
def test_a_verdict_depends_on_its_neighbours_only_where_the_network_says_so(name: str) -> None:
    """While training, where batch normalisation would mix them."""
    spec, _, discriminator = built(name)
    assert not discriminator.by_itself or discriminator.training
    x, y = torch.rand(2, COUNT, *spec.shape, generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.no_grad(), held_statistics(discriminator):
        apart = [discriminator(each).logits for each in (x, y)]
        together = discriminator(torch.cat([x, y])).logits
    alike = [
        torch.allclose(torch.cat([one, other]), both, rtol=1e-4, atol=1e-5)
        for one, other, both in zip(*apart, together, strict=True)
    ]
    assert all(alike) or not discriminator.by_itself


@every_family
def test_gradients_on_the_input_can_be_differentiated_again(name: str) -> None:
    """As R1 and the gradient penalty need it, and for one record at a time: no record's slope depends on another."""
    spec, _, discriminator = built(name)
    x = (torch.rand(COUNT, *spec.shape, generator=torch.Generator().manual_seed(1)) * 2 - 1).requires_grad_(True)
    total = sum((head.sum() for head in discriminator(x).logits), start=torch.zeros(()))
    (slope,) = torch.autograd.grad(total, x, create_graph=True)
    assert slope.flatten(1).norm(dim=1).min() > 0
    slope.square().sum().backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in discriminator.parameters())


@every_family
@pytest.mark.parametrize("absurd", [10**9, 0, -1])
def test_absurd_settings_are_refused_before_anything_is_built(name: str, absurd: int) -> None:
    kind = NETWORKS.get(name)
    for field in dataclasses.fields(kind):
        if isinstance(field.default, int) and not isinstance(field.default, bool):
            with pytest.raises(ValueError, match=field.name):
                kind(**{field.name: absurd})
        elif isinstance(field.default, tuple):
            with pytest.raises(ValueError, match="width"):
                kind(**{field.name: (absurd,)})
            with pytest.raises(ValueError, match="at most"):
                kind(**{field.name: (8,) * 100_000})


@every_kind
@every_family_of_classes
def test_a_condition_is_heard_by_both_players(name: str, kind: str) -> None:
    """The last two rows are told the same; of a circle both ends are."""
    if name == "layered" and kind == "angle":
        pytest.skip("its layers decide what they make of a number")
    condition, values = KINDS[kind]
    spec, generator, discriminator = built(name, odd(name), (condition,))
    generator.eval()
    noise = {key: value[:1].expand(3, *value.shape[1:]) for key, value in noise_for(generator).items()}
    classes = {condition.name: values}
    made = generator(noise, classes).raw
    assert made.shape == (3, *spec.shape)
    assert not torch.allclose(made[0], made[1])
    torch.testing.assert_close(made[1], made[2])
    x = torch.rand(1, *spec.shape, generator=torch.Generator().manual_seed(1)).expand(3, *spec.shape)
    discriminator.eval()
    for head in discriminator(x, classes).logits:
        assert not torch.allclose(head[0], head[1])
        torch.testing.assert_close(head[1], head[2])


@every_kind
@every_family_of_classes
def test_every_parameter_of_a_conditional_pair_learns(name: str, kind: str) -> None:
    condition, values = KINDS[kind]
    spec, generator, discriminator = built(name, odd(name), (condition,))
    random = torch.rand(15, *values.shape[1:], generator=torch.Generator().manual_seed(0))
    told = {"class": torch.arange(15) % 3, "labels": random.round()}.get(kind, 2 * random - 1)
    after_steps(spec, generator, discriminator, 2, {condition.name: told})
    assert dead(generator) == []
    assert dead(discriminator) == []


@every_family
@pytest.mark.parametrize("distribution", ["normal", "uniform", "truncated", "sphere", "signs"])
def test_the_latent_is_drawn_from_what_was_asked_for(name: str, distribution: str) -> None:
    family = dataclasses.replace(small(name), noise=distribution)
    assert family.generator(usual(name)).noise["latent"].distribution == distribution


@every_family
def test_the_kinds_it_draws_are_named(name: str) -> None:
    assert all(isinstance(kind, str) for kind in NETWORKS.get(name).kinds)
    assert any(draws(name, spec) for spec in SPECS.values())
