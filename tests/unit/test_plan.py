"""A budget turned into samples, and how long it is said to take."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support import CPU, FakeClock, tiny_dataset, tiny_sounds
from torch import Tensor

from ganwright import plan as plan_module
from ganwright import timing
from ganwright.augment.diff_augment import DiffAugment
from ganwright.augment.flip import Flip
from ganwright.augment.masks import Masks
from ganwright.core.budget import Budget
from ganwright.core.config import to_plain
from ganwright.core.errors import DataError, UsageError
from ganwright.core.schedule import Schedule
from ganwright.data.dataset import Dataset
from ganwright.data.modalities.numbers import FEW_NUMBERS
from ganwright.data.modalities.sound import Sound
from ganwright.data.preparation import prepare
from ganwright.data.spec import Condition
from ganwright.defaults import COST_EXPONENT, MANY_PASSES, PICTURES_PER_SQUARED_WIDTH, read_as, recipe_for
from ganwright.losses.hinge import Hinge
from ganwright.losses.wasserstein import Wasserstein
from ganwright.networks.dcgan import Dcgan
from ganwright.optimizers.adam import Adam
from ganwright.optimizers.rmsprop import Rmsprop
from ganwright.plan import DEFAULT_SECONDS, LOOKS_SHARE, Plan, make_plan, override
from ganwright.regularizers.gradient_penalty import GradientPenalty
from ganwright.regularizers.r1 import R1
from ganwright.runtime.files import format_bytes
from ganwright.training.adaptive import Adaptive
from ganwright.training.augmenting import TARGET
from ganwright.training.scoring import ScoringTimes

SECONDS_PER_STEP = 0.5
TINY_SETTINGS: dict[str, Any] = {"network": {"name": "dcgan", "width": 4, "latent": 8, "max_width": 8}}


@pytest.fixture
def timed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every step takes half a second, without being taken, and a score longer than any run."""
    monkeypatch.setattr(timing, "time_steps", lambda *_: SECONDS_PER_STEP)
    monkeypatch.setattr(plan_module, "time_scoring", lambda *_: ScoringTimes(0.0, 1e6, 1.0))


@pytest.fixture
def quickly_scored(monkeypatch: pytest.MonkeyPatch, timed: None) -> None:
    """A score takes a tenth of a second, and a thousandth for each sample."""
    monkeypatch.setattr(plan_module, "time_scoring", lambda *_: ScoringTimes(0.5, 0.1, 0.001))


def planned(
    budget: Budget, clock: FakeClock | None = None, count: int = 100, dataset: Dataset | None = None, **options: Any
) -> Plan:
    chosen: dict[str, Any] = {"recipe": "dcgan", "batch": 8, **options}
    data = dataset if dataset is not None else tiny_dataset(count)
    return make_plan(data, CPU, budget=budget, now=clock or FakeClock(), **chosen)


@pytest.mark.parametrize(
    ("budget", "steps"),
    [
        (Budget(steps=7), 7),
        (Budget(images=80), 10),
        (Budget(images=81), 11),
        (Budget(epochs=2), 25),
        (Budget(epochs=0.01), 1),
        (Budget(seconds=103.1), 200),
    ],
)
@pytest.mark.usefixtures("timed")
def test_budgets_become_steps(budget: Budget, steps: int) -> None:
    plan = planned(budget)
    assert plan.steps == steps
    assert plan.config.total_samples == 8 * steps
    assert plan.seconds == pytest.approx(steps * SECONDS_PER_STEP * (1 + LOOKS_SHARE))


@pytest.mark.usefixtures("timed")
def test_only_a_time_budget_has_a_deadline() -> None:
    assert planned(Budget(seconds=100)).deadline_seconds == 100
    assert planned(Budget(steps=5)).deadline_seconds is None
    default = planned(Budget())
    assert default.deadline_seconds == DEFAULT_SECONDS
    assert default.steps == int(DEFAULT_SECONDS / (1 + LOOKS_SHARE) / SECONDS_PER_STEP)


