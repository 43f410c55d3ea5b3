from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from support import tiny_lines

from ganwright.data.texts.lines import Texts
from ganwright.metrics.base import METRICS, Described, Evidence
from ganwright.metrics.parts.measurement import Measurement
from ganwright.metrics.repetition import self_bleu


def described(lines: Sequence[str], unit: str = "words") -> Described:
    return Described(torch.zeros(len(lines), 1), texts=Texts(tuple(lines), unit))  # type: ignore[arg-type]


def measured(name: str, fake: Sequence[str], unit: str = "words") -> dict[str, Measurement]:
    train, held_out = (described(tiny_lines(300, seed), unit) for seed in (0, 1))
    return METRICS.get(name)().measure(Evidence(train, described(fake, unit), held_out, unseen=True))


def bleu_by_hand(text: Sequence[str], others: Sequence[Sequence[str]]) -> float:
    log = 0.0
    for n in (1, 2, 3, 4):
        counts = Counter(tuple(text[i : i + n]) for i in range(len(text) - n + 1))
        most: Counter[tuple[str, ...]] = Counter()
        for other in others:
            most |= Counter(tuple(other[i : i + n]) for i in range(len(other) - n + 1))
        shared = sum(min(count, most[gram]) for gram, count in counts.items())
        smooth = int(n > 1)
        share = (shared + smooth) / max(1, counts.total() + smooth)
        log += math.log(share) / 4 if share > 0 else -math.inf
    nearest = min((len(other) for other in others), key=lambda length: (abs(length - len(text)), length))
    return math.exp(log) * (1.0 if len(text) >= nearest else math.exp(1 - nearest / len(text)))


def test_self_bleu_is_that_of_the_definition() -> None:
    texts = [tuple(line.split()) for line in ["a b c d e", "a b c d x", "q", "a b c d e", "b c d a b c", "e d c b a"]]
    expected = [bleu_by_hand(text, texts[:i] + texts[i + 1 :]) for i, text in enumerate(texts)]
    assert self_bleu(texts) == pytest.approx(expected)


def test_real_texts_are_as_good_as_the_floor_and_nonsense_is_not() -> None:
    real = measured("ngrams", tiny_lines(300, 2))
    shuffled = np.random.default_rng(0)
    nonsense = measured("ngrams", [" ".join(shuffled.permutation(line.split())) for line in tiny_lines(300, 2)])
    assert real["ngrams_2"].floor is not None
    assert abs(real["ngrams_2"].value - real["ngrams_2"].floor) < 0.05
    assert nonsense["ngrams_2"].value > 5 * real["ngrams_2"].floor
    assert real["ngrams_1"].floor is not None
    assert nonsense["ngrams_1"].value < 2 * real["ngrams_1"].floor + 0.01, "the words are the same"


def test_characters_are_counted_up_to_six() -> None:
    assert max(measured("ngrams", tiny_lines(100, 2), "characters")) == "ngrams_6"
    assert max(measured("ngrams", tiny_lines(100, 2))) == "ngrams_4"


def test_a_collapse_shows() -> None:
    fine, collapsed = measured("repetition", tiny_lines(300, 2)), measured("repetition", tiny_lines(3, 2) * 100)
    assert fine["self_bleu"].floor is not None
    assert abs(fine["self_bleu"].value - fine["self_bleu"].floor) < 0.05
    assert collapsed["self_bleu"].value > 0.99
    assert collapsed["distinct_2"].value < 0.3 * fine["distinct_2"].value
    assert collapsed["twins"].value == 1


def test_words_that_do_not_exist_and_copies_are_counted() -> None:
    train = tiny_lines(300, 0)
    lines = [*train[:30], *("a catfish sings" for _ in range(70))]
    found = measured("wording", lines)
    assert found["copied"].value == pytest.approx(0.3)
    assert found["strange_words"].value == pytest.approx(140 / (210 + sum(len(line.split()) for line in train[:30])))
    assert found["strange_words"].floor == 0
    assert found["lengths"].value > found["lengths"].floor  # type: ignore[operator]


def test_without_held_out_texts_there_is_no_floor() -> None:
    seen = Evidence(described(tiny_lines(60)), described(tiny_lines(60, 1)))
    for name in ("ngrams", "wording"):
        assert all(each.floor is None for each in METRICS.get(name)().measure(seen).values())
    assert METRICS.get("ngrams")().measure(replace(seen, seed=3))
