"""The constants of a degradation protocol, and its blur and resampling along one axis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor

from csrgan import rules
from csrgan.degradation.factor import Factor
from csrgan.degradation.kernels import blur_matrix, gaussian_taps
from csrgan.degradation.parameters import Parameters, low_sizes, realised_scale
from csrgan.degradation.resample import KERNELS, Band, bicubic, decimation, resampled
from csrgan.errors import UserError, raise_faults, require

CHOICES = {"downsampling": (*KERNELS, "direct"), "output": ("upsampled", "native"), "backend": ("banded", "kornia")}


@dataclass(frozen=True)
class DegradationSpec:
    """The constants of a degradation.

    kernel_size: odd number of taps to cut the Gaussian off at; None: full support, radius ceil(4 std).
    downsampling: `bicubic`, `bilinear` or `area` (each antialiased as in Pillow), `matlab` (bicubic with mirrored borders, as
    MATLAB's imresize) or `direct` (every s-th pixel of a picture blurred about the LR pixels' centres).
    output: `upsampled` (L enlarged to the size of H by bicubic) or `native` (L of H/s pixels).
    backend: `banded` (matrices along each axis) or `kornia` (Kornia's blur and torch's bicubic, picture by picture).
    max_std, max_scale: upper bounds on the parameters; they save asking a device for the maximum.
    factors: further factors by name, applied in this order (see `Factor`).
    order: the names of all steps in the order in which they are applied: blur, scale, noise, upsample (the enlargement, if any, and
    the clipping), bits and each factor; None: as the factors' places say.
    """

    kernel_size: int | None = None
    downsampling: str = "bicubic"
    output: str = "upsampled"
    backend: str = "banded"
    max_std: float | None = None
    max_scale: float | None = None
    factors: tuple[tuple[str, Factor], ...] = ()
    order: tuple[str, ...] | None = None

    @property
    def units(self) -> dict[str, str]:
        """The unit of each number of a factor that has one, by the number's name."""
        numbers = [pair for key, factor in self.factors for pair in zip(factor.names(key), factor.ranges, strict=True)]
        return {name: drawn.unit for name, drawn in numbers if drawn.unit}

    @cached_property
    def steps(self) -> tuple[str, ...]:
        """The names of all steps, in their order."""
        if self.order is not None:
            return self.order
        at = {place: [key for key, factor in self.factors if factor.place == place] for place in ("sharp", "native", "low")}
        return (*at["sharp"], "blur", "scale", "noise", *at["native"], "upsample", *at["low"], "bits")

    @cached_property
    def draws(self) -> tuple[tuple[str, bool], ...]:
        """What scales the draws of each factor that needs some, and whether they are of L's own pixels; see `standard_normal`."""
        first, last = self.steps.index("scale"), self.steps.index("upsample")
        return tuple(
            (factor.names(key)[factor.noise_by], first < self.steps.index(key) < last)
            for key, factor in self.factors
            if factor.noise_by is not None
        )

    def split(self, noise: Tensor | None, channels: int) -> dict[str, Tensor]:
        """Return the draws of the noise, as `noise`, and of each factor that needs some, by its name; empty without noise."""
        if noise is None:
            return {}
        names = ("noise", *(key for key, factor in self.factors if factor.noise_by is not None))
        shape, needed = tuple(noise.shape), len(names) * channels
        fits = f"noise of shape {shape} does not fit: {', '.join(names)} need {channels} channels each, so {needed}."
        require(noise.shape[1] == needed, fits)
        return dict(zip(names, torch.split(noise, channels, dim=1), strict=True))

    def unbounded(self) -> DegradationSpec:
        """Return the same constants for parameters that may lie outside the protocol."""
        factors = tuple((key, factor.unbounded()) for key, factor in self.factors)
        return replace(self, max_std=None, max_scale=None, factors=factors)

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise UserError.unknown(f"degradation.{name}", str(getattr(self, name)), choices)
        raise_faults(rules.order(self.order, [key for key, _ in self.factors], self.downsampling))

    def bound(self, parameters: Parameters | None = None) -> float:
        """Return `max_scale` or, without one, the greatest scale of the parameters, read back from the device."""
        if self.max_scale is not None:
            return self.max_scale
        assert parameters is not None
        return float(parameters.scale.detach().max())

    def step(self, parameters: Parameters | None = None) -> int:
        """Return the HR pixels from one LR pixel to the next in direct down-sampling."""
        return round(self.bound(parameters))

    def shift(self, parameters: Parameters | None = None) -> float:
        """Return the distance from the blur's centre to the pixel it is written to, px. Direct down-sampling takes the first of
        each `step` pixels, so without this shift the picture would move."""
        return (self.step(parameters) - 1) / 2 if self.downsampling == "direct" else 0.0

    def blurs(self, parameters: Parameters) -> bool:
        """Return whether a Gaussian is applied along the axes; a kernel is applied before them."""
        return parameters.kernel is None and (self.max_std != 0 or self.shift(parameters) > 0)

    def taps(self, parameters: Parameters) -> Float[Tensor, "batch taps"]:
        """Return the taps of the Gaussian along an axis, or a single 1."""
        if not self.blurs(parameters):
            return parameters.blur_std.new_ones(len(parameters), 1)
        shift = self.shift(parameters)
        return gaussian_taps(parameters.blur_std, kernel_size=self.kernel_size, max_std=self.max_std, shift=shift)


