"""What holds for every augmentation, and what those that we ship do to a picture."""

from __future__ import annotations

import math
from dataclasses import fields, replace

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from ganwright.augment.base import AUGMENTATIONS, Augmentation
from ganwright.augment.diff_augment import Change, DiffAugment
from ganwright.augment.masks import Masks
from ganwright.augment.parts import colours, geometry
from ganwright.augment.parts.chances import Chances
from ganwright.augment.parts.changing import change_some
from ganwright.augment.parts.resampling import gathered, resample, sample
from ganwright.augment.pipeline import Pipeline

NONE = Pipeline(**{field.name: 0.0 for field in fields(Pipeline)})
every_augmentation = pytest.mark.parametrize("name", AUGMENTATIONS.names())


def random(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(count: int = 4, channels: int = 3, height: int = 8, width: int = 6, seed: int = 0) -> Tensor:
    return 2 * torch.rand(count, channels, height, width, generator=random(seed)) - 1


def smooth(count: int = 4, side: int = 32) -> Tensor:
    """Pictures without sharp edges, which no way of resampling spoils."""
    place = torch.linspace(-1, 1, side)
    waves = [torch.sin(2 * place[:, None] + k) * torch.cos((1 + k) * place[None, :]) for k in range(3)]
    return torch.stack(waves).expand(count, 3, side, side).clone()


def draws_of(augmentation: Augmentation, count: int = 4, seed: int = 1) -> Tensor:
    return torch.rand(count, augmentation.draws(), generator=random(seed))


def always(augmentation: Augmentation, x: Tensor, seed: int = 1) -> Tensor:
    """At full strength, where a weight of 1 is certainty."""
    return augmentation.apply(x, 1.0, draws_of(augmentation, len(x), seed))


# What holds for all of them.


@every_augmentation
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 7, 10), (4, 9, 5), (3, 1, 1)], ids=str)
@pytest.mark.parametrize("strength", [0.4, 1.0])
def test_shape_and_type_are_kept(name: str, shape: tuple[int, int, int], strength: float) -> None:
    augmentation: Augmentation = AUGMENTATIONS.get(name)()
    x = noise(4, *shape)
    changed = augmentation.apply(x, strength, draws_of(augmentation))
    assert (changed.shape, changed.dtype) == (x.shape, x.dtype)
    assert changed.isfinite().all()
    double = augmentation.apply(x.double(), strength, draws_of(augmentation))
    assert double.dtype == torch.float64
    torch.testing.assert_close(double.float(), changed, rtol=0, atol=1e-3)


@every_augmentation
@pytest.mark.parametrize("strength", [0.0, torch.zeros(())], ids=["number", "tensor"])
def test_strength_0_is_the_identity_to_the_last_bit(name: str, strength: float | Tensor) -> None:
    augmentation: Augmentation = AUGMENTATIONS.get(name)()
    x = noise(64)
    assert torch.equal(augmentation.apply(x, strength, draws_of(augmentation, 64)), x)


@every_augmentation
def test_full_strength_changes_records(name: str) -> None:
    augmentation: Augmentation = AUGMENTATIONS.get(name)()
    x = noise(64)
    changed = (always(augmentation, x) != x).flatten(1).any(1)
    assert changed.float().mean() > 0.3


@every_augmentation
def test_a_strength_on_the_device_does_what_the_number_does(name: str) -> None:
    augmentation: Augmentation = AUGMENTATIONS.get(name)()
    x, draws = noise(16), draws_of(augmentation, 16)
    assert torch.equal(augmentation.apply(x, 0.5, draws), augmentation.apply(x, torch.tensor(0.5), draws))


@every_augmentation
def test_more_strength_changes_more_records(name: str) -> None:
    augmentation: Augmentation = AUGMENTATIONS.get(name)()
    x, draws = noise(256), draws_of(augmentation, 256)
    changed = [(augmentation.apply(x, strength, draws) != x).flatten(1).any(1) for strength in (0.02, 0.1, 0.3, 1.0)]
    counts = [int(which.sum()) for which in changed]
    assert counts == sorted(counts)
    assert counts[0] < counts[2]


