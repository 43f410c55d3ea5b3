"""The rows of bench/step.py in Ganwright: the same pairs, as a run trains them.

python bench/step_ours.py ROW PICTURES.npy              # trains when bench/step.py says so
python bench/step_ours.py ROW PICTURES.npy --limits     # what a step computes and moves, and what the machine can do
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import Any

import numpy as np
from roofline import limits_of, measure_rates
from step_worker import Work, serve

from ganwright.choices import Choices
from ganwright.data.preparation import prepare
from ganwright.plan import config_for
from ganwright.runtime.allocator import keep_freed_memory
from ganwright.runtime.device import find_machine
from ganwright.runtime.keys import Key
from ganwright.training.batches import Batches
from ganwright.training.run_spec import run_spec
from ganwright.training.state import initial_state
from ganwright.training.step import train_step

DENSE_GENERATOR = [
    "layers.Dense(256, input_dim=100)",
    "layers.LeakyReLU(alpha=0.2)",
    'layers.Dense(64 * 64 * 3, activation="tanh")',
    "layers.Reshape((64, 64, 3))",
]
DENSE_DISCRIMINATOR = [
    "layers.Flatten(input_shape=(64, 64, 3))",
    "layers.Dense(256)",
    "layers.LeakyReLU(alpha=0.2)",
    'layers.Dense(1, activation="sigmoid")',
]
DCGAN_GENERATOR = [
    'layers.Dense(128 * 7 * 7, activation="relu", input_dim=100)',
    "layers.Reshape((7, 7, 128))",
    "layers.UpSampling2D()",
    'layers.Conv2D(128, kernel_size=3, padding="same")',
    "layers.BatchNormalization(momentum=0.8)",
    'layers.Activation("relu")',
    "layers.UpSampling2D()",
    'layers.Conv2D(64, kernel_size=3, padding="same")',
    "layers.BatchNormalization(momentum=0.8)",
    'layers.Activation("relu")',
    'layers.Conv2D(1, kernel_size=3, padding="same")',
    'layers.Activation("tanh")',
    "layers.Reshape((28, 28, 1))",
]
DCGAN_DISCRIMINATOR = [
    'layers.Conv2D(32, kernel_size=3, strides=2, input_shape=(28, 28, 1), padding="same")',
    "layers.LeakyReLU(alpha=0.2)",
    "layers.Dropout(0.25)",
    'layers.Conv2D(64, kernel_size=3, strides=2, padding="same")',
    "layers.ZeroPadding2D(padding=((0,1),(0,1)))",
    "layers.BatchNormalization(momentum=0.8)",
    "layers.LeakyReLU(alpha=0.2)",
    "layers.Dropout(0.25)",
    'layers.Conv2D(128, kernel_size=3, strides=2, padding="same")',
    "layers.BatchNormalization(momentum=0.8)",
    "layers.LeakyReLU(alpha=0.2)",
    "layers.Dropout(0.25)",
    'layers.Conv2D(256, kernel_size=3, strides=1, padding="same")',
    "layers.BatchNormalization(momentum=0.8)",
    "layers.LeakyReLU(alpha=0.2)",
    "layers.Dropout(0.25)",
    "layers.Flatten()",
    'layers.Dense(1, activation="sigmoid")',
]
COMPILE = "compile(loss='binary_crossentropy', optimizer=tf.keras.optimizers.Adam(0.0002, {}))"
CHOICES = {
    "dense": Choices(generator=DENSE_GENERATOR, discriminator=DENSE_DISCRIMINATOR, compile=COMPILE.format(0.9)),
    "dcgan28": Choices(generator=DCGAN_GENERATOR, discriminator=DCGAN_DISCRIMINATOR, compile=COMPILE.format(0.5)),
}
RECIPES: dict[str, tuple[str, dict[str, Any]]] = {
    "dense": ("plain", {"batch": 256}),
    "dcgan28": ("plain", {"batch": 100}),
    "dcgan64": ("dcgan-published", {"batch": 64}),
    "default64": ("dcgan", {"network": {"width": 16}, "batch": 16}),
    "r3gan64": ("r3gan", {"batch": 32, "augmentations": [], "augmentation_strength": 1.0, "network": {"width": 16}}),
}
PLANNED_SAMPLES = 10_000_000


def build(row: str, pictures: str, device: str = "cpu") -> Work:
    """The row's pair, ready to train."""
    return build_parts(row, pictures, device)[0]


def build_parts(row: str, pictures: str, device: str = "cpu") -> tuple[Work, Batches, Key]:
    """The row's pair, where its batches come from, and a key that they can be drawn with."""
    keep_freed_memory()
    machine = find_machine(device)
    x = np.load(pictures)
    dataset = prepare(x.transpose(0, 2, 3, 1), as_numbers=row in CHOICES)
    recipe, settings = RECIPES[row]
    parts = CHOICES[row].parts() if row in CHOICES else {}
    parts |= {"precision": machine.precision("auto"), "threads": machine.threads}
    config = config_for(dataset, machine, recipe, parts=parts, settings=settings)
    config = replace(config, total_samples=PLANNED_SAMPLES)
    spec = run_spec(config, dataset)
    config = replace(config, network=config.network.resolved(spec))
    state, batches = initial_state(config, spec), Batches(dataset, config)

    def step() -> None:
        report = train_step(state, config, spec, batches)
        float(report["generator_loss"])  # wait for the device

    return Work(step, config.batch), batches, state.key("discriminator")


if __name__ == "__main__":
    if "--limits" in sys.argv:
        work = build(*sys.argv[1:3])
        work.step()
        print(json.dumps({"images": work.images, **limits_of(work.step, measure_rates())}))
    else:
        serve(build)
