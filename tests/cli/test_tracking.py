"""Runs and Weights & Biases: what arrives there, and that nothing that happens there changes a run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from composed import SMALL
from forked import Started, together
from wandb_server import ANSWERS, KEY, Server

from csrgan.errors import UserError
from csrgan.loggers.wandb_run import SPARE, WandbRun, run_name

# Something happens when the third of four batches is read. Then nobody waits long, so that the tests do not.
READING = """
import csrgan.loggers.wandb_run
from csrgan.data.crops import Crops

def reading(crops, index, read=Crops.__getitem__):
    if index == 8:
        csrgan.loggers.wandb_run.SPARE = 3
        {happens}
    return read(crops, index)

Crops.__getitem__ = reading
"""
KILL = 'os.system("pkill -KILL -P %d" % os.getpid())'
DRIP = 'urllib.request.urlopen(os.environ["WANDB_BASE_URL"] + "/drip").close()'  # from now on
DIE = 'urllib.request.urlopen(os.environ["WANDB_BASE_URL"] + "/die").close()'
# wandb's service stands still: it does not answer, and does not end when it is asked to.
FREEZE = 'os.system("pgrep -P %d wandb-core > {pids}; pkill -STOP -P %d wandb-core" % (os.getpid(), os.getpid()))'
RAISE = 'raise RuntimeError("the power went")'
CLOSED = {"WANDB_BASE_URL": "http://127.0.0.1:9", "WANDB_API_KEY": KEY}


@dataclass(frozen=True)
class Run:
    """A run of which the process has ended."""

    folder: Path
    status: int
    seconds: float
    told: str
    errors: list[str]

    def result(self) -> dict[str, Any]:
        content = json.loads((self.folder / "summary.json").read_text())
        return {name: value for name, value in content.items() if not name.startswith("seconds")}


@dataclass(frozen=True)
class World:
    """Runs that differ in what becomes of wandb and in nothing else, made at the same time, and the server of most of them."""

    server: Server
    runs: dict[str, Run]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    at = tmp_path_factory.mktemp("tracking")
    with Server() as server, Server() as mortal, Server(drips=True) as dripping, Server() as later:
        runs = {
            "plain": (at / "plain", {}, "pass", ["logger=csv"]),
            "online": (at / "sweep" / "7", server.account(), "pass", []),
            "unreachable": (at / "unreachable", CLOSED, "pass", ["logger.patience=10"]),
            "server dies": (at / "dies", mortal.account(), DIE, ["logger.patience=15"]),
            "service frozen": (at / "frozen", {"WANDB_MODE": "offline"}, FREEZE.format(pids=at / "pids"), ["logger.patience=15"]),
            "service killed": (at / "killed", {"WANDB_MODE": "offline"}, KILL, []),
            "raises": (at / "raises", server.account(), RAISE, []),
            "server drips": (at / "drips", dripping.account(), "pass", ["logger.patience=2"]),
            "server drips later": (at / "later", later.account(), DRIP, ["logger.patience=10"]),
        }
        ends = together(*(command(*run) for run in runs.values()))
        for process in (at / "pids").read_text().split():
            with suppress(ProcessLookupError):
                os.kill(int(process), signal.SIGKILL)
        yield World(server, {name: ended(runs[name][0], *end) for name, end in zip(runs, ends, strict=True)})


def command(folder: Path, environment: dict[str, str], happens: str, words: list[str]) -> Started:
    """A run as `together` starts it."""
    folder.parent.mkdir(exist_ok=True)
    fixed = [
        "train",
        f"run_dir={folder}",
        *SMALL,
        "logger.every=1",
        "logger.patience=60",
        "evaluation.grid={blur: 1, scale: 1, noise: 1}",
        "data.crop=32",
    ]
    settings = {**outside(folder.parent), "OMP_NUM_THREADS": "1", **environment}
    return settings, said(folder), READING.format(happens=happens), [*fixed, *words]


def outside(folder: Path) -> dict[str, str]:
    """An environment that knows no account of wandb, and keeps its files in a folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WANDB_")}
    return kept | {f"WANDB_{kind}_DIR": str(folder / kind) for kind in ("CONFIG", "CACHE", "DATA")}


