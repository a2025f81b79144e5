"""make sets up the environment: it says what happens and how long it took; pip is a stand-in, because a test has no network."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PYTHON = """#!/bin/sh
case "$*" in *venv*) mkdir -p .venv/bin; cp "$0" .venv/bin/python;;
*pip*) echo "Collecting torch"; echo "Requirement already satisfied: rich"; exit "${FAILS:-0}";; esac
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "fake").write_text(PYTHON)
    (tmp_path / "fake").chmod(0o755)
    return tmp_path


def made(folder: Path, target: str, fails: int = 0) -> tuple[int, str, str]:
    """Run make with its errors on a terminal; return its status, its output and what the terminal showed."""
    ours, theirs = pty.openpty()
    # A make within `make test` would speak of its own level and folder.
    environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    environment["FAILS"] = str(fails)
    command = ["make", target, "PYTHON=./fake"]
    done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=theirs, text=True, check=False)
    os.write(theirs, b"end")
    shown = os.read(ours, 10_000).decode()
    os.close(ours)
    os.close(theirs)
    return done.returncode, done.stdout, shown


def test_the_set_up_says_what_it_does_and_how_long_it_took(folder: Path) -> None:
    status, said, shown = made(folder, "install")
    assert status == 0
    assert "setting up .venv with csrgan and PyTorch: a minute or two the first time" in said
    assert "done in " in said
    assert "Collecting torch" in shown
    assert "already satisfied" not in shown + said
    assert made(folder, "install")[1].strip() == "make: Nothing to be done for 'install'."
    (folder / ".venv" / "runs").write_text("83")
    os.utime(folder / ".venv" / "runs", (0, 0))
    assert "it took 83 s last time" in made(folder, "install")[1]


def test_a_set_up_that_fails_is_not_taken_for_done(folder: Path) -> None:
    assert made(folder, "install", fails=3)[0] == 2
    assert not (folder / ".venv" / "runs").exists()
    assert made(folder, "install")[0] == 0
