"""Any iterable of batches as data: here one that makes them up, without an end.

python examples/batches.py             # about a minute on two CPU cores
python examples/batches.py 20          # twenty steps, to see that it runs
"""

import sys
from collections.abc import Iterator

import torch

from ganwright import GAN


def rings(batch: int = 128) -> Iterator[torch.Tensor]:
    """Points on a ring, (B, 2), for ever."""
    generator = torch.Generator().manual_seed(0)
    while True:
        angle = torch.rand(batch, generator=generator) * 2 * torch.pi
        radius = 1 + 0.05 * torch.randn(batch, generator=generator)
        yield torch.stack([radius * angle.cos(), radius * angle.sin()], 1)


steps = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
gan = GAN(recipe="mlp", seed=0).fit(rings(), steps=steps, stream=True)
points = gan.sample(1000, seed=7)
radii = (points**2).sum(1) ** 0.5
print(f"radius of the new points: {radii.mean():.2f} +- {radii.std():.2f}; of the real ones 1.00 +- 0.05")
