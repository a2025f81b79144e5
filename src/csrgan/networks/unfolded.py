"""A body that uses the degradation model: data steps toward a picture that degrades to L by theta^, each refined by a U-Net."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from csrgan import rules
from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.linear import along_axes
from csrgan.degradation.parameters import low_sizes
from csrgan.errors import raise_faults
from csrgan.networks.generator import Body, Features, Place
from csrgan.networks.source import Source
from csrgan.networks.spectral import Spectral
from csrgan.networks.unet import UNetCore, Upsampling
from csrgan.networks.upsampling import transposed
from csrgan.ranges import Count, CountOr0, Depth

Pictures = Float[Tensor, "b c h w"]
Linear = Callable[[Pictures], Pictures]
Rates = list[tuple[Float[Tensor, "b 1 1 1"], Float[Tensor, "b 1 1 1"]]]


class Unfolded(Body):
    """Unfolded half-quadratic splitting (USRNet, Zhang et al. 2020, eq. 5 and 6), with A = A_theta^ of any scale and a mirrored
    border instead of their periodic blur. x_0 is the output of the spectral filter; each stage computes

        z = argmin |A x - L|^2 + a |x - x_k|^2,   by a few steps of conjugate gradients,      x_{k+1} = z + UNetCore_k(L, z).

    a is predicted from the filter's global features. The losses of S reach theta^ through A, unless `detach`.

    first: the filter. degradation: the one to undo. stages: number of stages. data_steps: conjugate gradient steps per stage.
    For the others see `UNetCore`.
    Raises UserError for a degradation whose kernel theta does not describe.
    """

    multiple = 1
    border = 128  # px: a data step sees farther than a U-Net
    reads_theta = True
    isotropic = True
    encoder_parts = ("first.read",)

    def __init__(
        self,
        *,
        degradation: Degradation,
        first: Spectral | None = None,
        stages: Depth = 1,
        data_steps: CountOr0 = 3,
        detach: bool = False,
        width: Count = 32,
        levels: Depth = 3,
        middle_blocks: CountOr0 = 1,
        unshuffle: Count = 4,
        upsampling: Upsampling = transposed,
    ) -> None:
        super().__init__()
        raise_faults(rules.isotropic_kernel("generator", type(self).__name__, self.isotropic, degradation.prior.kernel is not None))
        first = first or Spectral()
        self.given_as(first=first)
        self.first, self.prior, self._data_steps, self._detach = first, degradation.prior, data_steps, detach
        self.spec = replace(degradation.spec, output="upsampled", backend="banded")  # a smaller L is enlarged before the network
        self.context_features, self.bottleneck_channels = first.context_features, first.bottleneck_channels
        self.decoder_channels = width
        self.strength = nn.Linear(first.global_features, stages)
        nn.init.zeros_(self.strength.weight)
        nn.init.constant_(self.strength.bias, -3.0)
        self.stages = nn.ModuleList(
            UNetCore(
                pictures=2,
                context=first.global_features,
                width=width,
                levels=levels,
                middle_blocks=middle_blocks,
                unshuffle=unshuffle,
                upsampling=upsampling,
            )
            for _ in range(stages)
        )
        self.grid, self.measurements = unshuffle * 2**levels, stages

    def survey(self, picture: Source) -> Float[Tensor, "b k"]:
        return self.first.survey(picture)

    def encode_part(self, low: Float[Tensor, "b 3 h w"], context: Float[Tensor, "b k"]) -> Features:
        return self.first.encode_part(low, context)

    def decode(self, features: Features) -> Features:
        return self._after(len(self.stages), features)

    def measure(self, features: Features, inside: tuple[slice, slice]) -> Float[Tensor, "b n n"]:
        """Return the inner products, over the tile, of the vectors from which the data step of the next stage is made.

        Their totals over all tiles give the lengths of the steps in the whole picture, see `_rates`.
        """
        index = len(features.measured)
        features = self._after(index, features)
        normal, residual = self._equation(_image(features), features, index)
        vectors = [residual]
        for _ in range(self._data_steps):
            vectors.append(normal(vectors[-1]))
        own = torch.stack([vector[..., inside[0], inside[1]].flatten(1) for vector in vectors], dim=1).double()
        return own @ own.mT

    def _after(self, count: int, features: Features) -> Features:
        """Return the features after the filter and `count` stages."""
        (low,) = features.skips
        pooled = self.first.pool(features)
        features = self.first.decode(features)
        for index in range(count):
            stage = self.stages[index]
            assert isinstance(stage, UNetCore)
            normal, residual = self._equation(_image(features), features, index)
            rates = _rates(features.measured[index], self._data_steps) if features.place else None
            base = conjugate_gradients(normal, residual, _image(features), self._data_steps, rates)
            decoder, raw = stage.refine([low, base], pooled)
            features = features._replace(decoder=decoder, image=raw, base=base)
        return features

    def _equation(self, image: Pictures, features: Features, index: int) -> tuple[Linear, Pictures]:
        """Return the data step of a stage as in `equation`."""
        assert features.theta is not None
        theta = features.theta.detach() if self._detach else features.theta
        strength = self.strength(self.first.pool(features)).float().exp()[:, index]
        return self.equation(image, features.skips[0], theta.float(), strength, features.place)

    def data_step(self, image: Pictures, low: Pictures, theta: Float[Tensor, "b p"], strength: Float[Tensor, " b"]) -> Pictures:
        """Solve (A^T A + a) z = A^T L + a x by conjugate gradients from x. theta: network units. strength: a of each picture."""
        return conjugate_gradients(*self.equation(image, low, theta, strength), image, self._data_steps)

    def equation(
        self,
        image: Pictures,
        low: Pictures,
        theta: Float[Tensor, "b p"],
        strength: Float[Tensor, " b"],
        place: Place | None = None,
    ) -> tuple[Linear, Pictures]:
        """Return A^T A + a as a function, and the residual A^T (L - A x). place: of a tile; A is part of the whole picture's."""
        height, width = (place.picture.height, place.picture.width) if place else low.shape[-2:]
        within = theta.clamp(1e-3, 1)  # at 0 the gradient of a parameter drawn by its variance is infinite
        parameters = self.prior.denormalise(theta + (within - theta).detach())  # straight-through: clamped values keep a gradient
        a = strength[:, None, None, None]
        with torch.autocast(low.device.type, enabled=False):
            sizes = low_sizes(height, width, parameters.scale.detach())
            matrices = along_axes(parameters, height, width, sizes, spec=self.spec, parts=place and place[:2])
            down, across = (matrix[:, None] for matrix in matrices)
            image, low = image.float(), low.float()
            residual = down.mT @ (low - down @ image @ across.mT) @ across
            down, across = down.mT @ down, across.mT @ across  # A^T A, which is symmetric

        def normal(picture: Pictures) -> Pictures:
            with torch.autocast(picture.device.type, enabled=False):
                return down @ picture @ across + a * picture

        return normal, residual


