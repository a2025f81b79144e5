"""How a job ended."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from csrgan.cli import sweep
from csrgan.runs import process, record


@pytest.mark.parametrize(
    ("status", "output", "outcome", "shown"),
    [
        (-signal.SIGKILL, "", "killed", "killed (SIGKILL)"),
        (-signal.SIGSEGV, "half a line", "killed", "killed (SIGSEGV)"),
        (143, "csrgan train: stopped; 8 images are saved. To continue: csrgan train resume=x\n", "stopped", "stopped"),
        (2, "csrgan train: data.crop=9999 is too large\n", "failed", "failed"),
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
    assert sweep.report(tmp_path) == 1
    told = capsys.readouterr().out
    assert shown in told
    assert f"1 of 1 jobs {outcome}; the same command runs only those" in told
    assert process.prepare_resume(folder, record.read(folder)) == (outcome != "failed")


def test_a_sweep_hears_how_far_its_job_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = "First batch\\n8/64 images, 2 images/s, 28 s left, image 0.1\\na warning\\n"
    code = f"import time; print('{words}', flush=True); time.sleep(1.5)"
    started, heard = subprocess.Popen, list[str]()
    monkeypatch.setattr(process, "EVERY", 0.4)
    monkeypatch.setattr(subprocess, "Popen", lambda _, **settings: started([sys.executable, "-c", code], **settings))
    assert process.run(tmp_path, ["seed=1"], None, resume=False, show=heard.append)["status"] == "complete"
    assert heard[-1] == "8/64 images, 2 images/s, 28 s left, image 0.1"
    assert set(heard) <= {heard[-1], "is starting"}
