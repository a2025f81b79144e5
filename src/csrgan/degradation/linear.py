"""The degradation L = U (P H P^T + n) U^T with P = Down_s Gauss_sigma and U = Up_s, each picture with its own theta.

Every step is separable, so each axis of a picture is two small banded matrices; a kernel that is not separable is applied
before them. Without gradients, a CPU multiplies each picture's bands block by block. Otherwise the batch, zero-padded to a common
size, takes a few dense products: no loop and, given bounds on the parameters, no value read back from the device.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from csrgan.degradation import banded, kornia_backend
from csrgan.degradation.kernels import correlate
from csrgan.degradation.parameters import Parameters
from csrgan.degradation.precision import full_precision
from csrgan.degradation.spec import FULL, Axis, Between, DegradationSpec, Sizes, axes
from csrgan.errors import require

Pictures = Float[Tensor, "batch channel height width"]


def linear(
    sharp: Pictures,
    parameters: Parameters,
    *,
    noise: Pictures | None = None,
    spec: DegradationSpec = FULL,
    sizes: Sizes | None = None,
    between: Between | None = None,
) -> Float[Tensor, "batch channel height2 width2"]:
    """Return A_theta H + noise: the degradation without clipping and rounding, which is linear in H.

    between: changes the pictures after the noise, before they are enlarged, see `Between`.
    """
    with full_precision(sharp.device.type):
        if spec.backend == "kornia":
            require(sizes is None, "the kornia backend takes the sizes from the scale; choose degradation.backend=banded.")
            return kornia_backend.compose(sharp, parameters, noise, spec, between)
        if parameters.kernel is not None:
            sharp = correlate(sharp, parameters.kernel)
        traced = _traced(sharp, noise, *parameters.present().values())
        if sharp.device.type == "cpu" and not traced and sizes is None:
            return banded.degrade_blocked(sharp, parameters, noise, spec, between)
        return degrade_batched(sharp, parameters, noise, spec, sizes, between)


def adjoint(
    low: Float[Tensor, "batch channel height2 width2"],
    parameters: Parameters,
    height: int,
    width: int,
    *,
    spec: DegradationSpec = FULL,
    sizes: Sizes | None = None,
) -> Pictures:
    """Return A_theta^T v, with <A_theta x, v> = <x, A_theta^T v> for every x of height x width pixels; differentiable like A_theta.

    The gradient of a linear map is its adjoint, so A_theta is written only once.
    """
    traced = _traced(low, *parameters.present().values())
    with torch.enable_grad():
        anywhere = low.new_zeros(*low.shape[:2], height, width).requires_grad_()
        image = linear(anywhere, parameters, spec=spec, sizes=sizes)
        (result,) = torch.autograd.grad(image, anywhere, low, create_graph=traced)
    return result if traced else result.detach()


def along_axes(
    parameters: Parameters,
    height: int,
    width: int,
    sizes: Sizes,
    *,
    spec: DegradationSpec = FULL,
    parts: tuple[slice, slice] | None = None,
) -> tuple[Float[Tensor, "batch height height"], Float[Tensor, "batch width width"]]:
    """Return V and M with A_theta x = V x M^T, to apply A and its adjoint many times; differentiable like A_theta.

    parts: rows and columns of a tile, for which alone they are; see `Axis.part`.
    Only for an upsampled output, and for parameters without a kernel.
    """
    assert spec.output == "upsampled" and parameters.kernel is None
    with full_precision(parameters.scale.device.type):
        vertical, horizontal = _axes(parameters, height, width, sizes, spec)
        if parts:
            vertical, horizontal = vertical.part(parts[0]), horizontal.part(parts[1])
        every = slice(None)
        down = vertical.u(every) @ vertical.p(every)
        return down, down if horizontal is vertical else horizontal.u(every) @ horizontal.p(every)


def _traced(*tensors: Tensor | None) -> bool:
    """Return whether a gradient may be needed."""
    return torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors if tensor is not None)


def degrade_batched(
    sharp: Tensor,
    parameters: Parameters,
    noise: Tensor | None,
    spec: DegradationSpec,
    sizes: Sizes | None,
    between: Between | None = None,
) -> Tensor:
    """Degrade the whole batch by four dense products. between: see `linear`."""
    height, width = sharp.shape[-2:]
    vertical, horizontal = _axes(parameters, height, width, sizes, spec)
    every = slice(None)
    low = vertical.p(every)[:, None] @ sharp @ horizontal.p(every)[:, None].mT
    if noise is not None:
        low = low + parameters.noise_std[:, None, None, None] * noise[..., : vertical.low, : horizontal.low]
    if between is not None:
        low = between(slice(None), low)
    return low if spec.output == "native" else vertical.u(every)[:, None] @ low @ horizontal.u(every)[:, None].mT


def _axes(parameters: Parameters, height: int, width: int, sizes: Sizes | None, spec: DegradationSpec) -> tuple[Axis, Axis]:
    """Return both axes with room for the largest LR picture of the batch."""
    native, greatest = spec.output == "native", spec.bound(parameters)
    if sizes is None:  # rounding the size may realise a larger scale
        bound = max(side / max(side / greatest - 0.5, 1) for side in (height, width))
        low = (max(1, round(height / greatest)), max(1, round(width / greatest))) if native else (height, width)
    else:  # the pitch may exceed the ratio of the sizes
        bound = 2 * max(height / int(sizes[0].min()), width / int(sizes[1].min()))
        low = (int(sizes[0].max()), int(sizes[1].max()))
    return axes(spec, parameters, height, width, sizes, low, bound)
