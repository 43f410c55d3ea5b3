"""Networks that a user brings along as modules."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from support import image_spec
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations

from ganwright.core.config import to_plain
from ganwright.core.errors import UsageError
from ganwright.data.spec import Condition, DataSpec
from ganwright.networks.layered import Layered
from ganwright.networks.own.module_pair import ModulePair, OwnDiscriminator

SPEC = image_spec(8, 8, 1)
CLASSES = Condition("label", ("a", "b", "c"))


def generator(latent: int = 10, values: int = 64, shape: tuple[int, ...] = (1, 8, 8)) -> nn.Sequential:
    return nn.Sequential(nn.Linear(latent, 16), nn.ReLU(), nn.Linear(16, values), nn.Tanh(), nn.Unflatten(1, shape))


def discriminator(*end: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1), *end)


class FunctionalSigmoid(nn.Module):
    """The sigmoid as a function, and a view of it."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Linear(64, 64)
        self.body = nn.Linear(64, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(1)
        return torch.sigmoid(self.body(x * self.gate(x).sigmoid())).view(-1)

    def logits(self, x: Tensor) -> Tensor:
        x = x.flatten(1)
        return self.body(x * self.gate(x).sigmoid()).view(-1)


class GatedLogits(nn.Module):
    """A sigmoid inside, and none at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(64, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(1)
        return self.body(x * x.sigmoid())


class Conditional(nn.Module):
    """Takes a class after its first input."""

    def __init__(self, width_in: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.table = nn.Embedding(3, width_in)
        self.body = nn.Linear(width_in, math.prod(shape))
        self.shape = shape

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        return self.body(x.flatten(1) * self.table(label)).unflatten(1, self.shape)


class Optional(Conditional):
    """Takes a class if there is one."""

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        return super().forward(x, label if label is not None else torch.zeros(len(x), dtype=torch.int64))


def records(count: int = 4) -> Tensor:
    return torch.rand(count, *SPEC.shape, generator=torch.Generator().manual_seed(3)) * 2 - 1


def resolved(pair: ModulePair, spec: DataSpec = SPEC) -> ModulePair:
    return pair.resolved(spec)


@pytest.mark.parametrize("end", ["module", "function"])
def test_a_final_sigmoid_is_bypassed_in_training_and_kept_for_the_score(end: str) -> None:
    judge = discriminator(nn.Sigmoid()) if end == "module" else FunctionalSigmoid()
    pair = resolved(ModulePair(generator(), judge, (10,)))
    assert pair.discriminator_output == "probability"
    own = pair.discriminator(SPEC)
    x = records()
    expected = judge.logits(x) if isinstance(judge, FunctionalSigmoid) else judge[:-1](x).squeeze(1)
    assert torch.allclose(own(x).logits[0], expected)
    assert torch.allclose(own.score(x), judge(x).flatten())


def test_the_gradient_goes_through_the_logit_even_where_the_sigmoid_is_flat() -> None:
    judge = discriminator(nn.Sigmoid())
    with torch.no_grad():
        judge.get_parameter("3.bias").fill_(60.0)  # a probability of exactly 1
    own = resolved(ModulePair(generator(), judge, (10,))).discriminator(SPEC)
    own(records()).logits[0].sum().backward()
    assert own.get_parameter("module.3.bias").grad == pytest.approx(4.0)


@pytest.mark.parametrize("judge", [discriminator(), GatedLogits()], ids=["dense", "gated"])
def test_logits_stay_logits(judge: nn.Module) -> None:
    pair = resolved(ModulePair(generator(), judge, (10,)))
    assert pair.discriminator_output == "logits"
    own, x = pair.discriminator(SPEC), records()
    assert torch.allclose(own(x).logits[0], judge(x).squeeze(1))
    assert torch.allclose(own.score(x), judge(x).squeeze(1))


def test_what_the_user_says_of_the_output_overrides_what_was_found() -> None:
    said_logits = resolved(ModulePair(generator(), discriminator(nn.Sigmoid()), (10,), "logits"))
    assert said_logits.discriminator_output == "logits"
    x = records()
    assert (said_logits.discriminator(SPEC)(x).logits[0] > 0).all(), "the sigmoid's own values"
    squashed = nn.Sequential(discriminator(), nn.Hardsigmoid())
    said = resolved(ModulePair(generator(), squashed, (10,), "probability")).discriminator(SPEC)
    assert torch.allclose(said(x).logits[0], squashed(x).squeeze(1).logit(), atol=1e-4)


def test_several_heads_and_patches() -> None:
    class Heads(nn.Module):
        """Two heads: one verdict a record, and nine patches of it."""

        def __init__(self) -> None:
            super().__init__()
            self.whole = nn.Linear(64, 1)
            self.parts = nn.Conv2d(1, 1, 3, stride=3, padding=1)

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return torch.sigmoid(self.whole(x.flatten(1))), torch.sigmoid(self.parts(x))

    own = resolved(ModulePair(generator(), Heads(), (10,))).discriminator(SPEC)
    assert isinstance(own, OwnDiscriminator)
    assert own.gives_probability
    assert [tuple(head.shape) for head in own(records()).logits] == [(4,), (4, 9)]
    assert own.score(records()).shape == (4,)


def test_training_works_on_a_copy() -> None:
    made, judge = generator(), discriminator()
    before = [value.clone() for value in (*made.state_dict().values(), *judge.state_dict().values())]
    copies = ModulePair(made, judge, (10,)).build(SPEC)
    with torch.no_grad():
        for network in copies:
            for parameter in network.parameters():
                parameter.add_(1)
    after = [*made.state_dict().values(), *judge.state_dict().values()]
    assert all(torch.equal(old, new) for old, new in zip(before, after, strict=True))


def test_the_dry_pass_leaves_buffers_and_randomness_alone() -> None:
    made = nn.Sequential(nn.Linear(10, 64), nn.BatchNorm1d(64), nn.Dropout(), nn.Tanh(), nn.Unflatten(1, (1, 8, 8)))
    pair = ModulePair(made, discriminator(), (10,))
    before, random = made[1].state_dict(), torch.get_rng_state()
    before = {name: value.clone() for name, value in before.items()}
    resolved(pair)
    assert torch.equal(random, torch.get_rng_state())
    assert all(torch.equal(value, before[name]) for name, value in made[1].state_dict().items())


def test_a_mismatch_within_names_the_layer_and_both_shapes() -> None:
    with pytest.raises(UsageError) as caught:
        resolved(ModulePair(generator(latent=64), discriminator(), (100,)))
    text = str(caught.value)
    assert "generator" in text
    assert "layer 'module.0', Linear(in_features=64, out_features=16" in text
    assert "(2, 100)" in text
    with pytest.raises(UsageError) as caught:
        resolved(ModulePair(generator(), discriminator(), (10,)), image_spec(8, 8, 3))
    assert "the generator makes (2, 1, 8, 8)" in str(caught.value)
    with pytest.raises(UsageError) as caught:
        resolved(ModulePair(generator(values=192, shape=(3, 8, 8)), discriminator(), (10,)), image_spec(8, 8, 3))
    text = str(caught.value)
    assert "discriminator" in text
    assert "Linear(in_features=64, out_features=8" in text
    assert "(2, 192)" in text


def test_records_of_another_shape_than_the_data_are_refused_with_the_way_out() -> None:
    flat = nn.Sequential(nn.Linear(10, 64), nn.Tanh())
    with pytest.raises(UsageError, match=r"\(2, 64\)") as caught:
        resolved(ModulePair(flat, discriminator(), (10,)))
    assert "nn.Unflatten(1, (1, 8, 8))" in str(caught.value)
    assert "Tanh" in caught.value.where
    with pytest.raises(UsageError) as caught:
        resolved(ModulePair(generator(), discriminator(), (10,)), image_spec(28, 28, 1))
    assert "modality=Image(size=(8, 8))" in str(caught.value)


@pytest.mark.parametrize(
    ("judge", "shown"),
    [
        (nn.Sequential(nn.Flatten(0), nn.Unflatten(0, (128, 1))), "(128, 1)"),
        (nn.LSTM(8, 1), "does not run|tuple"),
    ],
    ids=["not row by row", "no tensor"],
)
def test_verdicts_that_are_not_one_row_a_record_are_refused(judge: nn.Module, shown: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolved(ModulePair(generator(), judge, (10,)))
    assert any(each in str(caught.value) for each in shown.split("|"))


def test_conditions_are_what_the_modules_take() -> None:
    assert ModulePair(generator(), discriminator()).condition_inputs == 0
    told = ModulePair(Conditional(10, (1, 8, 8)), Conditional(64, (1,)), (10,))
    assert told.condition_inputs == 1
    assert ModulePair(Optional(10, (1, 8, 8)), Optional(64, (1,)), (10,)).condition_inputs is None
    with pytest.raises(UsageError, match="the generator takes 1 condition"):
        _ = ModulePair(Conditional(10, (1, 8, 8)), discriminator(), (10,)).condition_inputs
    spec = replace(SPEC, conditions=(CLASSES,))
    made, judge = resolved(told, spec).build(spec)
    labels = {"label": torch.tensor([0, 1, 2, 0])}
    noise = torch.ones(4, 10)
    raw = made({"latent": noise}, labels).raw
    assert torch.equal(raw[0], raw[3])
    assert not torch.equal(raw[0], raw[1])
    assert judge(records(), labels).logits[0].shape == (4,)


def test_either_half_may_come_from_a_family() -> None:
    half = Layered.example(SPEC)
    pair = resolved(ModulePair(half, discriminator(nn.Sigmoid())))
    made, judge = pair.build(SPEC)
    size = made.noise["latent"].shape
    assert judge(made({"latent": torch.zeros(2, *size)}).raw).logits[0].shape == (2,)


def test_a_latent_may_have_any_shape() -> None:
    made = nn.Sequential(nn.ConvTranspose2d(10, 1, 8), nn.Tanh())
    pair = resolved(ModulePair(made, discriminator(), (10, 1, 1), noise="uniform"))
    noise = pair.generator(SPEC).noise["latent"]
    assert (noise.shape, noise.distribution) == ((10, 1, 1), "uniform")


def test_a_module_that_cannot_be_copied_is_refused() -> None:
    made = generator()
    made.extra = functional.relu(torch.ones(2, requires_grad=True))
    with pytest.raises(UsageError, match="cannot be copied"):
        resolved(ModulePair(made, discriminator(), (10,)))


def test_the_config_tells_of_them_in_plain_words() -> None:
    plain = to_plain(ModulePair(generator(), FunctionalSigmoid(), (10,)))
    assert plain["name"] == "own ModulePair"
    assert (plain["generator"], plain["discriminator"]) == ("Sequential", "FunctionalSigmoid")


def test_spectral_norm_of_torch_runs_and_judges() -> None:
    judge = nn.Sequential(nn.Flatten(), parametrizations.spectral_norm(nn.Linear(64, 1)))
    assert resolved(ModulePair(generator(), judge, (10,))).discriminator(SPEC)(records()).logits[0].shape == (4,)


class Doubled(nn.Module):
    """With a constant of NumPy's, as `torch.from_numpy(np.full(64, 0.5))` is."""

    def __init__(self) -> None:
        super().__init__()
        self.body = generator()
        self.scale = torch.full((8,), 0.5, dtype=torch.float64)

    def forward(self, z: Tensor) -> Tensor:
        return self.body(z) * self.scale


class WithoutGradient(nn.Module):
    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)


def test_what_only_training_would_find_out_is_told_before() -> None:
    for pair in ((WithoutGradient(generator()), discriminator()), (generator(), WithoutGradient(discriminator()))):
        with pytest.raises(UsageError, match="no gradient reaches the"):
            ModulePair(*pair, (10,)).resolved(SPEC)
    lazy = nn.Sequential(nn.Flatten(), nn.LazyLinear(1))
    with pytest.raises(UsageError, match=r"the discriminator's 1\.weight has no size yet"):
        ModulePair(generator(), lazy, (10,)).resolved(SPEC)


def test_doubles_of_a_generator_become_singles() -> None:
    pair = ModulePair(Doubled(), discriminator(), (10,)).resolved(SPEC)
    assert pair.generator(SPEC)({"latent": torch.zeros(2, 10)}).raw.dtype == torch.float32


def test_frozen_modules_learn_all_the_same() -> None:
    frozen = generator().requires_grad_(False)
    assert ModulePair(frozen, discriminator(), (10,)).resolved(SPEC).discriminator_output == "logits"
