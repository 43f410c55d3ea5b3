"""Two networks of layers in a TOML file.

generator = ["layers.Dense(256, input_dim=100)", "layers.LeakyReLU(0.2)", ...]
discriminator = ["layers.Flatten(input_shape=(28, 28, 1))", ...]
compile = "compile(loss='binary_crossentropy', optimizer=Adam(0.0002, 0.5))"
noise = "uniform"
batch = 100
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from ganwright.core.errors import DataError, UsageError
from ganwright.core.suggest import unknown_name_hints
from ganwright.networks.keras.definition import Layers

SETTINGS = {"compile": str, "noise": str, "latent": int, "batch": int, "loss": str, "conditional": bool}


def read_layers_file(path: Path) -> dict[str, Any]:
    """What the file says, as arguments of `GAN`.

    Raises:
        DataError: it cannot be read.
        UsageError: it is not TOML, lacks a network, or has something else in it; errors of a layer name its place.
    """
    try:
        values = tomllib.loads(path.expanduser().read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("E-PATH-02", f"cannot read {path}", why=str(error)) from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError("E-LAYERS-21", f"{path} is not a TOML file", why=str(error)) from error
    networks = {player: values.pop(player, None) for player in ("generator", "discriminator")}
    for player, rows in networks.items():
        if not isinstance(rows, list) or not rows:
            hint = f'{player} = ["layers.Dense(256, input_dim=100)", ...]'
            raise UsageError("E-LAYERS-22", f"{path} has no list of layers called {player}", hints=(hint,))
    for name, value in values.items():
        if name not in SETTINGS:
            hints = unknown_name_hints(name, ("generator", "discriminator", *SETTINGS))
            raise UsageError("E-LAYERS-22", f"{path}: unknown entry {name!r}", hints=hints)
        if type(value) is not SETTINGS[name]:
            raise UsageError("E-LAYERS-22", f"{path}: {name} must be of type {SETTINGS[name].__name__}, not {value!r}")
    return {**values, **{player: _layers(path, player, rows) for player, rows in networks.items()}}


def _layers(path: Path, player: str, rows: list[Any]) -> Layers:
    try:
        return Layers(tuple(rows))
    except UsageError as error:
        raise UsageError(
            error.code, f"{player} in {path}: {error.what}", where=error.where, why=error.why, hints=error.hints
        ) from error
