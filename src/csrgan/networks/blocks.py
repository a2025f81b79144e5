"""Building blocks shared by the networks."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class ResidualBlock(nn.Module):
    """x + conv(act(conv(x))), without normalisation (EDSR, Lim et al. 2017, fig. 2c)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.LeakyReLU(0.1),
            nn.Conv2d(channels, channels, 3, padding=1),
        )

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return x + self.body(x)


class DoubleConvolution(nn.Sequential):
    """Twice: convolution 3x3, batch norm, ReLU (U-Net, Ronneberger et al. 2015, fig. 1, with batch norm)."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        layers: list[nn.Module] = []
        for first in (channels_in, channels_out):
            layers += [nn.Conv2d(first, channels_out, 3, padding=1), nn.BatchNorm2d(channels_out), nn.ReLU()]
        super().__init__(*layers)


class PooledStatistics(nn.Module):
    """Mean and log standard deviation of each channel over the picture; the latter measures noise and lost detail."""

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b twice"]:
        mean = x.mean(dim=(2, 3))
        variance = (x - mean[:, :, None, None]).square().mean(dim=(2, 3))
        return torch.cat([mean, 0.5 * torch.log(variance + 1e-6)], dim=1)


class Standardised(nn.Module):
    """Each feature less its mean and over its standard deviation, as they are known from what was learned from so far: the mean
    over the first batches, then a moving one of `memory` batches. In training as in evaluation, unlike a batch norm's."""

    mean: Tensor
    variance: Tensor
    batches: Tensor

    def __init__(self, features: int, memory: int = 1000) -> None:
        super().__init__()
        self.memory = memory
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("variance", torch.ones(features))
        self.register_buffer("batches", torch.zeros(()))

    def forward(self, x: Float[Tensor, "b c"]) -> Float[Tensor, "b c"]:
        if self.training and torch.is_grad_enabled():
            with torch.no_grad():
                self.batches += 1
                share = 1 / self.batches.clamp(max=self.memory)
                self.mean.lerp_(x.mean(dim=0), share)
                self.variance.lerp_((x - self.mean).square().mean(dim=0), share)
        return (x - self.mean) * torch.rsqrt(self.variance + 1e-4)


class Modulation(nn.Module):
    """FiLM: scale and shift each channel by what is known of the whole picture (Perez et al. 2018, eq. 2); first the identity."""

    def __init__(self, context: int, channels: int, hidden: int) -> None:
        super().__init__()
        last = nn.Linear(hidden, 2 * channels)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.read = nn.Sequential(nn.Linear(context, hidden), nn.LeakyReLU(0.1), last)

    def forward(self, x: Float[Tensor, "b c h w"], context: Float[Tensor, "b k"]) -> Float[Tensor, "b c h w"]:
        scale, shift = self.read(context)[:, :, None, None].chunk(2, dim=1)
        return x * (1 + scale) + shift


def pad_to_multiple(x: Float[Tensor, "b c h w"], multiple: int) -> Float[Tensor, "b c h2 w2"]:
    """Repeat the right and lower edge until both sides are multiples; legal for any size, one pixel included."""
    right, below = -x.shape[-1] % multiple, -x.shape[-2] % multiple
    if not (right or below):  # a compiled padding by nothing fails in its backward pass (torch 2.13, channels last)
        return x
    return functional.pad(x, (0, right, 0, below), mode="replicate")
