"""One training step of a GAN, any GAN: the page to read first.

Losses are summed over the rows at hand and divided by the global count; gradients are summed over parts of a batch and over
processes. So the result does not depend on how many share a batch. No logging, saving or printing: the loop does those.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ganwright.core.schedule import value_at
from ganwright.data.spec import DataSpec
from ganwright.regularizers.base import Regularizer
from ganwright.runtime.distributed import meeting, parts_of
from ganwright.training.batches import Batches
from ganwright.training.config import TrainConfig
from ganwright.training.state import TrainState
from ganwright.training.statistics import held_statistics, moved_once
from ganwright.training.turn import Turn, due
from ganwright.training.updating import Report, added, unfreeze, update


@meeting()
def train_step(state: TrainState, config: TrainConfig, spec: DataSpec, batches: Batches) -> Report:
    """One step: the discriminator's turns, the generator's turn, the average generator's update."""
    report: Report = {}

    # Evaluate every schedule for the samples seen.
    now = (state.samples_seen, config.total_samples)
    config.generator_optimizer.follow(state.generator_optimizer, *now)
    config.discriminator_optimizer.follow(state.discriminator_optimizer, *now)
    state.generator.follow(*now)

    # This process's rows of the global batch, in as many parts as are worked on one after another.
    parts = parts_of(config.batch, config.micro_batches)

    # Discriminator turns: tell real records from fakes, those of the last turn for the generator to go on with if it may.
    unfreeze(state.generator_optimizer)
    made: Tensor | None = None
    for repeat in range(config.discriminator_steps):
        key = state.key("discriminator", repeat)
        unfreeze(state.discriminator_optimizer)
        told = [tell_apart(Turn(state, config, spec, key, rows), batches) for rows in parts]
        found, made = added(each for each, _ in told), told[-1][1]
        report |= update("discriminator", state.discriminator_optimizer, state.discriminator, found)
        state.settle()

    # Generator turn: make fakes that the discriminator, held still, takes for real.
    key = state.key("generator")
    found = added(pass_for_real(Turn(state, config, spec, key, rows), batches, made) for rows in parts)
    report |= update("generator", state.generator_optimizer, state.generator, found)
    state.settle()

    # Adapt the augmentation to how often the discriminator was right.
    report |= state.adapt_augmentation(config, report["real_called_real"])

    # Count, and let the average generator follow.
    state.step += 1
    state.samples_seen += config.samples_per_step
    half_life = value_at(config.average_half_life_samples, *now)
    state.average.update(config.samples_per_step, state.samples_seen, half_life)
    return report


def tell_apart(turn: Turn, batches: Batches) -> tuple[Report, Tensor | None]:
    """The discriminator's gradients for a turn's rows: its loss on reals and fakes, and the penalties that are due.

    Gives back the report, and the fakes (B, *shape) by which the generator can learn where its turn goes on with them.
    """
    state, config = turn.state, turn.config
    regularizers = due(config, "discriminator", state.step)
    needs = {need for _, regularizer in regularizers for need in regularizer.needs}

    # Draw reals and make fakes; both are leaves, so that a penalty differentiates through the augmentation.
    turn.real, turn.condition = batches.real(turn.key, turn.rows)
    turn.real.requires_grad_("gradient_on_real" in needs)
    made: Tensor | None = None
    if config.fakes_go_on and turn.key.repeat == config.discriminator_steps - 1:
        made = made_to_learn(turn)
        turn.fake = made.detach()
    else:
        with torch.no_grad(), held_statistics(state.generator):
            turn.fake = turn.generate()
    turn.fake.requires_grad_("gradient_on_fake" in needs)

    # Judge both, and sum what is wrong with the verdicts. A penalty follows one of them back, so that it wants a call each.
    with moved_once(state.discriminator, turn.is_first):
        if together := state.discriminator.by_itself and not needs:
            turn.real_logits, turn.fake_logits = turn.judge_together(turn.real, turn.fake)
        else:
            turn.real_logits = turn.judge(turn.real)
    if not together:
        with held_statistics(state.discriminator):
            turn.fake_logits = turn.judge(turn.fake)
    if not regularizers:
        turn.real = None  # nobody looks at them any more
    loss = torch.zeros((), device=config.device)
    for real_logits, fake_logits in zip(turn.real_logits, turn.fake_logits, strict=True):
        loss = loss + mean(config.loss.discriminator(real_logits, fake_logits), config)
    report = {"discriminator_loss": loss.detach()}

    # Add the penalties that are due; a lazy one counts for the steps that it was spared.
    with held_statistics(state.discriminator):
        loss = loss + penalties(turn, regularizers, report)
    loss.backward()

    real, fake = turn.real_logits[0].detach(), turn.fake_logits[0].detach()
    report["real_logits"], report["fake_logits"] = mean(real, config), mean(fake, config)
    told_real, told_fake = config.loss.told(real, fake)
    report["real_called_real"], report["fake_called_fake"] = mean(told_real, config), mean(told_fake, config)
    return report, made


def pass_for_real(turn: Turn, batches: Batches, made: Tensor | None) -> Report:
    """The generator's gradients for a turn's rows: how far the discriminator saw through them, and the penalties due.

    Args:
        made: fakes (B, *shape) of the discriminator's turn to learn from; None where this turn makes its own.
    """
    state, config = turn.state, turn.config
    regularizers = due(config, "generator", state.step)
    if config.generator_needs_real:
        turn.real, turn.condition = batches.real(turn.key, turn.rows)
    else:
        turn.condition = batches.condition(turn.key, turn.rows)
    turn.fake = made_to_learn(turn) if made is None else made
    with held_statistics(state.discriminator):
        turn.fake_logits = turn.judge(turn.fake)
        if config.loss.generator_needs_real:
            # A relative loss compares with fresh reals, whose logits carry no gradient.
            assert turn.real is not None
            with torch.no_grad():
                turn.real_logits = turn.judge(turn.real)
        loss = torch.zeros((), device=config.device)
        for head, fake_logits in enumerate(turn.fake_logits):
            real_logits = turn.real_logits[head] if turn.real_logits else None
            loss = loss + mean(config.loss.generator(real_logits, fake_logits), config)
        report = {"generator_loss": loss.detach()}
        loss = loss + penalties(turn, regularizers, report)
        loss.backward()
    return report


def made_to_learn(turn: Turn) -> Tensor:
    """Fakes by which the generator can learn, (B, *shape)."""
    with moved_once(turn.state.generator, turn.is_first):
        return turn.generate()


def mean(values: Tensor, config: TrainConfig) -> Tensor:
    """These rows' part of the mean over the global batch: values (B, ...) here, `config.batch` rows in all."""
    return values.sum() / (config.batch * values[0].numel())


def penalties(turn: Turn, regularizers: list[tuple[int, Regularizer]], report: Report) -> Tensor:
    """The weighted sum of the regularizers that are due; each is reported by its name, unweighted."""
    state, config = turn.state, turn.config
    total = torch.zeros((), device=config.device)
    for place, regularizer in regularizers:
        values, memory = regularizer.penalty(turn, state.regularizer_states[place])
        state.remember(place, memory, len(values) / config.batch)
        penalty = mean(values, config)
        report[regularizer.registry.name_of(regularizer)] = penalty.detach()
        weight = value_at(regularizer.weight, state.samples_seen, config.total_samples)
        total = total + weight * regularizer.interval * penalty
    return total
