"""A body that is led by the degradation itself: steps toward a picture whose A_theta^ is L, each mended by a U-Net."""

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
    """Half-quadratic splitting, unfolded (USRNet, Zhang et al. 2020, eq. 5 and 6), with A_theta^ of any scale and the mirror at
    the border in place of their periodic blur: x_0 is what the spectral filter gives, and in each stage

        z = argmin |A x - L|^2 + a |x - x_k|^2,   by a few steps of conjugate gradients,      x_{k+1} = z + Levels_k(L, z).

    a follows from what the filter knows of the picture. The losses of S reach theta^ through A, unless `detach`.

    first: the filter. degradation: what it is trained to undo. stages: how often. data_steps: conjugate gradients in each.
    The others: see `UNetCore`.
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
        self.first, self.prior, self.data_steps, self.detach = first, degradation.prior, data_steps, detach
        self.spec = replace(degradation.spec, output="upsampled", backend="banded")  # a smaller L is enlarged beforehand
        self.context_features, self.bottleneck_channels = first.context_features, first.bottleneck_channels
        self.decoder_channels = width
        self.strength = nn.Linear(first.known_features, stages)
        nn.init.zeros_(self.strength.weight)
        nn.init.constant_(self.strength.bias, -3.0)
        self.stages = nn.ModuleList(
            UNetCore(
                pictures=2,
                context=first.known_features,
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
        theta = features.theta.detach() if self.detach else features.theta
        known = self.first.known(features)
        strength = self.strength(known).float().exp()
        image = self.first.decode(features).base
        assert image is not None
        for stage, a in zip(self.stages, strength.unbind(dim=1), strict=True):
            assert isinstance(stage, UNetCore)
            base = self.data_step(image, low, theta.float(), a)
            decoder, raw = stage.refine([low, base], known)
            features = features._replace(decoder=decoder, image=raw, base=base)
            image = base + raw
        return features

    def data_step(self, image: Pictures, low: Pictures, theta: Float[Tensor, "b p"], strength: Float[Tensor, " b"]) -> Pictures:
        """(A^T A + a) z = A^T L + a x, by conjugate gradients from x. theta in network units, strength: a of each picture."""
        height, width = low.shape[-2:]
        within = theta.clamp(1e-3, 1)  # at the lower end a parameter drawn by its variance has no finite gradient
        parameters = self.prior.denormalise(theta + (within - theta).detach())  # the gradient goes on where it is beyond
        a = strength[:, None, None, None]
        with torch.autocast(low.device.type, enabled=False):
            sizes = low_sizes(height, width, parameters.scale.detach())
            down, across = (one[:, None] for one in along_axes(parameters, height, width, sizes, spec=self.spec))
            image, low = image.float(), low.float()
            residual = down.mT @ (low - down @ image @ across.mT) @ across
            direction, size = residual, _dot(residual, residual)
            down, across = down.mT @ down, across.mT @ across  # A^T A, which is symmetric
            for _ in range(self.data_steps):
                along = down @ direction @ across + a * direction
                step = size / _dot(direction, along).clamp(min=1e-12)
                image = image + step * direction
                residual = residual - step * along
                before, size = size, _dot(residual, residual)
                direction = residual + size / before.clamp(min=1e-12) * direction
        return image


def _dot(one: Pictures, other: Pictures) -> Float[Tensor, "b 1 1 1"]:
    return (one * other).sum(dim=(1, 2, 3), keepdim=True)