@pytest.mark.usefixtures("quickly_scored")
def test_scores_lie_at_fixed_parts_of_the_run_and_take_a_twentieth_of_it_at_most() -> None:
    plan = planned(Budget(steps=1000))
    scoring = plan.config.scoring
    assert scoring.every_samples == 8 * (1000 // 16)
    assert scoring.samples == 1000
    assert plan.scoring_seconds == pytest.approx(0.5 + 16 * 1.1)
    assert plan.scoring_seconds <= 0.05 * 1000 * SECONDS_PER_STEP
    assert plan.seconds == pytest.approx(1000 * SECONDS_PER_STEP * (1 + LOOKS_SHARE) + plan.scoring_seconds)
    assert "the best model is kept" in " ".join(plan.lines())


@pytest.mark.usefixtures("quickly_scored")
def test_time_for_scores_is_taken_from_the_steps() -> None:
    plan = planned(Budget(seconds=600.0))
    assert plan.scoring_seconds == pytest.approx(0.5 + 16 * 1.1)
    assert plan.steps == int((600.0 - 0.5 - 16 * 1.1) / (1 + LOOKS_SHARE) / SECONDS_PER_STEP)


@pytest.mark.usefixtures("quickly_scored")
@pytest.mark.parametrize("settings", [{"scoring": {"share": 0.0}}, {}], ids=["share 0", "too short"])
def test_a_run_may_go_unscored_and_says_so(settings: dict[str, Any]) -> None:
    plan = planned(Budget(steps=1000 if settings else 10), settings=settings, patience=3)
    assert plan.config.scoring.every_samples == 0
    assert plan.scoring_seconds == 0.0
    assert "the last model is kept; patience has nothing to go by" in " ".join(plan.lines())


@pytest.mark.usefixtures("quickly_scored")
def test_scores_that_were_placed_by_hand_stay_there() -> None:
    plan = planned(Budget(steps=1000), settings={"scoring": {"every_samples": 80, "samples": 64}}, patience=4)
    assert (plan.config.scoring.every_samples, plan.config.scoring.samples) == (80, 64)
    assert plan.config.scoring.patience == 4


@pytest.mark.usefixtures("timed")
def test_what_was_spent_before_and_by_planning_is_no_longer_there_to_train() -> None:
    assert planned(Budget(seconds=103.1), spent_seconds=51.5).steps == 100
    # The clock is read when planning begins and when it ends, 20.5 seconds apart.
    assert planned(Budget(seconds=103.0), FakeClock(tick=20.5), settings=TINY_SETTINGS).steps == 160
    assert planned(Budget(seconds=10.0), spent_seconds=60.0).steps == 1, "at least one step"


@pytest.mark.usefixtures("timed")
def test_several_discriminator_turns_count_as_samples() -> None:
    plan = planned(Budget(epochs=2), settings={"discriminator_steps": 5})
    assert plan.config.samples_per_step == 40
    assert plan.steps == 5
    assert plan.config.total_samples == 200


@pytest.mark.usefixtures("timed")
def test_the_plan_tells_what_was_chosen_and_why() -> None:
    text = "\n".join(planned(Budget(epochs=2)).lines())
    for part in ("dcgan", "batch 8", "fp32", "25 steps", "2.0 passes", "for 2 passes", "about 13 s", "16 records a second"):
        assert part in text


@pytest.mark.parametrize(("columns", "recipe"), [(2, "points"), (FEW_NUMBERS, "points"), (FEW_NUMBERS + 1, "mlp")])
def test_rows_of_few_numbers_get_a_recipe_for_them(columns: int, recipe: str) -> None:
    rows = np.random.default_rng(0).normal(size=(50, columns)).astype(np.float32)
    assert recipe_for(prepare(rows))[0] == recipe


WIDE = {"latent": 8}
"""Settings that say nothing of how wide networks are."""


@pytest.mark.usefixtures("timed")
@pytest.mark.parametrize(("hours", "width", "wider"), [(0.01, 8, 12), (1, 16, 24), (4, 24, 32), (100, 64, None)])
def test_networks_are_as_wide_as_the_time_allows(hours: float, width: int, wider: int | None) -> None:
    """At half a second a step of width 32, an hour has 7,200 steps of 8 pictures; half as wide, about twice as many."""
    plan = planned(Budget(seconds=3600 * hours), settings={"network": WIDE})
    assert isinstance(plan.config.network, Dcgan)
    assert plan.config.network.width == width
    seen = plan.config.samples_per_step * 3600 * hours / SECONDS_PER_STEP * (32 / width) ** COST_EXPONENT
    assert seen >= PICTURES_PER_SQUARED_WIDTH * width**2 or width == 8, "and no narrower than that"
    assert f"width {width}:" in "\n".join(plan.lines())
    assert (f"network.width={wider}" if wider else "the widest") in "\n".join(plan.lines())


@pytest.mark.usefixtures("timed")
@pytest.mark.parametrize(
    "options",
    [
        {"budget": Budget(images=80), "settings": {"network": WIDE}},
        {"budget": Budget(seconds=3600), "settings": {"network": {**WIDE, "width": 32}}},
        {"budget": Budget(seconds=3600), "settings": {}, "parts": {"network": Dcgan(latent=8)}},
    ],
    ids=["no time to keep to", "a width that was said", "networks that were given"],
)
def test_networks_stay_as_wide_as_they_were(options: dict[str, Any]) -> None:
    plan = planned(**options)
    assert isinstance(plan.config.network, Dcgan)
    assert plan.config.network.width == 32
    assert "width" not in plan.reasons


@pytest.mark.usefixtures("timed")
def test_a_published_network_is_as_wide_as_published() -> None:
    plan = planned(Budget(seconds=60), recipe="dcgan-published", settings={})
    assert isinstance(plan.config.network, Dcgan)
    assert plan.config.network.width == 64


@pytest.mark.skipif(sys.platform != "linux", reason="Linux says how much a process has held")
@pytest.mark.usefixtures("timed")
def test_the_plan_tells_how_much_memory_a_step_takes() -> None:
    plan = planned(Budget(epochs=2))
    assert plan.memory_bytes is not None
    assert plan.memory_bytes > 50e6, "torch alone takes more"
    assert f"{format_bytes(plan.memory_bytes)} of {format_bytes(plan.machine.memory_bytes)} of memory" in plan.lines()[1]
    assert "memory" not in replace(plan, memory_bytes=None).lines()[1], "where nobody can say"


@pytest.mark.parametrize(("interval", "cycle"), [(1, 1), (8, 8)])
def test_steps_are_timed_over_whole_cycles_of_the_lazy_penalties(interval: int, cycle: int) -> None:
    """The clock moves a second between two readings, so a measured stretch of one cycle takes one second."""
    dataset = tiny_dataset()
    plan = planned(Budget(steps=1), FakeClock(tick=1.0), settings=TINY_SETTINGS)
    config = override(plan.config, {"regularizers": [{"name": "r1", "interval": interval}]})
    assert timing.time_steps(config, dataset, now=FakeClock(tick=1.0)) == pytest.approx(1.0 / cycle)


def test_a_short_run_is_timed_briefly() -> None:
    """A cycle takes a second of this clock, and two readings: a short run gets one cycle, a long one three seconds."""
    config = override(planned(Budget(steps=1), FakeClock(tick=1.0), settings=TINY_SETTINGS).config, {})
    for steps_to_come, readings in ((1, 2), (math.inf, 6)):
        clock = FakeClock(tick=1.0)
        timing.time_steps(config, tiny_dataset(), steps_to_come, clock)
        assert clock.time - 1000 == pytest.approx(2 + readings), "two more are those of the first two steps"


@pytest.mark.parametrize(("strength", "timed"), [(Adaptive(), 0.1), (Schedule(0.0, 0.3), 0.15), (0.7, 0.7)], ids=str)
def test_steps_are_timed_with_an_augmentation_as_strong_as_later(
    strength: Adaptive | Schedule | float, timed: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At none it costs nothing: such steps would promise more of them than the time has."""
    seen: set[float] = set()
    apply = Flip.apply

    def noted(self: Flip, x: Tensor, strength: float, draws: Tensor) -> Tensor:
        seen.add(float(strength))
        return apply(self, x, strength, draws)

    monkeypatch.setattr(Flip, "apply", noted)
    config = planned(Budget(steps=1), FakeClock(tick=1.0), settings=TINY_SETTINGS).config
    config = replace(config, augmentations=(Flip(),), augmentation_strength=strength)
    timing.time_steps(config, tiny_dataset(), now=FakeClock(tick=1.0))
    assert list(seen) == [pytest.approx(timed)]


def test_timing_leaves_the_run_fresh() -> None:
    plan = planned(Budget(steps=3), FakeClock(tick=1.0), settings=TINY_SETTINGS, seed=5)
    assert plan.config.seed == 5
    assert plan.config.total_samples == 24
    assert plan.seconds_per_step == pytest.approx(1 / 3), "a shorter run than a cycle of eight is timed by its own length"


@pytest.mark.usefixtures("timed")
def test_settings_are_set_anew_by_nested_names() -> None:
    settings = {
        "loss": {"name": "hinge", "margin": 2.0},
        "network": {"width": 16},
        "generator_optimizer": {"learning_rate": {"start": 1e-3, "end": 0.0}},
        "regularizers": [{"name": "gradient_penalty"}],
    }
    config = planned(Budget(steps=1), settings=settings).config
    assert config.loss == Hinge(margin=2.0)
    assert config.network == Dcgan(width=16)
    assert config.generator_optimizer.learning_rate == Schedule(1e-3, 0.0)
    assert isinstance(config.generator_optimizer, Adam)
    assert config.generator_optimizer.beta1 == 0.5
    assert config.regularizers == (GradientPenalty(),)


@pytest.mark.usefixtures("timed")
def test_a_part_named_again_starts_from_its_own_defaults() -> None:
    config = planned(Budget(steps=1)).config
    assert override(config, {}) is config
    narrow = override(config, {"network": {"width": 5}})
    assert override(narrow, {"network": {"name": "dcgan", "latent": 9}}).network == Dcgan(width=5, latent=9)
    assert (
        override(narrow, {"network": "mlp"}).network.registry.name_of(override(narrow, {"network": "mlp"}).network) == "mlp"
    )
    assert override(narrow, {"loss": "wasserstein"}).loss == Wasserstein()
    assert override(config, {"regularizers": [{"name": "r1"}]}).regularizers == (R1(),)


@pytest.mark.usefixtures("timed")
def test_one_setting_may_reach_into_a_list_and_into_both_optimizers() -> None:
    config = override(planned(Budget(steps=1)).config, {"regularizers": [{"name": "r1"}, {"name": "gradient_penalty"}]})
    changed = override(config, {"regularizers": {"0": {"interval": 3}}, "optimizer": {"learning_rate": 0.5}})
    assert changed.regularizers == (R1(interval=3), GradientPenalty())
    assert changed.generator_optimizer.learning_rate == changed.discriminator_optimizer.learning_rate == 0.5
    assert isinstance(override(config, {"optimizer": "rmsprop"}).generator_optimizer, Rmsprop)
    assert override(config, {"regularizers": {"1": "r1"}}).regularizers == (R1(), R1())
    for wrong in ({"2": {}}, {"first": {}}):
        with pytest.raises(UsageError, match="regularizers has no entry"):
            override(config, {"regularizers": wrong})


@pytest.mark.usefixtures("timed")
def test_a_users_own_parts_stay_while_other_settings_change() -> None:
    class Mine(Hinge):
        """A loss that no registry knows."""

    plan = planned(Budget(steps=1), parts={"loss": Mine()}, settings={"optimizer": {"learning_rate": 0.5}})
    assert type(plan.config.loss) is Mine
    assert plan.config.generator_optimizer.learning_rate == 0.5
    assert to_plain(plan.config)["loss"]["name"] == "own Mine"


@pytest.mark.usefixtures("timed")
def test_labels_make_a_run_conditional_only_if_someone_asks() -> None:
    dataset = tiny_dataset(30, classes=("a", "b"))
    assert planned(Budget(steps=1), dataset=dataset).config.conditions == ()
    assert planned(Budget(steps=1), dataset=dataset).spec.conditions == ()
    asked = planned(Budget(steps=1), dataset=dataset, conditional=True)
    assert asked.config.conditions == ("label",)
    assert asked.spec.conditions == (Condition("label", ("a", "b"), (15, 15)),)
    with pytest.raises(UsageError, match="no labels to be conditioned on"):
        planned(Budget(steps=1), conditional=True)
    with pytest.raises(UsageError, match="no 'colour'"):
        planned(Budget(steps=1), dataset=dataset, settings={"conditions": ["colour"]})


@pytest.mark.usefixtures("timed")
def test_a_record_without_a_class_is_in_the_way_of_a_conditional_run() -> None:
    dataset = tiny_dataset(30, classes=("a", "b"))
    dataset.columns["label"][3] = -1
    assert planned(Budget(steps=1), dataset=dataset).spec.conditions == ()
    with pytest.raises(DataError, match="1 of 30 records have no label"):
        planned(Budget(steps=1), dataset=dataset, conditional=True)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"recipe": "dcgna"}, "unknown recipe 'dcgna'"),
        ({"settings": {"los": "hinge"}}, "unknown setting 'los'"),
        ({"settings": {"network": {"widht": 5}}}, r"unknown setting 'network\.widht'"),
        ({"settings": {"network": {"width": 0}}}, "width must lie in"),
        ({"batch": 0}, "batch must be at least 2"),
    ],
)
@pytest.mark.usefixtures("timed")
def test_what_does_not_exist_or_fit_is_the_users_to_mend(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        planned(Budget(steps=1), **options)


def faces(count: int = 64, mirrored: bool = False) -> Dataset:
    """Pictures 8x8 that are light on the left; with `mirrored`, every second one on the right."""
    random = np.random.default_rng(0)
    pictures = random.integers(0, 60, (count, 8, 8)) + np.linspace(180, 0, 8)[None, None, :]
    if mirrored:
        pictures[::2] = pictures[::2, :, ::-1]
    return prepare(pictures.astype(np.uint8))


@pytest.mark.parametrize("mirrored", [True, False])
def test_pictures_are_mirrored_where_that_fits_them(mirrored: bool, timed: None) -> None:
    plan = planned(Budget(steps=5), dataset=faces(mirrored=mirrored))
    assert plan.config.mirror is mirrored
    assert ("mirrored half of the time" if mirrored else "not mirrored: mirrored pictures look different") in "\n".join(
        plan.lines()
    )


@pytest.mark.parametrize("said", [{"parts": {"mirror": True}}, {"settings": {"mirror": True}}])
def test_who_says_so_gets_mirrored_pictures(said: dict[str, Any], timed: None) -> None:
    assert planned(Budget(steps=5), dataset=faces(), **said).config.mirror
    with pytest.raises(UsageError, match="have no mirror image"):
        make_plan(prepare(np.zeros((40, 3))), CPU, recipe="mlp", budget=Budget(steps=1), **said)


def test_pictures_that_are_told_of_and_those_of_plain_are_not_mirrored(timed: None) -> None:
    labelled = prepare((np.zeros((64, 8, 8), np.uint8), ["a", "b"] * 32))
    assert not planned(Budget(steps=5), dataset=labelled, conditional=True).config.mirror
    assert not planned(Budget(steps=5), dataset=faces(mirrored=True), recipe="plain").config.mirror


def test_few_pictures_that_are_seen_often_are_augmented(timed: None) -> None:
    few, many = (planned(Budget(epochs=each), dataset=faces()) for each in (MANY_PASSES, MANY_PASSES / 2))
    assert few.config.augmentations == (DiffAugment(),)
    assert few.config.augmentation_strength == Adaptive(target=TARGET)
    assert "each picture will be seen about 100 times" in "\n".join(few.lines())
    assert many.config.augmentations == ()


@pytest.mark.parametrize("said", [{"parts": {"augmentations": ()}}, {"settings": {"augmentations": ["flip"]}}])
def test_who_says_so_gets_no_other_augmentation(said: dict[str, Any], timed: None) -> None:
    config = planned(Budget(epochs=1000), dataset=faces(), **said).config
    assert config.augmentations in ((), (Flip(),))


def test_without_a_recipe_it_is_the_one_for_such_data(timed: None) -> None:
    plan = planned(Budget(steps=5), recipe=None)
    assert plan.config.recipe == recipe_for(tiny_dataset(100))[0]
    assert plan.reasons["recipe"] == "the default for pictures"


def test_sounds_are_told_their_class_unless_somebody_minds(timed: None) -> None:
    sounds = tiny_sounds(classes=("high", "low"))
    asked = {value: planned(Budget(steps=5), dataset=sounds, conditional=value).config.conditions for value in (None, False)}
    assert asked == {None: ("label",), False: ()}
    sounds.columns["label"][3] = -1
    assert planned(Budget(steps=5), dataset=sounds).config.conditions == (), "one is not known"


def test_few_sounds_that_are_heard_often_are_masked(timed: None) -> None:
    config = planned(Budget(epochs=MANY_PASSES), dataset=tiny_sounds()).config
    assert config.augmentations == (Masks(),)
    assert isinstance(config.augmentation_strength, Adaptive)
    assert not config.mirror


def test_a_recipe_says_how_it_reads_and_the_user_comes_first() -> None:
    assert read_as(None, None) is None
    assert read_as("dcgan", Sound(rate=8000)) == Sound(rate=8000)
    assert read_as("wavegan", None) == Sound(representation="waveform")
    assert read_as("wavegan", Sound(rate=8000)) == Sound(rate=8000, representation="waveform")
    assert read_as("wavegan", Sound(representation="spectrogram")) == Sound(representation="spectrogram")
    with pytest.raises(UsageError, match="network wavegan draws waveform, not spectrogram"):
        make_plan(tiny_sounds(), CPU, recipe="wavegan", budget=Budget(steps=1))
