"""csrgan report sets published numbers beside those of runs; a frozen set of csrgan degrade scores as the grid does."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from csrgan.cli import main
from csrgan.workflow import origin

NAMES = ("astronaut", "chelsea", "coffee", "rocket", "cat")


@pytest.fixture
def five(tmp_path: Path) -> Path:
    """Five small pictures in a folder that is called like a benchmark set."""
    folder = tmp_path / "Set5" / "HR"
    folder.mkdir(parents=True)
    for name in NAMES:
        Image.fromarray(np.ascontiguousarray(getattr(data, name)()[100:172, 100:172])).save(folder / f"{name}.png")
    return folder


def read(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as held:
        return list(csv.DictReader(held))


def evaluate(folder: Path, run: Path, *words: str) -> list[dict[str, str]]:
    common = ["evaluate", "system=bicubic", "evaluation=matlab", "panels=0", f"data.valid={folder}", f"run_dir={run}"]
    assert main([*common, *words]) == 0
    return read(run / "results.csv")


def test_the_report_sets_published_numbers_beside_ours(five: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = evaluate(five, tmp_path / "runs" / "a", "data=folder", "degradation=bicubic_x4")
    origin._protocol.cache_clear()  # the protocols are composed while Hydra runs the command
    assert main(["report", str(tmp_path / "runs")]) == 0
    line, *others = read(tmp_path / "runs" / "published.csv")
    assert {other["remark"] for other in others} == {"not run here"}
    mean = np.mean([float(row["psnr_y_restored"]) for row in rows])
    assert (line["protocol"], line["set"], line["method"], line["remark"]) == ("bicubic_x4", "Set5", "bicubic", "")
    assert line["PSNR of Y, dB, here"] == f"{mean:.2f}"
    assert line["PSNR of Y, dB, difference"] == f"{mean - 28.42:+.2f}"
    assert "Published, beside what was measured here" in (tmp_path / "runs" / "report.html").read_text(encoding="utf-8")
    own = tmp_path / "own.csv"
    own.write_text("protocol,set,method,psnr_y\nbicubic_x4,mine,bicubic,30\n")
    assert main(["report", str(tmp_path / "runs"), f"published={own}"]) == 0
    assert [line["source"] for line in read(tmp_path / "runs" / "published.csv")] == ["none published"]
    assert main(["report", str(tmp_path / "runs"), "published=absent.csv"]) == 2
    assert "published=absent.csv is not a file" in capsys.readouterr().err


def test_a_frozen_set_of_the_grid_scores_as_the_grid_does(five: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """gaussian8_x2 with its eight blurs, written as 8-bit files and read back as pairs."""
    made = [f"source={five}", f"destination={tmp_path / 'frozen'}", "degradation=gaussian8_x2"]
    assert main(["degrade", *made, "grid={blur: 1}"]) == 0
    frozen = evaluate(tmp_path / "frozen", tmp_path / "a", "data=pairs", "degradation=gaussian8_x2", "published_as.set=Set5")
    grid = evaluate(five, tmp_path / "b", "data=folder", "degradation=gaussian8_x2")
    assert len(frozen) == len(grid) == 40
    scores = [sorted(float(row["psnr_y_restored"]) for row in rows) for rows in (frozen, grid)]
    assert scores[0] == pytest.approx(scores[1], abs=1e-4)
    assert sorted({float(row["blur_std"]) for row in frozen}) == pytest.approx(np.linspace(0.8, 1.6, 8), abs=1e-4)
    assert main(["degrade", *made, "grid={blr: 2}"]) == 2
    assert "grid has no blr. Its choices: blur, noise, scale. Did you mean blur?" in capsys.readouterr().err