def said(folder: Path) -> Path:
    """Beside the folder of a run, which may not be there yet."""
    return folder.parent / f"said_{folder.name}"


def ended(folder: Path, status: int, seconds: float) -> Run:
    told, errors = (Path(f"{said(folder)}.{kind}").read_text() for kind in ("out", "err"))
    return Run(folder, status, seconds, told, errors.strip().split("\n") if errors.strip() else [])


@pytest.mark.parametrize("name", ["online", "unreachable", "server dies", "service frozen", "service killed"])
def test_whatever_becomes_of_wandb_the_result_and_the_exit_status_are_the_same(world: World, name: str) -> None:
    run, plain = world.runs[name], world.runs["plain"]
    assert run.status == plain.status == 0, run.errors
    assert run.result() == plain.result()
    assert (run.folder / "metrics.csv").read_text().count("\n") == (plain.folder / "metrics.csv").read_text().count("\n")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("unreachable", "could not start a run at its server"),
        ("server dies", "stopped working"),
        ("service frozen", "stopped working"),
        ("service killed", "stopped working"),
    ],
)
def test_a_failure_is_told_in_one_sentence(world: World, name: str, said: str) -> None:
    (sentence,) = world.runs[name].errors
    assert sentence.startswith(f"csrgan train: wandb {said} (")
    assert f"wandb sync {world.runs[name].folder}/wandb/" in sentence


def test_wandb_is_imported_only_where_it_is_asked_for(world: World) -> None:
    assert world.runs["plain"].told.endswith("wandb was not imported\n")
    assert world.runs["online"].told.endswith("wandb was imported\n")
    assert world.runs["online"].errors == []


@pytest.mark.parametrize("name", ["server drips", "server drips later"])
def test_a_server_that_drips_a_byte_a_second_keeps_nobody_waiting(world: World, name: str) -> None:
    """Neither at the start nor at the end, nor when the process is about to end, by what wandb itself does then."""
    run, plain = world.runs[name], world.runs["plain"]
    assert run.status == 0, run.errors
    assert run.result() == plain.result()
    assert run.seconds < plain.seconds + 2 * (2 + SPARE) + 10
    assert name != "server drips" or run.errors[0].startswith("csrgan train: wandb could not start a run at its server (")


def arrived(server: Server, name: str) -> str:
    """The id of the run of this name."""
    (run,) = [run for run, said in server.runs.items() if said["displayName"] == name]
    return run


def test_a_run_arrives_as_it_was(world: World) -> None:
    server, folder = world.server, world.runs["online"].folder
    run = arrived(server, "sweep/7")
    said, rows = server.runs[run], [row for _, row in sorted(server.history[run].items())]
    assert (said["project"], said["groupName"], server.exits[run]) == ("csrgan", "sweep", 0)
    config = json.loads(said["config"])
    assert config["loss"]["value"]["parameters"]["weight"] == 0.1
    assert config["degradation"]["value"]["blur"]["high"] == 50
    assert [row["images_seen"] for row in rows if "images_per_second" in row] == [4, 8, 12, 16]
    (evaluated,) = [row for row in rows if "valid/gain_db" in row]
    result = world.runs["online"].result()
    assert evaluated["images_seen"] == 16
    assert evaluated["valid/gain_db"] == result["gain_db"] == server.summaries[run]["gain_db"]
    assert evaluated["panels"]["captions"] == sorted(path.stem for path in (folder / "panels").iterdir())
    table = json.loads(next(body for path, body in server.files.items() if f"{run}/media/table/predictions" in path))
    assert {"image", "blur_std", "blur_std_predicted", "psnr_restored"} <= set(table["columns"])
    assert len(table["data"]) == result["rows"]
    assert set(evaluated["panels"]["filenames"]) <= {path.removeprefix(f"/put/{run}/") for path in server.files}


