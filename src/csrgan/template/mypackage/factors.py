"""A factor of the degradation: what happens to a picture by a number that is drawn for each."""

from __future__ import annotations

from torch import Tensor

from csrgan.degradation.factor import Factor


class Gamma(Factor):
    """A tone curve: each picture to the power of its number."""

    unit = ""  # of the number
    place = "low"  # at the very end; "sharp": before the blur

    def change(self, images: Tensor, number: Tensor) -> Tensor:
        """images: (b, c, h, w) in [0,1]. number: (b,)."""
        return images.clamp(min=1e-4) ** number[:, None, None, None]
