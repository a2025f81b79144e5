"""Standard normal draws for the noise."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from csrgan.degradation.parameters import Parameters, low_sizes


def standard_normal(
    shape: tuple[int, ...], parameters: Parameters, device: torch.device | str = "cpu", seeds: Sequence[int] | None = None
) -> Float[Tensor, "batch channel height width"]:
    """Draw noise of this shape (batch, channel, height, width), independent for every pixel and channel.

    seeds: one a picture, so that its noise does not depend on the rest of the batch; None: use torch's global generator.
    Only the low-resolution corner of each picture is ever used. On a CPU, where drawing costs more than using, only the corner is
    drawn: the rest is zero, and so is a picture whose noise_std is 0.
    """
    batch, channels, height, width = shape
    generators: list[torch.Generator | None] = [None] * batch
    if seeds is not None:
        generators = [torch.Generator(device).manual_seed(seed) for seed in seeds]
    if torch.device(device).type != "cpu":
        if seeds is None:
            return torch.randn(shape, device=device)
        return torch.stack([torch.randn(shape[1:], device=device, generator=generator) for generator in generators])
    noise = torch.zeros(shape)
    sizes = zip(*(size.tolist() for size in low_sizes(height, width, parameters.scale)), strict=True)
    for k, ((h, w), std, generator) in enumerate(zip(sizes, parameters.noise_std.tolist(), generators, strict=True)):
        if std > 0:
            noise[k, :, :h, :w] = torch.randn((channels, h, w), generator=generator)
    return noise
