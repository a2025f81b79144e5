"""The degradation out of Kornia's blur and torch's bicubic, picture by picture: slower, but independent of csrgan's own code."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from kornia.filters import filter2d, filter2d_separable, gaussian_blur2d
from torch import Tensor
from torch.nn.functional import interpolate

from csrgan.degradation.kernels import IDENTITY_STD, SUPPORT, gaussian_taps, mirrored
from csrgan.degradation.parameters import Parameters, low_sizes
from csrgan.degradation.spec import Between, DegradationSpec


def compose(
    sharp: Float[Tensor, "batch channel height width"],
    parameters: Parameters,
    noise: Tensor | None,
    spec: DegradationSpec,
    between: Between | None = None,
) -> Float[Tensor, "batch channel height2 width2"]:
    """Blur, down-sample, add noise and up-sample. Kornia needs borders narrower than the picture, so it gets padded pictures."""
    height, width = sharp.shape[-2:]
    heights, widths = (size.tolist() for size in low_sizes(height, width, parameters.scale))
    degraded = []
    for k, low_size in enumerate(zip(heights, widths, strict=True)):
        low = _blurred(sharp[k : k + 1], parameters[k : k + 1], spec)
        if spec.downsampling == "direct":
            step = spec.step(parameters)
            low = low[..., ::step, ::step][..., : low_size[0], : low_size[1]]
        elif spec.downsampling == "area":
            low = _box_means(_box_means(low, low_size[1]).mT, low_size[0]).mT
        elif spec.downsampling == "matlab":
            low = _between_mirrors(_between_mirrors(low, low_size[1]).mT, low_size[0]).mT
        else:
            low = interpolate(low, size=low_size, mode=spec.downsampling, antialias=True)
        if noise is not None:
            low = low + parameters.noise_std[k] * noise[k : k + 1, :, : low_size[0], : low_size[1]]
        if between is not None:
            low = between(slice(k, k + 1), low)
        if spec.output == "upsampled":
            low = interpolate(low, size=(height, width), mode="bicubic", antialias=True)
        degraded.append(low)
    return torch.cat(degraded)


def _box_means(image: Tensor, few: int) -> Tensor:
    """Shrink the width to `few` pixels, each the mean of the pixels whose centres lie in it, as in Pillow's arithmetic."""
    scale = image.shape[-1] / few
    means = []
    for middle in ((k + 0.5) * scale for k in range(few)):
        positions = range(int(middle - 0.5 * scale + 0.5), int(middle + 0.5 * scale + 0.5))
        own = [x for x in positions if -0.5 < (x - middle + 0.5) * (1 / scale) <= 0.5]
        means.append(image[..., own].mean(dim=-1))
    return torch.stack(means, dim=-1)


def _between_mirrors(image: Tensor, few: int) -> Tensor:
    """Shrink the width to `few` pixels bicubically, between mirrors that repeat the edge pixel."""
    wide = torch.cat([image.flip(-1), image, image.flip(-1)], dim=-1)
    return interpolate(wide, size=(image.shape[-2], 3 * few), mode="bicubic", antialias=True)[..., few : 2 * few]


def _blurred(sharp: Tensor, parameters: Parameters, spec: DegradationSpec) -> Tensor:
    """Blur one picture by its kernel or its Gaussian."""
    if parameters.kernel is not None:
        return filter2d(mirrored(sharp, parameters.kernel.shape[-1] // 2), parameters.kernel.to(sharp), padding="valid")
    std, shift = float(parameters.blur_std.detach()), spec.shift(parameters)
    if std < IDENTITY_STD and not shift:
        return sharp
    if shift:
        taps = gaussian_taps(parameters.blur_std, kernel_size=spec.kernel_size, shift=shift)
        return filter2d_separable(mirrored(sharp, taps.shape[1] // 2), taps, taps, padding="valid")
    size = spec.kernel_size or 2 * math.ceil(SUPPORT * std) + 1
    reach = size // 2
    blurred = gaussian_blur2d(mirrored(sharp, reach), size, parameters.blur_std[:, None].expand(-1, 2), border_type="constant")
    return blurred[..., reach : reach + sharp.shape[2], reach : reach + sharp.shape[3]]
