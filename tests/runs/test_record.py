"""job.json tells the truth while a job runs, and after whatever ended it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from csrgan.cli import main, sweep
from csrgan.errors import ENDS_AT_ONCE, Terminated
from csrgan.runs import jobs, process, record

JOB = {"words": ["seed=1"], "command": "csrgan train seed=1"}
DIES = "import os, sys, time; 'csrgan.runs.watchdog' in sys.orig_argv and (time.sleep(0.3), os._exit(7))"
SLEEPS = "import sys, time; 'csrgan.runs.watchdog' in sys.orig_argv and time.sleep(600)"


def held(folder: Path) -> dict:
    return json.loads((folder / "job.json").read_text())


def started(folder: Path, program: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A job's folder; the process of a job that process.run starts will run this program first."""
    (folder / "sitecustomize.py").write_text(program)
    monkeypatch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    (folder / "0").mkdir()
    return folder / "0"


def test_a_running_job_is_told_from_one_whose_process_is_gone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "0"
    folder.mkdir()
    running = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", "csrgan"])
    record.begin(folder, JOB, running.pid, seconds=30.0)
    written = held(folder)
    assert (written["status"], written["pid"], written["seconds"]) == ("running", running.pid, 30.0)
    assert record.read(folder)["status"] == "running"  # type: ignore[index]
    assert 30 <= record.seconds(written | {"began": time.time() - 5}) - 5 < 35  # those of earlier starts, and of this one
    assert record.seconds(written | {"began": "yesterday"}) == 30.0
    assert sweep.report(tmp_path, "the same command") == 1
    assert f"0 running as process {running.pid} on" in capsys.readouterr().out
    assert main(["report", str(tmp_path)]) == 0
    assert f"running as process {running.pid}" in (tmp_path / "report.html").read_text(encoding="utf-8")
    running.kill()
    running.wait()
    (folder / "output.txt").touch()
    os.utime(folder / "output.txt", (0, written["began"] + 12))  # its last output
    gone = record.read(folder)
    assert gone == jobs.job(folder) == {**JOB, "status": "stopped", "reason": record.GONE, "seconds": 42.0}
    assert main(["report", str(tmp_path)]) == 0
    assert "stopped; its process is gone" in (tmp_path / "report.html").read_text(encoding="utf-8")
    record.write(folder, written | {"pid": os.getppid() if os.getppid() > 1 else 1, "host": "elsewhere"})
    assert record.read(folder)["status"] == "running"  # type: ignore[index]  # who knows
    record.write(folder, written | {"began": written["began"] - 20})
    record.stop_gone(folder, since=written["began"])  # of an earlier sweep
    assert held(folder)["status"] == "running"
    record.stop_gone(folder, since=0)
    assert held(folder)["status"] == "stopped"
    assert held(folder)["seconds"] >= 50


def test_the_seconds_of_a_job_are_the_sum_over_its_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = started(tmp_path, DIES, monkeypatch)
    first = process.run(folder, ["seed=1"], None, resume=False, show=print)
    assert first["status"] == "failed"
    second = process.run(folder, ["seed=1"], None, resume=True, before=first["seconds"] + 100, show=print)
    assert second == held(folder)
    assert second["seconds"] > first["seconds"] + 100


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (KeyboardInterrupt, "stopped; by Ctrl-C"),
        (Terminated, "stopped; by SIGTERM"),
        (MemoryError, "stopped; its sweep failed (MemoryError)"),
    ],
)
def test_a_job_is_stopped_where_its_sweep_ends_by_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException], reason: str
) -> None:
    folder = started(tmp_path, SLEEPS, monkeypatch)
    pids: list[int] = []

    def interrupt(number: int, frame: object) -> None:
        pids.append(held(folder)["pid"])
        raise error

    handler = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 1.0)
    try:
        with pytest.raises(error):
            process.run(folder, ["seed=1"], None, resume=False, before=10.0, show=print)
    finally:
        signal.signal(signal.SIGALRM, handler)
    job = held(folder)
    assert (job["status"], job["reason"]) == ("stopped", reason)
    assert job["seconds"] >= 10.5
    assert not record.runs(pids[0])
    assert "pid" not in job


ANSWERS = """
import os, signal, sys, time
from pathlib import Path
def answer(*_):
    {answer}
if "csrgan.runs.watchdog" in sys.orig_argv:
    signal.signal(signal.SIGINT, answer)
    Path("{ready}").touch()
    time.sleep(600)
"""
SAVES = "time.sleep(0.5); print('csrgan train: stopped; 8 images are saved. To continue: ...', flush=True); os._exit(130)"


@pytest.mark.parametrize(
    ("answer", "patience", "times", "reason"),
    [
        (SAVES, 60.0, 1, "stopped; 8 images are saved. To continue: ..."),
        ("pass", 60.0, 2, "stopped; by Ctrl-C"),
        ("pass", 0.5, 1, "stopped; by Ctrl-C"),
    ],
    ids=["saves", "twice", "too slow"],
)
def test_ctrl_c_lets_a_job_save_once(
    answer: str, patience: float, times: int, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes to the sweep alone, because the job is in no group of the terminal's. A second one ends the job at once."""
    ready, left, told = tmp_path / "ready", [0] * times, list[str]()
    folder = started(tmp_path, ANSWERS.format(answer=answer, ready=ready), monkeypatch)
    monkeypatch.setattr(process, "PATIENCE", patience)

    def interrupt(number: int, frame: object) -> None:
        if ready.exists() and left:
            left.pop()
            raise KeyboardInterrupt

    handler = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.5, 0.5)
    began = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            process.run(folder, ["seed=1"], None, resume=False, show=told.append)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
    assert time.monotonic() - began < 30
    assert (held(folder)["status"], held(folder)["reason"]) == ("stopped", reason)
    assert told == [f"is saving, for at most {patience:.0f} s; {ENDS_AT_ONCE}", reason]


PARENT = """
import sys
from pathlib import Path
from csrgan.runs import process
process.run(Path(sys.argv[1]), ["seed=1"], None, resume=False, show=print)
"""


LATE = "import sys, time; 'csrgan.runs.watchdog' in sys.orig_argv and time.sleep(2)"


@pytest.mark.parametrize("program", ["", LATE])
def test_a_job_whose_sweep_was_killed_says_so_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """SIGKILL, which the sweep cannot tell of: while the job trains, and before it has looked who started it."""
    folder = started(tmp_path, program, monkeypatch)
    sweeping = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(folder)],
        env={name: value for name, value in os.environ.items() if name != "CSRGAN_SWEEP"},
    )
    end = time.monotonic() + 60
    while not (folder / "job.json").is_file() and time.monotonic() < end:
        time.sleep(0.05)
    pid = held(folder)["pid"]
    time.sleep(0.5)
    sweeping.kill()
    sweeping.wait()
    while record.runs(pid) and time.monotonic() < end:
        time.sleep(0.1)
    assert (held(folder)["status"], held(folder)["reason"]) == ("stopped", "stopped; its sweep ended")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc, which this system does not have")
def test_a_process_that_nobody_waits_for_has_ended() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert record.runs(process.pid)
    process.kill()
    end = time.monotonic() + 10
    while record.runs(process.pid) and time.monotonic() < end:
        time.sleep(0.05)
    assert process.returncode is None
    assert not record.runs(process.pid)
    process.wait()
    assert not record.runs(process.pid)
    assert record.runs(os.getpid())
