"""A model that is loaded and called: the same S and theta^ as the commands give, in the kind of picture that was given."""

from __future__ import annotations

import doctest
import importlib
import math
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import checkpoints
import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image

import csrgan
from csrgan.cli import main
from csrgan.data import picture
from csrgan.evaluation import metrics

MODULES = (
    *("csrgan.api.degrading", "csrgan.api.evaluation", "csrgan.api.model", "csrgan.api.restoration"),
    *("csrgan.arguments", "csrgan.launch", "csrgan.metrics", "csrgan.training.evaluated"),
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> csrgan.Model:
    return csrgan.load(checkpoints.save(tmp_path_factory.mktemp("model") / "a.ckpt"))


@pytest.fixture(scope="module")
def cat() -> np.ndarray:
    return np.ascontiguousarray(skimage.data.chelsea()[:64, :96])


def test_import_is_quick_and_loads_nothing_heavy() -> None:
    """Median of three; the time of an interpreter that imports nothing is taken off."""
    code = "import sys, csrgan; csrgan.__version__; sys.exit('torch' in sys.modules or not dir(csrgan))"

    def seconds(code: str) -> float:
        began = time.monotonic()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.monotonic() - began

    assert sorted(seconds(code) - seconds("pass") for _ in range(3))[1] < 0.3


def test_every_public_name_is_there_and_others_are_not() -> None:
    assert all(getattr(csrgan, name) is not None for name in csrgan.__all__)
    assert {*csrgan.__all__} <= {*dir(csrgan)}
    assert issubclass(csrgan.UserError, ValueError)
    with pytest.raises(AttributeError, match="lode"):
        csrgan.lode  # noqa: B018


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_docstrings_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cat: np.ndarray) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "first" / "checkpoints").mkdir(parents=True)
    checkpoints.save(tmp_path / "runs" / "first" / "checkpoints" / "last.ckpt")
    Image.fromarray(cat).save("photo.png")
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted > 0
    assert found.failed == 0


def test_all_kinds_of_one_picture_give_the_same(model: csrgan.Model, cat: np.ndarray, tmp_path: Path) -> None:
    Image.fromarray(cat).save(tmp_path / "cat.png")
    tensor = torch.from_numpy(cat).permute(2, 0, 1)[None] / 255
    expected = model.system.restorer.restore(tensor)
    assert expected.parameters is not None
    given: dict[str, Any] = {
        "uint8": cat,
        "uint16": cat.astype(np.uint16) * 257,
        "float32": cat.astype(np.float32) / 255,
        "float64": cat / 255,
        "path": tmp_path / "cat.png",
        "str": str(tmp_path / "cat.png"),
        "not contiguous": cat[::-1][::-1],
    }
    image = expected.image[0].permute(1, 2, 0).numpy()
    for kind, low in given.items():
        result = model(low)
        dtype = low.dtype if isinstance(low, np.ndarray) else np.dtype(np.uint8)
        assert result.image.dtype == dtype, kind
        full_scale = 1 if np.issubdtype(dtype, np.floating) else np.iinfo(dtype).max
        np.testing.assert_allclose(result.image / full_scale, image, atol=0.501 / max(full_scale, 255), err_msg=kind)
        assert result.parameters.blur_std == pytest.approx(float(expected.parameters.blur_std), rel=1e-4), kind
    result = model(tensor)
    assert torch.equal(result.image, expected.image)
    assert torch.equal(result.parameters.scale, expected.parameters.scale)


