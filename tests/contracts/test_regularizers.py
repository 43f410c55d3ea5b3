"""What holds for every penalty, and closed forms of those that we ship."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import pytest
import torch
from support import tiny_config, tiny_dataset, tiny_table, tiny_texts, train
from torch import Tensor

from ganwright.augment.base import Augmentation
from ganwright.augment.flip import Flip
from ganwright.core.errors import UsageError
from ganwright.core.schedule import Schedule
from ganwright.data.sampler import KnownColumns
from ganwright.networks.columns import Columns
from ganwright.networks.fastgan import Fastgan
from ganwright.networks.mlp import Mlp
from ganwright.networks.recurrent import Recurrent
from ganwright.regularizers.base import REGULARIZERS, Regularizer
from ganwright.regularizers.consistency import Consistency
from ganwright.regularizers.dragan import Dragan
from ganwright.regularizers.gradient_penalty import GradientPenalty
from ganwright.regularizers.lecam import Lecam
from ganwright.regularizers.r1 import R1
from ganwright.regularizers.reconstruction import Reconstruction
from ganwright.training.batches import ALL, Batches
from ganwright.training.state import initial_state
from ganwright.training.turn import Turn

every_regularizer = pytest.mark.parametrize("name", REGULARIZERS.names())


@dataclass
class FakeTurn:
    """A turn over any function, in place of a discriminator."""

    discriminator: Callable[[Tensor], tuple[Tensor, ...]]
    real: Tensor | None
    fake: Tensor
    augment: Augmentation | None = None
    seen: list[Tensor] = field(default_factory=list)
    extras: Mapping[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        assert self.real is not None
        self.real.requires_grad_(True)
        self.fake.requires_grad_(True)
        self.real_logits = self.judge(self.real)
        self.fake_logits = self.judge(self.fake)
        self.seen.clear()

    def judge(self, x: Tensor) -> tuple[Tensor, ...]:
        self.seen.append(x)
        if self.augment is not None:
            x = self.augment.apply(x, 1.0, self.uniform("augmentation", (len(x), self.augment.draws())))
        return self.discriminator(x)

    def reconstruct(self, x: Tensor) -> tuple[tuple[Tensor, Tensor], ...]:
        """Each value as the verdict on the record: whatever depends on the discriminator's weights."""
        return ((self.judge(x)[0].view(-1, 1, 1, 1).expand_as(x), x),)

    def log_likelihood(self, x: Tensor) -> Tensor:
        """The verdict on each: whatever depends on weights."""
        return self.judge(x.view_as(self.fake))[0]

    def uniform(self, purpose: str, shape: tuple[int, ...]) -> Tensor:
        return torch.rand(shape, generator=torch.Generator().manual_seed(len(purpose)))


def batch(seed: int, count: int = 6) -> Tensor:
    return torch.randn(count, 2, 3, 3, generator=torch.Generator().manual_seed(seed))


def linear(weight: Tensor) -> Callable[[Tensor], tuple[Tensor, ...]]:
    return lambda x: (x.flatten(1) @ weight,)


@every_regularizer
def test_a_penalty_has_a_weight_and_an_interval_that_is_checked(name: str) -> None:
    regularizer: Regularizer = REGULARIZERS.get(name)()
    assert isinstance(regularizer.weight, float | Schedule)
    assert regularizer.interval >= 1
    assert regularizer.player in ("generator", "discriminator")
    with pytest.raises(ValueError, match="interval"):
        REGULARIZERS.get(name)(interval=0)


@every_regularizer
@pytest.mark.parametrize("augmented", [False, True], ids=["plain", "augmented"])
def test_a_penalty_is_a_finite_value_per_record_whose_gradient_reaches_the_parameters(name: str, augmented: bool) -> None:
    regularizer: Regularizer = REGULARIZERS.get(name)()
    weight = torch.randn(18, generator=torch.Generator().manual_seed(0)).requires_grad_(True)
    turn = FakeTurn(lambda x: (torch.tanh(x.flatten(1) @ weight),), batch(1), batch(2), Flip() if augmented else None)
    if "real" in regularizer.needs:
        likely = (turn.fake.detach().flatten(1) * weight).log_softmax(1)
        turn.real, turn.extras = batch(1).flatten(1), {"log_probabilities": likely, "drawn": torch.ones(6, 18)}
    values, state = regularizer.penalty(turn, regularizer.initial_state())
    assert values.shape == (6,)
    assert values.dtype == torch.float32
    assert values.isfinite().all()
    assert state.keys() == regularizer.initial_state().keys()
    values.sum().backward()  # the second pass, through the gradient
    assert weight.grad is not None
    assert weight.grad.isfinite().all()
    assert weight.grad.abs().sum() > 0


