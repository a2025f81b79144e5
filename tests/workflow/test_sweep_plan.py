"""The estimate of the time that a sweep still takes: jobs run together, and those that run are partly done."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from csrgan.workflow.sweep_plan import Plan


def job(folder: Path, status: str, *, seconds: float = 0.0, began: float = 0.0, written: float = 0.0) -> None:
    """began, written: seconds ago."""
    folder.mkdir()
    running = {"began": time.time() - began, "host": "another", "pid": 1} if status == "running" else {}
    (folder / "job.json").write_text(json.dumps({"words": [], "status": status, "reason": "", "seconds": seconds, **running}))
    os.utime(folder / "job.json", (time.time() - written,) * 2)


@pytest.mark.parametrize(
    ("running", "waiting", "together", "said"),
    [
        ((), 3, 1, "about 30 min for the other 3 jobs"),
        ((0,), 2, 1, "about 30 min for the other 3 jobs"),
        ((300,), 2, 1, "about 25 min for the other 3 jobs"),
        ((300,), 2, 2, "about 15 min for the other 3 jobs"),  # 5 and then 10 beside 10
        ((599,), 2, 2, "about 10 min for the other 3 jobs"),
        ((0, 300), 1, 2, "about 15 min for the other 3 jobs"),
        ((0, 300, 300), 0, 4, "about 10 min for the other 3 jobs"),
        ((300,), 0, 2, "about 5 min for the last job, if it takes"),
        ((), 2, 8, "about 10 min for the other 2 jobs"),
        ((601,), 0, 2, ""),  # it takes longer than the others did, nobody knows how much
        ((), 3, None, ""),
        ((), 0, 2, ""),
    ],
)
def test_jobs_that_run_together_share_the_time(
    tmp_path: Path, running: tuple[int, ...], waiting: int, together: int | None, said: str
) -> None:
    """A job takes 10 minutes. In a start before, one took a minute; one of a wider sweep is running."""
    job(tmp_path / "0", "complete", seconds=600.0)
    job(tmp_path / "1", "complete", seconds=60.0, written=7200)
    job(tmp_path / "99", "running")
    for number, taken in enumerate(running, start=2):
        job(tmp_path / str(number), "running", began=taken)
    count = 2 + len(running) + waiting
    plan = Plan(count, [], time.time() - 3600, [str(number) for number in range(count)])
    told = plan.rest(tmp_path, together)
    assert told.startswith(said) and bool(told) == bool(said)
    assert not told or told.endswith(" as long as those that this command has completed")


def test_the_last_jobs_tell_how_long_the_next_will_take(tmp_path: Path) -> None:
    """The machine was slower before; and of the last three, one was killed in between, which took it long."""
    for number, seconds in enumerate((6000.0, 6000.0, 600.0, 2000.0, 600.0)):
        job(tmp_path / str(number), "complete", seconds=seconds, written=1000.0 - number)
    plan = Plan(7, [], time.time() - 3600, [str(number) for number in range(7)])
    assert plan.rest(tmp_path, 1) == "about 20 min for the other 2 jobs, if they take as long as the last 3 that are complete"
