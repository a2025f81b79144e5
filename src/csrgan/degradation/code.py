"""Kernels as a few numbers, and numbers as maps: what networks that are told the degradation read (SRMD, section 3.2)."""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.chain import Chain
from csrgan.degradation.kernels import SUPPORT
from csrgan.degradation.parameters import Parameters
from csrgan.degradation.shapes import isotropic
from csrgan.fault import check

LARGEST = 10**8  # taps of all kernels that a basis is fitted to


class KernelCode(nn.Module):
    """Kernels projected on the principal components of a protocol's kernels, code = basis^T k.

    The basis holds the leading eigenvectors of the kernels' second moments, without subtracting a mean (SRMD): code 0 is the
    kernel 0. It is a buffer of this module, so that a checkpoint of the network around it holds it, and a kernel code means
    the same when the checkpoint is loaded.

    size: odd number of taps a side. length: numbers in a code, at most size^2.
    """

    basis: Tensor

    def __init__(self, size: int, length: int) -> None:
        super().__init__()
        check(size >= 1 and size % 2 == 1, f"a kernel code of size={size}: the size must be an odd number of taps.")
        check(1 <= length <= size**2, f"a kernel code of length={length}: it must lie between 1 and size^2={size**2}.")
        self.size = size
        self.register_buffer("basis", torch.zeros(size**2, length))

    def fit(self, kernels: Float[Tensor, "count size size"]) -> KernelCode:
        """Take the basis from these kernels. Signs are fixed, so that the same kernels give the same codes."""
        flat = self._cut(kernels).double().flatten(1)
        _, vectors = torch.linalg.eigh(flat.T @ flat / len(flat))
        basis = vectors.flip(1)[:, : self.basis.shape[1]]
        largest = basis.gather(0, basis.abs().argmax(dim=0, keepdim=True))
        self.basis.copy_(basis * largest.sign())
        return self

    def encode(self, kernels: Float[Tensor, "batch k k"]) -> Float[Tensor, "batch length"]:
        return self._cut(kernels).flatten(1) @ self.basis.to(kernels.dtype)

    def decode(self, codes: Float[Tensor, "batch length"]) -> Float[Tensor, "batch size size"]:
        """The kernel in the basis's span with this code; of an encoded kernel its nearest there."""
        return (codes @ self.basis.to(codes.dtype).T).view(-1, self.size, self.size)

    def _cut(self, kernels: Tensor) -> Tensor:
        """The middle size x size taps, zeros around a smaller kernel."""
        edge = (self.size - kernels.shape[-1]) // 2
        return nn.functional.pad(kernels, (edge,) * 4)


def kernels_of(parameters: Parameters, size: int, chain: Chain) -> Float[Tensor, "b k k"]:
    """The kernel that was applied to each picture: its own, or its isotropic Gaussian, on size x size taps."""
    if parameters.kernel is not None:
        return parameters.kernel
    cut = isotropic(parameters.blur_std, min(size, chain.kernel_size or size), chain.shift(parameters))
    return nn.functional.pad(cut, ((size - cut.shape[-1]) // 2,) * 4)


def kernel_code(degradation: Degradation, length: int, *, size: int | None = None, count: int = 10_000) -> KernelCode:
    """The code fitted to `count` kernels drawn from a protocol; the same protocol gives the same basis.

    size: taps a side; None: the protocol's own, or full support of its widest blur.
    """
    chain, prior = degradation.chain, degradation.prior
    size = size or chain.kernel_size or 2 * math.ceil(SUPPORT * prior.ranges["blur_std"].bounds[1] + prior.shift) + 1
    check(count * size**2 <= LARGEST, f"{count} kernels of {size}x{size} taps are too many numbers; take fewer taps or kernels.")
    drawn = prior.sample(np.random.default_rng(0), count)
    return KernelCode(size, length).fit(kernels_of(drawn, size, chain))


def maps(values: Float[Tensor, "batch p"], height: int, width: int) -> Float[Tensor, "batch p height width"]:
    """Each number as a constant map, to be concatenated with the features of a picture of height x width pixels."""
    return values[:, :, None, None].expand(-1, -1, height, width)