FULL = DegradationSpec()  # full support, bicubic both ways


@dataclass(frozen=True)
class Axis:
    """An axis of `size` HR and at most `low` LR pixels: P = down x blur shrinks it, U enlarges it. Rows of P and columns of U
    beyond a picture's own low size are zero."""

    size: int
    low: int
    taps: Float[Tensor, "batch taps"]
    down: Band
    up: Band

    def blur(self, part: slice) -> Float[Tensor, "part size size"]:
        return blur_matrix(self.taps[part], self.size)

    def p(self, part: slice) -> Float[Tensor, "part low size"]:
        down = self.down.matrix(part, self.size)
        return down if self.taps.shape[1] == 1 else down @ self.blur(part)

    def part(self, pixels: slice) -> Axis:
        """Return the axis of some HR pixels, and of the LR pixels that they are enlarged from. As far from its ends as a blur
        reaches, it is that of the whole."""
        first, weight = self.up.first[:, pixels], self.up.weight[:, pixels]
        left, right = max(int(first.min()), 0), min(int(first.max()) + weight.shape[2], self.low)
        down = Band(self.down.first[:, left:right] - pixels.start, self.down.weight[:, left:right])
        return Axis(pixels.stop - pixels.start, right - left, self.taps, down, Band(first - left, weight))

    def u(self, part: slice) -> Float[Tensor, "part size low"]:
        return self.up.matrix(part, self.low)


# Changes some pictures (batch, channel, height, width) of L's own size, or all, each in the corner of a common size.
Between = Callable[[slice, Tensor], Tensor]
Sizes = tuple[Int[Tensor, " batch"], Int[Tensor, " batch"]]


def axes(
    spec: DegradationSpec, parameters: Parameters, height: int, width: int, sizes: Sizes | None, low: tuple[int, int], bound: float
) -> tuple[Axis, Axis]:
    """Return the vertical and the horizontal axis of pictures of height x width pixels.

    sizes: LR height and width of each picture, with `parameters.scale` a continuous pitch; None: both follow from the scale.
    low: LR rows and columns of the matrices. bound: upper bound on HR size / LR size along either axis.
    """
    few = sizes or low_sizes(height, width, parameters.scale)
    # 1 if the sizes follow from the scale; otherwise the gradient of the scale flows through it.
    pitch = 1.0 if sizes is None else parameters.scale.double() / realised_scale(height, width, *sizes)
    taps = spec.taps(parameters)

    def axis(size: int, few: Tensor, low: int) -> Axis:
        many = torch.full_like(few, size)
        scale = size / few.double() * pitch
        if spec.downsampling == "direct":
            down = decimation(few, spec.step(parameters), low, taps.dtype)
        else:
            down = resampled(spec.downsampling, many, few, scale, low, bound, taps.dtype)
        return Axis(size, low, taps, down, bicubic(few, many, 1 / scale, size, 1.0, taps.dtype))

    vertical = axis(height, few[0], low[0])
    return vertical, vertical if height == width else axis(width, few[1], low[1])
