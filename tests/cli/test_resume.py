"""A run that is stopped at any moment, in any way, and goes on, ends where one that was not stopped ends: bit for bit."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from pathlib import Path

import pytest
import yaml
from commands import csrgan
from forked import Commands, until
from measured import tell
from stopped import WORDS, assert_same_runs, kill_at, logged, weights
from wandb_server import Server

from csrgan.training.schedule import cosine

# A second system, with batch norm, several players and losses that enter late.
SRGAN = ("system=srgan", "size=small", "degradation=gaussian8_x2", *[w for w in WORDS if not w.startswith(("generator", "discr"))])

SLOW = """
from csrgan.training.system import System
def end_step(system, count=System.end_step):
    count(system)
    time.sleep(0.1)
System.end_step = end_step
import time
"""


def stopped(server: Commands, run: Path, number: int, seconds: float, words: tuple[str, ...]) -> int | None:
    """Start or go on, and send the signal so long after the training has begun; its exit status, None where it ended before."""
    held = any((run / "checkpoints" / name).is_file() for name in ("last.ckpt", "previous.ckpt"))
    process = server.start("train", f"resume={run}" if held else f"run_dir={run}", *(() if held else words))
    until(lambda: "parameters" in server.said())
    time.sleep(seconds)
    ended = (run / "summary.json").is_file()
    if not ended:
        os.kill(process, number)
    status = server.end()
    return None if ended else status


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_and_leaves_and_the_run_goes_on(server: Commands, whole: Path, tmp_path: Path, number: int) -> None:
    run = tmp_path / "run"
    process = server.start("train", f"run_dir={run}", *WORDS, before=SLOW)
    assert until(lambda: (run / "metrics.csv").is_file() and len(logged(run)) > 3)
    os.kill(process, number)
    began = time.monotonic()
    assert server.end() == 128 + number, server.said()
    assert time.monotonic() - began < 10
    seen = weights(run)["csrgan"]["images_seen"]
    assert f"{seen} images are saved. To continue: csrgan train resume={run}" in server.said()
    assert seen == max(int(row["step"]) for row in logged(run))
    assert not (run / "summary.json").exists()
    status, said = server.run("train", f"resume={run}")
    assert status == 0, said
    assert_same_runs(run, whole)


def stuck_at(batch: int) -> str:
    """A batch after the check of the first that takes longer than a signal waits for it; the first save follows batch 3."""
    return f"""
import time
from csrgan.callbacks import graceful_stop
from csrgan.training.system import System
graceful_stop.GRACE = 0.1
def end_step(system, count=System.end_step):
    count(system)
    if system.state.batches_seen == {batch}:
        print("a slow batch", flush=True)
        time.sleep(60)
