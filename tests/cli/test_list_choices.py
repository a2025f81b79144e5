"""csrgan list shows every choice."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from csrgan.cli import main
from csrgan.cli.list_choices import FIRST
from csrgan.config.compose import composed
from csrgan.config.folder import groups


def test_an_overview_fits_on_one_screen_and_counts_every_choice(capsys: pytest.CaptureFixture[str]) -> None:
    """With the most used choices; what follows its names shows the rest."""
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    found = {line.split()[0]: int(line.split()[1]) for line in lines[1:-1]}
    expected: dict[str, int] = {}
    for group, files in groups():
        top = group.partition("/")[0]
        expected[top] = expected.get(top, 0) + len(files)
        assert FIRST.get(group, ()) == tuple(name for name in FIRST.get(group, ()) if name in {file.stem for file in files})
    assert found == expected
    assert all(name in line for line in lines[1:-1] for name in FIRST.get(line.split()[0], ())[:3])
    assert main(["list", "sweep"]) == 0
    assert "lambda_guided" in capsys.readouterr().out


def test_list_all_names_every_choice_and_can_be_followed_by_any_command(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        assert main(["list", "all"]) == 0
        told = capsys.readouterr().out
        assert all(file.stem in told for _, files in groups() for file in files)


def test_what_a_training_takes_by_itself_is_marked(capsys: pytest.CaptureFixture[str]) -> None:
    losses = composed("train")["loss"]
    assert main(["list", "loss"]) == 0
    marked = re.findall(r"(\w+) \(default\)", capsys.readouterr().out)
    assert marked == ["bce", "none", "charbonnier", "mse", "none"]
    assert losses["image"]["function"]["_target_"].endswith(".charbonnier") and losses["parameters"]["function"][
        "_target_"
    ].endswith(".mse")
    assert not losses["perceptual"] and not losses["consistency"]


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


def test_a_choice_that_no_comment_describes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "loss/edges").mkdir(parents=True)
    for name, head in (("bare", ""), ("told", "# @package _global_\n\n# Steep edges\n"), ("late", "weight: 1  # much\n# Late\n")):
        (tmp_path / f"loss/edges/{name}.yaml").write_text(f"{head}_target_: csrgan.losses.objective.Term\n")
    assert main(["list", "loss/edges", f"--config-dir={tmp_path}"]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [line.removeprefix("loss/edges").split(maxsplit=1) for line in map(str.rstrip, lines)] == [
        ["bare", "(no comment)"],
        ["late", "(no comment)"],
        ["told", "Steep edges"],
    ]
