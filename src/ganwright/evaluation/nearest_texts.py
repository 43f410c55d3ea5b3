"""Samples of texts, each beside the training text that is nearest to it."""

from __future__ import annotations

from PIL import Image

from ganwright.core.text import printable
from ganwright.data.texts.drawing import lines_picture
from ganwright.data.texts.writing import one_line
from ganwright.metrics.base import Evidence
from ganwright.metrics.memorisation import nearness
from ganwright.metrics.parts.neighbours import nearest

SHOWN = 40
"""Samples that a report holds."""
PAIRS = 12
"""That look most like copies, and as many taken as they come."""
LONGEST = 300
TITLE = "Two lines each: a sample, and below it the training text nearest to it"


def texts_shown(evidence: Evidence) -> tuple[str, ...]:
    """The first samples, a line each; none where records are no texts."""
    texts = evidence.fake.texts
    return () if texts is None else tuple(_line(text) for text in texts.lines[:SHOWN])


def nearest_texts(evidence: Evidence) -> tuple[tuple[str, str], ...]:
    """Samples with the training text nearest to each, those most like copies first; none where records are no texts."""
    samples, train = evidence.fake.texts, evidence.train.texts
    if samples is None or train is None:
        return ()
    features = evidence.fake.features
    suspects = nearness(features, evidence.train.features).most_copied[:PAIRS].tolist()
    shown = [*suspects, *(place for place in range(len(samples)) if place not in set(suspects))][: 2 * PAIRS]
    near = nearest(features[shown], evidence.train.features).places[:, 0].tolist()
    return tuple((_line(samples.lines[i]), _line(train.lines[j])) for i, j in zip(shown, near, strict=True))


def draw_texts(pairs: tuple[tuple[str, str], ...]) -> Image.Image:
    """The pairs as a picture."""
    return lines_picture([text for pair in pairs for text in pair], TITLE)


def _line(text: str) -> str:
    return printable(one_line(text), LONGEST)