@every_regularizer
def test_a_penalty_trains_in_a_step_and_shows_in_its_report(name: str) -> None:
    regularizer: Regularizer = REGULARIZERS.get(name)(interval=2)
    config, data = tiny_config(augmentations=(Flip(),)), tiny_dataset()
    if "real" in regularizer.needs:
        data = tiny_table()
        config = tiny_config(network=Columns(width=8, discriminator_widths=(8,)), known=KnownColumns())
    if name == "teaching":
        network = Recurrent(width=8, symbol_width=4, discriminator_width=8, blocks=1)
        config, data = tiny_config(network=network), tiny_texts()
    if "reconstruction" in regularizer.needs:
        config = replace(config, network=Fastgan(latent=8, width=4))
    with_it, reports = train(replace(config, regularizers=(regularizer,)), 3, data)
    without, _ = train(config, 3, data)
    if regularizer.player == "discriminator":
        assert [name in report for report in reports] == [True, False, True], "a lazy penalty is due at every second step"
    assert all(value == value for report in reports for value in report.values())
    player = (
        (lambda state: state.discriminator) if regularizer.player == "discriminator" else (lambda state: state.generator)
    )
    pairs = zip(player(with_it).parameters(), player(without).parameters(), strict=True)
    assert any(not torch.equal(a, b) for a, b in pairs)


def test_r1_of_a_linear_discriminator_is_half_its_squared_weight() -> None:
    weight = torch.randn(18, generator=torch.Generator().manual_seed(0)).requires_grad_(True)
    values, _ = R1().penalty(FakeTurn(linear(weight), batch(1), batch(2)), {})
    torch.testing.assert_close(values, (0.5 * weight.square().sum()).expand(6))
    values.mean().backward()
    torch.testing.assert_close(weight.grad, weight.detach())


def test_r1_of_a_quadratic_discriminator_is_the_squared_slope_at_each_real() -> None:
    """D(x) = a/2 |x|² has the gradient a x, so R1 = a²|x|²/2 and its derivative in a is a|x|²."""
    a = torch.tensor(1.5, requires_grad=True)
    real = batch(1)
    size = real.square().flatten(1).sum(1)
    turn = FakeTurn(lambda x: (0.5 * a * x.square().flatten(1).sum(1),), real, batch(2))
    values, _ = R1().penalty(turn, {})
    torch.testing.assert_close(values, 0.5 * 1.5**2 * size)
    values.sum().backward()
    torch.testing.assert_close(a.grad, 1.5 * size.sum())


def test_r1_sums_heads_and_patches_before_the_gradient() -> None:
    weight = torch.randn(18, generator=torch.Generator().manual_seed(0))

    def heads(x: Tensor) -> tuple[Tensor, ...]:
        flat = x.flatten(1)
        return flat @ weight, torch.stack((flat @ weight, 3 * flat @ weight), 1)

    values, _ = R1().penalty(FakeTurn(heads, batch(1), batch(2)), {})
    torch.testing.assert_close(values, (0.5 * (5 * weight).square().sum()).expand(6))


def test_r1_reaches_through_the_augmentation_to_the_record_itself() -> None:
    """What is judged is mirrored, the gradient is taken at the unmirrored record: with a lopsided m they differ."""
    lopsided = torch.zeros(2, 3, 3)
    lopsided[..., 0] = 1.0
    real = batch(1)
    turn = FakeTurn(lambda x: ((0.5 * (x * lopsided).square()).flatten(1).sum(1),), real, batch(2), Flip())
    mirrored = turn.uniform("augmentation", (6, 1))[:, 0] < 0.5
    assert 0 < mirrored.sum() < 6
    column = torch.where(mirrored[:, None, None], real[..., 2], real[..., 0]).detach()
    values, _ = R1().penalty(turn, {})
    torch.testing.assert_close(values, 0.5 * column.square().flatten(1).sum(1))


@pytest.mark.parametrize("slope", [0.0, 1.0])
def test_the_gradient_penalty_of_a_linear_critic_is_its_norm_less_the_slope_squared(slope: float) -> None:
    weight = torch.randn(18, generator=torch.Generator().manual_seed(0)).requires_grad_(True)
    values, _ = GradientPenalty(slope=slope).penalty(FakeTurn(linear(weight), batch(1), batch(2)), {})
    norm = weight.detach().norm()
    torch.testing.assert_close(values, ((norm - slope) ** 2).expand(6))
    values.mean().backward()
    torch.testing.assert_close(weight.grad, 2 * (norm - slope) * weight.detach() / norm)


