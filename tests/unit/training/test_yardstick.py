from __future__ import annotations

import numpy as np
import torch
from support import tiny_config, tiny_dataset, tiny_lines, tiny_texts

from ganwright.data.preparation import prepare
from ganwright.data.record import Record
from ganwright.data.subset import Subset
from ganwright.features.random import Random
from ganwright.model.model import Model
from ganwright.model.model_file import ModelContents
from ganwright.networks.recurrent import Recurrent
from ganwright.runtime.interrupt import StopRequest
from ganwright.training.run_spec import run_spec
from ganwright.training.scorer import Scorer
from ganwright.training.scoring import Scoring
from ganwright.training.yardstick import Divergence, yardstick_for

NETWORK = Recurrent(latent=4, width=8, symbol_width=4, discriminator_width=8, blocks=1)


def test_texts_are_scored_by_divergence_and_pictures_by_distance() -> None:
    assert yardstick_for(Scoring(), tiny_texts(), "cpu").measure == "n-gram divergence"
    assert yardstick_for(Scoring(), tiny_dataset(), "cpu").measure == "Fréchet distance"
    assert yardstick_for(Scoring(features=Random()), tiny_dataset(), "cpu").identity.startswith("random")


def test_real_texts_score_better_than_few_of_them_again_and_again() -> None:
    data = tiny_texts(200)
    yard = Divergence(data.codec)
    x = data.codec.expand(data.some(200))
    score = yard.against(yard.describe([x]))
    packed = data.codec.pack([Record("", line) for line in tiny_lines(200, seed=1)])
    fine = score(yard.describe([data.codec.expand({"x": torch.from_numpy(packed.columns["x"].astype(np.int64))})]))
    collapsed = score(yard.describe([x[:4].repeat(50, 1, 1)]))
    assert fine.frechet < 0.5 * collapsed.frechet
    assert fine.recall > 2 * collapsed.recall
    assert score(yard.describe([x])).frechet < 1e-9


def test_texts_are_held_against_those_that_are_not_learned_from() -> None:
    """A generator of held-out texts only is as good as can be; without enough of them, it is held against the others."""
    data = prepare([*tiny_lines(300), *["the held out owl is now here"] * 260])
    train, held = Subset(data, np.arange(300)), Subset(data, np.arange(300, 560))
    config = tiny_config(network=NETWORK)
    model = Model(
        ModelContents(NETWORK, run_spec(config, train), data.codec, NETWORK.generator(run_spec(config, train)), {})
    )
    scoring = Scoring(samples=100)
    against_held, against_train = (
        Scorer(scoring, train, 0, "cpu", each).score(model, StopRequest()) for each in (held, Subset(held, np.arange(100)))
    )
    without = Scorer(scoring, train, 0, "cpu").score(model, StopRequest())
    assert against_train == without
    assert against_held != without
