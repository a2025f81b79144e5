"""Kernels beyond the isotropic Gaussian: how their shape is drawn, and what they look like."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from functools import cached_property
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from csrgan import rules
from csrgan.arguments import Recorded
from csrgan.degradation.kernels import SUPPORT, gaussian_taps, moments
from csrgan.errors import UserError, raise_faults, require

MOST = 2 * 10**9  # taps of all kernels that are drawn at once
Bounds = tuple[float, float]
Drawn = tuple[Float[Tensor, "batch k k"], Float[Tensor, " batch"]]


class KernelPrior(Recorded, ABC):
    """Draws a kernel for each standard deviation of a first axis."""

    has_axes = False  # whether a width is drawn for each axis, which cannot be 0; read without an import (see `csrgan.rules`)

    @abstractmethod
    def draw(
        self, generator: np.random.Generator, std: Float[Tensor, " batch"], *, bounds: Bounds, size: int | None, shift: float
    ) -> Drawn:
        """Kernels of size x size taps, and of each its `blur_std` before truncation and noise: the root of the mean variance
        over the two axes, px.

        std: of the first axis. bounds: the least and the greatest that it can be, px. size: None means full support.
        shift: of the kernel's centre from the middle tap along both axes, px.
        """


class Anisotropic(KernelPrior):
    """Rotated Gaussian: variances v1 and v2 along two axes, the first at an angle of U[0,180) degrees.

    ordered: v2 is drawn from U[low, v1] (SRMD, section 3.1); otherwise from the same range as v1 (KernelGAN, section 5.1).
    noise: each tap is multiplied by 1 + U[-noise, noise], and the kernel normalised again (KernelGAN's benchmark).
    stages: 2 makes the kernel of two down-samplings by 2, k * (k dilated twice); the variances are those of the whole.
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
        second = lowest + share * ((first if self.ordered else highest) - lowest)
        if size is None:
            size = 2 * math.ceil(SUPPORT * bounds[1] + abs(shift)) + 1
        require(
            len(first) * size**2 <= MOST,
            f"{len(first)} kernels of {size}x{size} taps take too much memory: lower degradation.blur.high.",
        )
        stage = size if self.stages == 1 else 2 * ((size - 1) // 6) + 1  # taps of k: of k * (k dilated) they are 3 k - 2
        parts = 1 if self.stages == 1 else 5  # the variances of k and of k on a grid twice as wide add to 1 + 4 of them
        kernels = rotated_gaussian(first / parts, second / parts, math.pi * angle, stage, shift / (2 * self.stages - 1))
        if self.noise:
            kernels *= 1 + self.noise * generator.uniform(-1, 1, kernels.shape)
        found = torch.from_numpy(kernels / kernels.sum(axis=(1, 2), keepdims=True))
        if self.stages == 2:
            found = twice(found)
            found = functional.pad(found, ((size - found.shape[-1]) // 2,) * 4)
        return found.to(std.dtype), torch.from_numpy(((first + second) / 2) ** 0.5).to(std.dtype)


class FreeForm(KernelPrior):
    """One of the kernels in a file, each as likely as the others; degradation.blur then only gives the units of the label.

    file: a .npy array (count, k, k) of taps >= 0, k odd. They are normalised to sum 1.
    """

    def __init__(self, *, file: str) -> None:
        self.file = file

    @cached_property
    def kernels(self) -> Float[Tensor, "count k k"]:
        """Read when first drawn from, so that a trained network does not need the file."""
        place = f"degradation.kernel.file={self.file}"
        require(Path(self.file).is_file(), f"{place} is not a file.")
        try:
            kernels = np.load(self.file, allow_pickle=False)
        except Exception as reason:
            raise UserError(f"{place} is no .npy array that can be read ({type(reason).__name__}).") from reason
        shape: tuple[int, ...] = getattr(kernels, "shape", ())
        square = len(shape) == 3 and shape[0] > 0 and shape[1] == shape[2] and shape[1] % 2 == 1
        require(square, f"{place} holds an array of shape {shape}; (count, k, k) with an odd k is needed.")
        require(kernels.dtype.kind in "fiub", f"{place} holds no numbers.")
        mass = kernels.astype(np.float64).sum(axis=(1, 2), keepdims=True)
        good = np.isfinite(kernels).all() and (kernels >= 0).all() and (mass > 0).all()
        require(bool(good), f"{place} holds a tap that is negative or not finite, or a kernel of zeros.")
        return torch.from_numpy(kernels / mass)

    def draw(
        self, generator: np.random.Generator, std: Float[Tensor, " batch"], *, bounds: Bounds, size: int | None, shift: float
    ) -> Drawn:
        found = self.kernels[torch.from_numpy(generator.integers(len(self.kernels), size=len(std)))]
        edge = 0 if size is None else (size - found.shape[-1]) // 2
        found = functional.pad(found, (edge,) * 4)
        found = found / found.sum(dim=(1, 2), keepdim=True)
        return found.to(std.dtype), rms_std(found).to(std.dtype)


def rotated_gaussian(
    first: NDArray[np.float64], second: NDArray[np.float64], angle: NDArray[np.float64], size: int, shift: float = 0.0
) -> NDArray[np.float64]:
    """exp(-d^T C^-1 d / 2) at the centres of size x size pixels, d from the middle moved by `shift` px; not normalised.

    first, second: variances along the axes, px^2, shape (batch,). angle: of the first, from x towards y, radians.
    """
    distance = np.arange(size) - size // 2 - shift
    y, x = distance[:, None], distance[None, :]
    cosine, sine, first, second = (each[:, None, None] for each in (np.cos(angle), np.sin(angle), first, second))
    along, across = cosine * x + sine * y, cosine * y - sine * x
    result: NDArray[np.float64] = np.exp(-0.5 * (along**2 / first + across**2 / second))
    return result


def isotropic(std: Float[Tensor, " batch"], size: int, shift: float = 0.0) -> Float[Tensor, "batch size size"]:
    """Gaussian kernels, cut off at size x size taps."""
    taps = gaussian_taps(std, kernel_size=size, shift=shift)
    return taps[:, :, None] * taps[:, None]


def twice(kernels: Float[Tensor, "batch k k"]) -> Float[Tensor, "batch k2 k2"]:
    """The kernel of blurring and then taking every second pixel, done twice: k * (k dilated twice), 3 k - 2 taps a side."""
    count, size, _ = kernels.shape
    wide = kernels.new_zeros(count, 2 * size - 1, 2 * size - 1)
    wide[:, ::2, ::2] = kernels
    padded = functional.pad(wide, (size - 1,) * 4)[None]
    return functional.conv2d(padded, kernels.flip(1, 2)[:, None], groups=count)[0]  # conv2d correlates, hence the flip


def rms_std(kernels: Float[Tensor, "batch k k"]) -> Float[Tensor, " batch"]:
    """Root of the mean variance over the two axes, px: the standard deviation where it is the same on both."""
    found = moments(kernels)
    return ((found["std_major"] ** 2 + found["std_minor"] ** 2) / 2).sqrt()
