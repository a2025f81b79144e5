"""csrgan evaluate and csrgan restore on the checkpoint of a run."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from csrgan.cli import main


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
        assert [float(row[key]) for key in row if key != "image"] == pytest.approx(
            [float(old[key]) for key in row if key != "image"], abs=1e-3
        )
    wide = ["degradation=wide", "evaluation.grid={blur: 3, scale: 1, noise: 1}", "panels=0"]
    assert main([*words[:2], f"run_dir={tmp_path}/f", "evaluation.crop=64", *wide]) == 0
    assert max(float(row["blur_std"]) for row in csv.DictReader((tmp_path / "f" / "results.csv").open())) > 40


def test_restore_keeps_names_sizes_and_kinds(run: Path, photographs: Path, tmp_path: Path) -> None:
    out = tmp_path / "restored"
    assert main(["restore", f"checkpoint={run / 'checkpoints' / 'best.ckpt'}", f"source={photographs}", f"destination={out}"]) == 0
    made = sorted(file.relative_to(out).as_posix() for file in out.rglob("*") if file.is_file())
    assert made == ["alpha.png", "colour.png", "deep.png", "deeper/ünï côde.png", "grey.png", "parameters.csv", "turned.jpg"]
    assert Image.open(out / "colour.png").size == (101, 75)
    assert Image.open(out / "turned.jpg").size == (75, 101)
    assert Image.open(out / "grey.png").mode == "L"
    assert Image.open(out / "alpha.png").mode == "RGBA"
    assert cv2.imread(str(out / "deep.png"), cv2.IMREAD_UNCHANGED).dtype == np.uint16
    rows = list(csv.DictReader((out / "parameters.csv").open(encoding="utf-8")))
    assert len(rows) == 6
    assert set(rows[0]) == {"file", "blur_std", "scale", "noise_std"}


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
