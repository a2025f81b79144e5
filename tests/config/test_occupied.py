"""A run and a sweep never share a folder, whichever comes first."""

from __future__ import annotations

from pathlib import Path

import pytest

from csrgan.cli import main
from csrgan.config.faults import check_command

SCORED = ("evaluate", "system=bicubic", "degradation=readme")


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
def test_a_single_run_does_not_begin_in_the_folder_of_a_sweep(
    words: tuple[str, ...], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "multirun.yaml").touch()
    assert main([*words, "run_dir=runs/mine"]) == 2
    sentence = "run_dir=runs/mine holds a sweep, whose jobs this would mix with other files: give another run_dir."
    assert capsys.readouterr().err == f"csrgan {words[0]}: {sentence}\n"
    assert [path.name for path in folder.iterdir()] == ["multirun.yaml"]


def test_a_sweep_goes_on_in_its_own_folder_and_commands_that_write_elsewhere_look_at_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "multirun.yaml").touch()
    check_command("train", ["-m", "seed=1,2", "run_dir=runs/mine"])
    monkeypatch.chdir(folder)
    check_command("list", ["group=output"])
