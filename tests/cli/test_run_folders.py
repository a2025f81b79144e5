"""A folder that holds a run keeps it, and a command that is refused leaves no folder behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import SHORT

from csrgan.cli import main

TINY = ("evaluation.grid={blur: 1, scale: 1, noise: 1}", "evaluation.crop=48")


def contents(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def begun(folder: Path, *words: str) -> list[str]:
    """What a run leaves that ended before its first save."""
    folder.mkdir()
    (folder / "overrides.json").write_text(json.dumps(words))
    (folder / "config.yaml").write_text("seed: 1\ninit_from: null\n")
    return list(words)


def test_a_run_without_a_save_is_repeated_by_its_own_words_and_overwritten_by_no_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    words = begun(run, *SHORT, "system=bicubic", *TINY, "seed=1")  # which needs no training, so that it is repeated soon
    before = contents(run)
    assert main(["train", *words[:-1], "seed=2", f"run_dir={run}"]) == 2
    told = capsys.readouterr().err
    assert (
        f"run_dir={run} holds a run that has saved no checkpoint, which began with other words (seed=1 there, seed=2 here)" in told
    )
    assert "give another run_dir, or remove the folder first. To repeat what is there: csrgan train trainer=smoke" in told
    assert main(["evaluate", "system=bicubic", "degradation=readme", *TINY, f"run_dir={run}"]) == 2
    assert "holds a run that has saved no checkpoint" in capsys.readouterr().err
    assert main(["train", f"resume={run}"]) == 2
    assert f"can only begin again. This does: csrgan train {words[0]}" in capsys.readouterr().err
    assert {name: text for name, text in contents(run).items() if name != ".lock"} == before
    assert main(["train", *reversed(words), f"run_dir={run}"]) == 0
    assert (run / "summary.json").is_file()
    assert sorted(json.loads((run / "overrides.json").read_text())) == sorted(words)


def test_an_evaluation_is_overwritten_by_the_same_words_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["evaluate", "system=bicubic", "degradation=readme", *TINY, "panels=0", f"run_dir={tmp_path}/scores"]
    assert main(words) == 0
    before = contents(tmp_path)
    assert main([*words[:-2], "panels=0", "seed=5", words[-1]]) == 2
    assert "holds an evaluation, which began with other words (nothing there, seed=5 here)" in capsys.readouterr().err
    assert main(["train", *SHORT, f"run_dir={tmp_path}/scores"]) == 2
    assert "To repeat what is there: csrgan evaluate system=bicubic" in capsys.readouterr().err
    assert {name: text for name, text in contents(tmp_path).items() if not name.endswith(".lock")} == before
    assert main(words) == 0


@pytest.mark.parametrize(
    "words",
    [
        ["train", *SHORT, "data.crop=9999"],
        ["train", *SHORT, "init_from=nowhere.ckpt"],
        ["train", "-m", *SHORT, "loss.parameters.weight=interval(0,1)"],
        ["train", "-m", *SHORT, "seed=1,2", "hydra/launcher=submitit_slurm"],
        ["evaluate", "system=wiener", "degradation=readme", "data=folder", "data.valid=nowhere"],
        ["evaluate", "system=wiener", "degradation=readme", "oracle=mismatch", *TINY, "logger=wandb", "logger.wandb.mode=odd"],
    ],
    ids=" ".join,
)
def test_a_refused_command_leaves_no_folder(tmp_path: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "runs").mkdir()
    assert main([*words, f"run_dir={tmp_path}/runs/deep/new"]) == 2, capsys.readouterr()
    assert list(tmp_path.rglob("*")) == [tmp_path / "runs"]


def test_a_refused_command_leaves_a_folder_that_was_there_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    for name in ("empty", "full"):
        assert main(["train", *SHORT, "data=folder", "data.train=no", "data.valid=no", f"run_dir={tmp_path}/{name}"]) == 2
        assert main(["train", "-m", *SHORT, "seed=1,2", "hydra/launcher=submitit_slurm", f"run_dir={tmp_path}/{name}"]) == 2
    assert {path.name for path in tmp_path.rglob("*")} == {"empty", "full", "notes.txt"}
