"""Any pair of torch modules: train it, score records with its discriminator, save it, load it again.

python examples/own_networks.py             # about two minutes on two CPU cores
python examples/own_networks.py 20          # twenty steps, to see that it runs
"""

import sys

import numpy as np
from sklearn.datasets import load_digits
from torch import nn

from ganwright import GAN, load


def make_generator() -> nn.Module:
    """Noise (B, 32) to pictures (B, 1, 8, 8) in -1..1."""
    return nn.Sequential(
        nn.Linear(32, 128), nn.BatchNorm1d(128), nn.ReLU(),
        nn.Linear(128, 128), nn.BatchNorm1d(128), nn.ReLU(),
        nn.Linear(128, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8)),
    )  # fmt: skip


def make_discriminator() -> nn.Module:
    """Pictures to a probability: the sigmoid at its end is left out while it learns, and is back for `score`."""
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(64, 128), nn.LeakyReLU(0.2),
        nn.Linear(128, 64), nn.LeakyReLU(0.2),
        nn.Linear(64, 1), nn.Sigmoid(),
    )  # fmt: skip


steps = int(sys.argv[1]) if len(sys.argv) > 1 else 6000
digits = np.round(load_digits().images * (255 / 16)).astype(np.uint8)  # (1797, 8, 8)

gan = GAN(generator=make_generator(), discriminator=make_discriminator(), latent=32, loss="non_saturating", batch=64)
gan.fit(digits, steps=steps)
gan.save("own.safetensors", discriminator=True)

# The file holds weights and facts, never code: the modules are passed again.
model = load("own.safetensors", generator=make_generator(), discriminator=make_discriminator())
model.grid(8, 8, seed=7).save("own.png")
real, fake = model.score(digits[:200]), model.score(model.sample(200, seed=1))
print(f"{model} → own.png; taken for real: {real.mean():.2f} of the real digits, {fake.mean():.2f} of the new ones")
