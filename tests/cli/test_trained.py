"""csrgan evaluate and csrgan restore on the checkpoint of a run."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

import csrgan
from csrgan.api.predicted_theta import describe_difference, describe_theta, out_of_range
from csrgan.cli import main
from csrgan.degradation.prior import Prior
from csrgan.degradation.uniform import Uniform
from csrgan.evaluation.results import BOUNDS


def test_evaluate_gives_the_rows_of_the_run_again(run: Path, tmp_path: Path) -> None:
    words = [
        "evaluate",
        f"checkpoint={run}",
        f"run_dir={tmp_path}/e",
        "evaluation.crop=64",
        "evaluation.grid={blur: 2, scale: 2, noise: 1}",
    ]
    assert main(words) == 0
    scored, before = (list(csv.DictReader((folder / "results.csv").open())) for folder in (tmp_path / "e", run))
    for row, old in zip(scored, before, strict=True):
        assert row["image"] == old["image"]
        found, expected = ([float(each[key] or "nan") for key in row if key != "image"] for each in (row, old))
        assert found == pytest.approx(expected, abs=1e-3, nan_ok=True)
    wide = ["degradation=wide", "evaluation.grid={blur: 3, scale: 1, noise: 1}", "panels=0"]
    assert main([*words[:2], f"run_dir={tmp_path}/f", "evaluation.crop=64", *wide]) == 0
    assert max(float(row["blur_std"]) for row in csv.DictReader((tmp_path / "f" / "results.csv").open())) > 40


def test_restore_keeps_names_sizes_and_kinds(run: Path, photographs: Path, tmp_path: Path) -> None:
    out = tmp_path / "restored"
    assert main(["restore", f"checkpoint={run / 'checkpoints' / 'best.ckpt'}", f"source={photographs}", f"destination={out}"]) == 0
    made = sorted(file.relative_to(out).as_posix() for file in out.rglob("*") if file.is_file() and ".csrgan" not in file.parts)
    assert made == ["alpha.png", "colour.png", "deep.png", "deeper/ünï côde.png", "grey.png", "parameters.csv", "turned.jpg"]
    assert Image.open(out / "colour.png").size == (101, 75)
    assert Image.open(out / "turned.jpg").size == (75, 101)
    assert Image.open(out / "grey.png").mode == "L"
    assert Image.open(out / "alpha.png").mode == "RGBA"
    assert cv2.imread(str(out / "deep.png"), cv2.IMREAD_UNCHANGED).dtype == np.uint16
    rows = list(csv.DictReader((out / "parameters.csv").open(encoding="utf-8")))
    assert len(rows) == 6
    assert set(rows[0]) == {"file", "blur_std", "scale", "noise_std", "niqe_low", "niqe_restored", "consistency_db"}


def test_what_was_restored_among_the_photographs_is_not_restored_again(run: Path, photographs: Path) -> None:
    out = photographs / "restored"
    for _ in range(2):
        assert main(["restore", f"checkpoint={run}", f"source={photographs}", f"destination={out}"]) == 0
        assert len(list(csv.DictReader((out / "parameters.csv").open(encoding="utf-8")))) == 6
    assert not (out / "restored").exists()


def test_restore_enlarges(run: Path, photographs: Path, tmp_path: Path) -> None:
    words = ["restore", f"checkpoint={run}", f"source={photographs / 'colour.png'}", f"destination={tmp_path}/out", "enlarge=2.0"]
    assert main(words) == 0
    assert Image.open(tmp_path / "out" / "colour.png").size == (202, 150)


def test_restore_skips_a_broken_picture_and_says_so(
    run: Path, photographs: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (photographs / "broken.png").write_text("no picture")
    assert main(["restore", f"checkpoint={run}", f"source={photographs}", f"destination={tmp_path}/out"]) == 1
    told = capfd.readouterr().err
    assert "broken.png" in told
    assert "Traceback" not in told
    assert len(list(csv.DictReader((tmp_path / "out" / "parameters.csv").open(encoding="utf-8")))) == 6


def test_restore_says_what_it_found(run: Path, photographs: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["restore", f"checkpoint={run}", f"source={photographs / 'grey.png'}", f"destination={tmp_path}/out"]) == 0
    (row,) = csv.DictReader((tmp_path / "out" / "parameters.csv").open(encoding="utf-8"))
    blur, scale, noise = (float(row[name]) for name in ("blur_std", "scale", "noise_std"))
    expected = f"grey.png: blur std {blur:.2f} px, scale {scale:.2f}, noise std {255 * noise:.2f} /255"
    low, restored = (np.asarray(Image.open(folder / "grey.png")).astype(float) for folder in (photographs, tmp_path / "out"))
    assert np.abs(restored - low).mean() < 0.5  # the network was hardly trained
    assert f"{expected}; left as it is" in capfd.readouterr().out.split("\n")


RANGES: Any = ({"low": 0, "high": 50, "uniform_in": "variance"}, {"low": 1, "high": 3}, {"low": 0, "high": 10 / 255})


def test_what_may_be_absent_is_named_without_numbers() -> None:
    length, angle = Uniform(1, 12, absent=0.5, neutral=0.0), Uniform(0, 180)
    prior = Prior(
        *({**bounds, "absent": 0.5} for bounds in RANGES),
        ["blur_std", "scale", "noise_std", "motion_0", "motion_45"],
        more={"motion_length": length, "motion_angle": angle},
        axes={"motion": ("motion_length", "motion_angle")},
    )
    ends = {"blur_std": (0, 2), "scale": (1.4, 2), "noise_std": (0, 0.02), "motion_0": (-1, 2), "motion_45": (-3, 3)}
    values = dict.fromkeys(ends, 1.5) | {f"{name}_low90": low for name, (low, _) in ends.items()}
    values |= {f"{name}_high90": high for name, (_, high) in ends.items()}
    assert describe_theta(values, prior) == "scale 1.50 [1.40, 2.00]; not certain: blur, noise, motion"
    along = {"motion_0": 1.5, "motion_0_low90": 1.0, "motion_0_high90": 2.0}  # the other component may be 0, but there is motion
    told = "scale 1.50 [1.40, 2.00], motion (0°) 1.50 [1.00, 2.00], motion (45°) 1.50 [-3.00, 3.00]; not certain: blur, noise"
    assert describe_theta(values | along, prior) == told
    always = Prior(*RANGES, prior.predicted, more={"motion_length": Uniform(0, 12), "motion_angle": angle}, axes=prior.axes)
    assert "not certain" not in describe_theta(values, always)


def with_intervals(**given: tuple[float, float, float]) -> dict[str, float]:
    """Values with the ends of their intervals."""
    ends = {f"{name}_{end}": value for name, numbers in given.items() for end, value in zip(BOUNDS, numbers[1:], strict=True)}
    return {name: value for name, (value, *_) in given.items()} | ends


def test_the_shape_of_a_blur_is_said_with_its_blur_alone_and_an_interval_counts_as_it_is_shown() -> None:
    """The packaged network's prior: each parameter stands in the line once, with numbers or as not certain."""
    prior = csrgan.load().system.restorer.prior
    shape = {"ellipticity_0": (0.04, 0.01, 0.07), "ellipticity_45": (-0.001, -0.02, 0.02), "jpeg_quality": (82.4, 70.5, 94.3)}
    blurred = with_intervals(blur_std=(2.0, 1.5, 2.5), scale=(2.1, 1.004, 3.3), **shape)
    told = "blur std 2.00 [1.50, 2.50] px, ellipticity (0°) 0.04 [0.01, 0.07], ellipticity (45°) 0.00 [-0.02, 0.02]"
    assert describe_theta(blurred, prior, 90) == f"{told}, jpeg quality 82 [70, 94] (the file says 90); not certain: scale"
    sharp = blurred | with_intervals(blur_std=(0.3, 0.0, 0.9), jpeg_quality=(97.0, 93.0, 100.0))
    said = "jpeg quality 97 [93, 100] (the file says 90); not certain: blur, scale, ellipticity"
    assert describe_theta(sharp, prior, 90) == said
    assert describe_theta(sharp, prior) == "not certain: blur, scale, ellipticity, jpeg quality"
    (outside,) = out_of_range(with_intervals(ellipticity_45=(9.0, 8.0, 10.0)), prior)
    assert outside.startswith("ellipticity (45°) 9.00 lies outside the range")


