"""The rows of bench/step.py in plain PyTorch, trained as its DCGAN tutorial trains.

A step fits the discriminator to reals, then to fakes, then the generator by the same fakes. r3gan64 is its paper's step:
relativistic losses with R1 and R2 at every step, through autograd as it is. Pictures lie in memory as float32 in -1..1.
"""

from __future__ import annotations

import itertools

import numpy as np
import torch
from step_worker import Work, serve
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, leaky_relu, softplus

BATCHES = {"dense": 256, "dcgan28": 100, "dcgan64": 64, "r3gan64": 32}
R3GAN_WIDTHS = (128, 128, 64, 32, 16)


def build(row: str, pictures: str) -> Work:
    """The row's pair, ready to train."""
    torch.manual_seed(0)
    x = torch.from_numpy(np.load(pictures)).float() / 127.5 - 1
    if row == "r3gan64":
        return relativistic(x, BATCHES[row])
    generator, discriminator = {"dense": dense, "dcgan28": dcgan28, "dcgan64": dcgan64}[row](tuple(x.shape[1:]))
    return tutorial(generator, discriminator, x, BATCHES[row], 0.9 if row == "dense" else 0.5)


def tutorial(generator: nn.Module, discriminator: nn.Module, x: Tensor, batch: int, beta: float) -> Work:
    """Its loop: the fakes of the discriminator's turn serve the generator's."""
    criterion = nn.BCELoss()
    ones, zeros = torch.ones(batch), torch.zeros(batch)
    optimizer_d = torch.optim.Adam(discriminator.parameters(), lr=2e-4, betas=(beta, 0.999))
    optimizer_g = torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(beta, 0.999))

    def step() -> None:
        discriminator.zero_grad()
        real = x[torch.randint(len(x), (batch,))]
        criterion(discriminator(real).view(-1), ones).backward()
        fake = generator(torch.randn(batch, 100))
        criterion(discriminator(fake.detach()).view(-1), zeros).backward()
        optimizer_d.step()
        generator.zero_grad()
        criterion(discriminator(fake).view(-1), ones).backward()
        optimizer_g.step()

    return Work(step, batch)


def dense(shape: tuple[int, ...]) -> tuple[nn.Module, nn.Module]:
    """The cat tool's."""
    values = int(np.prod(shape))
    drawn = [nn.Linear(100, 256), nn.LeakyReLU(0.2), nn.Linear(256, values), nn.Tanh(), nn.Unflatten(1, shape)]
    judged = [nn.Flatten(), nn.Linear(values, 256), nn.LeakyReLU(0.2), nn.Linear(256, 1), nn.Sigmoid()]
    return nn.Sequential(*drawn), nn.Sequential(*judged)


def dcgan28(shape: tuple[int, ...]) -> tuple[nn.Module, nn.Module]:
    """The HPCC bundle's; what Keras pads at the end of a side, a layer pads here."""
    drawn: list[nn.Module] = [nn.Linear(100, 128 * 7 * 7), nn.ReLU(), nn.Unflatten(1, (128, 7, 7))]
    for inputs, outputs in ((128, 128), (128, 64)):
        drawn += [nn.Upsample(scale_factor=2), nn.Conv2d(inputs, outputs, 3, padding=1)]
        drawn += [nn.BatchNorm2d(outputs, momentum=0.2), nn.ReLU()]
    drawn += [nn.Conv2d(64, shape[0], 3, padding=1), nn.Tanh()]
    judged: list[nn.Module] = [nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(shape[0], 32, 3, stride=2)]
    judged += [nn.LeakyReLU(0.2), nn.Dropout(0.25)]
    for inputs, outputs, stride in ((32, 64, 2), (64, 128, 2), (128, 256, 1)):
        padding = [nn.ZeroPad2d((0, 1, 0, 1))] if stride == 2 else []
        judged += [*padding, nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1 if stride == 1 else 0)]
        judged += [nn.ZeroPad2d((0, 1, 0, 1))] if outputs == 64 else []
        judged += [nn.BatchNorm2d(outputs, momentum=0.2), nn.LeakyReLU(0.2), nn.Dropout(0.25)]
    judged += [nn.Flatten(), nn.LazyLinear(1), nn.Sigmoid()]
    discriminator = nn.Sequential(*judged)
    discriminator(torch.zeros(2, *shape))
    return nn.Sequential(*drawn), discriminator


