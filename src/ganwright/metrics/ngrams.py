"""Whether the same things follow each other as often as in real texts: the divergence of n-grams."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from ganwright.data.texts.ngrams import Coded, Counts, coded, divergence
from ganwright.metrics.base import Evidence, Metric, NotMeasurable
from ganwright.metrics.parts.measurement import Measurement
from ganwright.metrics.parts.subsets import error_at, subsets
from ganwright.runtime.keys import Key

FEWEST = 10
OF_WORDS = (1, 2, 3, 4)
OF_CHARACTERS = (1, 2, 3, 4, 5, 6)
SHARE = 0.5


@dataclass(frozen=True)
class Ngrams(Metric):
    """Jensen-Shannon divergence in bits, of words or of characters, as Gulrajani et al. 2017 (arXiv:1704.00028) measure.

    Samples are held against texts that were not learned from, and for the floor as many training texts are put in their
    place. Long n-grams hardly repeat, so that any two sets of texts differ much in them: only the floor says how much.
    """

    def measure(self, evidence: Evidence) -> dict[str, Measurement]:
        texts = evidence.texts
        reference = texts.held_out if texts.held_out is not None else texts.train
        if min(len(reference), len(texts.fake)) < FEWEST:
            raise NotMeasurable(f"at least {FEWEST} texts of each side are needed")
        real, fake, train = coded(reference, texts.fake, texts.train)
        count = min(len(fake), len(train))
        key = Key(evidence.seed, turn="metrics")
        orders = OF_WORDS if texts.fake.unit == "words" else OF_CHARACTERS
        against = "held-out" if texts.held_out is not None else "training"
        found: dict[str, Measurement] = {}
        for n in orders:
            far = partial(_far, real.counts(n), n)
            value = far(fake)
            found[f"ngrams_{n}"] = Measurement(
                value,
                "lower",
                count=len(fake),
                reference=len(real),
                protocol=f"Jensen-Shannon divergence in bits of {n}-grams of {texts.fake.unit} from {against} texts",
                error=_error(far, fake, key, "fake"),
            )
            if texts.held_out is not None:
                others = train.take(slice(count))
                found[f"ngrams_{n}"] = replace(
                    found[f"ngrams_{n}"],
                    floor=far(others),
                    floor_error=_error(far, others, key, "real"),
                    floor_count=count,
                    at_floor_count=far(fake.take(slice(count))) if count < len(fake) else value,
                )
        return found


def _far(real: Counts, n: int, some: Coded) -> float:
    return divergence(real, some.counts(n))


def _error(far: Callable[[Coded], float], some: Coded, key: Key, purpose: str) -> float:
    drawn = subsets(len(some), int(SHARE * len(some)), key, purpose)
    return error_at(SHARE, [far(some.take(places.numpy())) for places in drawn])
