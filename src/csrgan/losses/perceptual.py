"""Perceptual distance: the difference of two pictures in the features of a frozen network trained to classify photographs."""

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
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, the networks' training set


class FeatureDistance(Recorded):
    """Mean squared distance of features normalised along the channels, averaged over positions and layers (LPIPS without learned
    weights, Zhang et al. 2018, eq. 1).

    backbone: loads the network, see `backbones`. layers: indices of the blocks whose features are compared, from 0.
    The network is loaded for training only, not for restoring, and is not part of a checkpoint.
    """

    least_side = 16  # px: some layers have no features for smaller pictures

    def __init__(self, *, backbone: Callable[[], nn.Sequential], layers: Sequence[CountOr0]) -> None:
        self.backbone, self.layers = backbone, frozenset(layers)
        self.network: nn.Sequential | None = None

    def prepare(self) -> None:
        """Load the network. Raises UserError if it cannot be loaded or has no such layers."""
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
        """Return the distance of each picture from `sharp`: one sharp picture for all, or one for each."""
        with torch.autocast(images.device.type, enabled=False):
            pairs = zip(self._features(images.float()), self._features(sharp.float()), strict=True)
            distances = [(normalize(a) - normalize(b)).square().sum(dim=1).mean(dim=(1, 2)) for a, b in pairs]
        return torch.stack(distances).mean(dim=0)

    def _features(self, image: Picture) -> list[Tensor]:
        if self.network is None:
            self.prepare()
        assert self.network is not None
        network = self.network.to(image.device)
        mean, std = (torch.tensor(values, device=image.device)[:, None, None] for values in (MEAN, STD))
        x, features = (image - mean) / std, []
        for index, block in enumerate(network):
            x = block(x)
            if index in self.layers:
                features.append(x)
        return features