def test_a_run_that_fails_says_why_and_is_finished(world: World) -> None:
    run = world.runs["raises"]
    assert run.status == 1
    assert run.errors[-1] == "RuntimeError: the power went"
    assert world.server.exits[arrived(world.server, "raises")] == 1
    assert "groupName" not in world.server.runs[arrived(world.server, "raises")]


def test_a_run_that_was_kept_offline_is_sent_later(world: World) -> None:
    run = world.runs["unreachable"]
    (kept,) = run.folder.glob("wandb/offline-run-*")
    sync = [sys.executable, "-m", "wandb", "sync", str(kept)]
    account = {**os.environ, **world.server.account()}
    done = subprocess.run(sync, cwd=kept.parent, env=account, capture_output=True, text=True, check=False)  # it leaves logs there
    assert done.returncode == 0, done.stderr
    there = arrived(world.server, "unreachable")
    live = arrived(world.server, "sweep/7")
    assert world.server.exits[there] == 0
    names = [[sorted(row) for _, row in sorted(world.server.history[run].items())] for run in (there, live)]
    assert names[0] == names[1]
    assert world.server.summaries[there]["gain_db"] == run.result()["gain_db"]
    assert any(f"{there}/media/table/predictions" in path for path in world.server.files)


def test_a_wandb_that_cannot_be_imported_ends_the_tracking_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    tracker = WandbRun(project="csrgan", patience=5)
    tracker.begin({}, tmp_path)
    tracker.log_metrics({"a": 1.0}, 4)
    tracker.end(well=True)
    assert tracker.over
    assert "wandb stopped working" in capsys.readouterr().err


def test_a_server_is_given_some_time() -> None:
    with pytest.raises(UserError, match=r"WandbRun\.patience=0 is not above 0"):
        WandbRun(project="csrgan", patience=0)


def test_an_agent_of_a_wandb_sweep_trains_its_jobs(tmp_path: Path) -> None:
    """With the command that the guide gives; each run is the one that the sweep has asked for."""
    weights = {"aaaaaaaa": 0.0, "bbbbbbbb": 0.1}
    words = [*SMALL, "logger=wandb", "trainer.panels=0", "evaluation.grid.scale=1"]
    command = [sys.executable, "-m", "csrgan", "train", *words, "${args_no_hyphens}"]
    with Server() as server:
        server.jobs = {run: {"loss.parameters.weight": {"value": weight}} for run, weight in weights.items()}
        sweep = {
            "id": "1",
            "name": "swept",
            "config": yaml.safe_dump({"program": "csrgan", "command": command}),
            "runs": {"edges": []},
        }
        server.answers = ANSWERS | {
            "SweepWithRuns": {"project": {"sweep": sweep}},
            "CreateAgent": {"createAgent": {"agent": {"id": "1"}}},
        }
        agent = [sys.executable, "-m", "wandb", "agent", "somebody/csrgan/swept"]
        environment = {**outside(tmp_path), **server.account(), "OMP_NUM_THREADS": "1"}
        done = subprocess.run(agent, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        assert {run: server.exits[run] for run in weights} == dict.fromkeys(weights, 0)
        assert {server.runs[run]["sweep"] for run in weights} == {"swept"}
        configs = [yaml.safe_load(file.read_text()) for file in tmp_path.glob("runs/*/*/config.yaml")]
        assert sorted(config["loss"]["parameters"]["weight"] for config in configs) == [0.0, 0.1]


def test_the_jobs_of_a_sweep_make_a_group() -> None:
    assert run_name(Path("runs/sweeps/lambda_sigma/7")) == ("lambda_sigma/7", "lambda_sigma")
    assert run_name(Path("runs/csrgan/2026-11-23_10-00-00")) == ("2026-11-23_10-00-00", None)
