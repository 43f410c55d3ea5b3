"""`ganwright inspect MODEL`"""

from __future__ import annotations

import math
from typing import Any

from ganwright.cli.options import Debug, Json
from ganwright.cli.output import Output
from ganwright.core.budget import format_duration
from ganwright.core.errors import ModelFileError
from ganwright.core.text import printable


def inspect(model: str = "last", /, *, json: Json = False, debug: Debug = False) -> None:
    """Say what is inside a model file, without running anything in it.

    Parameters
    ----------
    model
        A model file, a run folder, a run's name or the beginning of it, or last.
    """
    from ganwright.model.locate import find_model
    from ganwright.model.model_file import read_facts

    path = find_model(model)
    facts = read_facts(path)
    output = Output(json)
    if json:
        # Rows that conditions are drawn from are for programs that sample.
        for condition in facts["spec"].get("conditions", []):
            condition.pop("rows", None)
        output.document({"path": str(path), "bytes": path.stat().st_size, **facts})
        return
    output.line(f"{path}  ({path.stat().st_size / 1e6:.1f} MB)")
    try:
        lines = describe(facts)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        what = f"{path}: its description is not one that Ganwright writes"
        raise ModelFileError("E-MODEL-01", what, why=str(error)) from error
    for name, text in lines:
        output.line(f"  {name:11}{text}")


def describe(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """The facts of a model file, line by line; what a stranger's file leaves out is left out here too."""
    sizes = [math.prod(t["shape"]) for t in facts["tensors"].values()]
    known, training = facts["facts"], facts["facts"].get("training", {})
    data, config = known.get("data", {}), training.get("config", {})
    shape = "×".join(str(side) for side in facts["spec"].get("shape", []))
    lines = [
        ("makes", f"{facts['spec'].get('kind')} of shape {shape} (channels×height×width)"),
        *_network(facts["network"]),
        *_told(facts["spec"].get("conditions", [])),
        ("size", f"{sum(sizes):,} values in {len(sizes)} tensors"),
    ]
    if imported := known.get("imported"):
        lines.append(
            ("imported", f"from {imported.get('file')}, made with Keras {imported.get('keras') or 'of unknown version'}")
        )
    elif data:
        held_out = f"; {data['held_out']['records']:,} were kept from it" if data.get("held_out") else ""
        lines.append(("trained on", f"{data.get('records'):,} records of {data.get('name')}{held_out}"))
        lines += [("", _in_words(condition)) for condition in data.get("conditions", [])]
    if began := config.get("trained_from"):
        of = f", of {began['data']}" if began.get("data") else ""
        lines.append(("began with", f"{began.get('model')} ({str(began.get('fingerprint'))[:16]}){of}"))
    if training:
        how_long = format_duration(training.get("seconds", 0))
        lines.append(("training", f"{training.get('steps'):,} steps, {training.get('samples_seen'):,} samples, {how_long}"))
        lines.append(
            ("recipe", f"{known.get('recipe')} · loss {config.get('loss', {}).get('name')} · seed {config.get('seed')}")
        )
        if scores := known.get("scores"):
            measure = scores.get("measure", "Fréchet distance")
            how = f"of {scores['samples']:,} samples in {scores['features']}"
            lines.append(("score", f"{measure} {scores['frechet']:.3g} {how}: the best of its run"))
        lines.append(("made with", ", ".join(f"{k} {v}" for k, v in training.get("versions", {}).items())))
    lines.append(("format", f"{facts['format']} version {facts['version']}"))
    return [(name, printable(text)) for name, text in lines]


def _told(conditions: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """What the networks are told of a record, and so what samples can be asked to be."""
    if not conditions:
        return [("told", "nothing: it is unconditional")]
    return [("told" if place == 0 else "", _in_words(condition)) for place, condition in enumerate(conditions)]


def _in_words(condition: dict[str, Any]) -> str:
    """ "breed: 5 classes (...)", "age: a number from 18 to 90", "labels: any of 3 (glasses, hat, ...)"."""
    kind, classes = condition.get("kind", "class"), condition.get("classes", [])
    if kind == "number":
        angle = ", an angle" if condition.get("circular") else ""
        return f"{condition['name']}: a number from {condition['low']:g} to {condition['high']:g}{angle}"
    counted = f"any of {len(classes)}" if kind == "labels" else f"{len(classes)} classes"
    return f"{condition['name']}: {counted} ({_short(classes)})"


def _network(network: dict[str, Any]) -> list[tuple[str, str]]:
    """The network's settings; one given as layers has a line for each, as it was written."""
    layers = {name: value["rows"] for name, value in network.items() if isinstance(value, dict)}
    settings = [f"{name} {_short(value)}" for name, value in network.items() if name != "name" and name not in layers]
    lines = [("network", f"{network.get('name')}: " + ", ".join(settings))]
    for name, rows in layers.items():
        lines.append(("", name.replace("_", " ") + ":"))
        lines += [("", f"  {_row(row)}") for row in rows]
    return lines


def _row(row: Any) -> str:
    """A layer as it was written; one with a name says what it takes."""
    if isinstance(row, str):
        return row
    name, text, sources = row
    return f"{name} = {text}" + (f" of {', '.join(sources)}" if sources else "")


def _short(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."
