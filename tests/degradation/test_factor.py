"""A further factor of the degradation: one class and one yaml, and the number is drawn, applied, recorded, predicted and tabled."""

from __future__ import annotations

import csv
import json
import math
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sweep
import torch
from commands import SHORT
from matplotlib.figure import Figure
from matplotlib.text import Text
from torch import Tensor

import csrgan
from csrgan.cli import main
from csrgan.config import announced
from csrgan.data.loader import Packed
from csrgan.degradation.factor import Factor
from csrgan.degradation.factors.motion import Motion
from csrgan.degradation.factors.sensor import ShotNoise
from csrgan.degradation.operator import degrade
from csrgan.degradation.parameters import NAMES, Parameters
from csrgan.evaluation import results
from csrgan.evaluation.comparison import grouped
from csrgan.records import Batch, Restoration
from csrgan.reports import figure, page, predictions, table


class Exposure(Factor):
    """Stops by which a picture is brighter; may be negative."""

    unit = "stops"

    def change(self, images: Tensor, number: Tensor) -> Tensor:
        return images * 2 ** number[:, None, None, None]


class Mirror(Factor):
    """Before the blur."""

    place = "sharp"

    def change(self, images: Tensor, number: Tensor) -> Tensor:
        return torch.where((number > 0.5)[:, None, None, None], images.flip(-1), images)


def protocol(**more: object) -> csrgan.Degradation:
    factors = {"exposure": Exposure(low=-1.0, high=1.0), "mirror": Mirror(low=0.0, high=1.0)}
    return csrgan.Degradation(factors=factors, predicted=[*NAMES, "exposure"], **more)  # type: ignore[arg-type]


def test_each_picture_is_changed_by_its_own_number_at_its_place() -> None:
    """The fused operator is the one without factors, between what happens before and after it."""
    torch.manual_seed(0)
    sharp, made = torch.rand(3, 3, 24, 20), protocol()
    theta = Parameters.of({**csrgan.Degradation().prior.mean(3).present(), "exposure": torch.tensor([-1.0, 0.0, 0.5])})
    theta = Parameters.of({**theta.present(), "mirror": torch.tensor([0.0, 1.0, 0.2])})
    before = torch.stack([sharp[0], sharp[1].flip(-1), sharp[2]])
    plain = degrade(before, Parameters.of({name: theta.number(name) for name in NAMES}))
    expected = (plain * torch.tensor([0.5, 1.0, 2**0.5])[:, None, None, None]).clamp(0, 1)
    torch.testing.assert_close(made.degrade(sharp, theta), expected)
    assert theta.exposure[2] == 0.5
    with pytest.raises(AttributeError, match="there is no parameter gamma"):
        theta.gamma  # noqa: B018


def test_it_leaves_other_draws_unchanged_and_covers_its_range() -> None:
    mine, plain = protocol().prior, csrgan.Degradation().prior
    drawn, without = (prior.sample(np.random.default_rng(3), 4000) for prior in (mine, plain))
    assert all(torch.equal(drawn.number(name), without.number(name)) for name in NAMES)
    torch.testing.assert_close(
        torch.quantile(drawn.exposure, torch.tensor([0.1, 0.5, 0.9])), torch.tensor([-0.8, 0.0, 0.8]), atol=0.05, rtol=0
    )
    cells = mine.grid(blur=3, scale=2, noise=2)
    assert torch.equal(cells.blur_std, plain.grid(blur=3, scale=2, noise=2).blur_std)
    assert len(cells.exposure.unique()) == len(cells)  # spread over its range, one a cell
    assert cells.exposure.min() < -0.7
    assert cells.exposure.max() > 0.6


def test_conversions_keep_its_number() -> None:
    prior = protocol().prior
    theta = prior.sample(np.random.default_rng(0), 5)
    units = prior.normalise(theta)
    assert units.shape == (5, 4)
    torch.testing.assert_close(prior.denormalise(units).exposure, theta.exposure)
    torch.testing.assert_close(prior.denormalise(units).mirror, torch.full((5,), 0.5))  # not predicted: the prior's mean
    low, high = prior.interval(units, torch.full_like(units, 0.1))
    torch.testing.assert_close(high.exposure - low.exposure, torch.full((5,), 2 * 0.1 * 2 * 1.6448536))
    torch.testing.assert_close(prior.spread(units, torch.full_like(units, 0.1)).exposure, torch.full((5,), 0.2))
    again = Parameters.concatenate([theta[:2], theta[2:].to("cpu")])
    assert all(torch.equal(again.number(name), theta.number(name)) for name in theta.names)
    assert Packed(theta).data  # through the pipe of a loader process
    shares, shift = prior.units_of(protocol(noise={"low": 0.0, "high": 0.1}).prior)
    assert shares.tolist() == pytest.approx([1.0, 1.0, 0.1 * 255 / 10, 1.0])
    assert shift.tolist() == pytest.approx([0.0] * 4)


