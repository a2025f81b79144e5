"""Priors of blur kernels other than the isotropic Gaussian."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from functools import cached_property
from typing import Annotated

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from csrgan import rules
from csrgan.arguments import Recorded
from csrgan.degradation import kernel_files
from csrgan.degradation.kernels import SUPPORT, gaussian_taps, moments
from csrgan.errors import raise_faults, require
from csrgan.ranges import Share

MOST = 2 * 10**9  # taps of all kernels drawn at once, at most
Bounds = tuple[float, float]
Variances = NDArray[np.float64]
Drawn = tuple[Float[Tensor, "batch k k"], Float[Tensor, " batch"]]


class KernelPrior(Recorded, ABC):
    """Draws a kernel for each standard deviation of a first axis."""

    has_axes = False  # whether each axis has a width of its own, which cannot be 0; read without an import (see `csrgan.rules`)

    @abstractmethod
    def draw(
        self, generator: np.random.Generator, std: Float[Tensor, " batch"], *, bounds: Bounds, size: int | None, shift: float
    ) -> Drawn:
        """Draw kernels of size x size taps; return them and the `blur_std` of each before truncation and noise: the root of the
        mean variance over the two axes, px.

        std: of the first axis, px. bounds: its least and greatest possible value, px. size: None means full support.
        shift: of the kernel's centre from the middle tap along both axes, px.
        """

    def tested(self, size: int | None) -> Drawn | None:
        """Return the kernels that an evaluation tests, with the `blur_std` of each; None: it draws one a level of the blur."""
        return None


class Anisotropic(KernelPrior):
    """Rotated Gaussian: variances v1 and v2 along two axes, the first at an angle of U[0,180) degrees.

    ordered: draw v2 from U[low, v1] (SRMD, section 3.1); false: from the same range as v1 (KernelGAN, section 5.1).
    noise: multiply each tap by 1 + U[-noise, noise] and normalise the kernel again (KernelGAN's benchmark).
    stages: 2 makes the kernel of two down-samplings by 2, k * (k dilated twice); v1 and v2 are of the combined kernel.
    """

    has_axes = True

    def __init__(self, *, ordered: bool, noise: Annotated[float, "[0,1)"], stages: Annotated[int, "[1,2]"]) -> None:
        self.ordered, self.noise, self.stages = ordered, noise, stages

    def draw(
        self, generator: np.random.Generator, std: Float[Tensor, " batch"], *, bounds: Bounds, size: int | None, shift: float
    ) -> Drawn:
        raise_faults(rules.positive_width(self.has_axes, bounds[0]))
        first = std.double().numpy() ** 2
        lowest, highest = (bound**2 for bound in bounds)
        share, angle = generator.random((2, len(first)))
        second = self._second(first, share, lowest, highest)
        if size is None:
            size = 2 * math.ceil(SUPPORT * bounds[1] + abs(shift)) + 1
        require(
            len(first) * size**2 <= MOST,
            f"{len(first)} kernels of {size}x{size} taps take too much memory: lower degradation.blur.high.",
        )
        stage = size if self.stages == 1 else 2 * ((size - 1) // 6) + 1  # taps of k; k * (k dilated) has 3 k - 2
        parts = 1 if self.stages == 1 else 5  # k has variance 1, and k on a grid twice as wide 4
        kernels = rotated_gaussian(first / parts, second / parts, math.pi * angle, stage, shift / (2 * self.stages - 1))
        if self.noise:
            kernels *= 1 + self.noise * generator.uniform(-1, 1, kernels.shape)
        drawn = torch.from_numpy(kernels / kernels.sum(axis=(1, 2), keepdims=True))
        if self.stages == 2:
            drawn = twice(drawn)
            drawn = functional.pad(drawn, ((size - drawn.shape[-1]) // 2,) * 4)
        return drawn.to(std.dtype), torch.from_numpy(((first + second) / 2) ** 0.5).to(std.dtype)

    def _second(self, first: Variances, share: Variances, lowest: float, highest: float) -> Variances:
        """Return the second variances. share: uniform in [0,1). lowest, highest: the range of the first ones."""
        result: Variances = lowest + share * ((first if self.ordered else highest) - lowest)
        return result


class Mixed(Anisotropic):
    """A round Gaussian, or one with two standard deviations drawn from the same range along axes at an angle of U[0,180) degrees.

    isotropic: share of the pictures whose kernel is round.
    """

    def __init__(self, *, isotropic: Share) -> None:
        super().__init__(ordered=False, noise=0.0, stages=1)
        self.isotropic = isotropic

    def _second(self, first: Variances, share: Variances, lowest: float, highest: float) -> Variances:
        within = (share - self.isotropic).clip(0) / max(1 - self.isotropic, 1e-9)
        std = math.sqrt(lowest) + within * (math.sqrt(highest) - math.sqrt(lowest))
        return np.where(share < self.isotropic, first, std**2)


class FreeForm(KernelPrior):
    """Draws one of the kernels in a file, each equally likely; degradation.blur then only sets the network units of blur_std.

    file: a .npy or .mat file of kernels of k x k taps >= 0, k odd, or a folder of such files, see `kernel_files`. Each kernel is
    normalised to sum 1. each: whether an evaluation tests every kernel, in place of levels of the blur with a drawn one each.
    """

    def __init__(self, *, file: str | None, each: bool = False) -> None:
        self.file, self.each = file, each

    @cached_property
    def kernels(self) -> Float[Tensor, "count k k"]:
        """Read the file at the first draw, so that a trained network does not need it."""
        return torch.from_numpy(kernel_files.read(self.file))

    def draw(
        self, generator: np.random.Generator, std: Float[Tensor, " batch"], *, bounds: Bounds, size: int | None, shift: float
    ) -> Drawn:
        return self._cut(self.kernels[torch.from_numpy(generator.integers(len(self.kernels), size=len(std)))], size, std.dtype)

    def tested(self, size: int | None) -> Drawn | None:
        return self._cut(self.kernels, size, torch.float32) if self.each else None

    @staticmethod
    def _cut(kernels: Float[Tensor, "batch k k"], size: int | None, dtype: torch.dtype) -> Drawn:
        edge = 0 if size is None else (size - kernels.shape[-1]) // 2
        kernels = functional.pad(kernels, (edge,) * 4)
        kernels = kernels / kernels.sum(dim=(1, 2), keepdim=True)
        return kernels.to(dtype), rms_std(kernels).to(dtype)


def rotated_gaussian(
    first: NDArray[np.float64], second: NDArray[np.float64], angle: NDArray[np.float64], size: int, shift: float = 0.0
) -> NDArray[np.float64]:
    """Return exp(-d^T C^-1 d / 2) at the centres of size x size pixels, d from the middle moved by `shift` px; not normalised.

    first, second: variances along the axes, px^2, shape (batch,). angle: of the first axis, from x towards y, radians.
    """
    distance = np.arange(size) - size // 2 - shift
    y, x = distance[:, None], distance[None, :]
    cosine, sine, first, second = (each[:, None, None] for each in (np.cos(angle), np.sin(angle), first, second))
    along, across = cosine * x + sine * y, cosine * y - sine * x
    result: NDArray[np.float64] = np.exp(-0.5 * (along**2 / first + across**2 / second))
    return result


def isotropic(std: Float[Tensor, " batch"], size: int, shift: float = 0.0) -> Float[Tensor, "batch size size"]:
    """Return Gaussian kernels, cut off at size x size taps."""
    taps = gaussian_taps(std, kernel_size=size, shift=shift)
    return taps[:, :, None] * taps[:, None]


def twice(kernels: Float[Tensor, "batch k k"]) -> Float[Tensor, "batch k2 k2"]:
    """Return the kernel of two stages of blurring and taking every second pixel: k * (k dilated twice), 3 k - 2 taps a side."""
    count, size, _ = kernels.shape
    wide = kernels.new_zeros(count, 2 * size - 1, 2 * size - 1)
    wide[:, ::2, ::2] = kernels
    padded = functional.pad(wide, (size - 1,) * 4)[None]
    return functional.conv2d(padded, kernels.flip(1, 2)[:, None], groups=count)[0]  # conv2d correlates, hence the flip


def rms_std(kernels: Float[Tensor, "batch k k"]) -> Float[Tensor, " batch"]:
    """Return the root of the mean variance over the two axes, px; for an isotropic kernel, its standard deviation."""
    stds = moments(kernels)
    return ((stds["std_major"] ** 2 + stds["std_minor"] ** 2) / 2).sqrt()
