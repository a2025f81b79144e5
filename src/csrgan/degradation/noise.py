"""Standard normal draws for the noise."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from csrgan.degradation.parameters import Parameters, low_sizes

NOISE: tuple[str, bool] = ("noise_std", True)  # the first draws of every degradation: what scales them, and that they are of L


def standard_normal(
    shape: tuple[int, ...],
    parameters: Parameters,
    device: torch.device | str = "cpu",
    seeds: Sequence[int] | None = None,
    more: Sequence[tuple[str, bool]] = (),
) -> Float[Tensor, "batch channels height width"]:
    """Draw noise of this shape (batch, channel, height, width), independent for every pixel and channel.

    seeds: one a picture, so that its noise does not depend on the rest of the batch; None: use torch's global generator.
    more: further draws, which follow as further channels: the number that scales them, and whether they are of L's own pixels.
    Of L's own, only the low-resolution corner of each picture is ever used. On a CPU, where drawing costs more than using, only
    what is used is drawn: the rest is zero, and so are the draws of a picture whose number is 0.
    """
    batch, channels, height, width = shape
    generators: list[torch.Generator | None] = [None] * batch
    if seeds is not None:
        generators = [torch.Generator(device).manual_seed(seed) for seed in seeds]
    draws = (NOISE, *more)
    if torch.device(device).type != "cpu":
        if seeds is None:
            return torch.cat([torch.randn(shape, device=device) for _ in draws], dim=1)
        whole = [[torch.randn(shape[1:], device=device, generator=generator) for _ in draws] for generator in generators]
        return torch.stack([torch.cat(fields) for fields in whole])
    noise = torch.zeros(batch, len(draws) * channels, height, width)
    sizes = list(zip(*(size.tolist() for size in low_sizes(height, width, parameters.scale)), strict=True))
    numbers = [parameters.number(name).tolist() for name, _ in draws]
    for k, generator in enumerate(generators):
        for field, (_, low) in enumerate(draws):
            if numbers[field][k] > 0:
                h, w = sizes[k] if low else (height, width)
                part = noise[k, field * channels : (field + 1) * channels, :h, :w]
                part[:] = torch.randn((channels, h, w), generator=generator)
    return noise