def test_rows_and_tables_contain_it_and_no_bound() -> None:
    made = protocol()
    theta = made.prior.mean()
    sharp = torch.rand(1, 3, 32, 32)
    batch = Batch(sharp, made.degrade(sharp, theta), theta, ("a",), made.spec)
    row = results.row(batch, Restoration(sharp, theta), made.prior)
    assert (row["exposure"], row["exposure_predicted"], row["mirror"]) == (0.0, 0.0, 0.5)
    assert "mirror_predicted" not in row
    assert not [name for name in row if name.endswith("_bound")]
    plain = Batch(sharp, sharp, csrgan.Degradation().prior.mean(), ("a",))
    assert "blur_std_bound" in results.row(plain, Restoration(sharp, plain.parameters), csrgan.Degradation().prior)
    summary = results.summarise([row, row | {"exposure": 0.5, "blur_std": 1.0, "scale": 1.5, "noise_std": 0.0}])
    assert results.predicted_in(row) == results.predicted_in(summary) == [*NAMES, "exposure"]
    assert table.parameters(summary, made.prior.units).columns[0]._cells[-1] == "exposure, stops"  # type: ignore[union-attr]


def captions(drawing: Figure) -> str:
    return " ".join(text.get_text() for text in drawing.findobj(Text)).replace("\n", " ")


def test_panels_sheets_and_the_page_name_it_with_its_unit(tmp_path: Path) -> None:
    made = protocol()
    assert made.prior.units == made.spec.units == {"exposure": "stops"}  # `mirror` has none
    theta = Parameters.of({**made.prior.mean().present(), "exposure": torch.tensor([0.25])})
    sharp = torch.rand(1, 3, 32, 32)
    low = made.degrade(sharp, theta)
    said = captions(figure.panel(Batch(sharp, low, theta, ("a",), made.spec), Restoration(sharp, theta)))
    assert said.count("/255, exposure 0.25 stops, mirror 0.50") == 2  # predicted, and true
    assert "/255, exposure 0.25 stops" in captions(figure.sheet([(low[0], theta, "a.png")], made.prior.units))
    rows = [row | {"exposure": 0.5 + index % 2, "exposure_predicted": 0.25} for index, row in enumerate(sweep.rows(0))]
    jobs = [replace(job, rows=rows, units=made.prior.units) for job in sweep.jobs(1, tmp_path / "runs")]
    assert "exposure 0.50 stops" in page.write(tmp_path, jobs, title="t", question="").read_text(encoding="utf-8")
    assert "true exposure, stops" in captions(predictions.against_truth(grouped(jobs)))  # type: ignore[arg-type]


class Vignette(Factor):
    """Nothing is changed by 0, which may lie at either end."""

    neutral = 0.0

    def change(self, images: Tensor, number: Tensor) -> Tensor:
        return images * (1 - number[:, None, None, None])


@pytest.mark.parametrize(
    ("low", "high", "uniform_in"), [(0.2, 0.6, "value"), (0.2, 0.6, "variance"), (-0.6, -0.2, "value"), (0.3, 0.3, "value")]
)
def test_an_absent_factor_has_its_neutral_number(low: float, high: float, uniform_in: str) -> None:
    made = csrgan.Degradation(
        factors={"vignette": Vignette(low=low, high=high, uniform_in=uniform_in, absent=0.25)}, predicted=["vignette"]
    )
    theta = made.prior.sample(np.random.default_rng(0), 4000)
    numbers = theta.more["vignette"]
    assert float((numbers == 0).float().mean()) == pytest.approx(0.25, abs=0.02)
    ends = [math.copysign(abs(end) ** (0.5 if uniform_in == "variance" else 1), end) for end in (low, high)]
    present = numbers[numbers != 0]
    assert ends[0] - 1e-6 <= float(present.min()) <= float(present.max()) <= ends[1] + 1e-6
    units = made.prior.normalise(theta)
    assert float(units.min()) >= 0 and float(units.max()) <= 1 + 1e-6
    torch.testing.assert_close(made.prior.denormalise(units).more["vignette"], numbers)
    assert float(made.prior.mean().more["vignette"]) == pytest.approx(float(numbers.mean()), abs=0.02)


def test_what_cannot_be_absent_is_told() -> None:
    with pytest.raises(csrgan.UserError, match=r"Exposure\.absent=0\.5: this factor has no number that changes nothing"):
        Exposure(low=0.0, high=1.0, absent=0.5)
    with pytest.raises(csrgan.UserError, match=r"0 changes nothing, and must not lie between Vignette\.low and Vignette\.high"):
        Vignette(low=-1.0, high=1.0, absent=0.5)


