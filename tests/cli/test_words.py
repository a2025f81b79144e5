"""The words after `csrgan`: commands, help, what may be given without its key."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from csrgan.cli import COMMANDS, main

Captured = pytest.CaptureFixture[str]


@pytest.mark.parametrize("words", [[], ["-h"], ["--help"], ["help"]])
def test_help_names_every_command(words: list[str], capsys: Captured) -> None:
    assert main(words) == 0
    told = capsys.readouterr().out
    assert all(f"\n  {command} " in told for command in COMMANDS)
    assert "csrgan COMMAND --help=all" in told


@pytest.mark.parametrize("words", [["trian"], ["tran", "seed=1"], ["help", "tran"], ["--help", "trian"], ["Train"], ["--train"]])
def test_a_mistyped_command_is_told_the_nearest(words: list[str], capsys: Captured) -> None:
    assert main(words) == 2
    assert capsys.readouterr().err.endswith("Did you mean train?\n")


@pytest.mark.parametrize("words", [["-m", "train", "seed=1,2"], ["seed=1", "train"]])
def test_the_command_comes_first(words: list[str], capsys: Captured) -> None:
    assert main(words) == 2
    assert f"the command comes first, as in csrgan train {words[0]}." in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--version"], ["train", "--version"]])
def test_the_version_is_csrgans(words: list[str], capsys: Captured) -> None:
    assert main(words) == 0
    assert capsys.readouterr().out.startswith("csrgan 0.")


@pytest.mark.parametrize(("word", "shown"), [("loss/image", 1), ("group=loss/image", 1), ("loss", 5), ("loss/", 5), ("trainer", 1)])
def test_list_takes_a_group_or_what_groups_begin_with(word: str, shown: int, capsys: Captured) -> None:
    assert main(["list", word]) == 0
    table = capsys.readouterr().out.split("\n")[1:]
    assert sum(bool(line) and not line.startswith(" ") for line in table) == shown
    assert main(["list", "lossimage"]) == 2
    assert "Did you mean loss/image?" in capsys.readouterr().err


def test_waiting_threads_sleep_soon_unless_the_user_says_otherwise() -> None:
    """libgomp reads it when torch is loaded, so it must stand before."""
    code = (
        "import os, sys\nfrom csrgan.cli import main\nassert main(['train', 'seed=no']) == 2\n"
        "assert 'torch' not in sys.modules\nprint(os.environ['GOMP_SPINCOUNT'])"
    )
    without = {name: value for name, value in os.environ.items() if name != "GOMP_SPINCOUNT"}
    for given, wanted in (({}, "1000"), ({"GOMP_SPINCOUNT": "7"}, "7")):
        done = subprocess.run([sys.executable, "-c", code], env=without | given, capture_output=True, text=True, check=True)
        assert done.stdout.split()[-1] == wanted
