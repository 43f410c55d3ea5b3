"""The sections of a report, each a function of what was found; one that has nothing to say is empty."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from ganwright.core.budget import format_duration
from ganwright.data.report import DataReport, reasons
from ganwright.evaluation.report_page import (
    definitions,
    figure,
    folded,
    paragraph,
    plain_table,
    player,
    preformatted,
    section,
    text,
)
from ganwright.evaluation.report_pieces import Pieces, ScoreLine
from ganwright.evaluation.result import Evaluation
from ganwright.evaluation.svg import curve, interval_bar
from ganwright.evaluation.telling import (
    BETTER,
    NOTHING,
    against_floor,
    class_columns,
    class_words,
    facts,
    has_floor,
    how_to_read,
    measure_words,
    number_text,
    pair_titles,
    spread_text,
    value_text,
    worst_classes,
)
from ganwright.metrics.parts.measurement import Measurement

COPYING = (
    "copying",
    "copying_p",
    "copies",
    "exact_copies",
    "membership",
    "membership_p",
    "near_duplicates",
    "duplicates",
    "copied",
)
"""Measurements that belong to the question whether the generator copies."""
OF_PICTURES = (
    "Samples, each beside the training records nearest to it. A copy looks the same as its neighbour; to be of the same"
    " kind is what training is for."
)
IN_PAIRS = "Each sample, then the training record nearest to it."
OF_ROWS = (
    "Sampled rows, each beside the training row nearest to it. A copy is the same in every cell, where rows have enough"
    " cells to tell them apart."
)
LEGEND = (
    ("ours", "●", "the samples, with their 95% interval"),
    ("ours", "○", "the samples, as many as the real records"),
    ("real", "┆", "real records in their place"),
)
CELL_KINDS = ("", "", ' class="pair"', ' class="pair"')
SCORE_TITLES = {
    "frechet": "Fréchet distance (lower is better)",
    "recall": "Recall (higher is better)",
    "diversity": "Diversity (near 1 is best)",
}


def headline(pieces: Pieces) -> str:
    """What this is about, and the verdict."""
    evaluation, data = pieces.evaluation, pieces.data
    parts = [f"<header><h1>{text(title(pieces))}</h1>"]
    about = [
        data.size.partition(" (")[0] if data else "",
        f"recipe {pieces.setting('recipe', str)}" if pieces.setting("recipe", str) else "",
        _outcome(pieces.status),
    ]
    parts.append(paragraph(" · ".join(word for word in about if word), "soft") if any(about) else "")
    if evaluation is not None:
        parts.append(paragraph(f"{evaluation.subject} held against {evaluation.data}", "soft"))
        verdicts = evaluation.notes or ("It was measured, and no verdict was given: see the scores.",)
    else:
        verdicts = ("Not evaluated: no score stands behind this yet.",)
    parts.append(f'<div class="verdict">{"".join(map(paragraph, verdicts))}</div>')
    parts += [paragraph(trouble, "trouble") for trouble in pieces.troubles]
    return "\n".join(part for part in parts if part) + "\n</header>"


def title(pieces: Pieces) -> str:
    """What the data are called, or else the folder."""
    if pieces.data is not None:
        return pieces.data.name
    return pieces.evaluation.data if pieces.evaluation is not None else pieces.folder.absolute().name


def samples(pieces: Pieces) -> str:
    """What the generator makes; of a table the columns are drawn in its place, and texts are
    written."""
    if pieces.evaluation is not None and (pieces.evaluation.plots or pieces.evaluation.lines):
        return ""
    return section(
        "Samples",
        [
            figure(pieces.grid, "Samples as they came: none was picked by hand."),
            player(pieces.grid_aloud, "The same, row by row."),
            figure(pieces.samples, "Samples at the end of training."),
            player(pieces.samples_aloud, "The same, row by row."),
        ],
    )


def scores(pieces: Pieces) -> str:
    """Everything that was measured, except copying."""
    evaluation = pieces.evaluation
    if evaluation is None:
        return ""
    shown = {name: each for name, each in evaluation.measurements.items() if name not in COPYING}
    missing = {measure_words(name): why for name, why in evaluation.failed.items()}
    return section(
        "Scores",
        [
            *_explained(shown),
            measurement_table(shown),
            paragraph("Figures compare only with others of the same features, data and counts.", "soft") if shown else "",
            paragraph("What could not be measured:") + definitions(missing) if missing else "",
        ],
    )


def classes(pieces: Pieces) -> str:
    """Numbers about each class, the worst first."""
    if pieces.evaluation is None or not pieces.evaluation.by_class:
        return ""
    by_class = pieces.evaluation.by_class
    columns = class_columns(by_class)
    rows = [
        [name, *(number_text(by_class[name][column]) if column in by_class[name] else NOTHING for column in columns)]
        for name in worst_classes(by_class)
    ]
    table = plain_table(["class, worst first", *map(class_words, columns)], rows, "classes")
    return section("By class", [table])


def copying(pieces: Pieces) -> str:
    """Whether samples repeat the training records."""
    measured = pieces.evaluation.measurements if pieces.evaluation is not None else {}
    shown = {name: each for name, each in measured.items() if name in COPYING}
    reading = _explained(shown) if len(shown) == len(measured) else []  # else it is said above the other scores
    is_table = pieces.evaluation is not None and bool(pieces.evaluation.plots)
    explained = OF_ROWS if is_table else OF_PICTURES
    return section(
        "Does it copy?",
        [figure(pieces.nearest, explained), player(pieces.nearest_aloud, IN_PAIRS), *reading, measurement_table(shown)],
    )


def course(pieces: Pieces) -> str:
    """How training went."""
    return section("Course of training", [*score_curves(pieces.scores), figure(pieces.curves, "Curves of training.")])


def data(pieces: Pieces) -> str:
    """What it learned from."""
    report = pieces.data
    if report is None:
        return ""
    return section("Data", [definitions(_data_facts(report)), *(paragraph(note) for note in report.notes)])


def config(pieces: Pieces) -> str:
    """Every setting, and the model card, folded away."""
    parts = [
        folded("config.toml: every setting", preformatted(pieces.config)) if pieces.config else "",
        folded("MODEL_CARD.md", preformatted(pieces.card)) if pieces.card else "",
    ]
    return section("Settings", parts)


def reproduction(pieces: Pieces) -> str:
    """How to get the same again."""
    lines = commands(pieces)
    device = " ".join(str(pieces.setting(name, str) or "") for name in ("device", "precision")).strip()
    threads = pieces.setting("threads", int)
    machine = {"trained on": device + (f", {threads} CPU thread{'s' * (threads > 1)}" if device and threads else "")}
    known = {**machine, **(facts(pieces.evaluation) if pieces.evaluation is not None else {})}
    again = "The same versions on a machine of the same kind give the same result."
    own = "Settings that are not among these flags are in config.toml." if pieces.config else ""
    return section(
        "How to reproduce",
        [
            preformatted("\n".join(lines)),
            paragraph(" ".join(sentence for sentence in (again, own) if sentence), "soft") if lines else "",
            definitions(known),
        ],
    )


def commands(pieces: Pieces) -> list[str]:
    """The command lines that made this, as far as they are known."""
    folder = shlex.quote(str(pieces.folder))
    if pieces.settings:
        return [_train_command(pieces), f"ganwright evaluate {folder}{_evaluate_flags(pieces.evaluation)}"]
    if pieces.evaluation is None:
        return []
    fake = shlex.quote(pieces.evaluation.subject)
    return [f"ganwright evaluate --real REAL --fake {fake} -o {folder}{_evaluate_flags(pieces.evaluation)}"]


def _train_command(pieces: Pieces) -> str:
    place = pieces.data.place if pieces.data is not None else ""
    words = ["ganwright train", shlex.quote(place) if place else "DATA"]
    if recipe := pieces.setting("recipe", str):
        words.append(f"--recipe {shlex.quote(recipe)}")
    batch, turns = pieces.setting("batch", int), pieces.setting("discriminator_steps", int) or 1
    total = pieces.setting("total_samples", int)
    if batch and batch > 0 and turns > 0:
        words += [f"--steps {total // (batch * turns)}" if total else "", f"--batch {batch}"]
    seed = pieces.setting("seed", int)
    # Without --run: this folder is there already, and a run never overwrites.
    words.append(f"--seed {seed}" if seed is not None else "")
    return " ".join(word for word in words if word)


def _evaluate_flags(evaluation: Evaluation | None) -> str:
    if evaluation is None:
        return ""
    samples = evaluation.counts.get("samples")
    # An identity begins with the features' name: "random-v1-3x64x64".
    features = shlex.quote(evaluation.features.partition("-")[0])
    return (f" -n {samples}" if samples else "") + f" --features {features} --seed {evaluation.seed}"


def measurement_table(measurements: Mapping[str, Measurement]) -> str:
    """One row a measurement, with how it was measured; "" for none."""
    if not measurements:
        return ""
    floors = has_floor(measurements)
    titles = ["measure", "value ± 95%", "better", *(pair_titles(measurements) if floors else ()), ""]
    head = "".join(f'<th scope="col">{text(each)}</th>' for each in titles)
    body = "\n".join(_row(name, each, titles) for name, each in measurements.items())
    return f'<table class="scores"><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>'


def score_curves(lines: list[ScoreLine]) -> list[str]:
    """The scores of a run against the samples that it had seen, the model that was kept marked."""
    kept = max((i for i, line in enumerate(lines) if line.kept), default=None)
    drawn: list[str] = []
    for name, words in SCORE_TITLES.items():
        places = [i for i, line in enumerate(lines) if getattr(line, name) is not None]
        points = [(lines[i].samples_seen / 1000, float(getattr(lines[i], name))) for i in places]
        drawn.append(curve(points, places.index(kept) if kept in places else None, words, "thousand samples seen"))
    found = [each for each in drawn if each]
    if found and kept is not None:
        what = f"The model of step {lines[kept].step:,} was kept: the last that scored best, or as good but for chance."
        found.append(paragraph(f"{what} These scores steer a run; they are not those of an evaluation.", "soft"))
    return found


def _row(name: str, measurement: Measurement, titles: list[str]) -> str:
    fair = against_floor(measurement)
    cells = [spread_text(name, measurement.value, measurement.error), BETTER[measurement.better]]
    if len(titles) > 4:
        cells += [value_text(name, fair), spread_text(name, measurement.floor, measurement.floor_error)]
    labelled = [
        f'<td{kind} data-label="{text(label)}">{text(cell)}</td>'
        for kind, label, cell in zip(CELL_KINDS, titles[1:-1], cells, strict=False)
    ]
    said = f"{measure_words(name)} {cells[0]}" + (f", real records {cells[3]}" if len(cells) > 3 else "")
    # A bar shows how two things lie to each other; one number alone has nothing to lie beside.
    lone = measurement.floor is None and not measurement.error
    drawing = "" if lone else interval_bar(measurement, fair, said)
    words = f"{text(measure_words(name))}<small>{text(_sentence(measurement.protocol))}</small>"
    return f'<tr><th scope="row">{words}</th>{"".join(labelled)}<td>{drawing}</td></tr>'


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:].rstrip(".") + "." if words else ""


def _explained(measurements: Mapping[str, Measurement]) -> list[str]:
    """How to read the table of these measurements."""
    if not measurements:
        return []
    if not has_floor(measurements):
        return [paragraph(how_to_read(measurements))]
    keys = [f'<span><b class="{kind}" aria-hidden="true">{sign}</b> {words}</span>' for kind, sign, words in LEGEND]
    return [paragraph(how_to_read(measurements)), f'<p class="soft legend">{"".join(keys)}</p>']


def _outcome(status: Mapping[str, Any]) -> str:
    """How the run ended, in half a sentence."""
    state, step, seconds = status.get("state"), status.get("step"), status.get("seconds")
    words = [str(state)] if state else []
    if isinstance(step, int):
        words.append(f"at step {step:,}")
    if isinstance(seconds, int | float) and 0 < seconds < 1e10:
        words.append(f"after {format_duration(seconds)}")
    return " ".join(words) + (f": {status['why']}" if words and status.get("why") else "")


def _data_facts(report: DataReport) -> dict[str, str]:
    return {
        "place": report.place,
        "used": f"{report.used:,} {report.noun} of {report.found:,} found",
        "left out": reasons(report.skipped) if report.skipped else "",
        "size": report.size,
    }
