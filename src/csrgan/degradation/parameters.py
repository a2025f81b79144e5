"""The degradation parameters theta: one immutable type from the prior to the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

NAMES = ("blur_std", "scale", "noise_std")  # the parameters that every degradation has


@dataclass(frozen=True)
class Parameters:
    """The degradation of each picture of a batch.

    blur_std: standard deviation of the Gaussian, HR pixels, >= 0; for another kernel, the root of the mean variance over its axes.
    scale: HR size / LR size as realised, >= 1.
    noise_std: standard deviation of the noise, fraction of full scale, >= 0.
    kernel: the kernel applied instead of the isotropic Gaussian; None: the isotropic Gaussian.
    more: the numbers of further factors by name (see `Factor`), also available as `parameters.NAME`.

    nan stands for what is unknown about a picture that was given with its L.
    """

    blur_std: Float[Tensor, " batch"]
    scale: Float[Tensor, " batch"]
    noise_std: Float[Tensor, " batch"]
    kernel: Float[Tensor, "batch k k"] | None = None
    more: Mapping[str, Float[Tensor, " batch"]] = field(default_factory=dict, kw_only=True)

    @classmethod
    def of(cls, named: Mapping[str, Tensor]) -> Parameters:
        """Build parameters from tensors by name, as `present` returns them."""
        own = {name: value for name, value in named.items() if name in (*NAMES, "kernel")}
        return cls(**own, more={name: value for name, value in named.items() if name not in own})

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all parameters that are one number a picture."""
        return (*NAMES, *self.more)

    def number(self, name: str) -> Float[Tensor, " batch"]:
        """Return the parameter of this name, one number a picture."""
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
        """Return the tensors by name, without a kernel that is None."""
        own = {name: getattr(self, name) for name in (*NAMES, "kernel")}
        return {name: value for name, value in (own | dict(self.more)).items() if value is not None}

    def knows(self, *names: str) -> bool:
        """Return whether these parameters are known for every picture, `kernel` among them; without names, whether all are."""
        present = self.present()
        return all(bool(present[name].isfinite().all()) for name in names or present if name in present)

    def to(self, where: torch.device | str | Tensor) -> Parameters:
        """Return the parameters on a device, or on the device and in the precision of a tensor."""
        return Parameters.of({name: value.to(where) for name, value in self.present().items()})

    def stack(self) -> Float[Tensor, "batch p"]:
        """Return all numbers as columns, in the order of `names`."""
        return torch.stack([self.number(name) for name in self.names], dim=1)

    @staticmethod
    def unstack(columns: Float[Tensor, "batch 3"]) -> Parameters:
        blur_std, scale, noise_std = columns.unbind(dim=1)
        return Parameters(blur_std, scale, noise_std)

    @staticmethod
    def concatenate(parts: list[Parameters]) -> Parameters:
        return Parameters.of({name: torch.cat([part.present()[name] for part in parts]) for name in parts[0].present()})

    def realised(self, height: int, width: int) -> Parameters:
        """Return the parameters with the scale that a picture of this size really gets.

        An LR picture has a whole number of pixels, so the scale is quantised; if the two axes round differently, the scale is their
        geometric mean.
        """
        return replace(self, scale=realised_scale(height, width, *low_sizes(height, width, self.scale)).to(self.scale.dtype))


def low_size(size: int, scale: Float[Tensor, " batch"]) -> Int[Tensor, " batch"]:
    """Return the LR pixels along an axis of `size` HR pixels: round(size / scale), at least one."""
    return (size / scale.detach().double()).round().clamp(min=1).long()


def low_sizes(height: int, width: int, scale: Float[Tensor, " batch"]) -> tuple[Int[Tensor, " batch"], Int[Tensor, " batch"]]:
    """Return the LR height and width of each picture."""
    return low_size(height, scale), low_size(width, scale)


def realised_scale(
    height: int, width: int, low_height: Int[Tensor, " batch"], low_width: Int[Tensor, " batch"]
) -> Float[Tensor, " batch"]:
    """Return the geometric mean of the two axes' HR size / LR size, in float64."""
    return ((height / low_height.double()) * (width / low_width.double())).sqrt()
