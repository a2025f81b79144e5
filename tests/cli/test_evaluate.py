"""A sweep is scored job by job, and becomes a folder that csrgan report reads."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from commands import SMOKE
from PIL import Image

from csrgan.cli import evaluate, main

GRID = ("evaluation.grid={blur: 1, scale: 1, noise: 1}", "evaluation.crop=48", "panels=1")


@pytest.fixture
def sweep(run: Path, tmp_path: Path) -> Path:
    """One complete job, and one that failed."""
    folder = tmp_path / "sweep"
    shutil.copytree(run, folder / "main" / "0")
    (folder / "main" / "1").mkdir()
    said = {"command": "csrgan train", "seconds": 1.0}
    complete = said | {"words": ["output=clamp", "seed=1"], "status": "complete", "reason": ""}
    failed = said | {"words": ["output=tanh", "seed=1"], "status": "failed", "reason": "ended by SIGKILL"}
    for name, held in (("0", complete), ("1", failed)):
        (folder / "main" / name / "job.json").write_text(json.dumps(held))
    return folder


def test_every_job_of_a_sweep_is_scored_once(sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    there = tmp_path / "stressed"
    words = ["evaluate", f"checkpoint={sweep}", "evaluation=hot_pixel", *GRID, f"run_dir={there}"]
    assert main(words) == 0
    told = capsys.readouterr().out
    assert told.index("scoring 2 jobs of ") < told.index("1/2  main/0")
    assert "2/2  main/1  failed: ended by SIGKILL" in told
    due = json.loads((there / "main" / "sweep.json").read_text())
    assert due == {
        "jobs": 2,
        "folders": {str(name): [f"output={output}", "seed=1", *words[2:-1]] for name, output in enumerate(("clamp", "tanh"))},
    }
    content = json.loads((there / "main" / "0" / "job.json").read_text())
    assert content["words"] == ["output=clamp", "seed=1", *words[2:-1]]
    rows = list(csv.DictReader((there / "main" / "0" / "results.csv").open()))
    assert {row["image"] for row in rows} == {"chelsea.png", "coffee.png"}
    assert float(rows[0]["psnr_low"]) > 25  # three tenths of the contrast: a tenth of the squared error
    first = (there / "main" / "0" / "results.csv").stat().st_mtime_ns
    assert main(words) == 0
    assert "main/0  scored before" in capsys.readouterr().out
    assert (there / "main" / "0" / "results.csv").stat().st_mtime_ns == first
    assert main(["report", str(there)]) == 0
    assert "1 of 2 jobs complete" in (there / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("model", "protocol"), [("photo", "readme"), ("photo", "jpeg"), ("run", "file"), ("run", "photo")], ids="{0}".format
)
def test_a_network_is_scored_on_a_protocol_with_other_factors(run: Path, tmp_path: Path, model: str, protocol: str) -> None:
    """A factor that the protocol lacks has the number that changes nothing; of one that the network lacks, theta^ tells nothing."""
    checkpoint = run if model == "run" else model
    assert main(["evaluate", f"checkpoint={checkpoint}", f"degradation={protocol}", *GRID, f"run_dir={tmp_path}/scores"]) == 0
    (row, *_) = csv.DictReader((tmp_path / "scores" / "results.csv").open())
    assert 0 <= float(row["theta_error"]) < 3
    told = {name for name in row if f"{name}_predicted" in row}
    if model == "photo":
        assert {"jpeg_quality", "motion_0", "motion_45", "ellipticity_0"} < told
        assert float(row["motion_0"]) == float(row["motion_45"]) == 0
        assert protocol == "jpeg" or float(row["jpeg_quality"]) == 100
        assert 10 < float(row["consistency_predicted"]) < 80
    else:
        assert told == {"blur_std", "scale", "noise_std"}
        assert float(row["jpeg_quality"]) <= 100
        assert not row["consistency_predicted"] or float(row["consistency_predicted"]) != float(row["consistency_predicted"])


def test_a_filter_predicts_what_the_network_predicts_that_it_is_told_by(run: Path, tmp_path: Path) -> None:
    """And not what its own protocol would have a network predict."""
    predicted = {}
    for checkpoint, protocol in (("photo", "readme"), (run, "photo")):
        words = ["system=wiener", "oracle=prediction", f"checkpoint={checkpoint}", f"degradation={protocol}", *GRID]
        assert main(["evaluate", *words, f"run_dir={tmp_path}/{protocol}"]) == 0
        (row, *_) = csv.DictReader((tmp_path / protocol / "results.csv").open())
        predicted[protocol] = {name for name in row if f"{name}_predicted" in row}
    assert predicted["photo"] == {"blur_std", "scale", "noise_std"}
    assert {"jpeg_quality", "motion_0"} < predicted["readme"]


def test_several_evaluations_go_on_where_they_were_broken_off(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is scored already is kept; a checkpoint that was written since is scored again."""
    there, checkpoint = tmp_path / "scores", tmp_path / "last.ckpt"
    shutil.copy(run / "checkpoints" / "last.ckpt", checkpoint)
    words = ["evaluate", "-m", f"checkpoint={checkpoint}", "degradation=readme,file", *GRID, f"run_dir={there}"]
    assert main(words) == 0
    tables = [there / name / "results.csv" for name in "01"]
    (there / "1" / "summary.json").write_text('{"gain_db": ')  # as if it had been broken off there
    before = [(file.read_bytes(), file.stat().st_mtime_ns) for file in tables]
    capsys.readouterr()
    assert main(words) == 0
    told = capsys.readouterr().out
    assert f"{there}/0  " in told
    assert told.count("(scored before; another run_dir scores it again)") == 1
    after = [(file.read_bytes(), file.stat().st_mtime_ns) for file in tables]
    assert after[0] == before[0]
    assert after[1][0] == before[1][0]
    assert after[1][1] > before[1][1]
    checkpoint.touch()
    assert main(words) == 0
    assert "scored before" not in capsys.readouterr().out