@every_augmentation
def test_the_same_draws_change_real_and_fake_alike(name: str) -> None:
    """Row i follows from row i alone, and a mixture of two records becomes the mixture of what they become."""
    augmentation: Augmentation = AUGMENTATIONS.get(name)()
    draws = draws_of(augmentation, 8)
    real, fake = noise(8, seed=2), noise(8, seed=3)
    whole = augmentation.apply(real, 0.7, draws)
    parts = [augmentation.apply(real[i : i + 1], 0.7, draws[i : i + 1]) for i in range(8)]
    torch.testing.assert_close(torch.cat(parts), whole, rtol=0, atol=1e-6)
    between = augmentation.apply(0.25 * real + 0.75 * fake, 0.7, draws)
    mixed = 0.25 * whole + 0.75 * augmentation.apply(fake, 0.7, draws)
    torch.testing.assert_close(between, mixed, rtol=0, atol=1e-5)
    others = augmentation.apply(torch.cat((real[:1], fake[1:])), 0.7, draws)
    assert torch.equal(others[0], whole[0])


@every_augmentation
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_the_gradient_and_its_gradient_are_right(name: str, channels: int) -> None:
    augmentation: Augmentation = AUGMENTATIONS.get(name)()
    x = noise(2, channels, 4, 5).double().requires_grad_()
    draws = draws_of(augmentation, 2)

    def curved(x: Tensor) -> Tensor:
        return augmentation.apply(x, 0.9, draws).tanh()

    assert gradcheck(curved, (x,), fast_mode=True)
    assert gradgradcheck(curved, (x,), fast_mode=True)


def test_only_what_is_changed_is_worked_on() -> None:
    worked_on: list[int] = []

    def doubled(x: Tensor, by: Tensor) -> Tensor:
        worked_on.append(len(x))
        return x * by[:, None, None, None]

    x, by = noise(5).double().requires_grad_(), torch.arange(5.0).double()
    changed = torch.tensor([True, False, False, True, False])
    expected = torch.where(changed[:, None, None, None], x * by[:, None, None, None], x)
    assert torch.equal(change_some(x, changed, by, doubled), expected)
    assert change_some(x, torch.zeros(5, dtype=torch.bool), by, doubled) is x
    assert worked_on == [2]
    assert gradgradcheck(lambda x: change_some(x, changed, by, doubled).tanh(), (x,), fast_mode=True)


@pytest.mark.parametrize("name", ["diff_augment", "pipeline"])
def test_transparency_is_moved_but_not_coloured(name: str) -> None:
    """With colours alone, the fourth channel stays; with all there is, it goes where the colours go."""
    coloured = {"diff_augment": DiffAugment(("colour",)), "pipeline": replace(NONE, brightness=1.0, hue=1.0, luma_flip=1.0)}
    x = noise(8, 4)
    changed = always(coloured[name], x)
    assert torch.equal(changed[:, 3], x[:, 3])
    assert not torch.equal(changed[:, :3], x[:, :3])
    moved = {"diff_augment": DiffAugment(("translation",)), "pipeline": replace(NONE, integer_translation=1.0)}
    assert not torch.equal(always(moved[name], x)[:, 3], x[:, 3])


# DiffAugment.


@pytest.mark.parametrize("order", [("colour", "cutout"), ("cutout", "colour")])
def test_a_policy_is_an_order_of_changes(order: tuple[Change, ...]) -> None:
    """What is cut out last is mid grey; what is coloured afterwards is not."""
    x = torch.full((32, 3, 8, 8), 0.9)
    grey = (always(DiffAugment(order), x) == 0).flatten(1).any(1)
    assert bool(grey.all()) == (order[-1] == "cutout")


def test_a_translation_moves_by_up_to_an_eighth_and_leaves_mid_grey() -> None:
    x = noise(256, 1, 16, 24)
    moved = always(DiffAugment(("translation",)), x)
    found: set[tuple[int, int]] = set()
    for before, after in zip(x[:, 0], moved[:, 0], strict=True):
        for down in range(-3, 4):
            for right in range(-4, 5):
                rolled = before.roll((down, right), (0, 1))
                if down:
                    (rolled[:down] if down > 0 else rolled[down:]).zero_()
                if right:
                    (rolled[:, :right] if right > 0 else rolled[:, right:]).zero_()
                if torch.equal(rolled, after):
                    found.add((down, right))
    assert {down for down, _ in found} == set(range(-2, 3))
    assert {right for _, right in found} == set(range(-3, 4))


