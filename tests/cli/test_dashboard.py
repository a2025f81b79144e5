"""csrgan dashboard: the same workspace at a server, and in a file."""

from __future__ import annotations

import csv
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from commands import csrgan
from wandb_server import Server

from csrgan.cli import main
from csrgan.cli.dashboard import CHARTS


def written(folder: Path, *words: str) -> dict[str, Any]:
    assert main(["dashboard", f"file={folder}/deeper/dashboard.json", *words]) == 0
    return json.loads((folder / "deeper" / "dashboard.json").read_text())


def without_ids(spec: dict[str, Any]) -> Any:
    return json.loads(re.sub(r'"(__id__|id|refId)": "\w*"', '"id": ""', json.dumps(spec)))


def test_who_is_not_logged_in_gets_a_file_and_is_told_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    view = written(tmp_path, "project=blind", "entity=lab")
    assert (view["project"], view["entity"]) == ("blind", "lab")
    told = capsys.readouterr().out
    assert "run wandb login and then this command again" in told
    assert told.count("\n") == 1
    sections = {section["name"]: section["panels"] for section in view["spec"]["section"]["panelBankConfig"]["sections"]}
    (plot,) = sections["Comparison"]
    accessors = [column["accessor"] for column in plot["config"]["columns"]]
    assert accessors == ["config:loss.value.parameters.weight", "config:degradation.value.blur.high", "summary:valid/gain_db"]
    assert sections["Pictures"][0]["config"]["mediaKeys"] == ["panels"]
    assert "predictions" in json.dumps(sections["Predictions"])
    assert {panel["config"]["xAxis"] for name in CHARTS for panel in sections[name]} == {"images_seen"}


def test_every_chart_draws_what_a_run_logs(run: Path) -> None:
    """Of the families of losses, those that the run had; its pictures are too small for NIQE."""
    with (run / "metrics.csv").open() as table:
        logged = set(csv.DictReader(table).fieldnames or ())
    absent = re.compile(r".*/(perceptual|consistency|niqe_\w+)$")
    drawn = {metric for charts in CHARTS.values() for metrics in charts.values() for metric in metrics}
    assert {metric for metric in drawn - logged if not absent.match(metric)} == set()


def test_the_server_gets_what_the_file_holds(tmp_path: Path) -> None:
    with Server() as server:
        done = csrgan("dashboard", f"file={tmp_path}/none.json", "title=lambda", WANDB_MODE="online", **server.account())
        assert done.returncode == 0, done.stderr
        (sent,) = [given for name, given in server.operations if name == "UpsertView2"]
    assert done.stdout.startswith(f"{server.url}/somebody/csrgan?nw=")
    assert (sent["entityName"], sent["projectName"], sent["displayName"]) == ("somebody", "csrgan", "lambda")
    assert without_ids(json.loads(sent["spec"])) == without_ids(written(tmp_path, "title=lambda")["spec"])
    assert not (tmp_path / "none.json").exists()


def test_a_server_that_refuses_leaves_the_file(tmp_path: Path) -> None:
    with Server() as server:
        server.answers = {}  # it knows no account
        done = csrgan("dashboard", f"file={tmp_path}/kept.json", "entity=lab", WANDB_MODE="online", **server.account())
    assert done.returncode == 2
    (sentence,) = done.stderr.strip().split("\n")
    assert sentence.startswith("csrgan dashboard: the server of Weights & Biases did not take the workspace (")
    assert json.loads((tmp_path / "kept.json").read_text())["entity"] == "lab"


def test_the_missing_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "wandb_workspaces.workspaces", None)
    assert main(["dashboard", f"file={tmp_path}/none.json"]) == 2
    assert "'.[dashboard]'" in capsys.readouterr().err
