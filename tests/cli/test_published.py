"""csrgan report sets published numbers beside those of runs; a frozen set of csrgan degrade scores as the grid does."""

from __future__ import annotations

import csv
import struct
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


def nearest(file: Path, scale: int) -> None:
    """Write ncnn's two files of a network that repeats each pixel."""
    channels = 3 * scale**2
    layers = [
        "Input input 0 1 data",
        f"Convolution c 1 1 data c 0={channels} 1=1 5=0 6={3 * channels}",
        f"PixelShuffle s 1 1 c out 0={scale}",
    ]
    file.write_text("\n".join(["7767517", f"{len(layers)} {len(layers)}", *layers, ""]))
    weights = np.repeat(np.eye(3, dtype=np.float32), scale**2, axis=0)
    file.with_suffix(".bin").write_bytes(struct.pack("<I", 0) + weights.tobytes())


def test_a_network_a_scale_is_one_method_of_one_command(five: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A yaml file of the user's names the networks of all scales, and stands in a sweep and among published numbers by its name."""
    monkeypatch.chdir(tmp_path)
    methods = tmp_path / "methods" / "system"
    methods.mkdir(parents=True)
    (methods / "dat_light.yaml").write_text("defaults: [external]\nfile: nearest_x{scale}.param\n")
    for scale in (2, 3):
        nearest(tmp_path / f"nearest_x{scale}.param", scale)
    words = ["system=bicubic,dat_light", "degradation=bicubic_x2,bicubic_x3", "data=folder", f"data.valid={five}", "run_dir=runs"]
    assert main(["evaluate", "-m", "--config-dir", "methods", *words, "evaluation=matlab", "panels=0"]) == 0
    origin._protocol.cache_clear()
    assert main(["report", "runs", "table=sets", "scores=[psnr_y_restored]"]) == 0
    lines = [(line["protocol"], line["method"]) for line in read(tmp_path / "runs" / "published.csv") if not line["remark"]]
    assert lines == [(f"bicubic_x{scale}", method) for scale in (2, 3) for method in ("bicubic", "dat_light")]
    assert "dat" in (tmp_path / "runs" / "table.tex").read_text()