System.end_step = end_step
"""


@pytest.mark.parametrize("saved", [False, True])
def test_a_batch_that_does_not_end_says_how_to_go_on(server: Commands, tmp_path: Path, saved: bool) -> None:
    run = tmp_path / "a run"
    process = server.start("train", f"run_dir='{run}'", *WORDS, before=stuck_at(4 if saved else 3))
    assert until(lambda: "a slow batch" in server.said())
    os.kill(process, signal.SIGTERM)
    assert server.end() == 128 + signal.SIGTERM
    again = f"what was saved before is whole. To continue: csrgan train 'resume={run}'"
    sentence = again if saved else "nothing is saved yet: the same command begins again."
    assert server.said().endswith(f"csrgan train: stopped; the batch did not end in time; {sentence}\n")


def test_the_wandb_run_of_a_training_that_goes_on_holds_all_of_it(server: Commands, whole: Path, tmp_path: Path) -> None:
    words = [word for word in WORDS if word != "logger=csv"]
    with Server() as there:
        account = f"os.environ.pop('WANDB_MODE', None), os.environ.update({there.account()!r})\n"
        assert server.run("train", f"run_dir={tmp_path / 'run'}", *words, before=account + kill_at(8))[0] == -9
        status, said = server.run("train", f"resume={tmp_path / 'run'}", before=account)
        assert status == 0, said
        *_, last = there.runs
        rows = [row for _, row in sorted(there.history[last].items())]
    seen = [row["images_seen"] for row in rows if "images_per_second" in row]
    assert seen == list(range(4, 49, 4))
    assert [row["images_seen"] for row in rows if "valid/gain_db" in row] == [12, 24, 36, 48]
    assert_same_runs(tmp_path / "run", whole)


def test_a_damaged_checkpoint_is_told_and_the_one_before_goes_on(server: Commands, whole: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert server.run("train", f"run_dir={run}", *WORDS, before=kill_at(8))[0] == -9
    last = run / "checkpoints" / "last.ckpt"
    last.write_bytes(last.read_bytes()[: last.stat().st_size // 2])
    status, said = server.run("train", f"resume={run}")
    assert status == 0
    assert "last.ckpt is damaged" in said
    assert "previous.ckpt instead" in said
    assert_same_runs(run, whole)


def test_where_no_checkpoint_is_whole_nothing_is_begun(server: Commands, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert server.run("train", f"run_dir={run}", *WORDS, before=kill_at(7))[0] == -9
    for file in (run / "checkpoints").glob("*.ckpt"):
        held = bytearray(file.read_bytes())
        held[len(held) // 2] ^= 1  # one bit
        file.write_bytes(held)
    status, said = server.run("train", f"resume={run}")
    assert status == 2
    assert "is damaged" in said
    assert "Traceback" not in said


def test_a_folder_is_one_runs_alone(server: Commands, whole: Path, tmp_path: Path) -> None:
    status, said = server.run("train", f"run_dir={whole}", *WORDS)
    assert status == 2
    assert f"run_dir={whole} already holds a run: resume={whole} continues it" in said
    process = server.start("train", f"run_dir={tmp_path / 'run'}", *WORDS)
    assert until((tmp_path / "run" / "metrics.csv").is_file)
    os.kill(process, signal.SIGSTOP)
    done = csrgan("train", f"run_dir={tmp_path / 'run'}", *WORDS)
    assert done.returncode == 2
    assert "is in use by another run" in done.stderr
    os.kill(process, signal.SIGKILL)
    server.end()


def seconds(run: Path) -> float:
    return float(json.loads((run / "summary.json").read_text())["seconds"])


STEADY = [word for word in WORDS if not word.startswith("data.final_")]


def test_a_finished_run_with_a_larger_budget_ends_as_one_that_had_it_from_the_beginning(server: Commands, tmp_path: Path) -> None:
    """Where the rate does not depend on the budget. What changed stands at the head of config.yaml."""
    constant = ["optimizer.schedule._target_=csrgan.training.schedule.constant", "optimizer.schedule.warmup=10"]
    for name, images in (("whole", 48), ("run", 24)):
        status, said = server.run("train", f"run_dir={tmp_path / name}", *STEADY, *constant, f"trainer.images={images}")
        assert status == 0, said
    took = [seconds(tmp_path / "run")]
    status, said = server.run("train", f"resume={tmp_path / 'run'}", "trainer.images=48")
    assert status == 0, said
    took.append(seconds(tmp_path / "run"))
    assert "from image 24 on: trainer.images 24 -> 48" in said
    assert "First batch" not in said  # of untrained networks
    assert "of memory needed" in said
    assert_same_runs(tmp_path / "run", tmp_path / "whole")
    text = (tmp_path / "run" / "config.yaml").read_text()
    assert text.startswith("# from image 24 on: trainer.images 24 -> 48\n")
    assert yaml.safe_load(text)["trainer"]["images"] == 48
    status, said = server.run("train", f"resume={tmp_path / 'run'}")
    assert status == 0, said
    assert "the run has seen all of its images, so it is only scored again" in said
    took.append(seconds(tmp_path / "run"))
    assert took == sorted(took)  # of all its starts
    assert_same_runs(tmp_path / "run", tmp_path / "whole")
    assert (tmp_path / "run" / "config.yaml").read_text() == text


def test_what_changes_takes_effect_and_what_cannot_is_refused_and_not_recorded(server: Commands, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert server.run("train", f"run_dir={run}", *STEADY, "trainer.images=24")[0] == 0, server.said()
    config, words = (run / "config.yaml").read_bytes(), (run / "overrides.json").read_bytes()
    for change, key in (
        ("data.batch_size=8", "data.batch_size"),
        ("degradation.scale.high=2", "degradation.scale.high"),
        ("generator.width=16", "generator.width"),
        ("loss/parameters=nll", "loss.parameters.variance"),
        ("loss/adversarial=none", "loss.adversarial"),
        ("system=dan", "system"),
        ("trainer.images=8", "trainer.images"),
    ):
        status, said = server.run("train", f"resume={run}", change)
        assert status == 2
        assert f"csrgan train: {key}=" in said
        fits = key in ("data.batch_size", "degradation.scale.high", "loss.adversarial")  # init_from, which needs layers as large
        assert ("init_from" in said) == fits
        assert "Traceback" not in said
    assert (run / "config.yaml").read_bytes() == config
    assert (run / "overrides.json").read_bytes() == words
    rate = "optimizer.generator.lr=0.00025"
    status, said = server.run("train", f"resume={run}", "trainer.images=48", rate, "loss.image.weight=2")
    assert status == 0, said
    rows = [row for row in logged(run) if row["lr/generator"]]
    total, warmup = 48, yaml.safe_load((run / "config.yaml").read_text())["optimizer"]["schedule"]["warmup"]
    last = rows[-1]
    assert int(last["step"]) == 48
    before = int(rows[-2]["step"])
    assert before > 24
    assert float(last["lr/generator"]) == pytest.approx(0.00025 * cosine(before, total=total, warmup=warmup), rel=1e-6)
    assert f"from image 24 on: {rate.partition('=')[0]} 0.001 -> 0.00025" in said
    assert weights(run)["optimizer_states"][0]["param_groups"][0]["initial_lr"] == 0.00025


@pytest.mark.long
@pytest.mark.parametrize(
    ("kills", "words"),
    [(20, WORDS), (10, SRGAN)],
    ids=["csrgan", "srgan"],
)
def test_killed_at_random_moments(server: Commands, tmp_path: Path, kills: int, words: tuple[str, ...]) -> None:
    """SIGKILL wherever it falls: in a batch, an evaluation, a save. Runs are begun until so many were killed; each ends as the
    one that was not stopped."""
    begun = time.monotonic()
    assert server.run("train", f"run_dir={tmp_path / 'whole'}", *words)[0] == 0, server.said()
    lasts = time.monotonic() - begun
    draw = random.Random(0)
    died = runs = 0
    while died < kills:
        run = tmp_path / f"run{runs}"
        runs += 1
        while not (run / "summary.json").is_file():
            status = stopped(server, run, signal.SIGKILL, draw.uniform(0, lasts) if died < kills else 2 * lasts, words)
            died += status == -signal.SIGKILL
        assert_same_runs(run, tmp_path / "whole")
    tell(f"{words[0]}: killed {died} times in {runs} runs; all ended with the same weights, rows and logs")
