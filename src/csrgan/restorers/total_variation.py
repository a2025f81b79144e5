"""Total-variation deconvolution with a given degradation: what a simple prior on edges is worth."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from scipy import fft
from torch import Tensor

from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.parameters import Parameters
from csrgan.ranges import Count, NotNegative, Positive
from csrgan.restorers.wiener import Pictures, Wiener

NOISE = 1000.0  # N of `Wiener` for r = 1: the ratio of the two noise weights


class TotalVariation(Wiener):
    """S = argmin |w (T S - L)|^2 / 2 + r sum of |gradient of S|, the length taken over both directions and all colours (Rudin,
    Osher and Fatemi 1992; Blomgren and Chan 1998), by `iterations` of alternating directions (ADMM; Wang et al. 2008).

    T = B U of `Wiener`; with mirrored borders it is diagonal in the cosine transform DCT-I. r = floor + noise_weight
    (noise_std s)^2. w^2 = N / (N + what down-sampling folds onto a frequency), N = 1000 r: L counts less where it shows other
    frequencies.

    edge: gradient, as a fraction of full scale, beyond which an iteration keeps it as an edge; it changes how fast the iterations
    converge, not to what.
    Raises UserError for a degradation whose kernels are not the same on both sides of both axes.
    """

    isotropic = True

    def __init__(
        self,
        *,
        oracle: Literal["truth", "prediction"] = "truth",
        floor: NotNegative = 1e-5,
        noise_weight: NotNegative = 3.0,
        iterations: Count = 40,
        edge: Positive = 0.1,
        degradation: Degradation | None = None,
    ) -> None:
        degradation = degradation or Degradation()
        super().__init__(oracle=oracle, floor=floor, noise_weight=noise_weight, degradation=degradation)
        self.iterations, self.edge = iterations, edge

    def deconvolve(self, image: Pictures, parameters: Parameters) -> Pictures:
        height, width = image.shape[-2:]
        own, folded, enlarging = (r[:, None, :height] for r in self.responses(parameters, 2 * (height - 1), 2 * (width - 1)))
        strength = (self.floor + self.noise_weight * (parameters.noise_std * parameters.scale) ** 2)[:, None, None, None]
        coupling = (strength / self.edge).clamp(min=1e-9)
        noise = NOISE * strength.clamp(min=1e-9)
        response, weight = own * enlarging, noise / (noise + folded)
        down, across = (2 - 2 * torch.cos(torch.pi * torch.linspace(0, 1, side)) for side in (height, width))
        data_term, divisor = weight * response * _cosine(image), weight * response**2 + coupling * (down[:, None] + across)
        restored, dual = image, torch.zeros_like(_gradient(image))
        for _ in range(self.iterations):
            target = _gradient(restored) + dual
            length = target.square().sum(dim=(0, 2), keepdim=True).sqrt()
            split = target * (1 - self.edge / length.clamp(min=1e-12)).clamp(min=0)
            dual = target - split
            restored = _cosine((data_term + coupling * _cosine(_adjoint(split - dual))) / divisor, inverse=True)
        return restored


def _cosine(image: Pictures, *, inverse: bool = False) -> Pictures:
    """Return the cosine transform DCT-I over height and width, or its inverse."""
    transform = fft.idctn if inverse else fft.dctn
    return torch.from_numpy(transform(image.numpy(), type=1, axes=(-2, -1)))


def _gradient(image: Pictures) -> Float[Tensor, "2 b c h w"]:
    """Return the differences to the next pixel down and across; 0 at the last pixel, whose next is its mirror image."""
    down, across = torch.zeros_like(image), torch.zeros_like(image)
    down[..., :-1, :] = image.diff(dim=-2)
    across[..., :-1] = image.diff(dim=-1)
    return torch.stack([down, across])


def _adjoint(field: Float[Tensor, "2 b c h w"]) -> Pictures:
    """Apply the adjoint of `_gradient` on the mirrored picture, where a difference next to the border occurs twice."""
    down, across = field
    return _backward(down, -2) + _backward(across, -1)


def _backward(field: Pictures, axis: int) -> Pictures:
    """Apply the adjoint of the differences along one axis."""
    side = field.shape[axis]
    inner = field.narrow(axis, 0, side - 1)
    first, last = inner.narrow(axis, 0, 1), inner.narrow(axis, side - 2, 1)
    return torch.cat([-2 * first, -inner.diff(dim=axis), 2 * last], dim=axis)
