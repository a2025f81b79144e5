"""A run and a sweep never share a folder, whichever comes first, nor do sweeps of two commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from csrgan.cli import main
from csrgan.config.faults import check_command
from csrgan.errors import UserError
from csrgan.runs.jobs import KINDS

SCORED = ("evaluate", "system=bicubic", "degradation=readme")
ENDED = json.dumps(dict.fromkeys(KINDS))  # job.json of a sweep

OTHER = {"train": "evaluate", "evaluate": "train"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    made = tmp_path / "runs" / "mine"
    made.mkdir(parents=True)
    return made


@pytest.mark.parametrize(
    "words", [("train", "-m", "seed=1,2"), ("train", "sweep=lambda_sigma"), (*SCORED, "-m", "seed=1,2")], ids=" ".join
)
@pytest.mark.parametrize("kind", ["a run", "an evaluation"])
def test_a_sweep_does_not_begin_in_the_folder_of_a_run(
    kind: str, words: tuple[str, ...], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "overrides.json").write_text("[]")
    (folder / "config.yaml").write_text("seed: 0\n" + "init_from: null\n" * (kind == "a run"))
    assert main([*words, "run_dir=runs/mine"]) == 2
    sentence = f"run_dir=runs/mine holds {kind}, and a sweep would put its jobs among those files: give the sweep its own run_dir."
    assert capsys.readouterr().err == f"csrgan {words[0]}: {sentence}\n"
    assert sorted(path.name for path in folder.iterdir()) == ["config.yaml", "overrides.json"]


@pytest.mark.parametrize("words", [("train", "seed=1"), SCORED], ids=" ".join)
@pytest.mark.parametrize("held", ["multirun.yaml", "0/job.json", "sweep/0/job.json"])
def test_a_single_run_does_not_begin_in_the_folder_of_a_sweep(
    held: str, words: tuple[str, ...], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor in that of the scores of a sweep's jobs, which has no multirun.yaml."""
    (folder / held).parent.mkdir(parents=True, exist_ok=True)
    (folder / held).write_text(ENDED)
    assert main([*words, "run_dir=runs/mine"]) == 2
    sentence = "run_dir=runs/mine holds a sweep, whose jobs this would mix with other files: give another run_dir."
    assert capsys.readouterr().err == f"csrgan {words[0]}: {sentence}\n"
    assert [path.name for path in folder.iterdir()] == [held.partition("/")[0]]


@pytest.mark.parametrize("held", ["pages/job.json", "pages/modules/job.json", "a/sweep/0/job.json"])
@pytest.mark.parametrize("text", ["", "[]", '{"name": "a job of another program", "status": 1}'])
def test_a_single_run_may_begin_beside_files_of_other_programs(held: str, text: str, folder: Path) -> None:
    """Deep folders are not searched: there may be many. Beside a sweep.json, each job.json is a sweep's, whatever it holds."""
    file = folder / held
    file.parent.mkdir(parents=True)
    file.write_text(ENDED if held.startswith("a/") else text)
    check_command("train", ["run_dir=runs/mine"])
    (file.parents[1] / "sweep.json").touch()
    if not held.startswith("a/"):
        with pytest.raises(UserError, match="runs/mine holds a sweep"):
            check_command("train", ["run_dir=runs/mine"])


@pytest.mark.parametrize("words", [("train",), SCORED], ids=" ".join)
def test_a_sweep_does_not_begin_in_that_of_another_command(
    words: tuple[str, ...], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It begins in one of its own command."""
    (folder / "multirun.yaml").write_text(f"hydra:\n  job:\n    config_name: {OTHER[words[0]]}\n")
    before = (folder / "multirun.yaml").stat().st_mtime_ns
    assert main([*words, "-m", "seed=1,2", "run_dir=runs/mine"]) == 2
    there, here = ("evaluations", "trainings") if words[0] == "train" else ("trainings", "evaluations")
    sentence = f"run_dir=runs/mine holds a sweep of {there}, and this one is of {here}: give it its own run_dir."
    assert capsys.readouterr().err == f"csrgan {words[0]}: {sentence}\n"
    assert [path.name for path in folder.iterdir()] == ["multirun.yaml"]
    assert (folder / "multirun.yaml").stat().st_mtime_ns == before
    (folder / "multirun.yaml").write_text(f"hydra:\n  job:\n    config_name: {words[0]}\n")
    check_command(words[0], [*words[1:], "-m", "seed=1,2", "run_dir=runs/mine"])


@pytest.mark.parametrize("kind", ["an evaluation", "a sweep"])
def test_the_jobs_of_a_sweep_are_not_scored_into_the_folder_of_another(
    kind: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are scored again into the folder that holds their scores already."""
    (folder.parent / "swept" / "0").mkdir(parents=True)
    (folder.parent / "swept" / "0" / "job.json").touch()
    words = ["checkpoint=runs/swept", "run_dir=runs/mine"]
    (folder / "0").mkdir()
    check_command("evaluate", words)
    (folder / "overrides.json" if kind == "an evaluation" else folder / "multirun.yaml").write_text("[]")
    (folder / "config.yaml").write_text("seed: 0\n")
    assert main(["evaluate", *words]) == 2
    assert f"csrgan evaluate: run_dir=runs/mine holds {kind}, " in capsys.readouterr().err
    assert not any((folder / "0").iterdir())


def test_a_sweep_goes_on_in_its_own_folder_and_commands_that_write_elsewhere_look_at_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "multirun.yaml").touch()
    check_command("train", ["-m", "seed=1,2", "run_dir=runs/mine"])
    (folder / "0").mkdir()
    (folder / "0" / "job.json").touch()
    check_command("train", ["seed=1", "run_dir=runs/mine/0"])  # as its sweep begins it
    monkeypatch.chdir(folder)
    check_command("list", ["group=output"])
