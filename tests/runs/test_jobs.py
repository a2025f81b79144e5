"""What a job leaves and others read: numbers that are not finite among them."""

from __future__ import annotations

import csv
import json
import math
import shutil
from pathlib import Path

import pytest

from csrgan.cli import main
from csrgan.console import Console
from csrgan.errors import UserError
from csrgan.evaluation import results
from csrgan.runs import jobs
from csrgan.runs.record import gain_db
from csrgan.workflow.conclusion import conclude


def test_what_is_not_finite_is_null_and_its_readers_know(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a network that gave nothing finite in one row, and then in none: the file is JSON, and report and publish read it."""
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    lines = list(csv.DictReader((run / "results.csv").open(encoding="utf-8")))
    rows: list[results.Row] = [
        {key: text if key == "image" else float(text or "nan") for key, text in line.items()} for line in lines
    ]
    for count in (1, len(rows)):
        for row in rows[:count]:
            row["psnr_restored"] = math.nan
        conclude(Console(), results.summarise(rows), rows, folder)
        results.write(folder / "results.csv", rows)
        assert f"S is not finite in {count} of {len(rows)} rows" in capsys.readouterr().out
        content = json.loads((folder / "summary.json").read_text(), parse_constant=pytest.fail)
        assert math.isnan(gain_db(folder)) == (content["gain_db"] is None) == (count > 1)
        assert len(jobs.rows(folder)) == len(rows)
        assert main(["report", str(folder)]) == 0
        assert "1 of 1 job complete" in (folder / "report.html").read_text(encoding="utf-8")
        assert main(["publish", f"checkpoint={folder}", f"destination={tmp_path}/published{count}"]) == 0
    rows[0]["psnr_restored"] = 20.0
    results.write(folder / "results.csv", rows)
    with pytest.raises(UserError, match=r"the mean of psnr_restored is 20 in results\.csv, but summary\.json says nan"):
        jobs.rows(folder)


def test_an_evaluation_does_not_write_over_the_training_that_it_scores(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {file: file.read_bytes() for file in run.glob("*.*")}
    assert main(["evaluate", f"checkpoint={run}", f"run_dir={run}", "panels=0"]) == 2
    assert "holds a training run, whose results would be overwritten: choose another run_dir." in capsys.readouterr().err
    assert {file: file.read_bytes() for file in run.glob("*.*")} == before


def test_another_programs_file_of_that_name_is_no_list_of_jobs(tmp_path: Path) -> None:
    (tmp_path / "wandb").mkdir()
    (tmp_path / "wandb" / "sweep.json").write_text('{"method": "bayes"}')
    (tmp_path / "sweep.json").write_text('{"jobs": 1, "folders": {"0": ["loss.parameters.weight=1e-3"]}}')
    assert jobs.due(tmp_path) == [(tmp_path / "0", ["loss.parameters.weight=0.001"])]


def test_a_job_is_due_until_it_begins(tmp_path: Path) -> None:
    """Named by its folder, or by its number where the sweep cannot tell its folders beforehand."""
    named = {"0": ["seed=1"], "4": ["seed=2"]}
    for name, content in (("named", {"jobs": 2, "folders": named}), ("counted", {"jobs": 3, "folders": {}})):
        (tmp_path / name / "0").mkdir(parents=True)
        (tmp_path / name / "sweep.json").write_text(json.dumps(content))
    numbers = [(tmp_path / "counted" / name, []) for name in "012"]
    assert jobs.due(tmp_path) == [*numbers, *((tmp_path / "named" / name, words) for name, words in named.items())]
    for name in ("named", "counted"):
        (tmp_path / name / "0" / "job.json").touch()
    assert jobs.due(tmp_path) == [*numbers[1:], (tmp_path / "named" / "4", ["seed=2"])]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"jobs": "2", "folders": {}}', '{"jobs": 1, "folders": {"0": [7]}}'])
def test_a_damaged_list_of_due_jobs_is_one_sentence(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sweep.json").write_text(text)
    assert main(["report", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert f"{tmp_path}/sweep.json is damaged: it names no jobs. Without it, only the jobs that have begun are counted." in told
