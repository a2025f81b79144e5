"""How a job ended."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

from csrgan.callbacks import graceful_stop
from csrgan.callbacks.graceful_stop import SAVING, GracefulStop
from csrgan.cli import sweep
from csrgan.runs import process, record


@pytest.mark.parametrize(
    ("status", "output", "outcome", "shown", "ended"),
    [
        (-signal.SIGKILL, "", "killed", "killed (SIGKILL)", "was killed"),
        (-signal.SIGSEGV, "half a line", "killed", "killed (SIGSEGV)", "was killed"),
        (
            143,
            "csrgan train: stopped; 8 images are saved. To continue: csrgan train resume=x\n",
            "stopped",
            "stopped",
            "was stopped",
        ),
        (143, f"csrgan train: {SAVING}\n", "stopped", "stopped", "was stopped"),  # a second signal ended it at once
        (130, "", "stopped", "stopped", "was stopped"),
        (2, "csrgan train: data.crop=9999 is too large\n", "failed", "failed", "failed"),
    ],
)
def test_a_job_that_was_killed_is_not_called_failed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    status: int,
    output: str,
    outcome: str,
    shown: str,
    ended: str,
) -> None:
    def started(*_: object, stdout: object, **__: object) -> SimpleNamespace:
        stdout.write(output)  # type: ignore[attr-defined]
        stdout.flush()  # type: ignore[attr-defined]
        return SimpleNamespace(pid=1, wait=lambda seconds: status)

    monkeypatch.setattr(subprocess, "Popen", started)
    folder = tmp_path / "0"
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "checkpoints" / "last.ckpt").write_text("")
    job = process.run(folder, ["seed=1"], None, resume=False, show=print)
    assert job["status"] == outcome == json.loads((folder / "job.json").read_text())["status"]
    assert record.outcome(job) == shown
    assert sweep.report(tmp_path, "the same command") == 1
    told = capsys.readouterr().out
    assert shown in told
    assert f"1 of 1 jobs {ended}; the same command runs only that one" in told
    assert ("its last save" in told) == (outcome != "failed")
    assert "stopped: stopped" not in told
    assert process.prepare_resume(folder, record.read(folder)) == (outcome != "failed")


def test_a_job_whose_batch_does_not_end_in_time_goes_on_from_its_save(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Its last sentence is the one of the callback that gives up the batch."""
    monkeypatch.setattr(graceful_stop.os, "_exit", lambda status: None)
    GracefulStop(tmp_path)._give_up(signal.SIGTERM)
    said = capfdbinary.readouterr().err.decode()

    def started(*_: object, stdout: object, **__: object) -> SimpleNamespace:
        stdout.write(f"csrgan train: {SAVING}\n{said}")  # type: ignore[attr-defined]
        stdout.flush()  # type: ignore[attr-defined]
        return SimpleNamespace(pid=1, wait=lambda seconds: 128 + signal.SIGTERM)

    monkeypatch.setattr(subprocess, "Popen", started)
    job = process.run(tmp_path, ["seed=1"], None, resume=False, show=print)
    assert job["reason"] == "stopped; the batch did not end in time; nothing is saved yet: the same command begins again."
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "last.ckpt").touch()
    assert process.prepare_resume(tmp_path, record.read(tmp_path))
    assert (tmp_path / "checkpoints" / "last.ckpt").is_file()


def test_a_sweep_hears_how_far_its_job_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = "First batch\\n8/64 images, 2 images/s, 28 s left, image 0.1\\na warning\\n"
    code = f"import time; print('{words}', flush=True); time.sleep(1.5)"
    started, heard = subprocess.Popen, list[str]()
    monkeypatch.setattr(process, "EVERY", 0.4)
    monkeypatch.setattr(subprocess, "Popen", lambda _, **settings: started([sys.executable, "-c", code], **settings))
    assert process.run(tmp_path, ["seed=1"], None, resume=False, show=heard.append)["status"] == "complete"
    assert heard[-1] == "8/64 images, 2 images/s, 28 s left, image 0.1"
    assert set(heard) <= {heard[-1], "is starting"}


def test_how_many_jobs_are_not_complete_is_said_in_a_sentence() -> None:
    def said(**counts: int) -> str:
        return sweep._failures(Counter(counts), 6, "the same command")

    assert said(killed=1) == "1 of 6 jobs was killed; the same command runs only that one, from its last save."
    assert said(stopped=2) == "2 of 6 jobs were stopped; the same command runs only those, from their last save."
    assert said(failed=2) == "2 of 6 jobs failed; the same command runs only those."
    assert said(running=1) == "1 of 6 jobs is still running, by another command."
    assert said(killed=1, failed=2) == "3 of 6 jobs are not complete (1 killed, 2 failed); the same command runs only those."


def test_what_a_job_printed_before_it_was_stopped_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And says nothing about the start after it. One that begins anew begins its output anew."""
    outputs = iter(["64/640 images, 9 s left\nfirst words\n", "", "last words\n"])

    def started(*_: object, stdout: object, **__: object) -> SimpleNamespace:
        stdout.write(next(outputs))  # type: ignore[attr-defined]
        stdout.flush()  # type: ignore[attr-defined]
        return SimpleNamespace(pid=1, wait=lambda seconds: 2)

    monkeypatch.setattr(subprocess, "Popen", started)
    assert process.run(tmp_path, ["seed=1"], None, resume=False, show=print)["reason"] == "first words"
    size = (tmp_path / "output.txt").stat().st_size
    assert process.run(tmp_path, ["seed=1"], None, resume=True, show=print)["reason"] == "exit status 2"
    assert process.progress(tmp_path / "output.txt", size) == "is starting"
    *before, goes_on = (tmp_path / "output.txt").read_text().splitlines()
    assert before == ["64/640 images, 9 s left", "first words"]
    assert goes_on.startswith("csrgan train: goes on at 20")
    assert process.run(tmp_path, ["seed=1"], None, resume=False, show=print)["reason"] == "last words"
    assert (tmp_path / "output.txt").read_text() == "last words\n"
