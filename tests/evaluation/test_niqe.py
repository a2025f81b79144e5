"""NIQE against the numbers of another program, and in the order in which pictures get worse."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import pad

import csrgan
from csrgan.degradation.kernels import correlate
from csrgan.evaluation import metrics, results
from csrgan.evaluation.metrics.niqe import MODEL, features
from csrgan.reports import columns

# What BasicSR 1.4.2 gives for these photographs; it repeats the authors' program to four digits.
REFERENCE = {"astronaut": 3.0649, "chelsea": 2.6255, "coffee": 4.1152, "rocket": 6.9692}
PHOTOGRAPHS = ("astronaut", "chelsea", "coffee")


def photograph(name: str) -> Tensor:
    return torch.from_numpy(getattr(skimage.data, name)()).permute(2, 0, 1)[None] / 255


def blurred(image: Tensor, strength: int) -> Tensor:
    place = torch.arange(-8.0, 9.0)
    taps = torch.exp(-(place**2) / (2 * (0.8 * strength) ** 2))
    kernel = torch.outer(taps, taps)
    return correlate(image, (kernel / kernel.sum())[None]).clamp(0, 1)


def noisy(image: Tensor, strength: int) -> Tensor:
    return (image + 0.06 * strength * torch.randn(image.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)


def compressed(image: Tensor, strength: int) -> Tensor:
    stream = io.BytesIO()
    pixels = (255 * image[0].permute(1, 2, 0)).round().byte().numpy()
    Image.fromarray(pixels).save(stream, "JPEG", quality=(40, 20, 8)[strength - 1])
    return torch.from_numpy(np.array(Image.open(stream))).permute(2, 0, 1)[None] / 255


@pytest.mark.parametrize("name", REFERENCE)
def test_it_is_the_published_score(name: str) -> None:
    assert metrics.niqe(photograph(name)) == pytest.approx(REFERENCE[name], abs=4e-3)


@pytest.mark.parametrize("name", PHOTOGRAPHS)
@pytest.mark.parametrize("worse", [blurred, noisy, compressed])
def test_it_rises_with_each_distortion(worse: Callable[[Tensor, int], Tensor], name: str) -> None:
    sharp = photograph(name)
    scores = [metrics.niqe(sharp), *(metrics.niqe(worse(sharp, strength)) for strength in (1, 2, 3))]
    assert scores == sorted(scores), scores
    assert scores[-1] > scores[0] + 1


def test_features_of_parts_are_those_of_the_whole() -> None:
    """So that a large picture can be scored by some of its blocks."""
    sharp = photograph("astronaut")
    whole = features(sharp).reshape(5, 5, 36)[1:3, 1:3].reshape(4, 36)
    assert torch.allclose(whole, features(sharp[..., 96:288, 96:288]), atol=0.1)


def test_pictures_without_enough_to_measure_have_no_score() -> None:
    for image in (photograph("chelsea")[..., :191, :191], photograph("chelsea")[..., :95, :], torch.full((1, 3, 300, 300), 0.5)):
        assert math.isnan(metrics.niqe(image))
    half_blank = pad(photograph("astronaut"), (0, 512), value=1.0)
    assert math.isfinite(metrics.niqe(half_blank))
    assert math.isfinite(metrics.niqe(photograph("chelsea")[..., :192, :192]))


def test_the_model_names_its_source_and_its_licence() -> None:
    text = MODEL.read_text(encoding="utf-8")
    assert re.search(r"BasicSR.*Apache License 2\.0 \(niqe_model\.LICENSE\)", text.replace("\n", " "))
    assert "Version 2.0, January 2004" in MODEL.with_suffix(".LICENSE").read_text(encoding="utf-8")
    covariance = torch.from_numpy(np.loadtxt(MODEL, delimiter=","))[1:]
    assert torch.equal(covariance, covariance.T)
    assert float(torch.linalg.eigvalsh(covariance)[0]) > 0


def test_from_python_it_takes_one_picture_of_any_kind(tmp_path: Path) -> None:
    pixels = skimage.data.chelsea()
    Image.fromarray(pixels).save(tmp_path / "cat.png")
    batch = torch.cat([photograph("chelsea")] * 2)
    for image in (pixels, tmp_path / "cat.png", batch):
        assert csrgan.metrics.niqe(image) == pytest.approx(REFERENCE["chelsea"], abs=4e-3)


def test_a_metric_that_no_picture_is_large_enough_for_is_left_out() -> None:
    from csrgan.evaluation.comparison import Job

    def row(**scores: float) -> results.Row:
        return {"image": "a.png", "psnr_low": 20.0, "psnr_restored": 21.0, "ssim_restored": 0.5, **scores}

    small, large = ({"niqe_low": score, "niqe_restored": score} for score in (math.nan, 3.0))
    assert "niqe_low" not in results.summarise([row(**small)])
    assert results.summarise([row(**small), row(**large)])["niqe_restored"] == 3
    for scores, shown in ((small, False), (large, True)):
        jobs = [Job("a", ("seed=0",), rows=[row(**scores)])]
        assert ("NIQE" in [score.name for score in columns.table_scores(jobs, "gain")]) == shown
