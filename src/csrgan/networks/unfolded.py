"""A body that uses the degradation model: data steps toward a picture that degrades to L by theta^, each refined by a U-Net."""

from __future__ import annotations

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from csrgan import rules
from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.operator import along_axes
from csrgan.degradation.parameters import low_sizes
from csrgan.errors import raise_faults
from csrgan.networks.generator import Body, Features
from csrgan.networks.spectral import Spectral
from csrgan.networks.unet import UNetCore, Upsampling
from csrgan.networks.upsampling import transposed
from csrgan.ranges import Count, CountOr0, Depth

Pictures = Float[Tensor, "b c h w"]


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

    def encode(self, low: Float[Tensor, "b 3 h w"]) -> Features:
        return self.first.encode(low)

    def decode(self, features: Features) -> Features:
        (low,) = features.skips
        assert features.theta is not None
        theta = features.theta.detach() if self._detach else features.theta
        pooled = self.first.pool(features)
        strength = self.strength(pooled).float().exp()
        image = self.first.decode(features).base
        assert image is not None
        for stage, a in zip(self.stages, strength.unbind(dim=1), strict=True):
            assert isinstance(stage, UNetCore)
            base = self.data_step(image, low, theta.float(), a)
            decoder, raw = stage.refine([low, base], pooled)
            features = features._replace(decoder=decoder, image=raw, base=base)
            image = base + raw
        return features

    def data_step(self, image: Pictures, low: Pictures, theta: Float[Tensor, "b p"], strength: Float[Tensor, " b"]) -> Pictures:
        """Solve (A^T A + a) z = A^T L + a x by conjugate gradients from x. theta: network units. strength: a of each picture."""
        height, width = low.shape[-2:]
        within = theta.clamp(1e-3, 1)  # at 0 the gradient of a parameter drawn by its variance is infinite
        parameters = self.prior.denormalise(theta + (within - theta).detach())  # straight-through: clamped values keep a gradient
        a = strength[:, None, None, None]
        with torch.autocast(low.device.type, enabled=False):
            sizes = low_sizes(height, width, parameters.scale.detach())
            down, across = (matrix[:, None] for matrix in along_axes(parameters, height, width, sizes, spec=self.spec))
            image, low = image.float(), low.float()
            residual = down.mT @ (low - down @ image @ across.mT) @ across
            direction, norm = residual, _dot(residual, residual)
            down, across = down.mT @ down, across.mT @ across  # A^T A, which is symmetric
            for _ in range(self._data_steps):
                product = down @ direction @ across + a * direction
                step = norm / _dot(direction, product).clamp(min=1e-12)
                image = image + step * direction
                residual = residual - step * product
                previous, norm = norm, _dot(residual, residual)
                direction = residual + norm / previous.clamp(min=1e-12) * direction
        return image


def _dot(a: Pictures, b: Pictures) -> Float[Tensor, "b 1 1 1"]:
    return (a * b).sum(dim=(1, 2, 3), keepdim=True)