def test_impossible_settings_are_user_errors() -> None:
    with pytest.raises(csrgan.UserError, match=r"Exposure\.low=1 lies above Exposure\.high=0"):
        Exposure(low=1.0, high=0.0)
    with pytest.raises(csrgan.UserError, match=r"degradation\.predicted has no gamma.*exposure"):
        csrgan.Degradation(factors={"exposure": Exposure(low=0.0, high=1.0)}, predicted=["gamma"])
    with pytest.raises(csrgan.UserError, match=r"theta has no gamma.*exposure"):
        csrgan.degrade(np.zeros((8, 8)), protocol(), theta={"gamma": 1.0})


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `csrgan new` writes, in the current folder."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert main(["new", f"{tmp_path}/outside"]) == 0
    monkeypatch.chdir(tmp_path / "outside")
    monkeypatch.setenv(announced.ALLOW, "outside")
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "outside"]:
        del sys.modules[name]


@pytest.mark.usefixtures("package")
def test_one_from_a_package_works_in_train_report_restore_and_degrade(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    predicted = "degradation.predicted=[blur_std,scale,noise_std,gamma]"
    source = Path("outside/factors.py")
    source.write_text(source.read_text().replace("    def change(", '    unit = "EV"\n\n    def change('))
    words = ["+factor/gamma=mild", predicted, "loss/parameters=nll", "loss.parameters.variance=true", "evaluation.grid.blur=3"]
    words += ["trainer.panels=1"]
    assert main(["train", *SHORT, *words, f"run_dir={tmp_path}/run"]) == 0
    rows = list(csv.DictReader((tmp_path / "run" / "results.csv").open()))
    assert "gamma, EV" in capsys.readouterr().out
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["units"] == {"gamma": "EV"}
    assert main(["report", f"folder={tmp_path}/run"]) == 0
    assert re.search(r"gamma [01]\.\d\d EV", (tmp_path / "run" / "report.html").read_text())
    assert len({row["gamma"] for row in rows}) > 1
    assert all(float(row["gamma_low90"]) < float(row["gamma_predicted"]) < float(row["gamma_high90"]) for row in rows)
    model = csrgan.load(tmp_path / "run")
    assert model.predicts == (*NAMES, "gamma")
    low, high = model(np.full((32, 32, 3), 0.5)).interval  # type: ignore[misc]
    assert low.gamma < high.gamma
    made = csrgan.degrade(np.full((32, 32), 0.5), "little_blur", seed=1)
    assert made.parameters.more == {}
    (tmp_path / "photos").mkdir()
    csrgan.load(tmp_path / "run")(np.full((32, 32, 3), 0.5)).save(tmp_path / "photos" / "a.png")
    assert (
        main(
            ["degrade", "degradation=little_blur", "+factor/gamma=mild", f"source={tmp_path}/photos", f"destination={tmp_path}/set"]
        )
        == 0
    )
    (row,) = csv.DictReader((tmp_path / "set" / "parameters.csv").open())
    assert 0.8 <= float(row["gamma"]) <= 1.25


def test_photo_trains_and_reports_every_number(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Motion, a kernel's shape, photon noise and sharpening, through training, the table, panels and the result's rows."""
    run = tmp_path / "run"
    words = [
        "degradation=photo",
        *(f"factor.{name}.absent=0" for name in ("motion", "shot_noise", "sharpening")),
        "loss/parameters=nll",
        "loss.parameters.variance=true",
        "trainer.panels=1",
        f"run_dir={run}",
    ]
    assert main(["train", *SHORT, *words]) == 0
    said = capsys.readouterr().out
    assert said.count("ellip") >= 2 and said.count("motion") >= 2
    rows = list(csv.DictReader((run / "results.csv").open()))
    for name in ("motion_0", "motion_45", "ellipticity_0", "ellipticity_45", "shot_noise", "sharpening", "jpeg_quality"):
        assert all(float(row[f"{name}_low90"]) <= float(row[f"{name}_predicted"]) <= float(row[f"{name}_high90"]) for row in rows)
        assert len({row[name] for row in rows}) > 1
    for row in rows:
        length, angle = (float(row[f"motion_{part}"]) for part in ("length", "angle"))
        assert float(row["motion_0"]) == pytest.approx(length * math.cos(math.radians(2 * angle)), abs=1e-3)
    model = csrgan.load(run)
    restored = model(np.full((32, 32, 3), 0.5))
    theta = restored.parameters
    assert theta is not None and restored.interval is not None
    low, high = restored.interval
    assert low.motion_length < theta.motion_length < high.motion_length
    assert theta.motion_length == pytest.approx(min(math.hypot(theta.motion_0, theta.motion_45), 12.0), abs=1e-4)


def test_pictures_in_any_memory_order_are_degraded_alike() -> None:
    made = csrgan.Degradation(factors={"motion": Motion(low=5.0, high=9.0), "shot_noise": ShotNoise(low=0.0, high=0.01)})
    sharp = torch.rand(3, 20, 24, 3).permute(0, 3, 1, 2)  # as a loader gives them
    theta = made.prior.sample(np.random.default_rng(0), 3)
    noise = made.noise((3, 3, 20, 24), theta)
    assert torch.equal(made.degrade(sharp, theta, noise), made.degrade(sharp.contiguous(), theta, noise))