def test_a_job_that_fails_says_so_before_the_next_begins(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    there = tmp_path / "scores"
    words = ["system=bicubic,wiener", "oracle=truth", "degradation=readme", *GRID, f"run_dir={there}"]
    assert main(["evaluate", "-m", *words]) == 2
    told = capfd.readouterr().err
    sentence = "oracle: Bicubic has no truth. Its choices: none."
    assert told.startswith(f"{there}/0 failed: {sentence}\n")
    assert told.endswith(f"csrgan evaluate: {sentence}\n")
    assert (there / "1" / "summary.json").is_file()


def test_they_are_scored_without_a_checkpoint_or_with_anothers_prediction(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = ["evaluation.grid={blur: 1, scale: 1, noise: 1}", "evaluation.crop=64", "panels=0"]
    assert main(["evaluate", "system=bicubic", "degradation=gaussian8_x4", *small, f"run_dir={tmp_path}/a"]) == 0
    assert "+0.00" in capsys.readouterr().out
    assert main(["evaluate", "system=wiener", "oracle=prediction", f"checkpoint={run}", *small, f"run_dir={tmp_path}/b"]) == 0
    assert "Error of the predicted degradation" in capsys.readouterr().out
    assert main(["evaluate", "system=wiener", *small, f"run_dir={tmp_path}/c"]) == 2
    assert "degradation is needed if there is no checkpoint" in capsys.readouterr().err
    assert main(["train", *SMOKE[:3], "system=bicubic", f"run_dir={tmp_path}/d"]) == 0
    assert "Bicubic needs no training and is scored as it is" in capsys.readouterr().out
    assert not (tmp_path / "d" / "checkpoints").exists()
    assert main(["evaluate", "system=srmd", "degradation=readme", f"run_dir={tmp_path}/e"]) == 2
    assert "system=srmd is trained: name its run as checkpoint=RUN" in capsys.readouterr().err


def test_kernelgan_is_scored_and_restores_without_a_training(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    quick = ["system.gaussian.discriminator_steps=2", "system.gaussian.refine=2", "system.gan.steps=5", "system.gan.warmup=2"]
    quick += ["system.zssr.steps=2", "system.zssr.width=4"]
    words = ["system=kernelgan", "degradation=div2krk_x2", *quick]
    grid = ["evaluation.grid={blur: 1, scale: 1, noise: 1}", "evaluation.crop=168", "panels=0"]
    assert main(["evaluate", *words, *grid, f"run_dir={tmp_path}/a"]) == 0
    told = capsys.readouterr().out
    assert "1/2  chelsea.png" in told
    assert "blur std, px" in told
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (80, 96, 3), dtype=np.uint8))
    picture.save(tmp_path / "p.png")
    places = [f"source={tmp_path}/p.png", f"destination={tmp_path}/out"]
    assert main(["restore", *words, *places]) == 0
    assert Image.open(tmp_path / "out" / "p.png").size == (192, 160)
    (row,) = csv.DictReader((tmp_path / "out" / "parameters.csv").open())
    assert 0 < float(row["blur_std"]) < 6
    assert main(["restore", *words[:1], *places]) == 2
    assert "degradation is needed if there is no checkpoint" in capsys.readouterr().err


def test_the_jobs_of_a_sweep_are_scored_in_the_order_of_their_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = {"command": "", "seconds": 1.0, "words": [], "status": "failed", "reason": ""}
    for name in ("0", "1", "2", "10"):
        (tmp_path / "sweep" / name).mkdir(parents=True)
        (tmp_path / "sweep" / name / "job.json").write_text(json.dumps(held))
    scored: list[str] = []
    monkeypatch.setattr(evaluate, "_score_job", lambda _, job, *__: scored.append(job.name))
    assert main(["evaluate", f"checkpoint={tmp_path / 'sweep'}", f"run_dir={tmp_path / 'scores'}"]) == 0
    assert scored == ["0", "1", "2", "10"]
