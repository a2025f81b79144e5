"""A body that uses the degradation model and a prior on edges: a U-Net refines what total variation makes of L and theta^."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from csrgan import rules
from csrgan.degradation.augmentation import Degradation
from csrgan.errors import raise_faults
from csrgan.networks.generator import Features, Place
from csrgan.networks.spectral import Spectral, SpectralUNet
from csrgan.networks.tv import Cosine, linear, minimised, responses
from csrgan.networks.unet import Upsampling
from csrgan.networks.upsampling import transposed
from csrgan.ranges import Count, CountOr0, Depth

Pictures = Float[Tensor, "b 3 h w"]

FLOOR, NOISE_WEIGHT = 1e-5, 3.0  # r = FLOOR + NOISE_WEIGHT (noise_std s)^2, as in the restorer `TotalVariation`
LINEAR_FLOOR, LINEAR_WEIGHT = 0.02, 3000.0  # N of the linear estimate that the steps begin with, as in `Wiener`
AROUND = 64  # px around a tile in which total variation sees L
EDGES = 0.5, 0.05  # of full scale: those of the first and the last step; few steps come farther so than with one of 0.1


class TVUNet(SpectralUNet):
    """The spectral filter; total variation with theta^ (Rudin, Osher and Fatemi 1992), some steps of alternating directions from
    a Wiener filter; then a `UNetCore` that sees L and the results of both:

        S = F + w (V - F) + UNetCore(L, F, V)

    with F the filtered L, V what total variation makes of it, and w in [0,1] predicted from the filter's global features.
    The losses of S do not reach theta^ through V.

    degradation: the one to undo. steps: of alternating directions. For the others see `SpectralUNet`.
    Raises UserError for a degradation whose kernel theta does not describe.
    """

    pictures = 3
    reads_theta = True
    isotropic = True

    def __init__(
        self,
        *,
        degradation: Degradation,
        steps: Count = 6,
        first: Spectral | None = None,
        width: Count = 32,
        levels: Depth = 3,
        middle_blocks: CountOr0 = 1,
        unshuffle: Count = 4,
        upsampling: Upsampling = transposed,
    ) -> None:
        raise_faults(rules.isotropic_kernel("generator", type(self).__name__, self.isotropic, degradation.prior.kernel is not None))
        super().__init__(
            first=first, width=width, levels=levels, middle_blocks=middle_blocks, unshuffle=unshuffle, upsampling=upsampling
        )
        self.prior, self.spec = degradation.prior, degradation.spec
        self.edges = [EDGES[0] * (EDGES[1] / EDGES[0]) ** (step / max(1, steps - 1)) for step in range(steps)]
        self.share = nn.Linear(self.first.global_features, 1)  # of total variation in S before the U-Net
        nn.init.zeros_(self.share.weight)
        nn.init.zeros_(self.share.bias)

    def decode(self, features: Features) -> Features:
        (low,) = features.skips
        assert features.theta is not None
        filtered = self.first.decode(features).base
        assert filtered is not None
        pooled = self.first.pool(features)
        restored = self.deconvolve(low, features.theta) if features.place is None else self._tile(features.place, features.theta)
        share = self.share(pooled).float().sigmoid()[:, :, None, None]  # autocast leaves it in half precision
        decoder, image = self.u.refine([low, filtered, restored], pooled)
        return features._replace(decoder=decoder, image=image, base=torch.lerp(filtered, restored, share))

    def _tile(self, place: Place, theta: Float[Tensor, "b p"]) -> Pictures:
        """Return a tile of what total variation makes of the whole picture."""
        sides = zip((place.rows, place.columns), (place.picture.height, place.picture.width), strict=True)
        rows, columns = (slice(max(part.start - AROUND, 0), min(part.stop + AROUND, side)) for part, side in sides)
        restored = self.deconvolve(place.picture.part(rows, columns), theta)
        top, left = place.rows.start - rows.start, place.columns.start - columns.start
        height, width = (part.stop - part.start for part in (place.rows, place.columns))
        return restored[..., top : top + height, left : left + width]

    @torch.no_grad()
    def deconvolve(self, low: Pictures, theta: Float[Tensor, "b p"]) -> Pictures:
        """Return what total variation makes of L. theta: network units."""
        with torch.autocast(low.device.type, enabled=False):
            low, parameters = low.float(), self.prior.denormalise(theta.float().clamp(0, 1))
            found, transform = responses(parameters, self.spec, low), Cosine(low)
            noise = ((parameters.noise_std * parameters.scale) ** 2)[:, None, None, None]
            start = linear(low, found, LINEAR_FLOOR + LINEAR_WEIGHT * noise, transform)
            return minimised(low, found, FLOOR + NOISE_WEIGHT * noise, transform, start=start, edges=self.edges)
