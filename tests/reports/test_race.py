"""The minutes of training until a score: of made clocks, and of a real training."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from commands import SMOKE
from scipy import stats

from csrgan.cli import main
from csrgan.evaluation.comparison import Group, Job
from csrgan.reports import columns, race
from csrgan.reports.columns import GAIN


@pytest.mark.parametrize(
    ("clock", "least", "minutes"),
    [
        ([(60, 0.0), (120, 1.0)], 0.25, 1.25),
        ([(60, 0.0), (120, 1.0)], 1.0, 2.0),
        ([(60, 0.5), (120, 1.0)], 0.5, 1.0),  # it may have been there before, but nobody looked
        ([(60, 0.0), (120, 1.0)], 1.1, math.inf),
        ([(60, 0.0), (120, 1.0), (180, 0.4)], 0.5, math.inf),  # it was there and is not any more
        ([(60, 0.0), (120, 1.0), (180, 0.0), (240, 2.0)], 1.0, 3.5),
        ([(60, math.nan), (120, 1.0)], 0.5, 2.0),
        ([], 0.5, math.inf),
    ],
)
def test_a_score_counts_from_when_it_stays(clock: race.Clock, least: float, minutes: float) -> None:
    assert race.minutes_until(clock, least) == pytest.approx(minutes)
    mirrored = [(seconds, -score) for seconds, score in clock]
    assert race.minutes_until(mirrored, -least, higher=False) == pytest.approx(minutes)


def clocked(word: str, *ends: float) -> Group:
    """A group with a job for each seed, whose gain rises evenly to 2 dB in so many minutes."""
    clocks = [[(60 * end * share, 2 * share) for share in (0.25, 0.5, 1.0)] for end in ends]
    return Group((word,), [Job(f"{word}{index}", (word,), clock=clock) for index, clock in enumerate(clocks)])


def test_a_cell_is_a_mean_with_students_interval_or_says_how_many_seeds_never_came_there() -> None:
    ends = (8.0, 9.0, 10.0, 12.0, 11.0)
    lines = race.table([clocked("a", *ends), clocked("b", 4.0), Group((), [Job("old", ())])], GAIN, [1.0, 2.5])
    low, high = stats.t.interval(0.95, len(ends) - 1, np.mean(ends) / 2, stats.sem(ends) / 2)
    assert lines == [
        ["settings", "seeds", "minutes to gain +1.000 dB", "minutes to gain +2.500 dB"],
        ["a", "5", f"5.00 [{low:.2f}, {high:.2f}]", "never"],
        ["b", "1", "2.00", "never"],
    ]
    slower = clocked("a", 8.0)
    slower.jobs += [Job("short", ("a",), clock=[(60.0, 0.5)])]
    assert race.table([slower], GAIN, [1.0])[1][2] == "never in 1 of 2"
    assert race.table([slower], GAIN, []) == []
    worse_is_lower = race.table([slower], columns.score_of("lpips_restored"), [0.5])
    assert worse_is_lower[1][2] != "never in 2 of 2"


def test_a_real_training_is_timed_without_its_evaluations(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "run"
    words = ["trainer.images=32", "trainer.validate_every=16", "logger=csv", f"run_dir={folder}"]
    assert main(["train", *SMOKE, *words]) == 0
    rows = list(csv.DictReader((folder / "metrics.csv").open(encoding="utf-8")))
    seconds = [float(row["seconds_training"]) for row in rows if row["seconds_training"]]
    assert seconds[0] > 0 and seconds == sorted(seconds)
    assert main(["report", str(folder), "reach=[-99,99]"]) == 0
    _, (_, seeds, soon, never) = csv.reader((folder / "race.csv").open(encoding="utf-8"))
    assert (seeds, never) == ("1", "never")
    assert float(soon) == pytest.approx(seconds[-1] / 60, abs=seconds[-1] / 60)
    assert (folder / "figures" / "race.svg").is_file()
    assert "minutes of training until a score" in (folder / "report.html").read_text(encoding="utf-8")
    assert main(["report", str(folder), "reach=[fast]"]) == 2
    assert "reach" in capsys.readouterr().err
