"""Running whole commands, for tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from composed import SMALL

from csrgan.cli import main

SHORT = ("trainer=smoke", "logger=none", "trainer.panels=0", "evaluation.grid.scale=1")
SMOKE = (*SHORT, *SMALL[1:])  # the default networks, small


def csrgan(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    settings = {**os.environ, "OMP_NUM_THREADS": "1", **environment}  # on a busy machine, several only wait for each other
    return subprocess.run([sys.executable, "-m", "csrgan", *words], capture_output=True, text=True, env=settings, check=False)


def train(folder: Path, *words: str, size: tuple[str, ...] = SMALL[1:]) -> dict[str, float]:
    assert main(["train", f"run_dir={folder}", *SHORT, *size, *words]) == 0
    return json.loads((folder / "summary.json").read_text())
