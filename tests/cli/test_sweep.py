"""A sweep survives its failures: one job is made to crash, one is killed."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest
from commands import SMOKE, csrgan

from csrgan.cli import main


def kill_when_it_runs(run_dir: Path) -> threading.Thread:
    """SIGKILL for the process whose command line names this run_dir, a moment after it has started."""

    def watch() -> None:
        for _ in range(600):
            for process in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    words = process.read_bytes().decode(errors="replace").split("\0")
                except OSError:
                    continue
                if f"run_dir={run_dir}" in words:
                    time.sleep(1)
                    os.kill(int(process.parent.name), signal.SIGKILL)
                    return
            time.sleep(0.1)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="finds the job to kill in /proc, which is Linux's")
def test_a_sweep_survives_a_killed_job_and_runs_only_what_is_missing(tmp_path: Path) -> None:
    """Two jobs at a time, in processes of their own."""
    folder = tmp_path / "sweep"
    parallel = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    words = ["train", "-m", *parallel, f"run_dir={folder}", *SMOKE, "trainer.images=8", "data.crop=32,64"]
    killer = kill_when_it_runs(folder / "1")
    done = csrgan(*words)
    killer.join()
    assert done.returncode == 1, done.stderr
    assert "1 failed: ended by SIGKILL" in done.stdout
    assert "1 of 2 jobs failed" in done.stdout
    jobs = [json.loads((folder / name / "job.json").read_text()) for name in "01"]
    assert [job["status"] for job in jobs] == ["complete", "failed"]
    assert jobs[0]["command"].startswith("csrgan train trainer=smoke")
    assert json.loads((folder / "0" / "overrides.json").read_text())[-1] == "data.crop=32"
    first = (folder / "0" / "summary.json").stat().st_mtime_ns
    refused = csrgan(*words[:-1], "data.crop=48,64")
    assert refused.returncode == 2
    assert refused.stderr.strip().startswith(f"csrgan train: {folder}/0 holds another job")
    assert main([*words[:2], *words[4:]]) == 0
    assert (folder / "0" / "summary.json").stat().st_mtime_ns == first
    assert json.loads((folder / "1" / "job.json").read_text())["status"] == "complete"
    assert main(["report", str(folder), "question=Is a larger crop, by itself, better?"]) == 0
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert "Is a larger crop, by itself, better?" in text
    assert "2 of 2 jobs complete" in text


def test_a_job_that_cannot_run_says_why_and_a_changed_sweep_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", "-m", f"run_dir={tmp_path}/sweep", "trainer=smoke", "data.crop=9999"]
    assert main(words) == 1
    told = capsys.readouterr().out
    assert "0 failed: data.crop=9999 is larger than" in told
    assert "1 of 1 jobs failed" in told
    assert main([*words[:-1], "data.crop=48"]) == 2
    assert "holds another job" in capsys.readouterr().err
    assert main(["list", "group=output"]) == 0  # nothing of the sweep is left in this process
    assert "jobs failed" not in capsys.readouterr().out


def test_a_sweep_of_its_own_name_is_a_choice(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "sweep=lambda_sigmo"]) == 2
    assert "Did you mean lambda_sigma?" in capsys.readouterr().err
