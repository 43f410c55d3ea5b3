"""Maps of a waveform moved by a few places at random, so that a discriminator cannot tell fakes by their phase."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from ganwright.networks.parts.joint_draws import drawn


class PhaseShuffle(nn.Module):
    """(B, C, L) with every record moved by up to `radius` places, its end mirrored in (Donahue et al. 2019, section 3.3).

    There a shift is drawn for each record, in their code for each batch; here for each record. It is drawn from torch's own
    generator, which a turn seeds (`training.turn`), for the whole batch. A verdict outside training is one without shifts.
    """

    def __init__(self, radius: int) -> None:
        super().__init__()
        self.radius = radius

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        length = x.shape[2]
        padded = pad(x, (self.radius, self.radius), mode="reflect")
        most, device = 2 * self.radius + 1, x.device
        starts = drawn((len(x), 1), lambda shape, g: torch.randint(0, most, shape, generator=g, device=device))
        places = starts + torch.arange(length, device=x.device)
        return padded.gather(2, places[:, None, :].expand_as(x))