def test_a_cutout_is_a_square_of_half_a_side_in_mid_grey() -> None:
    cut = always(DiffAugment(("cutout",)), torch.ones(256, 1, 16, 16)) == 0
    rows, columns = cut.any(3).sum(2), cut.any(2).sum(2)
    assert torch.equal(cut.sum((1, 2, 3)), (rows * columns).squeeze(1)), "a rectangle"
    assert int(rows.max()) == int(columns.max()) == 8
    assert int(rows.min()) >= 4, "its middle lies in the picture"
    assert cut.any(0).all(), "any pixel can be cut out"


def test_colours_of_diff_augment_keep_what_they_promise() -> None:
    """A grey picture stays grey; brightness and contrast move the mean by a half at most."""
    grey = noise(256, 1).expand(-1, 3, -1, -1)
    changed = always(DiffAugment(("colour",)), grey)
    torch.testing.assert_close(changed[:, 0], changed[:, 2], rtol=0, atol=1e-6)
    by = (changed - grey).mean((1, 2, 3))
    assert by.abs().max() <= 0.5 + 1e-6
    assert by.min() < -0.45
    assert by.max() > 0.45


# The pipeline: each of its operations.


def test_an_operation_happens_as_often_as_weight_and_strength_say() -> None:
    x, count = noise(1, 1, 4, 4).expand(4000, -1, -1, -1), 4000
    for weight, strength in ((1.0, 0.3), (0.5, 0.3), (0.5, 1.0)):
        some = replace(NONE, brightness=weight)
        changed = (some.apply(x, strength, draws_of(some, count)) != x).flatten(1).any(1)
        assert float(changed.float().mean()) == pytest.approx(weight * strength, abs=0.03)


def test_rotations_before_and_after_happen_as_often_together_as_one_would() -> None:
    x, some = noise(1, 1, 6, 6).expand(4000, -1, -1, -1), replace(NONE, rotation=1.0)
    changed = (some.apply(x, 0.3, draws_of(some, 4000)) != x).flatten(1).any(1)
    assert float(changed.float().mean()) == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize("height", [6, 7])
def test_quarter_turns_turn_and_flips_mirror(height: int) -> None:
    x = noise(1, 3, height, height)
    for settings, ways in (
        ({"rotate_90": 1.0}, [x.rot90(quarters, (2, 3)) for quarters in range(4)]),
        ({"x_flip": 1.0}, [x, x.flip(3)]),
    ):
        changed = always(replace(NONE, **settings), x.expand(64, -1, -1, -1))
        found = {n for n, way in enumerate(ways) for one in changed if torch.allclose(one, way[0], atol=1e-5)}
        assert found == set(range(len(ways)))
        assert all(any(torch.allclose(one, way[0], atol=1e-5) for way in ways) for one in changed)


def test_whole_translations_move_whole_pixels_and_reflect_at_the_edge() -> None:
    x = noise(1, 1, 16, 8)
    changed = always(replace(NONE, integer_translation=1.0), x.expand(64, -1, -1, -1))
    mirrored = torch.cat((x.flip(2), x, x.flip(2)), 2)
    mirrored = torch.cat((mirrored.flip(3), mirrored, mirrored.flip(3)), 3)
    ways = {(d, r): mirrored[0, 0, 16 - d : 32 - d, 8 - r : 16 - r] for d in (-2, -1, 0, 1, 2) for r in (-1, 0, 1)}
    found = {name for name, way in ways.items() for one in changed[:, 0] if torch.allclose(one, way, atol=1e-5)}
    assert all(any(torch.allclose(one, way, atol=1e-5) for way in ways.values()) for one in changed[:, 0])
    assert len(found) > 12


def moments(x: Tensor) -> tuple[float, float, float, float]:
    """Of a bright blob (H, W): its middle (x, y), and its spread along x and y; pixels."""
    weight = x / x.sum()
    rows, columns = torch.arange(x.shape[0]).float(), torch.arange(x.shape[1]).float()
    at_x, at_y = float((weight.sum(0) * columns).sum()), float((weight.sum(1) * rows).sum())
    spread_x = float((weight.sum(0) * (columns - at_x) ** 2).sum()) ** 0.5
    return at_x, at_y, spread_x, float((weight.sum(1) * (rows - at_y) ** 2).sum()) ** 0.5


def blob(side: int = 33) -> Tensor:
    """A round heap in the middle of a black picture."""
    place = torch.arange(side) - side // 2
    return torch.exp(-(place[:, None] ** 2 + place[None, :] ** 2) / 18.0)[None, None]


