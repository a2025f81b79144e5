"""csrgan list shows every choice."""

from __future__ import annotations

import subprocess
import sys

import pytest

from csrgan.cli import main
from csrgan.config.folder import groups


def test_list_names_every_choice_and_can_be_followed_by_any_command(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        assert main(["list"]) == 0
        told = capsys.readouterr().out
        assert all(file.stem in told for _, files in groups() for file in files)


def test_a_key_that_is_taken_for_a_group_is_named_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "ema"]) == 2
    assert "ema is no group of choices, but a key: optimizer.ema" in capsys.readouterr().err


@pytest.mark.parametrize("help_flag", ["--help", "--help=all"])
def test_who_has_read_enough_sees_no_traceback(help_flag: str) -> None:
    command = [sys.executable, "-m", "csrgan", "train", help_flag]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stderr
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 141
