"""csrgan train with several devices: who starts the processes, who speaks, and how they end together."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from commands import csrgan
from ranks import ALLOWED, KILLED, difference, signal_words
from stopped import WORDS, weights

from csrgan.runs.together import environments

STEADY = [word for word in WORDS if not word.startswith("trainer.validate_every")]
STARTED = [*STEADY, "trainer.validate_every=24", *(f"+optimizer.{name}.eps=1e-4" for name in ("generator", "discriminator"))]


def run(*words: str, **environment: str) -> tuple[subprocess.CompletedProcess[str], float]:
    """Run csrgan train; what came of it, and the seconds that it took."""
    began = time.monotonic()
    done = csrgan("train", *words, **{**ALLOWED, **environment})
    assert "Traceback" not in done.stderr
    return done, time.monotonic() - began


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Words of a training that SIGNAL_AT sends a signal. The first names the folder of its callback."""
    return [*signal_words(tmp_path_factory.mktemp("signal")), *STARTED]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, started: list[str]) -> Path:
    """A training in one process that nothing stopped."""
    folder = tmp_path_factory.mktemp("alone") / "run"
    done, _ = run(f"run_dir={folder}", *started)
    assert done.returncode == 0, done.stderr
    return folder


def assert_same_training(one: Path, other: Path) -> None:
    assert difference(*(weights(folder)["state_dict"] for folder in (one, other))) < 1e-6
    assert weights(one)["csrgan"]["images_seen"] == weights(other)["csrgan"]["images_seen"]


def test_a_killed_process_ends_all_with_a_sentence_and_fewer_processes_go_on_with_the_same_samples(
    alone: Path, started: list[str], tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    done, _ = run(f"run_dir={folder}", *started, "trainer.devices=2", SIGNAL_AT=f"1 5 {signal.SIGKILL.value} own")
    assert time.time() - (folder / KILLED).stat().st_mtime < 30
    assert done.returncode == 128 + signal.SIGKILL
    sentence = "csrgan train: process 2 of 2 was ended by SIGKILL, perhaps because memory ran out. To continue: "
    assert done.stderr.strip().split("\n")[-1] == f"{sentence}CSRGAN_ALLOW=ranks csrgan train {started[0]} resume={folder}"
    assert weights(folder)["csrgan"]["images_seen"] == 12
    done, _ = run(f"resume={folder}", started[0], "trainer.devices=1")
    assert done.returncode == 0, done.stderr
    assert "from image 12 on: trainer.devices 2 -> 1" in done.stdout
    assert_same_training(folder, alone)


def test_sigterm_saves_once_and_more_processes_go_on_with_the_same_samples(alone: Path, started: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "run"
    done, _ = run(f"run_dir={folder}", *started, "trainer.devices=2", SIGNAL_AT=f"0 4 {signal.SIGTERM.value} parent")
    assert done.returncode == 128 + signal.SIGTERM, done.stderr
    saved = re.findall(r"stopped; (\d+) images are saved", done.stderr)
    assert saved == [str(weights(folder)["csrgan"]["images_seen"])]
    assert done.stderr.count("saving and stopping after this batch") == 1
    done, _ = run(f"resume={folder}", started[0], "trainer.devices=4")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("resumed after") == 1  # one process speaks
    assert_same_training(folder, alone)
    assert sorted(file.name for file in folder.iterdir()) == sorted(file.name for file in alone.iterdir())


SHORT = [*STARTED, "trainer.images=8", "trainer.devices=2", "trainer.panels=2"]


def assert_one_run(folder: Path, said: str) -> None:
    assert said.count("PSNR, RGB, dB") == 1  # one process speaks
    assert weights(folder)["csrgan"]["images_seen"] == 8
    assert len([*(folder / "panels").iterdir()]) == 2
    assert (folder / "summary.json").is_file()


def test_torchrun_starts_the_processes_of_one_run(tmp_path: Path) -> None:
    """Without run_dir, whose default holds the time."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    settings = {**os.environ, **ALLOWED, "OMP_NUM_THREADS": "1"}
    command = [*torchrun, "-m", "csrgan", "train", *SHORT]
    done = subprocess.run(command, capture_output=True, text=True, env=settings, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "runs").glob("*/*")
    assert_one_run(folder, done.stdout)


def test_slurm_starts_the_processes_of_one_run(tmp_path: Path) -> None:
    """As `srun` would, on one machine."""
    port = environments(1)[0]["MASTER_PORT"]
    step = {"SLURM_JOB_ID": "7", "SLURM_STEP_NUM_TASKS": "2", "SLURM_STEP_TASKS_PER_NODE": "2", "SLURM_STEP_NODELIST": "localhost"}
    started = []
    for rank in ("0", "1"):
        own = {"SLURM_PROCID": rank, "SLURM_LOCALID": rank, "SLURM_NTASKS": "2", "MASTER_PORT": port, "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "csrgan", "train", *SHORT, f"run_dir={tmp_path / 'run'}"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        started.append(subprocess.Popen(command, env={**os.environ, **ALLOWED, **step, **own}, **pipes))
    said = [process.communicate()[0] for process in started]
    assert [process.returncode for process in started] == [0, 0], said
    assert_one_run(tmp_path / "run", said[0])
    assert not said[1].strip()
