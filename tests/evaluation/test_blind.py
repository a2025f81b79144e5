"""Scores without H: those of a large picture come from some of its parts, and are those of the whole."""

from __future__ import annotations

import math

import pytest
import skimage.data
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from csrgan.degradation.operator import degrade
from csrgan.degradation.parameters import Parameters
from csrgan.degradation.prior import Prior
from csrgan.degradation.spec import DegradationSpec
from csrgan.evaluation import blind, metrics, results
from csrgan.networks.source import InMemory

PRIOR = Prior(
    **{
        "blur": {"low": 0, "high": 50, "uniform_in": "variance"},
        "scale": {"low": 1, "high": 4},
        "noise": {"low": 0, "high": 10 / 255},
    }
)
SPEC = DegradationSpec()


def theta(blur: float, scale: float) -> Parameters:
    return Parameters(*(torch.tensor([value]) for value in (blur, scale, 0.01)))


def photograph(height: int, width: int) -> Tensor:
    pixels = torch.from_numpy(skimage.data.astronaut()).permute(2, 0, 1)[None] / 255
    return interpolate(pixels, size=(height, width), mode="bicubic", antialias=True).clamp(0, 1)


def scores(low: Tensor, restored: Tensor, parameters: Parameters | None, spec: DegradationSpec = SPEC) -> results.Row:
    return blind.scores(InMemory(low), InMemory(restored), parameters, PRIOR, spec)


def test_of_a_small_picture_they_are_those_of_an_evaluation() -> None:
    sharp, parameters = photograph(300, 451), theta(1.5, 2.0)
    low = degrade(sharp, parameters)
    row = scores(low, sharp.roll(1, -1), parameters)
    assert row["niqe_low"] == pytest.approx(metrics.niqe(low))
    assert row["niqe_restored"] == pytest.approx(metrics.niqe(sharp.roll(1, -1)))
    assert row["consistency_db"] == pytest.approx(results.consistency(sharp.roll(1, -1), low, parameters, SPEC), abs=1e-3)
    assert scores(low, sharp, parameters)["consistency_db"] > 60 > float(row["consistency_db"]) + 20


@pytest.mark.parametrize(("blur", "scale"), [(0.5, 1.0), (2.0, 2.37), (6.0, 3.1)])
def test_parts_of_a_large_picture_stand_for_the_whole(blur: float, scale: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blind, "LARGEST", 2**18)
    monkeypatch.setattr(blind, "PARTS", 2)
    sharp, parameters = photograph(821, 907), theta(blur, scale)
    low = degrade(sharp, parameters)
    low = (low + 0.01 * torch.randn(low.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    for restored in (sharp, (sharp * 0.95)):
        whole = results.consistency(restored, low, parameters, SPEC)
        assert scores(low, restored, parameters)["consistency_db"] == pytest.approx(whole, abs=1.0)


def test_only_parts_of_a_large_picture_are_read() -> None:
    class Counted(InMemory):
        read = 0

        def part(self, rows: slice, columns: slice) -> Tensor:
            result = super().part(rows, columns)
            Counted.read += result.shape[-1] * result.shape[-2]
            return result

    sharp = photograph(3000, 2600)
    blind.scores(Counted(sharp), Counted(sharp), None, PRIOR, SPEC)
    assert Counted.read < 2 * 1.5e6
    Counted.read = 0
    blind.scores(Counted(photograph(900, 900)), Counted(photograph(900, 900)), None, PRIOR, SPEC)
    assert Counted.read == 2 * 900 * 900


def test_a_native_picture_is_scored_at_the_size_of_s() -> None:
    spec, parameters = DegradationSpec(output="native"), theta(1.0, 2.0)
    sharp = photograph(1400, 1000)
    low = degrade(sharp, parameters, spec=spec)
    assert low.shape[-1] == 500
    row = scores(low, sharp, parameters, spec)
    assert row["consistency_db"] > 60
    assert float(row["niqe_low"]) > float(row["niqe_restored"]) > 0


def test_what_cannot_be_scored_is_empty() -> None:
    small = photograph(64, 96)
    row = scores(small, small, theta(0.0, 1.0))
    assert (row["niqe_low"], row["niqe_restored"]) == ("", "")
    assert math.isfinite(float(row["consistency_db"]))
    assert "consistency_db" not in scores(small, small, None)
