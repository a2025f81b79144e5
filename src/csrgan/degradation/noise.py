"""The standard normal draws behind the noise."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from csrgan.degradation.parameters import Parameters, low_sizes


def standard_normal(
    shape: tuple[int, ...], parameters: Parameters, device: torch.device | str = "cpu", generator: torch.Generator | None = None
) -> Float[Tensor, "batch channel height width"]:
    """Draws for pictures of this shape (batch, channel, height, width), independent for every pixel and channel.

    Only the low-resolution corner of each picture is ever used. On a CPU, where a draw costs more than its use, nothing else
    is drawn; the rest is zero. Where no parameter asks for noise, all is zero.
    """
    _, channels, height, width = shape
    if torch.device(device).type != "cpu":
        return torch.randn(shape, device=device, generator=generator)
    found = torch.zeros(shape)
    sizes = zip(*(size.tolist() for size in low_sizes(height, width, parameters.scale)), strict=True)
    corners = [(k, *size) for k, (size, std) in enumerate(zip(sizes, parameters.noise_std.tolist(), strict=True)) if std > 0]
    drawn = torch.randn(sum(channels * h * w for _, h, w in corners), generator=generator)
    used = 0
    for k, h, w in corners:
        found[k, :, :h, :w] = drawn[used : used + channels * h * w].view(channels, h, w)
        used += channels * h * w
    return found
