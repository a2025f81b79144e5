"""Sharpening of L as cameras and editors do it, with the halos that it leaves along edges."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from csrgan.degradation.factor import Factor
from csrgan.degradation.kernels import gaussian_taps, mirrored
from csrgan.ranges import NotNegative, Positive, Share


class Sharpening(Factor):
    """Unsharp masking without a threshold: L + amount (L - Gaussian blur of L), with mirror borders. The number is the amount; 0
    changes nothing.

    low, high: of the amount, drawn uniformly. absent: share of the pictures that are not sharpened. std: of the blur, px.

    >>> import torch
    >>> from csrgan.degradation.factors.sharpening import Sharpening
    >>> edge = torch.tensor([0.25, 0.75]).repeat_interleave(8).expand(1, 3, 16, 16)
    >>> sharpened = Sharpening(low=0, high=1, std=1.0).change(edge, torch.tensor([1.0]))
    >>> round(float(sharpened.max()), 3)
    0.9
    """

    possible = (0.0, math.inf)
    neutral = 0.0

    def __init__(self, *, low: NotNegative, high: NotNegative, absent: Share = 0.0, std: Positive = 1.0) -> None:
        super().__init__(low=low, high=high, absent=absent)
        self.std = std

    def change(self, images: Float[Tensor, "b c h w"], number: Float[Tensor, " b"]) -> Float[Tensor, "b c h w"]:
        taps = gaussian_taps(torch.tensor([self.std]), max_std=self.std)[0].tolist()
        blurred = mirrored(images, len(taps) // 2)
        for axis in (2, 3):  # one kernel for all pictures: adding up shifted pictures is faster than a convolution
            size = images.shape[axis]
            parts = [blurred.narrow(axis, shift, size) for shift in range(len(taps))]
            blurred = taps[0] * parts[0]
            for part, weight in zip(parts[1:], taps[1:], strict=True):
                blurred = blurred.add_(part, alpha=weight)
        return images + number[:, None, None, None] * (images - blurred)