def conjugate_gradients(normal: Linear, residual: Pictures, image: Pictures, steps: int, rates: Rates | None = None) -> Pictures:
    """Return the picture after some steps. rates: of the whole picture, for a tile; None: those of these pictures."""
    with torch.autocast(image.device.type, enabled=False):
        image = image.float()
        direction, norm = residual, _dot(residual, residual)
        for index in range(steps):
            product = normal(direction)
            step = rates[index][0] if rates else norm / _dot(direction, product).clamp(min=1e-12)
            image = image + step * direction
            residual = residual - step * product
            if rates:
                turn = rates[index][1]
            else:
                previous, norm = norm, _dot(residual, residual)
                turn = norm / previous.clamp(min=1e-12)
            direction = residual + turn * direction
    return image


def _rates(products: Float[Tensor, "b n n"], steps: int) -> Rates:
    """Return the lengths of the steps and of the turns of `conjugate_gradients` from inner products <B^i r, B^j r>, with B the
    function `normal` and r the first residual: every vector of the iteration is a sum of B^i r."""

    def dot(a: Tensor, b: Tensor) -> Float[Tensor, "b 1"]:
        return torch.einsum("bi,bij,bj->b", a, products, b)[:, None]

    residual = torch.zeros_like(products[:, 0])
    residual[:, 0] = 1
    direction, norm = residual, dot(residual, residual)
    rates: Rates = []
    for _ in range(steps):
        product = direction.roll(1, dims=1)
        step = norm / dot(direction, product).clamp(min=1e-12)
        residual = residual - step * product
        previous, norm = norm, dot(residual, residual)
        turn = norm / previous.clamp(min=1e-12)
        direction = residual + turn * direction
        rates.append((step[:, :, None, None].float(), turn[:, :, None, None].float()))
    return rates


def _image(features: Features) -> Pictures:
    """Return the picture after the filter, or after a stage."""
    assert features.base is not None and features.image is not None
    return features.base + features.image


def _dot(a: Pictures, b: Pictures) -> Float[Tensor, "b 1 1 1"]:
    return (a * b).sum(dim=(1, 2, 3), keepdim=True)