def test_the_words_on_how_far_s_is_from_l() -> None:
    assert describe_difference(0.7 / 255) == "S differs by 0.7/255"
    assert describe_difference(0.4 / 255) == "left as it is"
    assert describe_difference(None) == ""


def test_an_interval_is_said_and_what_lies_beyond_the_prior_is_told() -> None:
    prior = Prior(*RANGES)
    found = {"blur_std": 2.0, "blur_std_low90": 1.5, "blur_std_high90": 2.25, "noise_std": 20 / 255}
    own = Prior(*RANGES, more={"exposure": Uniform(0, 1, unit="stops"), "tone_curve": Uniform(0, 1)})
    assert describe_theta({"exposure": 0.5, "tone_curve": 1.0}, own) == "exposure 0.50 stops, tone curve 1.00"
    assert describe_theta(found, prior) == "blur std 2.00 [1.50, 2.25] px, noise std 20.00 /255"
    (sentence,) = out_of_range(found, prior)
    assert sentence.startswith("noise std 20.00 /255 lies outside the range that the model was trained on, 0 to 10 /255: ")
    (sentence,) = out_of_range({"blur_std": 8.0}, prior)
    assert sentence.startswith("blur std 8.00 px lies outside the range that the model was trained on, 0 to 7.071 px: ")
    assert list(out_of_range({"blur_std": 7.1, "scale": 1.0, "noise_std": 0.0}, prior)) == []
