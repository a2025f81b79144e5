"""Kernels as a few numbers, and numbers as maps: the input of networks conditioned on the degradation (SRMD, section 3.2)."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from csrgan import rules
from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.kernel_priors import isotropic, rms_std
from csrgan.degradation.kernels import SUPPORT
from csrgan.degradation.parameters import Parameters
from csrgan.degradation.spec import DegradationSpec
from csrgan.errors import UserError, raise_faults, require
from csrgan.ranges import Count

LARGEST = 10**8  # taps of all kernels that a basis is fitted to


class KernelPCA(nn.Module):
    """Kernels projected on the principal components of a protocol's kernels, code = basis^T k.

    The basis holds the leading eigenvectors of the kernels' second moments, without subtracting a mean (SRMD): code 0 is the
    kernel 0. It is a buffer, so the checkpoint of the network around it holds it, and a kernel code keeps its meaning.

    size: odd number of taps a side. length: numbers in a code, at most size^2.
    """

    basis: Tensor

    def __init__(self, size: int, length: int) -> None:
        super().__init__()
        require(size >= 1 and size % 2 == 1, f"a kernel code of size={size}: the size must be an odd number of taps.")
        require(1 <= length <= size**2, f"a kernel code of length={length}: it must lie between 1 and size^2={size**2}.")
        self.size = size
        self.register_buffer("basis", torch.zeros(size**2, length))

    def fit(self, kernels: Float[Tensor, "count size size"]) -> KernelPCA:
        """Compute the basis from these kernels. Signs are fixed, so that the same kernels give the same codes."""
        flat = self._cut(kernels).double().flatten(1)
        _, vectors = torch.linalg.eigh(flat.T @ flat / len(flat))
        basis = vectors.flip(1)[:, : self.basis.shape[1]]
        largest = basis.gather(0, basis.abs().argmax(dim=0, keepdim=True))
        self.basis.copy_(basis * largest.sign())
        return self

    def encode(self, kernels: Float[Tensor, "batch k k"]) -> Float[Tensor, "batch length"]:
        return self._cut(kernels).flatten(1) @ self.basis.to(kernels.dtype)

    def decode(self, codes: Float[Tensor, "batch length"]) -> Float[Tensor, "batch size size"]:
        """Return the kernel with this code; for an encoded kernel, the nearest one in the span of the basis."""
        return (codes @ self.basis.to(codes.dtype).T).view(-1, self.size, self.size)

    def _cut(self, kernels: Tensor) -> Tensor:
        """Crop kernels to the middle size x size taps, or pad smaller ones with zeros."""
        edge = (self.size - kernels.shape[-1]) // 2
        return nn.functional.pad(kernels, (edge,) * 4)


def kernels_of(parameters: Parameters, size: int, spec: DegradationSpec) -> Float[Tensor, "b k k"]:
    """Return the kernel applied to each picture: its own, or its isotropic Gaussian on size x size taps."""
    if parameters.kernel is not None:
        return parameters.kernel
    cut = isotropic(parameters.blur_std, min(size, spec.kernel_size or size), spec.shift(parameters))
    return nn.functional.pad(cut, ((size - cut.shape[-1]) // 2,) * 4)


def kernel_code(degradation: Degradation, length: int, *, size: int | None = None, count: int = 10_000) -> KernelPCA:
    """Fit a code to `count` kernels drawn from a protocol; the same protocol gives the same basis.

    size: taps a side; None: the protocol's own, or full support of its widest blur.
    """
    spec, prior = degradation.spec, degradation.prior
    size = size or spec.kernel_size or 2 * math.ceil(SUPPORT * prior.ranges["blur_std"].bounds[1] + prior.shift) + 1
    require(count * size**2 <= LARGEST, f"{count} kernels of {size}x{size} taps are too many numbers; take fewer taps or kernels.")
    drawn = prior.sample(np.random.default_rng(0), count)
    return KernelPCA(size, length).fit(kernels_of(drawn, size, spec))


class Code(nn.Module):
    """The numbers that a network is conditioned on, or predicts, in place of theta.

    kind: `units`: each parameter that varies, mapped to [0,1] by its prior, and no kernel; `kernel`: the kernel's principal
    components, then the other parameters that vary, as in `units`. components: how many of a kernel.
    The basis is a buffer: a checkpoint holds it (see `KernelPCA`).
    """

    def __init__(self, degradation: Degradation, *, kind: Literal["kernel", "units"], components: Count) -> None:
        super().__init__()
        if kind not in ("units", "kernel"):
            raise UserError.unknown("system.code", kind, ("units", "kernel"))
        self.prior, self.spec = degradation.prior, degradation.spec
        self.kernels = kernel_code(degradation, components) if kind == "kernel" else None
        self.ranges = self.prior.continuous
        self.replaced = self.prior.ranges.keys() - self.ranges.keys()  # sizes and angles, which follow from their components
        varies = [name for name, drawn in self.ranges.items() if drawn.high > drawn.low]
        self.names = [name for name in varies if self.kernels is None or name != "blur_std"]
        self.length = len(self.names) + (components if self.kernels else 0)
        raise_faults(rules.something_varies(kind, varies))

    def encode(self, parameters: Parameters) -> Float[Tensor, "b p"]:
        """Return the code of each picture's degradation."""
        if not set(self.names) <= set(parameters.names):
            parameters = self.prior.completed(parameters, self.names)
        columns = [self.ranges[name].normalise(parameters.number(name))[:, None] for name in self.names]
        if self.kernels:
            columns.insert(0, self.kernels.encode(kernels_of(parameters, self.kernels.size, self.spec)))
        return torch.cat(columns, dim=1)

    def decode(self, code: Float[Tensor, "b p"]) -> Parameters:
        """Return the parameters with this code; blur_std is the width of a coded kernel. What does not vary has its only value."""
        parameters = {name: value.to(code) for name, value in self.prior.mean(len(code)).present().items()}
        if self.kernels:
            parameters["blur_std"] = self._blur_std(code[:, : code.shape[1] - len(self.names)])
        for index, name in enumerate(reversed(self.names), start=1):
            parameters[name] = self.ranges[name].quantile(code[:, -index])
        known = {name: value for name, value in parameters.items() if name not in self.replaced}
        return Parameters.of(parameters | self.prior.resolved(known))

    def _blur_std(self, code: Float[Tensor, "b n"]) -> Float[Tensor, " b"]:
        """Return the width of the kernels with these components; if isotropic, of the Gaussian with the nearest components."""
        assert self.kernels is not None
        if self.prior.kernel is not None:
            kernels = self.kernels.decode(code).clamp(min=0)
            return rms_std(kernels / kernels.sum(dim=(1, 2), keepdim=True).clamp(min=1e-6))
        stds = torch.linspace(*self.prior.ranges["blur_std"].bounds, 200, device=code.device)
        candidates = Parameters(stds, torch.full_like(stds, self.prior.ranges["scale"].low), torch.zeros_like(stds))
        distance = torch.cdist(code, self.kernels.encode(kernels_of(candidates, self.kernels.size, self.spec))).square()
        nearest = distance.argmin(dim=1, keepdim=True).clamp(1, len(stds) - 2)
        before, lowest, after = (distance.gather(1, nearest + step)[:, 0] for step in (-1, 0, 1))
        bend = (before - 2 * lowest + after).clamp(min=1e-12)  # a parabola through three distances; its minimum is the answer
        return stds[nearest[:, 0]] + ((before - after) / (2 * bend)).clamp(-1, 1) * (stds[1] - stds[0])

    @property
    def taps(self) -> int:
        """How many taps the coded kernel has; 0 if the code is not of a kernel alone."""
        return self.kernels.size**2 if self.kernels and not self.names else 0

    def kernel_taps(self, parameters: Parameters) -> Float[Tensor, "b taps"]:
        """Return the kernel of each picture, flattened."""
        assert self.kernels is not None
        return kernels_of(parameters, self.kernels.size, self.spec).flatten(1)

    def encode_taps(self, taps: Float[Tensor, "b taps"]) -> Float[Tensor, "b p"]:
        """Return the code of a flattened kernel."""
        assert self.kernels is not None
        return self.kernels.encode(taps.view(len(taps), self.kernels.size, self.kernels.size))

    def initial(self, count: int) -> Float[Tensor, "b p"]:
        """Return the code to start from before anything is known: that of the prior's mean."""
        return self.encode(self.prior.mean(count, self.names))


def maps(values: Float[Tensor, "batch p"], height: int, width: int) -> Float[Tensor, "batch p height width"]:
    """Return each number as a constant map, to concatenate with the features of a picture of height x width pixels."""
    return values[:, :, None, None].expand(-1, -1, height, width)