def test_a_result_is_printed_as_the_command_prints_it_and_its_repr_is_one_line(
    cat: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture_file, file = tmp_path / "cat.jpg", checkpoints.save(tmp_path / "a.ckpt")
    Image.fromarray(cat).save(picture_file)
    assert main(["restore", str(picture_file), f"checkpoint={file}", f"destination={tmp_path}/out"]) == 0
    model = csrgan.load(file)
    result = model(picture_file)
    assert f"{result}\n1 restored" in capsys.readouterr().out
    line = str(result).split("\n")[0].removeprefix("cat.jpg: ")
    assert repr(result) == f"Restoration(S 64x96x3 uint8; {line})"
    batch = torch.from_numpy(cat.copy()).permute(2, 0, 1)[None].repeat(2, 1, 1, 1) / 255
    assert result.findings[0].difference == pytest.approx(np.abs(model(batch).image[0] - batch[0]).mean().item(), abs=0.01)
    several = model(batch)
    assert repr(several) == "Restoration(S 2x3x64x96 float32; 2 pictures)"
    assert str(several).startswith("0: blur std ")
    assert "\n1: blur std " in str(several)


def test_what_a_model_does_not_predict_is_no_prediction_of_it(cat: np.ndarray, tmp_path: Path) -> None:
    """A constant of the prior is known; a mean of it is not."""
    one = ("degradation.scale.high=1", "degradation.predicted=[noise_std]")
    for words, names, unknown in (
        (("degradation=photo",), {"motion_length", "motion_0", "jpeg_quality"}, {"earlier_jpeg"}),
        (one, {"noise_std", "scale"}, {"blur_std"}),
    ):
        torch.save(checkpoints.held("csrgan", "loss/parameters=nll", *words), tmp_path / "a.ckpt")
        result = csrgan.load(tmp_path / "a.ckpt")(cat)
        assert result.interval is not None
        for theta in (result.parameters, result.std, *result.interval):
            known = {name for name, value in theta.named().items() if math.isfinite(value)}
            assert names <= known and not unknown & known
            assert "earlier_jpeg" not in theta.named()


def test_grey_comes_back_grey(model: csrgan.Model, cat: np.ndarray) -> None:
    grey = cat[..., 0]
    assert model(grey).image.shape == (64, 96)
    assert model(grey[..., None]).image.shape == (64, 96, 1)
    batch = model(torch.from_numpy(grey)[None, None].expand(2, -1, -1, -1) / 255)
    assert batch.image.shape == (2, 1, 64, 96)
    assert batch.parameters.noise_std.shape == (2,)
    np.testing.assert_allclose(batch.image[1, 0], model(grey / 255).image, atol=1e-5)


def test_enlarging_is_that_of_the_command_and_beyond_the_training_is_a_warning(model: csrgan.Model, cat: np.ndarray) -> None:
    assert model(cat, enlarge=2).image.shape == (128, 192, 3)
    with pytest.warns(UserWarning, match="makes S 8 times as large, but the model was trained for scales of 1 to 3"):
        model(cat[:16, :16], enlarge=8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model(cat)


@pytest.mark.parametrize("name", ["x.webm", "x", "x.pgn"])
def test_what_cannot_be_written_under_a_suffix_is_told(name: str, model: csrgan.Model, cat: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(csrgan.UserError, match=r"no picture can be written under this suffix: choose one of .*\.png"):
        model(cat).save(tmp_path / name)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
def test_what_is_saved_is_what_csrgan_restore_writes(tmp_path: Path, suffix: str, cat: np.ndarray) -> None:
    """To the byte: the command is a client of the same functions."""
    held = checkpoints.save(tmp_path / "a.ckpt")
    (tmp_path / "photos").mkdir()
    file = tmp_path / "photos" / f"cat{suffix}"
    Image.fromarray(np.dstack([cat, cat[..., :1]]) if suffix in (".png", ".tif") else cat).save(file)
    assert main(["restore", f"checkpoint={held}", f"source={tmp_path}/photos", f"destination={tmp_path}/out"]) == 0
    csrgan.load(held)(file).save(tmp_path / f"mine{suffix}")
    assert (tmp_path / f"mine{suffix}").read_bytes() == (tmp_path / "out" / f"cat{suffix}").read_bytes()


def test_an_array_is_saved_with_its_depth(model: csrgan.Model, cat: np.ndarray, tmp_path: Path) -> None:
    for low in (cat, cat.astype(np.uint16) * 257, cat[..., 0]):
        result = model(low)
        result.save(tmp_path / "s.png")
        held = picture.read(tmp_path / "s.png")
        assert held.grey == (low.ndim == 2)
        np.testing.assert_array_equal(held.pixels[..., 0] if held.grey else held.pixels, result.image)


@pytest.mark.parametrize(
    ("low", "said"),
    [
        (np.zeros((4, 5, 4), np.uint8), r"low is an array of shape \(4, 5, 4\): leave out its alpha channel"),
        (np.zeros((2, 4, 5, 3)), r"low is an array of shape \(2, 4, 5, 3\): give \(H, W, 3\) or \(H, W\)"),
        (np.zeros((4, 5, 3), np.int64), "low is an array of int64: give uint8, uint16 or floating point"),
        (np.full((4, 5, 3), 200.0), "low ranges from 200 to 200, but floating point must lie in .* divide by 255"),
        (np.full((4, 5, 3), -0.1), r"low ranges from -0\.1 to -0\.1"),
        (np.full((4, 5, 3), np.nan), "low holds numbers that are not finite"),
        (np.zeros((0, 5, 3)), "low is empty"),
        (torch.zeros(3, 4, 5), r"low is a tensor of shape \(3, 4, 5\): give \(B, 3, H, W\)"),
        (torch.zeros(1, 3, 4, 5, dtype=torch.uint8), r"low is a tensor of torch\.uint8: give floating point"),
        ("no such file.png", "no such file.png cannot be read"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_picture_is_refused_in_a_sentence(model: csrgan.Model, low: Any, said: str) -> None:
    with pytest.raises(csrgan.UserError, match=said):
        model(low)


def test_what_is_no_model_is_refused_in_a_sentence(tmp_path: Path, model: csrgan.Model, cat: np.ndarray) -> None:
    with pytest.raises(csrgan.UserError, match="is neither a file nor a folder with checkpoints"):
        csrgan.load(tmp_path / "none")
    (tmp_path / "a.ckpt").write_text("no checkpoint")
    with pytest.raises(csrgan.UserError, match="is not a readable checkpoint"):
        csrgan.load(tmp_path / "a.ckpt")
    for device in ("gpu", "cuda:99"):
        with pytest.raises(csrgan.UserError, match=f"device={device}"):
            model.to(device)
    for factor in (0, -1, 0.001):
        with pytest.raises(csrgan.UserError, match="enlarge="):
            model(cat, enlarge=factor)


def test_metrics_are_those_of_an_evaluation_and_take_all_kinds(cat: np.ndarray, tmp_path: Path) -> None:
    noisy = (cat + np.random.default_rng(0).normal(0, 10, cat.shape)).clip(0, 255).astype(np.uint8)
    one, other = (torch.from_numpy(each).permute(2, 0, 1)[None] / 255 for each in (noisy, cat))
    Image.fromarray(noisy).save(tmp_path / "noisy.png")
    for name in ("psnr", "ssim", "ciede2000", "hf_ratio"):
        expected = getattr(metrics, name)(one, other)
        for image in (noisy, one, tmp_path / "noisy.png"):
            assert getattr(csrgan.metrics, name)(image, cat) == pytest.approx(expected, rel=1e-5), name
    luma = metrics.psnr(metrics.luma(one, 3), metrics.luma(other, 3))
    assert csrgan.metrics.psnr_y(noisy, cat, crop=3) == pytest.approx(luma, rel=1e-5)
    both = csrgan.metrics.psnr(torch.cat([one, other]), torch.cat([other, other]))
    assert both == pytest.approx((csrgan.metrics.psnr(noisy, cat) + 100) / 2)
    with pytest.raises(csrgan.UserError, match="only equal shapes compare"):
        csrgan.metrics.psnr(cat, cat[:-1])


def test_evaluate_prints_nothing_of_lightnings_and_leaves_its_level(tmp_path: Path) -> None:
    """In a program of its own, where no command has silenced Lightning for good."""
    program = """
import logging, csrgan
from csrgan.restorers.bicubic import Bicubic
print(csrgan.evaluate(Bicubic(), ["chelsea"], crop=32, grid={"blur": 1, "scale": 1, "noise": 1}).summary["rows"])
print(logging.getLogger("lightning.pytorch").level < logging.ERROR)
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert result.stdout == "1\nTrue\n"
    assert result.stderr == ""
