"""Contracts that every degradation in conf/ keeps; new ones are tested automatically."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pytest
import torch
import witness
from composed import choices, composed
from kornia.augmentation import AugmentationSequential
from torch import Tensor

from csrgan.config.build import build
from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.factors.motion import line_kernels
from csrgan.errors import UserError

ABSENT = {
    "earlier_jpeg": torch.full((3,), 100.0),
    "jpeg_quality": torch.full((3,), 100.0),
    "motion_length": torch.zeros(3),
    "sharpening": torch.zeros(3),
}


@pytest.mark.parametrize("name", choices("degradation"))
def test_every_degradation_labels_its_output(name: str, chelsea: Tensor) -> None:
    degradation: Degradation = build(composed(f"degradation={name}")["degradation"])
    sharp = chelsea[..., :72, :60].repeat(4, 1, 1, 1)
    low = degradation(sharp)
    step = degradation.multiple
    assert low.shape == (4, 3, 72 // step, 60 // step)
    assert low.min() >= 0
    assert low.max() <= 1
    theta = degradation.prior.normalise(degradation.labels)
    assert theta.shape == (4, len(degradation.prior.predicted))
    assert bool((theta >= -0.05).all())  # the realised scale may leave the range by the rounding of a size
    assert bool((theta <= 1.05).all())
    assert torch.equal(low, degradation(sharp, params=degradation._params))
    chain = AugmentationSequential(degradation, data_keys=["input"])
    assert torch.equal(chain(sharp), chain(sharp, params=chain._params))


@pytest.mark.parametrize("backend", ["banded", "kornia"])
@pytest.mark.parametrize("name", choices("degradation"))
def test_every_degradation_equals_its_witness(name: str, backend: str, chelsea: Tensor) -> None:
    """SciPy and Pillow compute the same L from the labels alone, without noise."""
    degradation: Degradation = build(composed(f"degradation={name}")["degradation"] | {"backend": backend})
    sharp = chelsea[..., :72, 60:156].repeat(3, 1, 1, 1)
    theta = degradation.prior.sample(np.random.default_rng(4), 3).realised(72, 96)
    still = torch.zeros(3, 3 * degradation.draws, 72, 96)
    low = degradation(sharp, params=degradation.recorded(theta, still))
    numbers = ABSENT | dict(theta.more)
    rounding = 0.5 / 255 if degradation.flags["bits"] else 0.0
    for k in range(3):
        kernel = None if theta.kernel is None else theta.kernel[k].double().numpy()
        values = float(theta.blur_std[k]), float(theta.scale[k])
        picture = sharp[k].double().numpy()
        if numbers["motion_length"][k]:
            line = line_kernels(*(numbers[f"motion_{part}"][k : k + 1].double() for part in ("length", "angle")))
            picture = witness.blur_by(picture, line[0].numpy())
        first, last = (int(numbers[name][k].round()) for name in ("earlier_jpeg", "jpeg_quality"))
        expected = witness.chain(picture, *values, degradation.spec, kernel, first)
        expected = witness.sharpened(expected, float(numbers["sharpening"][k]), 1.0)
        if min(first, last) < 100:  # a pixel that rounds otherwise changes a whole block
            error = low[k].double().numpy() - (expected if last == 100 else witness.through_jpeg(expected, last))
            assert -10 * math.log10(np.square(error).mean()) > 45
            continue
        np.testing.assert_allclose(low[k].double().numpy(), expected, atol=1e-4 + rounding, rtol=0)


IMPOSSIBLE: list[tuple[str, Any, str]] = [
    ("blur.low", -1.0, "Degradation.blur.low=-1.0 "),
    ("blur.low", 1e6, "degradation.blur.high="),
    ("scale.low", 0.5, "Degradation.scale.low=0.5 "),
    ("noise.high", -0.1, "Degradation.noise.high=-0.1"),
    ("noise.high", math.inf, "Degradation.noise.high=inf "),
    ("kernel_size", 14, "degradation.kernel_size=14 "),
    ("bits", 0, "Degradation.bits=0 "),
    ("tested_blur_std", [-1.0], "Degradation.tested_blur_std=[-1.0]"),
    ("downsampling", "nearest", "Degradation.downsampling has no nearest."),
    ("backend", "kornai", "Did you mean kornia?"),
    ("output", "native", "degradation.output=native "),
    ("downsampling", "direct", "degradation.downsampling=direct "),
]


@pytest.mark.parametrize("name", choices("degradation"))
def test_no_degradation_accepts_impossible_settings(name: str) -> None:
    protocol = composed(f"degradation={name}")["degradation"]
    for key, value, said in IMPOSSIBLE:
        node = copy.deepcopy(protocol)
        group, _, last = key.rpartition(".")
        (node[group] if group else node)[last] = value
        if said.endswith(("native ", "direct ")):
            node |= {"output": "upsampled", "downsampling": "bicubic", key: value}
            node["scale"] = {"low": 1.0, "high": 3.0, "uniform_in": "value"}
        with pytest.raises(UserError) as told:
            build(node)
        assert said in str(told.value)
        assert "\n" not in str(told.value)
