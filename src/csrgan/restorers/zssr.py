"""ZSSR: a small network learns to undo a known degradation on the picture that it then enlarges (Shocher et al. 2018)."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from csrgan.arguments import Recorded
from csrgan.data.progress import Advance
from csrgan.degradation.operator import linear
from csrgan.degradation.parameters import Parameters
from csrgan.degradation.spec import DegradationSpec
from csrgan.networks.papers.zssr import ZSSRNet
from csrgan.ranges import Count, CountOr0, NotNegative
from csrgan.restorers.bicubic import enlarged


class ZSSR(Recorded):
    """The network learns to restore L from L degraded once more; then it is applied to L.

    width, layers: of the network. steps: of its training. crops, crop: number per step, and side in px. lr: initial learning rate,
    which falls to 0 with a cosine. back_projections: corrections of S so that it degrades to L.
    """

    def __init__(
        self,
        *,
        width: Count = 64,
        layers: Count = 8,
        steps: Count = 1000,
        crops: Count = 1,
        crop: Count = 64,
        lr: NotNegative = 1e-3,
        back_projections: CountOr0 = 2,
    ) -> None:
        self.width, self.layers, self.steps, self.crops, self.crop, self.lr = width, layers, steps, crops, crop, lr
        self.back_projections = back_projections

    def restore(
        self, low: Float[Tensor, "1 3 h w"], parameters: Parameters, spec: DegradationSpec, factor: int, advance: Advance
    ) -> Float[Tensor, "1 3 h2 w2"]:
        """Return S, `factor` times as large as L. parameters, spec: of the degradation from S to L."""
        network = ZSSRNet(width=self.width, layers=self.layers).to(low)
        optimizer = torch.optim.Adam(network.parameters(), lr=self.lr)
        side = [min(self.crop, length) // factor * factor for length in low.shape[-2:]]
        for step in range(self.steps):
            sharp = torch.cat([_random_crop(low, *side) for _ in range(self.crops)])
            with torch.no_grad():
                inputs = enlarged(self._degraded(sharp, parameters, spec).clamp(0, 1), factor)
            loss = (network(inputs) - sharp).abs().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.param_groups[0]["lr"] = self.lr * 0.5 * (1 + math.cos(math.pi * step / self.steps))
            optimizer.step()
            advance(step + 1)
        with torch.no_grad():
            image: Tensor = network(enlarged(low, factor))
            for _ in range(self.back_projections):
                residual = low - self._degraded(image, parameters, spec)
                image = image + functional.interpolate(residual, scale_factor=factor, mode="bicubic", antialias=True)
        return image.clamp(0, 1)

    def _degraded(self, image: Tensor, parameters: Parameters, spec: DegradationSpec) -> Tensor:
        repeated = Parameters.of({name: value.expand(len(image), *value.shape[1:]) for name, value in parameters.present().items()})
        return linear(image, repeated, spec=spec)


def _random_crop(image: Tensor, height: int, width: int) -> Tensor:
    top = int(torch.randint(image.shape[-2] - height + 1, ()))
    left = int(torch.randint(image.shape[-1] - width + 1, ()))
    return image[..., top : top + height, left : left + width]
