"""A factor of the degradation: changes each picture by a number drawn for it."""

from __future__ import annotations

from torch import Tensor

from csrgan.degradation.factor import Factor


class Gamma(Factor):
    """A tone curve: raise each picture to the power of its number."""

    unit = ""  # unit of the number
    place = "low"  # applied to L, after everything else; "sharp": to H, before the blur; "native": to L before it is enlarged

    def change(self, images: Tensor, number: Tensor) -> Tensor:
        """Return the changed images. images: (b, c, h, w) in [0,1]. number: (b,)."""
        return images.clamp(min=1e-4) ** number[:, None, None, None]
