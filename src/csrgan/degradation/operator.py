"""The degradation L = U (P H P^T + n) U^T with P = Down_s Gauss_sigma and U = Up_s, each picture with its own theta.

Every step is separable, so each axis is one small matrix; matrices of a batch are zero-padded to a common size.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from csrgan.degradation.kernels import blur_matrix, gaussian_taps
from csrgan.degradation.parameters import Parameters, low_size
from csrgan.degradation.resample import resample_matrix


def degrade(
    sharp: Float[Tensor, "batch channel height width"],
    parameters: Parameters,
    *,
    noise: Float[Tensor, "batch channel height width"] | None = None,
    kernel_size: int | None = None,
    bits: int | None = None,
    max_std: float | None = None,
) -> Float[Tensor, "batch channel height width"]:
    """Blurred, down-sampled, noisy and bicubically up-sampled pictures of the same size, clipped to [0,1].

    noise: standard normal draws; the low-resolution corner of each picture is used. None leaves the noise out.
    kernel_size: odd number of taps at which the Gaussian is truncated; None means full support.
    bits: round the result to this many bits; None leaves it unrounded.
    max_std: a bound on blur_std, see `gaussian_taps`.
    """
    with torch.autocast(sharp.device.type, enabled=False):  # half precision would ruin the filters
        taps = gaussian_taps(parameters.blur_std, kernel_size=kernel_size, max_std=max_std)
        down_h, up_h = _axis(taps, parameters.scale, sharp.shape[2])
        down_w, up_w = _axis(taps, parameters.scale, sharp.shape[3])
        low = down_h[:, None] @ sharp @ down_w[:, None].mT
        if noise is not None:
            low = low + parameters.noise_std[:, None, None, None] * noise
        low = (up_h[:, None] @ low @ up_w[:, None].mT).clamp(0, 1)
    return low if bits is None else (low * (2**bits - 1)).round() / (2**bits - 1)


def _axis(
    taps: Float[Tensor, "batch taps"], scale: Float[Tensor, " batch"], size: int
) -> tuple[Float[Tensor, "batch low size"], Float[Tensor, "batch size low"]]:
    """P = Down Gauss and U = Up along one axis; rows of P and columns of U beyond a picture's low size are zero."""
    few = low_size(size, scale)
    many = few.new_full(few.shape, size)
    low = size  # scale >= 1, so no picture needs more; asking a device for the largest would stall it
    down = resample_matrix(many, few, size, low, taps.dtype)
    up = resample_matrix(few, many, low, size, taps.dtype)
    return down @ blur_matrix(taps, size), up
