"""Stress tests of the evaluation: changes that a restorer should tolerate."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from csrgan.errors import require


@dataclass(frozen=True)
class Stress:
    """Low contrast and pixels stuck at white.

    contrast: contrast of the sharp picture about mid-grey, H' = 1/2 + contrast (H - 1/2), in (0,1].
    hot_pixels: pixels of L at full scale, spread along its diagonal, the same in every run.
    """

    contrast: float
    hot_pixels: int

    def __post_init__(self) -> None:
        valid = 0 < self.contrast <= 1
        require(valid, f"evaluation.contrast={self.contrast:g} is not in (0,1]; 1 leaves the photographs as they are.")

    def examine_given(self) -> None:
        """Raise UserError for a stress test that changes H before it is degraded: given pairs are degraded already."""
        sentence = (
            f"evaluation.contrast={self.contrast:g} changes photographs before they are degraded, and pairs are degraded already"
        )
        require(self.contrast == 1, f"{sentence}: choose evaluation.contrast=1.")

    def on_sharp(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
        return image if self.contrast == 1 else 0.5 + self.contrast * (image - 0.5)

    def on_low(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
        height, width = image.shape[-2:]
        output = image.clone() if self.hot_pixels else image
        for index in range(1, self.hot_pixels + 1):
            fraction = index / (self.hot_pixels + 1)
            output[..., int(fraction * height), int(fraction * width)] = 1.0
        return output