def test_scales_grow_or_shrink_by_what_they_say() -> None:
    factor = torch.tensor([1.25, 0.8])
    grown = resample(blob().expand(2, -1, -1, -1), geometry.scaled(factor, torch.ones(2)))
    usual, large, small = (moments(picture) for picture in (blob()[0, 0], grown[0, 0], grown[1, 0]))
    assert large[2] / usual[2] == pytest.approx(1.25, rel=0.02)
    assert small[2] / usual[2] == pytest.approx(0.8, rel=0.02)
    assert large[3] == pytest.approx(usual[3], rel=0.02)


def test_turns_go_against_the_clock_and_shifts_right_and_down() -> None:
    spot = resample(blob(), geometry.shifted(torch.tensor([5.0]), torch.tensor([0.0])))
    assert moments(spot[0, 0])[:2] == pytest.approx((21.0, 16.0), abs=0.05)
    turned = resample(spot, geometry.turned(torch.tensor([math.pi / 6])))
    assert moments(turned[0, 0])[:2] == pytest.approx((16 + 5 * math.cos(math.pi / 6), 13.5), abs=0.1)


def test_one_resampling_is_the_operations_one_after_another() -> None:
    x = smooth()
    chances = Chances(draws_of(Pipeline(), 4, seed=3), 1.0)
    small = [geometry.turned(torch.full((4,), 0.2)), geometry.scaled(torch.full((4,), 1.2), torch.full((4,), 0.9))]
    small.append(geometry.shifted(torch.full((4,), 0.3), torch.full((4,), -0.6)))
    at_once, in_turn = resample(x, small[0] @ small[1] @ small[2]), x
    for one in small:
        in_turn = resample(in_turn, one)
    inside = (..., slice(6, -6), slice(6, -6))  # edges are reflected once or three times
    torch.testing.assert_close(at_once[inside], in_turn[inside], rtol=0, atol=0.01)
    assert (at_once - x)[inside].abs().max() > 0.1
    assert Pipeline().inverse(chances, 32, 32).shape == (4, 3, 3)


def test_resampling_leaves_what_is_not_moved_and_keeps_what_is_sharp() -> None:
    """Noise that moves by half a pixel and back is nearly what it was, where bilinear interpolation would blur it."""
    x = noise(4, 3, 16, 16)
    nearly_none = geometry.shifted(torch.full((4,), 1e-6), torch.zeros(4))
    torch.testing.assert_close(resample(x, nearly_none), x, rtol=0, atol=1e-5)
    place = torch.arange(32).float()
    for frequency, kept in ((0.5, 0.99), (0.25 * 2 * math.pi, 0.85)):
        wave = torch.cos(frequency * place).expand(1, 1, 8, 32)
        half = resample(wave, geometry.shifted(torch.full((1,), 0.5), torch.zeros(1)))[0, 0, 4, 8:24]
        wanted = torch.cos(frequency * (place - 0.5))[8:24]
        assert float(half @ wanted / (wanted @ wanted)) == pytest.approx((1 + kept) / 2, abs=(1 - kept) / 2 + 1e-3)


def test_what_shrinks_is_smoothed_first() -> None:
    """A chequerboard at half its size is grey, and not a pattern of its own."""
    board = ((torch.arange(32)[:, None] + torch.arange(32)[None, :]) % 2 * 2.0 - 1).expand(1, 1, 32, 32)
    half = resample(board, geometry.scaled(torch.tensor([0.5]), torch.tensor([0.5])))
    assert half.abs().max() < 0.3


def test_indexing_samples_as_the_library_does() -> None:
    """The way that is taken on devices for which torch lacks a gradient."""
    x = noise(2, 3, 5, 7)
    at_x, at_y = 40 * torch.rand(2, 6, 9, generator=random(4)) - 20, 40 * torch.rand(2, 6, 9, generator=random(5)) - 20
    torch.testing.assert_close(gathered(x, at_x, at_y), sample(x, at_x, at_y), rtol=0, atol=1e-4)
    x = x.double().requires_grad_()
    ways = [torch.autograd.grad(way(x, at_x.double(), at_y.double()).tanh().sum(), x)[0] for way in (gathered, sample)]
    torch.testing.assert_close(*ways)


