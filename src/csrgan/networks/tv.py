"""Total-variation deconvolution with a known degradation, in tensors of any device."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from csrgan.degradation.kernels import even_response
from csrgan.degradation.parameters import Parameters
from csrgan.degradation.resample import cubic_response, response
from csrgan.degradation.spec import DegradationSpec

Pictures = Float[Tensor, "b c h w"]
Plane = Float[Tensor, "b 1 h w"]
Number = Float[Tensor, "b 1 1 1"]

T = TypeVar("T")
Transform = Callable[..., Pictures]  # takes pictures, and inverse=True for the inverse

NOISE = 1000.0  # N for r = 1: the ratio of the two noise weights
NOTHING = 1e-6  # where the enlargement lets nothing through, S has nothing of L


class Responses(NamedTuple):
    """What a degradation does at the frequencies of the cosine transform DCT-I of a picture.

    own: of the kernel and of down-sampling. folded: power of photographs that down-sampling folds onto a frequency. enlarging: of
    the bicubic enlargement of L.
    """

    own: Plane
    folded: Plane
    enlarging: Plane


def responses(parameters: Parameters, spec: DegradationSpec, low: Pictures) -> Responses:
    """Return the responses for an isotropic Gaussian and pictures as large as L, where photographs have the power 1/f^2.

    Of what folds onto a frequency f, it counts what lies 1/s below f along the axes: where more does, little is left of it or L.
    """
    scale, taps, centre = parameters.scale[:, None], spec.taps(parameters), spec.shift(parameters)

    def along(axis: int) -> tuple[list[Tensor], list[Tensor], Tensor]:
        """Return the frequencies along an axis and those folded onto them, the response to both, and that of the enlargement."""
        own = _frequencies(low, axis)
        moved = [own + torch.zeros_like(scale), own - 1 / scale]
        shrunk = [response(spec.downsampling, scale * f.abs()).masked_fill(scale == 1, 1.0) for f in moved]
        kept = [each * even_response(taps, f, centre) for each, f in zip(shrunk, moved, strict=True)]
        return moved, kept, cubic_response(scale * own).masked_fill(scale == 1, 1.0)

    (fy, by, uy), (fx, bx, ux) = _both(low, along)
    powers = [_outer(by[i] ** 2, bx[j] ** 2) / _squared(fy[i], fx[j]) for i, j in ((0, 1), (1, 0), (1, 1))]
    folded = torch.stack(powers).sum(dim=0)
    return Responses(_outer(by[0], bx[0]), folded.masked_fill(scale[..., None, None] == 1, 0.0), _outer(uy, ux))


def _outer(down: Float[Tensor, "b h"], across: Float[Tensor, "b w"]) -> Plane:
    return down[:, None, :, None] * across[:, None, None, :]


def _squared(down: Float[Tensor, "b h"], across: Float[Tensor, "b w"]) -> Plane:
    """Return f^2, 1/P; above 0 so that P is finite."""
    return (down**2)[:, None, :, None] + (across**2)[:, None, None, :] + 1e-9


def linear(low: Pictures, found: Responses, noise: Number, transform: Transform) -> Pictures:
    """Return the linear estimate of least squared error (Wiener 1949), where photographs have the power 1/f^2. noise: N."""
    power = found.own**2 + _squared(*(_frequencies(low, axis)[None] for axis in (-2, -1))) * (found.folded + noise)
    gain = found.own * found.enlarging / (found.enlarging**2 * power + NOTHING)
    return transform(gain * transform(low), inverse=True)


def minimised(
    low: Pictures,
    found: Responses,
    strength: Number,
    transform: Transform,
    *,
    start: Pictures,
    edges: Iterable[float],
) -> Pictures:
    """Return S after some steps toward argmin |w (T S - L)|^2 / 2 + r sum of |gradient of S|, the length taken over both directions
    and all colours (Rudin, Osher and Fatemi 1992; Blomgren and Chan 1998), by alternating directions (ADMM; Wang et al. 2008).

    T = B U. w^2 = N / (N + what folds onto a frequency), N = 1000 r: L counts less where it shows other frequencies.
    strength: r. start: S before the first step. edges: for each step, the gradient, as a fraction of full scale, beyond which it
    keeps an edge; they change how fast the steps converge, not to what. transform: DCT-I, see `Cosine`.
    """
    strength = strength.clamp(min=1e-9)
    noise, kept = NOISE * strength, found.own * found.enlarging
    weight = noise / (noise + found.folded)
    down, across = (2 - 2 * torch.cos(2 * torch.pi * _frequencies(low, axis)) for axis in (-2, -1))
    quadratic, laplacian = weight * kept**2, down[:, None] + across
    data, restored, dual, before = weight * kept * transform(low), start, None, 0.0
    for edge in edges:
        coupling = strength / edge
        target = _gradient(restored)
        if dual is not None:
            target = target + dual * (edge / before)  # the dual is in units of the coupling
        length = target.square().sum(dim=0).sum(dim=1, keepdim=True).sqrt()
        beyond = (edge / length.clamp(min=1e-12)).clamp(max=1)  # the part of the gradient that is no edge
        dual, before = target * beyond, edge
        pulled = _adjoint(target * (1 - 2 * beyond))
        restored = transform((data + coupling * transform(pulled)) / (quadratic + coupling * laplacian), inverse=True)
    return restored


class Cosine:
    """The cosine transform DCT-I over height and width of pictures as large as `low`, and its inverse, as products of matrices."""

    def __init__(self, low: Pictures) -> None:
        (self.down, height), (self.across, width) = _both(low, lambda axis: _cosines(low, axis))
        self.size = height * width

    def __call__(self, image: Pictures, *, inverse: bool = False) -> Pictures:
        result = self.down @ image @ self.across.transpose(0, 1)
        return result / self.size if inverse else result


def _cosines(image: Pictures, axis: int) -> tuple[Float[Tensor, "n n"], Int[Tensor, ""]]:
    """Return the matrix of DCT-I along an axis, and its period. Whole turns are taken out exactly, for large pictures."""
    index, last = _positions(image, axis)
    period = (2 * last).clamp(min=1)
    angle = (index[:, None] * index % period).double() * (2 * torch.pi) / period
    return torch.cos(angle).float() * torch.where((index == 0) | (index == last), 1.0, 2.0), period


def _both(image: Pictures, along: Callable[[int], T]) -> tuple[T, T]:
    """Return what a function gives for the vertical and for the horizontal axis, which is the same where the picture is square."""
    down = along(-2)
    return down, down if image.shape[-2] == image.shape[-1] else along(-1)


def _frequencies(image: Pictures, axis: int) -> Float[Tensor, " n"]:
    """Return the frequencies of DCT-I along an axis, 0 to 1/2 cycles/px."""
    index, last = _positions(image, axis)
    return index / (2 * last.clamp(min=1))


def _positions(image: Pictures, axis: int) -> tuple[Int[Tensor, " n"], Int[Tensor, ""]]:
    """Return the numbers of the pixels along an axis and the last of them, which a traced graph counts anew in each picture."""
    line = image[0, 0, :, 0] if axis == -2 else image[0, 0, 0]
    index = torch.ones_like(line, dtype=torch.long).cumsum(0) - 1
    return index, index[-1]


def _gradient(image: Pictures) -> Float[Tensor, "2 b c h w"]:
    """Return the differences to the next pixel down and across; 0 at the last pixel, whose next is its mirror image."""
    down, across = image[..., 1:, :] - image[..., :-1, :], image[..., 1:] - image[..., :-1]
    return torch.stack([functional.pad(down, (0, 0, 0, 1)), functional.pad(across, (0, 1))])


def _adjoint(field: Float[Tensor, "2 b c h w"]) -> Pictures:
    """Apply the adjoint of `_gradient` on the mirrored picture, where a difference next to the border occurs twice."""
    return _backward(field[0].transpose(-1, -2)).transpose(-1, -2) + _backward(field[1])


def _backward(across: Pictures) -> Pictures:
    """Apply the adjoint of the differences along the rows, the last of which is 0."""
    if across.shape[-1] == 1:
        return torch.zeros_like(across)
    inner = across[..., :-1]
    return torch.cat([-2 * inner[..., :1], inner[..., :-1] - inner[..., 1:], 2 * inner[..., -1:]], dim=-1)
