"""The degradation parameters theta, one frozen value from the prior to the report."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from jaxtyping import Float, Int
from torch import Tensor

NAMES = ("blur_std", "scale", "noise_std")


@dataclass(frozen=True)
class Parameters:
    """What was done to each picture of a batch.

    blur_std: standard deviation of the Gaussian, HR pixels, >= 0.
    scale: HR size / LR size as realised, >= 1.
    noise_std: standard deviation of the noise, fraction of full scale, >= 0.
    """

    blur_std: Float[Tensor, " batch"]
    scale: Float[Tensor, " batch"]
    noise_std: Float[Tensor, " batch"]

    def __len__(self) -> int:
        return len(self.blur_std)

    def __getitem__(self, which: slice | Tensor) -> Parameters:
        return Parameters(*(getattr(self, field.name)[which] for field in fields(self)))

    def to(self, device: torch.device | str) -> Parameters:
        return Parameters(*(getattr(self, field.name).to(device) for field in fields(self)))

    def stack(self) -> Float[Tensor, "batch 3"]:
        """The three parameters as columns, in the order of NAMES."""
        return torch.stack([self.blur_std, self.scale, self.noise_std], dim=1)

    @staticmethod
    def unstack(columns: Float[Tensor, "batch 3"]) -> Parameters:
        return Parameters(*columns.unbind(dim=1))

    @staticmethod
    def concatenate(parts: list[Parameters]) -> Parameters:
        return Parameters.unstack(torch.cat([part.stack() for part in parts]))

    def realised(self, height: int, width: int) -> Parameters:
        """The same parameters with the scale that a picture of this size really gets.

        An LR picture has a whole number of pixels, so the scale is quantised; where the two axes round differently, the
        geometric mean is the scale.
        """
        exact = self.scale.double()
        both = (height / low_size(height, exact)) * (width / low_size(width, exact))
        return Parameters(self.blur_std, both.sqrt().to(self.scale.dtype), self.noise_std)


def low_size(size: int, scale: Float[Tensor, " batch"]) -> Int[Tensor, " batch"]:
    """LR pixels along an axis of `size` HR pixels: round(size / scale), at least one."""
    return (size / scale.double()).round().clamp(min=1).long()