def test_the_gradient_penalty_is_taken_between_real_and_fake() -> None:
    weight = torch.randn(18, generator=torch.Generator().manual_seed(0))
    turn = FakeTurn(linear(weight), batch(1), batch(2))
    GradientPenalty().penalty(turn, {})
    assert turn.real is not None
    (between,) = turn.seen
    share = (between - turn.real) / (turn.fake - turn.real)
    torch.testing.assert_close(share, share[:, :1, :1, :1].expand_as(share), rtol=1e-3, atol=1e-3)
    assert (share > -1e-3).all()
    assert (share < 1 + 1e-3).all()
    assert share[:, 0, 0, 0].std() > 0.01, "each record has a share of its own"


def test_the_gradient_penalty_of_a_flat_critic_has_a_finite_gradient() -> None:
    weight = torch.zeros(18, requires_grad=True)
    values, _ = GradientPenalty().penalty(FakeTurn(linear(weight), batch(1), batch(2)), {})
    values.mean().backward()
    torch.testing.assert_close(values, torch.ones(6), rtol=0, atol=1e-5)
    assert weight.grad is not None
    assert weight.grad.isfinite().all()


@pytest.mark.parametrize("slope", [0.0, 1.0])
def test_dragan_of_a_linear_discriminator_is_its_norm_less_the_slope_squared(slope: float) -> None:
    weight = torch.randn(18, generator=torch.Generator().manual_seed(0)).requires_grad_(True)
    values, _ = Dragan(slope=slope).penalty(FakeTurn(linear(weight), batch(1), batch(2)), {})
    norm = weight.detach().norm()
    torch.testing.assert_close(values, ((norm - slope) ** 2).expand(6))
    values.mean().backward()
    torch.testing.assert_close(weight.grad, 2 * (norm - slope) * weight.detach() / norm)


def test_dragan_looks_around_the_reals_with_normal_noise() -> None:
    turn = FakeTurn(linear(torch.ones(18)), batch(1, 2000), batch(2, 2000))
    Dragan(deviation=0.3).penalty(turn, {})
    assert turn.real is not None
    (around,) = turn.seen
    noise = ((around - turn.real) / 0.3).detach().flatten()
    assert noise.isfinite().all()
    assert float(noise.mean()) == pytest.approx(0, abs=0.02)
    assert float(noise.std()) == pytest.approx(1, abs=0.02)
    assert float((noise.abs() < 1).float().mean()) == pytest.approx(0.683, abs=0.01), "normal, not uniform"


def test_lecam_pulls_verdicts_to_the_anchors_of_the_other_kind() -> None:
    """By hand: anchors 2 (of reals) and -1 (of fakes); reals at 3 and fakes at -2 are 4 from the other kind's."""
    one = torch.ones(1, requires_grad=True)
    turn = FakeTurn(lambda x: (x.flatten(1).mean(1) * one,), torch.full((6, 2, 3, 3), 3.0), torch.full((6, 2, 3, 3), -2.0))
    values, state = Lecam(decay=0.9).penalty(turn, {"real": torch.tensor(2.0), "fake": torch.tensor(-1.0)})
    torch.testing.assert_close(values, torch.full((6,), 16.0 + 16.0))
    torch.testing.assert_close(state["real"], torch.tensor(0.9 * 2 + 0.1 * 3))
    torch.testing.assert_close(state["fake"], torch.tensor(0.9 * -1 + 0.1 * -2))
    assert not any(value.requires_grad for value in state.values())
    values.mean().backward()  # d/dw of (3w + 1)^2 + (-2w - 2)^2 at w = 1
    torch.testing.assert_close(one.grad, torch.tensor([2 * 3 * 4.0 + 2 * -2 * -4.0]))


def test_lecam_takes_the_mean_over_heads_and_patches_for_a_verdict() -> None:
    turn = FakeTurn(linear(torch.zeros(18)), batch(1), batch(2))
    turn.real_logits = (torch.full((6,), 3.0), torch.tensor([[1.0, 2.0, 6.0]]).expand(6, 3))
    turn.fake_logits = (torch.zeros(6), torch.zeros(6, 3))
    values, _ = Lecam().penalty(turn, Lecam().initial_state())
    torch.testing.assert_close(values, torch.full((6,), 9.0))


