"""A job of a sweep: a process of its own, so that one that fails or is killed neither stops nor hides the others."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table

from csrgan.cli import relative
from csrgan.fault import Fault

FILE = "job.json"  # what became of a job
REFUSED = "refused.txt"  # why a job was not even started; the process that started the sweep reads and removes it


class Remember(Callback):
    """Keeps the folder of the sweep that this process started; the jobs may run in others."""

    folder: Path | None = None

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        Remember.folder = Path(config.hydra.sweep.dir)

    @classmethod
    def taken(cls) -> Path | None:
        """The folder, once."""
        folder, cls.folder = cls.folder, None
        return folder


def run(config: DictConfig) -> float:
    """Run the job of this configuration unless it is complete, and write job.json. Returns the gain in dB, or nan."""
    folder = Path(config.run_dir)
    words = [word for word in HydraConfig.get().overrides.task if not word.startswith(("run_dir=", "sweep="))]
    command = [sys.executable, "-m", "csrgan", "train", *words, f"run_dir={folder}"]
    done = _held(folder)
    if done and done["words"] != words:
        other = " ".join(done["words"])
        sentence = f"{relative(folder)} holds another job ({other}): give the changed sweep a run_dir of its own."
        (folder / REFUSED).write_text(sentence, encoding="utf-8")
        return float("nan")
    if done is None or done["status"] == "failed":
        folder.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        with (folder / "output.txt").open("w", encoding="utf-8") as output:
            environment = {**os.environ, **_threads()}
            status = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, env=environment, check=False).returncode
        done = {
            "words": words,
            "command": shlex.join(["csrgan", *command[3:]]),
            "status": "failed" if status else "complete",
            "reason": _reason(status, folder / "output.txt"),
            "seconds": round(time.monotonic() - began, 1),
        }
        (folder / FILE).write_text(json.dumps(done, indent=1) + "\n", encoding="utf-8")
    told = gain(folder) if done["status"] == "complete" else f"failed: {done['reason']}"
    Console().print(f"{relative(folder)}  {told}", highlight=False, soft_wrap=True)
    return float("nan") if done["status"] == "failed" else gain_db(folder)


def _held(folder: Path) -> dict[str, Any] | None:
    """What became of this job when the sweep was started before; None where it was not."""
    if not (folder / FILE).is_file():
        return None
    held: dict[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
    return held


def _threads() -> dict[str, str]:
    """The cores of the machine, divided among the jobs that run at the same time."""
    together = HydraConfig.get().launcher.get("n_jobs")
    cores = os.cpu_count() or 1
    if not together or "OMP_NUM_THREADS" in os.environ:
        return {}
    return {"OMP_NUM_THREADS": str(max(1, cores // (cores if together < 0 else together)))}


def _reason(status: int, output: Path) -> str:
    """Why a job failed: the signal that ended it, or the last line that it wrote."""
    if status == 0:
        return ""
    if status < 0:
        return f"ended by {signal.Signals(-status).name}"
    lines = [line.strip() for line in output.read_text(encoding="utf-8", errors="replace").split("\n") if line.strip()]
    return lines[-1].removeprefix("csrgan train: ") if lines else f"exit status {status}"


def gain_db(folder: Path) -> float:
    return float(json.loads((folder / "summary.json").read_text(encoding="utf-8"))["gain_db"])


def gain(folder: Path) -> str:
    return f"{gain_db(folder):+.2f} dB"


def report(folder: Path) -> int:
    """The table of a sweep, with the settings in which its jobs differ; exit status 1 where a job failed.

    Raises Fault where jobs were refused.
    """
    refusals = sorted(folder.glob(f"*/{REFUSED}"))
    sentences = [file.read_text(encoding="utf-8") for file in refusals]
    for file in refusals:
        file.unlink()
    if sentences:
        raise Fault("\n".join(sentences))
    files = sorted(folder.glob(f"*/{FILE}"), key=lambda file: (len(file.parent.name), file.parent.name))
    jobs = {file.parent: json.loads(file.read_text(encoding="utf-8")) for file in files}
    shared = set.intersection(*(set(job["words"]) for job in jobs.values())) if len(jobs) > 1 else set()
    table = Table(title=relative(folder), title_justify="left")
    for heading in ("job", "settings", "gain", "seconds"):
        table.add_column(heading, justify="right" if heading in ("gain", "seconds") else "left", overflow="fold")
    for place, job in jobs.items():
        told = gain(place) if job["status"] == "complete" else "failed"
        table.add_row(place.name, " ".join(word for word in job["words"] if word not in shared), told, f"{job['seconds']:.0f}")
    console = Console()
    console.print(table)
    failed = {place: job["reason"] for place, job in jobs.items() if job["status"] == "failed"}
    for place, reason in failed.items():
        console.print(f"{relative(place)} failed: {reason}", highlight=False, soft_wrap=True)
    if failed:
        told = f"{len(failed)} of {len(jobs)} jobs failed; the same command runs them again, and only them."
        console.print(told, highlight=False, soft_wrap=True)
    return 1 if failed else 0