def test_hue_and_saturation_leave_luma_and_hue_comes_round() -> None:
    x = noise(16)
    for settings in ({"hue": 1.0}, {"saturation": 1.0}):
        changed = always(replace(NONE, **settings), x)
        torch.testing.assert_close(changed.mean(1), x.mean(1), rtol=0, atol=1e-5)
        assert (changed - x).abs().mean() > 0.1
    third = torch.full((16,), 2 * math.pi / 3)
    torch.testing.assert_close(colours.recoloured(x, colours.hue_turned(third)), x.roll(1, 1), rtol=0, atol=1e-5)
    greyed = colours.recoloured(x, colours.saturated(torch.zeros(16)))
    torch.testing.assert_close(greyed, x.mean(1, keepdim=True).expand_as(x), rtol=0, atol=1e-5)


def test_a_luma_flip_exchanges_light_and_dark_and_keeps_hues() -> None:
    x = noise(32)
    changed = always(replace(NONE, luma_flip=1.0), x)
    flipped = (changed != x).flatten(1).any(1)
    assert 4 < int(flipped.sum()) < 28
    torch.testing.assert_close(changed[flipped].mean(1), -x[flipped].mean(1), rtol=0, atol=1e-5)
    around, before = (picture[flipped] - picture[flipped].mean(1, keepdim=True) for picture in (changed, x))
    torch.testing.assert_close(around, before, rtol=0, atol=1e-5)


def test_brightness_adds_and_contrast_multiplies_about_mid_grey() -> None:
    x = noise(512)
    added = always(replace(NONE, brightness=1.0), x) - x
    assert added.flatten(1).std(1).max() < 1e-5
    assert float(added[:, 0, 0, 0].std()) == pytest.approx(0.2, rel=0.1)
    factor = always(replace(NONE, contrast=1.0), x) / x
    assert float(factor.flatten(1).median(1).values.log2().std()) == pytest.approx(0.5, rel=0.1)


def test_grey_pictures_are_coloured_as_grey_colour_pictures_are() -> None:
    grey = noise(32, 1)
    every = replace(NONE, brightness=1.0, contrast=1.0, luma_flip=1.0, hue=1.0, saturation=1.0)
    as_colours = always(every, grey.expand(-1, 3, -1, -1))
    torch.testing.assert_close(always(every, grey).expand_as(as_colours), as_colours, rtol=0, atol=1e-5)


def test_the_pipeline_uses_all_of_its_draws() -> None:
    chances = Chances(draws_of(Pipeline()), 1.0)
    Pipeline().inverse(chances, 8, 8)
    Pipeline().colours(chances)
    assert len([chances.happens(), chances.between(0, 1), chances.between(0, 1)]) == 3
    with pytest.raises(StopIteration):
        chances.happens()


def test_weights_are_probabilities() -> None:
    with pytest.raises(ValueError, match=r"hue must lie in 0\.\.1"):
        Pipeline(hue=1.5)
    assert (Pipeline().cutout, Pipeline.half_colours().cutout, Pipeline.half_colours().hue) == (0.0, 1.0, 0.5)


# Masks.


def heard(count: int = 64) -> Tensor:
    """Spectrograms with something everywhere."""
    return torch.rand(count, 1, 40, 32, generator=torch.Generator().manual_seed(0)) - 0.5


def test_what_masks_take_out_and_move_in_is_silence() -> None:
    x = heard()
    for change, dim in (("time_mask", 3), ("pitch_mask", 2)):
        changed = always(Masks((change,)), x)  # type: ignore[arg-type]
        silent = changed == -1.0
        assert torch.equal(changed[~silent], x[~silent])
        # Whole columns or rows, at most a fifth of them, and not the same in every record.
        stripes = silent.all(5 - dim).squeeze(1)
        assert torch.equal(stripes.unsqueeze(1).unsqueeze(5 - dim).expand_as(x), silent)
        shares = stripes.float().mean(1)
        assert 0.15 < float(shares.max()) <= 0.25
        assert len(shares.unique()) > 3


def test_masks_move_in_time_farther_than_in_pitch() -> None:
    x = heard()
    for change, dim, most in (("time", 3, 4), ("pitch", 2, 2)):
        changed = always(Masks((change,)), x)  # type: ignore[arg-type]
        lost = (changed == -1.0).all(5 - dim).squeeze(1).sum(1)
        assert int(lost.max()) == most
    assert float((always(Masks(("volume",)), x) + 1).div(x + 1).amax()) <= 1.15 + 1e-5
