"""The rows of bench/step.py in Ganwright: the same pairs, as a run trains them.

python bench/step_ours.py ROW PICTURES.npy              # trains when bench/step.py says so
python bench/step_ours.py ROW PICTURES.npy --limits     # what a step computes and moves, and what the machine can do
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
from ready import Ready, ready
from roofline import limits_of, measure_rates
from step_worker import Work, serve

from ganwright.choices import Choices
from ganwright.data.preparation import prepare
from ganwright.runtime.allocator import keep_freed_memory
from ganwright.runtime.keys import Key
from ganwright.training.batches import Batches

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


def build(row: str, pictures: str, device: str = "cpu") -> Work:
    """The row's pair, ready to train."""
    return build_parts(row, pictures, device)[0]


def build_parts(row: str, pictures: str, device: str = "cpu") -> tuple[Work, Batches, Key]:
    """The row's pair, where its batches come from, and a key that they can be drawn with."""
    keep_freed_memory()
    training = ready_row(row, pictures, device)
    return Work(training.step, training.config.batch), training.batches, training.state.key("discriminator")


def ready_row(row: str, pictures: str, device: str = "cpu", **settings: Any) -> Ready:
    """The row's pair, with other settings than its own where some are given."""
    dataset = prepare(np.load(pictures).transpose(0, 2, 3, 1), as_numbers=row in CHOICES)
    recipe, own = RECIPES[row]
    parts = CHOICES[row].parts() if row in CHOICES else {}
    return ready(dataset, recipe, {**own, **settings}, parts=parts, device=device)


if __name__ == "__main__":
    if "--limits" in sys.argv:
        work = build(*sys.argv[1:3])
        work.step()
        print(json.dumps({"images": work.images, **limits_of(work.step, measure_rates())}))
    else:
        serve(build)
