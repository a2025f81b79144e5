"""Perceptual distance: how differently a frozen network, trained to name what is in photographs, sees two pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import normalize

from csrgan.arguments import Recorded
from csrgan.errors import require
from csrgan.ranges import CountOr0

Picture = Float[Tensor, "b 3 h w"]
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, which the networks were trained on


class FeatureDistance(Recorded):
    """Mean squared distance of features that are normalised along the channels, averaged over places and layers (LPIPS without
    learned weights, Zhang et al. 2018, eq. 1).

    backbone: loads the network, see `backbones`. layers: its blocks whose features are compared, counted from 0.
    The network is loaded when training begins, not to restore pictures; it is no part of a checkpoint.
    """

    least_side = 16  # px: smaller pictures have no features on all layers

    def __init__(self, *, backbone: Callable[[], nn.Sequential], layers: Sequence[CountOr0]) -> None:
        self.backbone, self.layers = backbone, frozenset(layers)
        self.network: nn.Sequential | None = None

    def prepare(self) -> None:
        """Load the network. Raises UserError where it cannot be had, or has no such layers."""
        network = self.backbone()
        last = len(network) - 1
        require(
            len(self.layers) > 0 and all(0 <= layer <= last for layer in self.layers),
            f"loss.perceptual.function.layers={sorted(self.layers)} must name one or more blocks from 0 to {last}.",
        )
        self.network = nn.Sequential(*list(network)[: max(self.layers) + 1]).eval().requires_grad_(False)

    def __call__(self, restored: Picture, sharp: Picture) -> Float[Tensor, ""]:
        return self.each(restored, sharp).mean()

    def each(self, images: Picture, sharp: Float[Tensor, "one_or_b 3 h w"]) -> Float[Tensor, " b"]:
        """The distance of each picture from the sharp one, or from its own of several."""
        with torch.autocast(images.device.type, enabled=False):
            pairs = zip(self._features(images.float()), self._features(sharp.float()), strict=True)
            found = [(normalize(a) - normalize(b)).square().sum(dim=1).mean(dim=(1, 2)) for a, b in pairs]
        return torch.stack(found).mean(dim=0)

    def _features(self, image: Picture) -> list[Tensor]:
        if self.network is None:
            self.prepare()
        assert self.network is not None
        network = self.network.to(image.device)
        mean, std = (torch.tensor(values, device=image.device)[:, None, None] for values in (MEAN, STD))
        x, found = (image - mean) / std, []
        for index, block in enumerate(network):
            x = block(x)
            if index in self.layers:
                found.append(x)
        return found
