"""What the tabulator offers, in a real bash, and of choices of one's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from csrgan.cli.completion import completions

BASH = """
eval "$(csrgan completion bash)"
for line in "csrgan tr" "csrgan train generator=un"; do
    COMP_LINE="$line"; COMP_POINT=${#line}; _csrgan; echo "${COMPREPLY[@]}"
done
"""


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_is_given_what_may_follow() -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(["bash", "-c", BASH], env={**os.environ, "PATH": path}, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["train", "unet unet_as_coded unfolded"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("csrgan re", ["replay", "report", "restore"]),
        ("csrgan train  seed=1 loss/i", ["loss/image="]),
        ("csrgan train -m output=clamp,s", ["clamp,sigmoid"]),
        ("csrgan train optimizer.generator.l", ["optimizer.generator.lr="]),
        ("csrgan restore enl", ["enlarge="]),
        ("csrgan train --multi", ["--multirun"]),
        ("csrgan train --help", ["--help", "--help=all"]),
        ("csrgan train --help=", ["all"]),
        ("csrgan train seed=", []),
        ("csrgan trian gen", ["generator="]),
        ("csrgan train --config-dir=nowhere gen", []),
    ],
)
def test_each_kind_of_word_is_completed(line: str, expected: list[str]) -> None:
    assert completions(line) == expected


def test_choices_and_groups_of_ones_own_and_files_are_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own" / "loss" / "frequency").mkdir(parents=True)
    (tmp_path / "own" / "loss" / "frequency" / "fft.yaml").write_text("# A loss of my own\n")
    monkeypatch.chdir(tmp_path)
    assert completions("csrgan train --config-dir own +loss/f") == ["+loss/frequency="]
    assert completions("csrgan train --config-dir=own +loss/frequency=") == ["fft"]
    assert completions("csrgan restore source=o") == ["own/"]
    assert completions("csrgan restore source=own/") == ["own/loss/"]
