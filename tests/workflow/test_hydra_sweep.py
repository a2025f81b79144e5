"""What is told of a sweep's jobs after Ctrl-C, and that nothing of one sweep is left for the next."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from csrgan.runs import record
from csrgan.workflow.hydra_sweep import SweepRecorder
from csrgan.workflow.sweep_plan import PLAN, Plan

WITHOUT_SAVE = " Jobs that ran together ended without a save; each goes on from its last one."
JOB = {"words": ["seed=1"], "command": "csrgan train seed=1"}


@pytest.fixture(autouse=True)
def sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A sweep whose jobs run together, here."""
    monkeypatch.setenv(PLAN, "")
    Plan(jobs=2, shared=[], began=time.time() - 5).publish()
    SweepRecorder.folder, SweepRecorder.ended_with, SweepRecorder.again = tmp_path, True, "the same command"
    for name in "01":
        (tmp_path / name).mkdir()
    yield
    SweepRecorder.take()


def test_only_jobs_that_were_running_ended_without_a_save(tmp_path: Path) -> None:
    assert SweepRecorder.end_jobs() == ""  # none has begun
    for status in ("complete", "failed", "stopped"):
        record.write(tmp_path / "0", {**JOB, "status": status, "reason": "", "seconds": 1.0})
        assert SweepRecorder.end_jobs() == ""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    record.begin(tmp_path / "1", JOB, gone.pid, seconds=0.0)
    Plan(jobs=2, shared=[], began=time.time() + 5).publish()
    assert SweepRecorder.end_jobs() == ""  # it is of an earlier sweep
    Plan(jobs=2, shared=[], began=time.time() - 5).publish()
    assert SweepRecorder.end_jobs() == WITHOUT_SAVE
    assert (record.read(tmp_path / "1") or {})["reason"] == "stopped; its sweep ended"
    assert SweepRecorder.end_jobs() == ""


def test_a_job_that_is_about_to_end_with_its_sweep_is_told_too(tmp_path: Path) -> None:
    running = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", "csrgan"])
    record.begin(tmp_path / "1", JOB, running.pid, seconds=0.0)
    assert SweepRecorder.end_jobs() == WITHOUT_SAVE
    assert (record.read(tmp_path / "1") or {})["status"] == "running"  # it writes its end itself
    running.kill()
    running.wait()


def test_a_sweep_is_taken_once_and_leaves_nothing_to_the_next(tmp_path: Path) -> None:
    SweepRecorder.created, SweepRecorder.before, SweepRecorder.ended_with = (tmp_path,), frozenset({"0"}), False
    assert SweepRecorder.end_jobs() == " Jobs that the cluster has already go on."
    assert SweepRecorder.take() == (tmp_path, "the same command")
    assert SweepRecorder.take() is None
    left = SweepRecorder
    assert (left.folder, left.created, left.before, left.ended_with, left.again) == (None, (), frozenset(), None, "")
    assert SweepRecorder.end_jobs() == ""
