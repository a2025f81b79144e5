"""Every number with its interval, one value a cell."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from studies import groups

from csrgan.evaluation.comparison import mean
from csrgan.evaluation.intervals import difference, estimate
from csrgan.reports import chart, columns, numbers, sets
from csrgan.reports.look import PAGE

GAIN, SSIM = columns.score_of("gain"), columns.score_of("ssim_restored")


def test_each_line_holds_a_mean_and_a_difference_with_their_intervals(tmp_path: Path) -> None:
    found = groups(scales=(2,))
    labels = chart.labels(found)
    numbers.write(tmp_path / "numbers.csv", numbers.measured(sets.whole(found, PAGE), [GAIN, SSIM], None, 0.05), labels)
    with (tmp_path / "numbers.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 3 * 2
    first, dan = lines[0], lines[2]
    assert [first[name] for name in ("settings", "score", "unit", "seeds", "pictures")] == [
        "system=bicubic",
        "gain",
        "dB",
        "2",
        "12",
    ]
    assert (first["compared with"], first["difference"], first["verdict"]) == ("", "", "")
    assert (dan["compared with"], dan["verdict"]) == ("system=bicubic", "better")
    assert (dan["paired seeds"], dan["paired pictures"]) == ("2", "12")
    whole, paired = estimate(found[1], "gain"), difference(found[1], found[0], "gain")
    assert float(dan["mean"]) == pytest.approx(mean(found[1], "gain"))
    assert [float(dan[name]) for name in ("low", "high")] == pytest.approx(whole[1:3])
    assert [float(dan[f"difference{name}"]) for name in ("", " low", " high")] == pytest.approx(paired[:3])
    assert lines[3]["verdict"] == "no relevant difference"  # of SSIM, which is the same everywhere


def test_the_page_has_every_number_with_its_interval() -> None:
    found = groups()
    whole = sets.whole(found, PAGE)
    lines = numbers.lines(numbers.measured(whole, [GAIN], "system=bicubic", 0.05), chart.labels(found))
    assert lines[0] == ["settings", "test set", "score", "mean", "difference to the baseline", "verdict"]
    assert len(lines) == 1 + 2 * 3
    assert lines[2][-1] == "better (2 seeds, 12 pictures)"
    assert lines[1][3].startswith("+1.00")
    assert lines[1][3].endswith("]")
