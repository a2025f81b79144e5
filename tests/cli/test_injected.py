"""What goes wrong around a run: it loses no finished checkpoint and no written row, and goes on to the same end."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from forked import Commands
from measured import tell
from stopped import WORDS, assert_same_runs, kill_at, weights

from csrgan.runs.checkpoint import damage

AT = """
import resource, signal, time
from csrgan.training.system import System
def end_step(system, count=System.end_step):
    count(system)
    if system.state.batches_seen == {batch}:
        {what}
System.end_step = end_step
"""
FULL = "resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, resource.RLIM_INFINITY))"
FREE = "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))"
IN_EVALUATION = """
import signal
from csrgan.callbacks.scores import Scores
def start(scores, trainer, system, batch, batch_idx, *rest, began=Scores.on_validation_batch_start):
    began(scores)
    if batch_idx == {place} and system.images_seen >= {images}:
        os.kill(os.getpid(), signal.{name})
Scores.on_validation_batch_start = start
"""
AFTER_EVALUATION = """
import signal
from csrgan.callbacks.scores import Scores
def end(scores, trainer, system, ended=Scores.on_validation_epoch_end):
    ended(scores, trainer, system)
    if system.images_seen >= 24:
        os.kill(os.getpid(), signal.SIGTERM)
Scores.on_validation_epoch_end = end
"""
# A loader process is killed by the run itself, as the machine would where memory runs out.
WORKER = """
for child in __import__("psutil").Process().children():
            os.kill(child.pid, signal.SIGKILL)
"""


def goes_on(server: Commands, run: Path, whole: Path) -> None:
    status, said = server.run("train", f"resume={run}")
    assert status == 0, said
    assert_same_runs(run, whole)


def test_a_full_disk_costs_no_checkpoint_and_no_row(server: Commands, whole: Path, tmp_path: Path) -> None:
    """No file may grow beyond a size from the eighth batch on: the checkpoints would, the tables would not."""
    run = tmp_path / "run"
    status, said = server.run("train", f"run_dir={run}", *WORDS, before=AT.format(batch=8, what=FULL.format(size=100_000)))
    assert status == 2, said
    assert "last.ckpt could not be saved (File too large); the run continues and tries again at its next save" in said
    assert "last.ckpt: File too large; the checkpoint saved before is intact." in said
    assert "Traceback" not in said
    assert damage(run / "checkpoints" / "last.ckpt") is None
    assert weights(run)["csrgan"]["images_seen"] == 24
    assert not list(run.glob("**/.*.part"))
    goes_on(server, run, whole)


def test_a_disk_that_is_full_for_a_while_costs_nothing(server: Commands, whole: Path, tmp_path: Path) -> None:
    """Even the rows of metrics.csv that could not be written are written later."""
    run = tmp_path / "run"
    before = AT.format(batch=8, what=FULL.format(size=4500)) + AT.format(batch=11, what=FREE)
    status, said = server.run("train", f"run_dir={run}", *WORDS, before=before)
    assert status == 0, said
    assert "metrics.csv: a row could not be written (File too large); it is tried again with the next" in said
    assert "last.ckpt could not be saved (File too large); the run continues" in said
    assert_same_runs(run, whole)


@pytest.mark.parametrize(
    ("before", "ends"),
    [(IN_EVALUATION.format(place=2, images=24, name="SIGKILL"), -9), (AFTER_EVALUATION, 143)],
    ids=["killed in it", "SIGTERM when all pictures are scored"],
)
def test_a_signal_during_an_evaluation(server: Commands, whole: Path, tmp_path: Path, before: str, ends: int) -> None:
    run = tmp_path / "run"
    status, said = server.run("train", f"run_dir={run}", *WORDS, before=before)
    assert status == ends, said
    assert (run / "results.csv").is_file()  # of the evaluation before
    assert weights(run)["csrgan"]["images_seen"] == (24 if ends == -9 else 28)
    goes_on(server, run, whole)


def test_a_loader_process_that_is_killed_is_told(server: Commands, whole: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    before = AT.format(batch=8, what=WORKER.strip())
    status, said = server.run("train", f"run_dir={run}", *WORDS, "data.workers=1", before=before)
    assert status == 2, said
    assert "csrgan train: a process that reads photographs was killed" in said
    assert "Traceback" not in said
    goes_on(server, run, whole)


def test_memory_that_runs_out_names_what_to_lower(server: Commands, tmp_path: Path) -> None:
    """The process may take 300 MB more than it has; a batch of 16 crops of 256 px wants more."""
    limit = """
import resource
have = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (have + 300 * 2**20, resource.RLIM_INFINITY))
"""
    large = ("data.crop=256", "data.final_crop=null", "data.batch_size=16", "generator.width=64", "trainer.images=16")
    words = [word for word in WORDS if word.partition("=")[0] not in {word.partition("=")[0] for word in large}]
    status, said = server.run("train", f"run_dir={tmp_path / 'run'}", *words, *large, before=limit)
    assert status == 2, said
    assert "out of memory: lower data.batch_size" in said
    assert "Traceback" not in said


@pytest.mark.long
def test_a_clock_that_is_set_back_changes_nothing(server: Commands, whole: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    back = "time.time = lambda now=time.time: now() - 1e8"
    status, said = server.run("train", f"run_dir={run}", *WORDS, before=AT.format(batch=8, what=back))
    assert status == 0, said
    assert_same_runs(run, whole)


@pytest.mark.long
def test_faults_at_random_moments(server: Commands, whole: Path, tmp_path: Path) -> None:
    """Each run meets a fault of some kind at some batch, and another when it goes on; then it is let alone."""
    draw = random.Random(1)
    kinds = {
        "full disk": lambda batch: AT.format(batch=batch, what=FULL.format(size=draw.choice((1000, 20_000, 100_000)))),
        "killed": kill_at,
        "SIGTERM": lambda batch: AT.format(batch=batch, what="os.kill(os.getpid(), signal.SIGTERM)"),
        "killed in an evaluation": lambda batch: IN_EVALUATION.format(place=draw.randrange(4), images=4 * batch, name="SIGKILL"),
        "clock": lambda batch: AT.format(batch=batch, what="time.time = lambda now=time.time: now() - 1e8"),
        "loader killed": lambda batch: AT.format(batch=batch, what=WORKER.strip()),
    }
    met: list[str] = []
    for turn in range(12):
        run = tmp_path / f"run{turn}"
        for _ in range(2):
            kind = draw.choice(list(kinds))
            held = any((run / "checkpoints").glob("*.ckpt"))
            words = [f"resume={run}"] if held else [f"run_dir={run}", *WORDS]
            status, said = server.run("train", *words, "data.workers=1", before=kinds[kind](draw.randrange(2, 12)))
            assert "Traceback" not in said, (kind, said)
            met.append(kind)
            last, previous = (run / "checkpoints" / name for name in ("last.ckpt", "previous.ckpt"))
            if draw.random() < 0.3 and last.is_file() and previous.is_file():
                last.write_bytes(last.read_bytes()[: draw.randrange(last.stat().st_size)])
                met.append("truncated checkpoint")
        held = any((run / "checkpoints").glob("*.ckpt"))
        status, said = server.run("train", *([f"resume={run}"] if held else [f"run_dir={run}", *WORDS]))
        assert status == 0, (met, said)
        assert_same_runs(run, whole)
    counts = ", ".join(f"{met.count(kind)} {kind}" for kind in sorted(set(met)))
    tell(f"{len(met)} faults injected into 12 runs ({counts}); all ended with the same weights, rows and logs")
