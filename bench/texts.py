"""A GAN of texts beside a maximum-likelihood model of the same size and time: n-grams, self-BLEU, words, over temperatures.

    python bench/texts.py shakespeare --minutes 20
    python bench/texts.py coco --minutes 20
    python bench/texts.py coco --minutes 20 --recipe wgan_gp_text

Prints one JSON line for each model and temperature, with the floor: as many real texts in the samples' place. The likelihood
model is the GAN's own generator, trained by teacher forcing alone for as much of the processor's time as the GAN had, its
latent switched off, and chosen by texts that it does not learn from.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from machine import describe_machine

from ganwright import GAN
from ganwright.data.dataset import Dataset
from ganwright.data.held_out import Split, hold_out
from ganwright.data.preparation import prepare
from ganwright.data.sources.tables import TableFile
from ganwright.data.tables.asked import Asked
from ganwright.data.texts.lines import Texts
from ganwright.evaluation.evaluate import measure
from ganwright.metrics.base import Described, Evidence
from ganwright.model.model import Model
from ganwright.model.model_file import ModelContents
from ganwright.networks.base import Generator
from ganwright.networks.recurrent import Recurrent, RecurrentGenerator
from ganwright.runtime.keys import Key
from ganwright.runtime.precision import at_least_single
from ganwright.training.batches import Batches
from ganwright.training.config import TrainConfig

TEXTS = Path(__file__).resolve().parents[2] / "shared" / "data" / "text"
SETS = {"shakespeare": ("tinyshakespeare.txt", "windows"), "coco": ("coco_captions_train.txt", "lines")}
HELD_OUT = 0.1
CHUNK = 3200
"""Characters of a running text that are held out together."""
LARGEST_NORM = 5.0
HALF_LIFE, AVERAGED = 20_000, 0.05
LOOKS = 20
"""At records that were not learned from, while a likelihood model learns."""


def parts_of(name: str, folder: Path, scratch: Path) -> tuple[Any, Any]:
    """Nine tenths of a set to learn from and a tenth to be held against, as files: lines, or stretches of a running text."""
    file, cut = SETS[name]
    text = (folder / file).read_text(encoding="utf-8")
    lines = cut == "lines"
    pieces = text.splitlines() if lines else [text[start : start + CHUNK] for start in range(0, len(text), CHUNK)]
    order = np.random.default_rng(0).permutation(len(pieces))
    held = int(HELD_OUT * len(pieces))
    parts = []
    for part, places in (("held", order[:held]), ("train", order[held:])):
        path = scratch / f"{part}.txt"
        path.write_text(("\n" if lines else "").join(pieces[place] for place in np.sort(places)), encoding="utf-8")
        parts.append(TableFile(path, Asked(cut="lines" if lines else "windows")))
    return parts[1], parts[0]


@dataclass
class Likely:
    """A likelihood model, when it was best."""

    generator: Generator
    nats: float
    """A record that was not learned from, on average."""
    step: int
    seconds: float
    """That its schedule is long."""


def likely(family: Recurrent, split: Split, config: TrainConfig, seconds: float, rate: float) -> Likely:
    """The same generator by maximum likelihood alone, in so many seconds of this process.

    The adversary's model is chosen by records that it does not learn from, and so is this one, or it would learn the others
    by heart: by their likelihood, at twenty places. It has a second try with a schedule of a quarter of the time, since a
    rate that falls earlier may be better; the better one of the two is taken.
    """
    return min((likely_by(family, split, config, each, rate) for each in (seconds, seconds / 4)), key=lambda one: one.nats)


def likely_by(family: Recurrent, split: Split, config: TrainConfig, seconds: float, rate: float) -> Likely:
    """One of them."""
    torch.manual_seed(config.seed)
    generator = family.generator(split.train.codec.spec)
    assert isinstance(generator, RecurrentGenerator)
    # A language model begins every text alike: the latent says nothing.
    torch.nn.init.zeros_(generator.start.weight.requires_grad_(False))
    average = copy.deepcopy(generator).eval()
    optimizer = torch.optim.Adam([each for each in generator.parameters() if each.requires_grad], lr=rate, betas=(0.9, 0.99))
    batches, step, looks = Batches(split.train, config), 0, 0
    others = split.held_out or split.train
    best, aside = Likely(average, math.inf, 0, seconds), 0.0
    began = time.process_time()
    while (share := (time.process_time() - began - aside) / seconds) < 1:
        x, _ = batches.real(Key(config.seed, step=step, turn="generator"))
        with torch.autocast("cpu", torch.bfloat16, enabled=config.precision == "bf16"):
            loss = -at_least_single(generator.log_likelihood(x, latents(generator, len(x)))).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(generator.parameters(), LARGEST_NORM)
        optimizer.param_groups[0]["lr"] = rate * (0.02 + 0.98 * (0.5 + 0.5 * math.cos(math.pi * share)))
        optimizer.step()
        step += 1
        # As a run's average: a half-life of a twentieth of what was seen at most.
        half_life = min(HALF_LIFE, AVERAGED * step * config.batch)
        with torch.no_grad():
            for mine, theirs in zip(average.parameters(), generator.parameters(), strict=True):
                mine.lerp_(theirs, 1 - 0.5 ** (config.batch / half_life))
        if share > (looks + 1) / LOOKS:
            looks, looked = looks + 1, time.process_time()
            if (nats := nats_of(average, others)) < best.nats:
                best = Likely(copy.deepcopy(average), nats, step, seconds)
            aside += time.process_time() - looked
    if (nats := nats_of(average, others)) < best.nats:
        best = Likely(average, nats, step, seconds)
    return best


@torch.no_grad()
def nats_of(generator: Generator, records: Dataset) -> float:
    """A record, on average."""
    parts = [np.arange(start, min(start + 256, len(records))) for start in range(0, len(records), 256)]
    texts = [records.codec.expand(records.batch(part)) for part in parts]
    return -float(torch.cat([generator.log_likelihood(x, latents(generator, len(x))) for x in texts]).mean())


def latents(generator: Generator, count: int) -> dict[str, torch.Tensor]:
    """Any: they say nothing."""
    return {"latent": torch.zeros(count, *generator.noise["latent"].shape)}


def figures(model: Model, train: Texts, held_out: Texts, count: int, temperature: float, seed: int) -> dict[str, Any]:
    """Every measurement of texts, with its floor."""
    lines = tuple(model.sample(count, seed=seed, truncation=temperature))
    nothing = torch.empty(0, 0)
    evidence = Evidence(
        Described(nothing, texts=train),
        Described(nothing, texts=Texts(lines, train.unit, train.whole)),
        Described(nothing, texts=held_out),
        unseen=True,
        seed=seed,
    )
    found, failed = measure(("ngrams", "repetition", "wording"), evidence)
    assert not failed, failed
    values = {name: round(each.value, 4) for name, each in found.items()}
    return {"temperature": temperature, **values, "floor": {n: round(e.floor or 0.0, 4) for n, e in found.items()}}


def texts_of(dataset: Dataset) -> Texts:
    """All records as strings, in an order that means nothing."""
    order = np.random.default_rng(0).permutation(len(dataset))
    parts = [dataset.batch(order[start : start + 1024]) for start in range(0, len(dataset), 1024)]
    found = [dataset.codec.texts(dataset.codec.expand(part)) for part in parts]
    return Texts.join([each for each in found if each is not None])


def main() -> int:
    """Print JSON lines; 0 when measured, or skipped for want of the data."""
    parser = argparse.ArgumentParser(description="A GAN of texts beside a likelihood model of the same size and time.")
    parser.add_argument("set", choices=SETS)
    parser.add_argument("--data", type=Path, default=TEXTS, help="the folder of the texts")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--samples", type=int, default=5000)
    parser.add_argument("--recipe", default="text")
    parser.add_argument("--rate", type=float, default=4e-3, help="learning rate of the likelihood model")
    parser.add_argument("--temperatures", type=float, nargs="+", default=[1.0, 0.9, 0.8, 0.7])
    parser.add_argument("--run", type=Path, help="a folder for the GAN's run")
    options = parser.parse_args()
    if not options.data.is_dir():
        print(f"texts: skipped: there is no folder {options.data}", file=sys.stderr)
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        train, held = parts_of(options.set, options.data, Path(scratch))
        began, busy = time.monotonic(), time.process_time()
        gan = GAN(options.recipe, seed=options.seed).fit(train, minutes=options.minutes, run=options.run or False)
        seconds = {"wall": round(time.monotonic() - began, 1), "processor": round(time.process_time() - busy, 1)}
        codec, config = gan.model_.codec, gan.config_
        dataset, others = prepare(train, codec=codec), prepare(held, codec=codec)
        real, held_out = texts_of(dataset), texts_of(others)
        shared = {"set": options.set, "seed": options.seed, "machine": describe_machine(), "records": len(real)}
        shared["protocol"] = f"{options.samples} samples against {len(held_out)} texts that were not learned from"

        def tell(name: str, model: Model, temperature: float, **facts: Any) -> None:
            found = figures(model, real, held_out, options.samples, temperature, options.seed)
            print(json.dumps({"model": name, **found, **facts, **shared}), flush=True)

        facts = {"seconds": seconds, "steps": gan.ended_.step, "kept_step": gan.ended_.kept_step, "recipe": options.recipe}
        for temperature in options.temperatures:
            tell("gan", gan.model_, temperature, **facts)
        print(json.dumps({"model": "gan", "samples": gan.sample(16, seed=options.seed)}), flush=True)
        if not isinstance(config.network, Recurrent):
            return 0
        best = likely(config.network, hold_out(dataset), config, seconds["processor"], options.rate)
        model = Model(ModelContents(config.network, gan.model_.spec, codec, best.generator, {}))
        facts = {"steps": best.step, "schedule_seconds": round(best.seconds), "nats": round(best.nats, 2)}
        for temperature in options.temperatures:
            tell("likelihood", model, temperature, **facts)
        print(json.dumps({"model": "likelihood", "samples": model.sample(16, seed=options.seed)}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