@pytest.mark.parametrize("parts", [2, 3, 8])
def test_what_a_penalty_remembers_does_not_depend_on_the_parts_of_a_batch(parts: int) -> None:
    """Parts of unequal length among them; the state stands still until the whole turn is done."""
    network = Mlp(latent=8, generator_widths=(), discriminator_widths=(16,))
    config = tiny_config(network=network, regularizers=(Lecam(decay=0.5),))
    at_once, _ = train(config, 3)
    in_parts, _ = train(replace(config, micro_batches=parts), 3)
    for name, value in at_once.regularizer_states[0].items():
        assert float(value) != 0
        torch.testing.assert_close(in_parts.regularizer_states[0][name], value, rtol=1e-4, atol=1e-6)
    assert not at_once.remembered


def test_consistency_moves_a_picture_as_its_draws_say() -> None:
    x = torch.arange(16.0).view(1, 1, 4, 4).expand(3, 2, 4, 4)
    # Not mirrored and not shifted; mirrored; one row down, one column to the left, not mirrored.
    draws = torch.tensor([[0.5, 0.5, 0.5], [0.4, 0.5, 0.5], [0.9, 0.1, 0.9]])
    still, mirrored, shifted = Consistency(shift=0.25).changed(x, draws)
    assert torch.equal(still, x[0])
    assert torch.equal(mirrored, x[0].flip(-1))
    assert shifted[1].tolist() == [[1, 2, 3, 3], [1, 2, 3, 3], [5, 6, 7, 7], [9, 10, 11, 11]]
    unmirrored = Consistency(shift=0.25, mirror=False).changed(x, draws)
    assert torch.equal(unmirrored[1], x[0])


def test_consistency_of_a_linear_discriminator_is_what_the_move_changes() -> None:
    weight = torch.randn(18, generator=torch.Generator().manual_seed(0)).requires_grad_(True)
    turn = FakeTurn(linear(weight), batch(1), batch(2))
    values, _ = Consistency(shift=0.4).penalty(turn, {})
    expected = torch.zeros(6)
    for x, moved in zip((batch(1), batch(2)), turn.seen, strict=True):
        assert not torch.equal(x, moved)
        expected += ((x - moved).flatten(1) @ weight.detach()).square()
    torch.testing.assert_close(values, expected)


def test_consistency_leaves_a_discriminator_alone_that_sees_no_difference() -> None:
    even = torch.rand(6, 2, 1, 1, generator=torch.Generator().manual_seed(0)).expand(6, 2, 3, 3).clone()
    values, _ = Consistency(shift=0.4).penalty(FakeTurn(linear(torch.ones(18)), even, even.clone()), {})
    torch.testing.assert_close(values, torch.zeros(6))


def test_consistency_refuses_what_is_no_picture() -> None:
    with pytest.raises(UsageError, match="E-PENALTY-01"):
        train(tiny_config(network=Columns(), known=KnownColumns(), regularizers=(Consistency(),)), 1, tiny_table())


def test_reconstruction_is_nothing_where_the_picture_is_met_and_grows_with_the_error() -> None:
    x = batch(3)

    @dataclass
    class Drawing(FakeTurn):
        noise: float = 0.0

        def reconstruct(self, x: Tensor) -> tuple[tuple[Tensor, Tensor], ...]:
            return ((x + self.noise * batch(4), x), (x, x))

    found = [
        Reconstruction().penalty(Drawing(linear(torch.ones(18)), x, batch(2), noise=noise), {})[0]
        for noise in (0.0, 0.1, 0.2)
    ]
    torch.testing.assert_close(found[0], torch.zeros(6))
    assert (found[1] > 0).all()
    assert (found[1] < found[2]).all()


def test_reconstruction_asks_for_a_discriminator_that_can_draw() -> None:
    with pytest.raises(UsageError, match="E-PENALTY-02"):
        train(tiny_config(regularizers=(Reconstruction(),)), 1)


def test_under_a_real_turn_everything_is_mirrored_by_the_same_draws() -> None:
    config = tiny_config(augmentations=(Flip(),), regularizers=(R1(interval=1),))
    data = tiny_dataset()
    state = initial_state(config, data.codec.spec)
    turn = Turn(state, config, data.codec.spec, state.key("discriminator"), ALL)
    x = Batches(data, config).real(turn.key)[0]
    first, second = turn.judge(x), turn.judge(x)
    assert torch.equal(first[0], second[0])
    later = Turn(state, config, data.codec.spec, state.key("discriminator", repeat=1), ALL)
    assert not torch.equal(first[0], later.judge(x)[0])
