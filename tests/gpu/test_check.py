"""The script of `make gpu` itself, on the CPU and small: a GPU must not be spent on its mistakes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

SCRIPT = Path(__file__).with_name("check.py")


def check(folder: Path, *words: str) -> tuple[subprocess.CompletedProcess[str], float]:
    began = time.monotonic()
    settings = {**os.environ, "GPU_FOLDER": str(folder), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, str(SCRIPT), *words], capture_output=True, text=True, env=settings, check=False)
    return done, time.monotonic() - began


def test_all_steps_leave_their_results_and_none_is_done_twice(tmp_path: Path) -> None:
    """The tests among the steps are those beside this one."""
    steps = ("bench", "train", "publish")
    first, seconds = check(tmp_path, "cpu", *steps)
    assert first.returncode == 0, (first.stdout, *(file.read_text() for file in tmp_path.glob("*.txt")))
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["images_seen"] > 0 and found["training_images_per_second"] > 0 and 0 <= found["waiting_for_data"] < 1
    assert found["bench"]["training_steps"][0]["share"] < 1
    assert (tmp_path / "published" / "network.safetensors").is_file()
    again, less = check(tmp_path, "cpu", *steps)
    assert again.returncode == 0 and less < 0.7 * seconds
    assert json.loads((tmp_path / "found.json").read_text()) == found


def test_a_step_that_fails_stops_no_other_and_is_done_again(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("in the way")
    done, _ = check(tmp_path, "cpu", "publish")
    assert done.returncode == 1
    assert "publish: exit status 2" in done.stdout
    assert not (tmp_path / "publish.done.json").exists()