def dcgan64(shape: tuple[int, ...]) -> tuple[nn.Module, nn.Module]:
    """The tutorial's own."""
    drawn: list[nn.Module] = [nn.Unflatten(1, (100, 1, 1)), nn.ConvTranspose2d(100, 512, 4, bias=False)]
    drawn += [nn.BatchNorm2d(512), nn.ReLU(True)]
    for inputs, outputs in ((512, 256), (256, 128), (128, 64)):
        drawn += [nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(True)]
    drawn += [nn.ConvTranspose2d(64, shape[0], 4, 2, 1, bias=False), nn.Tanh()]
    judged: list[nn.Module] = [nn.Conv2d(shape[0], 64, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True)]
    for inputs, outputs in ((64, 128), (128, 256), (256, 512)):
        judged += [nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False), nn.BatchNorm2d(outputs)]
        judged += [nn.LeakyReLU(0.2, inplace=True)]
    judged += [nn.Conv2d(512, 1, 4, bias=False), nn.Sigmoid()]
    return nn.Sequential(*drawn), nn.Sequential(*judged)


def relativistic(x: Tensor, batch: int) -> Work:
    """R3GAN's step: fresh reals in each turn, one gamma for both penalties."""
    generator, discriminator = Drawing(x.shape[1]), Judging(x.shape[1])
    optimizer_d = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.0, 0.9))
    optimizer_g = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.0, 0.9))

    def slope_of(logits: Tensor, at: Tensor) -> Tensor:
        (slope,) = torch.autograd.grad(logits.sum(), at, create_graph=True)
        return slope.square().sum((1, 2, 3)).mean()

    def drawn() -> Tensor:
        return x[torch.randint(len(x), (batch,))]

    def step() -> None:
        optimizer_d.zero_grad()
        real = drawn().requires_grad_()
        fake = generator(torch.randn(batch, 64)).detach().requires_grad_()
        real_logits, fake_logits = discriminator(real), discriminator(fake)
        penalty = slope_of(real_logits, real) + slope_of(fake_logits, fake)
        (softplus(fake_logits - real_logits).mean() + penalty).backward()
        optimizer_d.step()
        optimizer_g.zero_grad()
        fake_logits = discriminator(generator(torch.randn(batch, 64)))
        softplus(discriminator(drawn()) - fake_logits).mean().backward()
        optimizer_g.step()

    return Work(step, batch)


class Block(nn.Module):
    """R3GAN's residual block: 1x1, grouped 3x3, 1x1, twice as wide inside."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        wide = 2 * channels
        self.widen, self.narrow = nn.Conv2d(channels, wide, 1), nn.Conv2d(wide, channels, 1, bias=False)
        self.mix = nn.Conv2d(wide, wide, 3, padding=1, groups=wide // 16)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.narrow(leaky_relu(self.mix(leaky_relu(self.widen(x), 0.2)), 0.2))


class Drawing(nn.Module):
    """R3GAN's generator; it doubles by bilinear interpolation."""

    def __init__(self, colours: int) -> None:
        super().__init__()
        self.basis = nn.Parameter(torch.randn(R3GAN_WIDTHS[0], 4, 4))
        self.scales = nn.Linear(64, R3GAN_WIDTHS[0], bias=False)
        self.blocks = nn.ModuleList(Block(width) for width in R3GAN_WIDTHS)
        self.changes = nn.ModuleList(nn.Conv2d(*pair, 1, bias=False) for pair in itertools.pairwise(R3GAN_WIDTHS))
        self.last = nn.Conv2d(R3GAN_WIDTHS[-1], colours, 1, bias=False)

    def forward(self, noise: Tensor) -> Tensor:
        x = self.blocks[0](self.scales(noise)[:, :, None, None] * self.basis)
        for change, block in zip(self.changes, self.blocks[1:], strict=True):
            x = block(interpolate(change(x), scale_factor=2, mode="bilinear", align_corners=False))
        return self.last(x)


class Judging(nn.Module):
    """R3GAN's discriminator; it halves by means over 2x2."""

    def __init__(self, colours: int) -> None:
        super().__init__()
        widths = R3GAN_WIDTHS[::-1]
        self.first = nn.Conv2d(colours, widths[0], 1, bias=False)
        self.blocks = nn.ModuleList(Block(width) for width in widths)
        self.changes = nn.ModuleList(nn.Conv2d(*pair, 1, bias=False) for pair in itertools.pairwise(widths))
        self.last = nn.Conv2d(widths[-1], widths[-1], 4, groups=widths[-1], bias=False)
        self.logit = nn.Linear(widths[-1], 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks[0](self.first(x))
        for change, block in zip(self.changes, self.blocks[1:], strict=True):
            x = block(change(avg_pool2d(x, 2)))
        return self.logit(self.last(x).flatten(1)).squeeze(1)


if __name__ == "__main__":
    serve(build)
