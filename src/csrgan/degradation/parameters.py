"""The degradation parameters theta, one frozen value from the prior to the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

NAMES = ("blur_std", "scale", "noise_std")  # of every degradation


@dataclass(frozen=True)
class Parameters:
    """What was done to each picture of a batch.

    blur_std: standard deviation of the Gaussian, HR pixels, >= 0; of another kernel the root of the mean variance over its axes.
    scale: HR size / LR size as realised, >= 1.
    noise_std: standard deviation of the noise, fraction of full scale, >= 0.
    kernel: the kernel that was applied in place of the isotropic Gaussian; None: that Gaussian.
    more: the numbers of further factors, by their names (see `Factor`), also as `parameters.NAME`.
    """

    blur_std: Float[Tensor, " batch"]
    scale: Float[Tensor, " batch"]
    noise_std: Float[Tensor, " batch"]
    kernel: Float[Tensor, "batch k k"] | None = None
    more: Mapping[str, Float[Tensor, " batch"]] = field(default_factory=dict, kw_only=True)

    @classmethod
    def of(cls, named: Mapping[str, Tensor]) -> Parameters:
        """From tensors by name, as `present` gives them."""
        own = {name: value for name, value in named.items() if name in (*NAMES, "kernel")}
        return cls(**own, more={name: value for name, value in named.items() if name not in own})

    @property
    def names(self) -> tuple[str, ...]:
        """Of all numbers."""
        return (*NAMES, *self.more)

    def number(self, name: str) -> Float[Tensor, " batch"]:
        """The number of this name, one a picture."""
        result: Tensor = self.more[name] if name in self.more else getattr(self, name)
        return result

    def __getattr__(self, name: str) -> Tensor:
        if name in self.__dict__.get("more", ()):
            return self.more[name]
        raise AttributeError(f"there is no parameter {name}: they are {', '.join(self.__dict__)}")

    def __len__(self) -> int:
        return len(self.blur_std)

    def __getitem__(self, which: slice | Tensor) -> Parameters:
        return Parameters.of({name: value[which] for name, value in self.present().items()})

    def present(self) -> dict[str, Tensor]:
        """The tensors by name; a kernel only where there is one."""
        own = {name: getattr(self, name) for name in (*NAMES, "kernel")}
        return {name: value for name, value in (own | dict(self.more)).items() if value is not None}

    def to(self, where: torch.device | str | Tensor) -> Parameters:
        """On that device, or on the device and in the precision of that tensor."""
        return Parameters.of({name: value.to(where) for name, value in self.present().items()})

    def stack(self) -> Float[Tensor, "batch p"]:
        """All numbers as columns, in the order of `names`."""
        return torch.stack([self.number(name) for name in self.names], dim=1)

    @staticmethod
    def unstack(columns: Float[Tensor, "batch 3"]) -> Parameters:
        blur_std, scale, noise_std = columns.unbind(dim=1)
        return Parameters(blur_std, scale, noise_std)

    @staticmethod
    def concatenate(parts: list[Parameters]) -> Parameters:
        return Parameters.of({name: torch.cat([part.present()[name] for part in parts]) for name in parts[0].present()})

    def realised(self, height: int, width: int) -> Parameters:
        """The same parameters with the scale that a picture of this size really gets.

        An LR picture has a whole number of pixels, so the scale is quantised; where the two axes round differently, the
        geometric mean is the scale.
        """
        return replace(self, scale=realised_scale(height, width, *low_sizes(height, width, self.scale)).to(self.scale.dtype))


def low_size(size: int, scale: Float[Tensor, " batch"]) -> Int[Tensor, " batch"]:
    """LR pixels along an axis of `size` HR pixels: round(size / scale), at least one."""
    return (size / scale.detach().double()).round().clamp(min=1).long()


def low_sizes(height: int, width: int, scale: Float[Tensor, " batch"]) -> tuple[Int[Tensor, " batch"], Int[Tensor, " batch"]]:
    """LR height and width of each picture."""
    return low_size(height, scale), low_size(width, scale)


def realised_scale(
    height: int, width: int, low_height: Int[Tensor, " batch"], low_width: Int[Tensor, " batch"]
) -> Float[Tensor, " batch"]:
    """Geometric mean of the two axes' HR size / LR size, in float64."""
    return ((height / low_height.double()) * (width / low_width.double())).sqrt()
