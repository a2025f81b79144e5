"""csrgan.evaluate and csrgan.train do what the commands do, to the byte."""

from __future__ import annotations

from pathlib import Path

import checkpoints
import pytest
from commands import SHORT

import csrgan
from csrgan.cli import main
from csrgan.restorers.wiener import Wiener


def test_evaluate_gives_the_rows_of_the_command(tmp_path: Path) -> None:
    held = checkpoints.save(tmp_path / "a.ckpt")
    words = ["data.valid=[chelsea]", "evaluation.crop=48", "evaluation.grid.scale=1", f"run_dir={tmp_path}/run", "panels=0"]
    assert main(["evaluate", f"checkpoint={held}", *words]) == 0
    found = csrgan.evaluate(csrgan.load(held), ["chelsea"], crop=48, grid={"blur": 3, "scale": 1, "noise": 2})
    found.save(tmp_path / "mine.csv")
    assert (tmp_path / "mine.csv").read_bytes() == (tmp_path / "run" / "results.csv").read_bytes()
    assert len(found.rows) == found.summary["rows"] == 6


def test_evaluate_takes_a_system_and_a_protocol() -> None:
    few = {"crop": 48, "grid": {"blur": 1, "scale": 1, "noise": 1}}
    (row,) = csrgan.evaluate(Wiener(), ["chelsea"], csrgan.Degradation(blur={"low": 4.0, "high": 4.0}), **few).rows
    assert row["blur_std"] == 4.0
    assert csrgan.evaluate(Wiener(), ["chelsea"], "as_coded", **few).rows[0]["scale"] == 1.0
    with pytest.raises(csrgan.UserError, match=r"degradation has no wode\..*wide"):
        csrgan.evaluate(Wiener(), ["chelsea"], "wode", **few)
    with pytest.raises(csrgan.UserError, match="nowhere"):
        csrgan.evaluate(Wiener(), "nowhere", **few)
    with pytest.raises(csrgan.UserError, match=r"the network enlarges by 1, and L of this degradation is smaller than H by 2"):
        csrgan.evaluate(csrgan.CSRGAN(), ["chelsea"], "gaussian8_x2", **few)


def test_train_runs_the_command_and_gives_its_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    run = csrgan.train([*SHORT, "trainer.images=8", "run_dir=mine"], quiet=True)
    assert run.folder == tmp_path / "mine"
    assert run.summary["images_seen"] == 8
    assert run.model.predicts == ("blur_std", "scale", "noise_std")
    assert capsys.readouterr().out == ""
    with pytest.raises(csrgan.UserError, match=r"(?s)generator has no resnet.*trainer.images=-1"):
        csrgan.train(["generator=resnet", "trainer.images=-1"])
    with pytest.raises(csrgan.UserError, match=r"csrgan\.train does not take --multirun"):
        csrgan.train(["-m", "seed=0,1"])
    with pytest.raises(csrgan.UserError, match="sweep=stability is a sweep of several trainings"):
        csrgan.train(["sweep=stability"])
    assert [each.name for each in tmp_path.iterdir()] == ["mine"]
