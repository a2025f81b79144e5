"""The page of a sweep: complete, self-contained, and safe whatever a job says."""

from __future__ import annotations

import csv
import time
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from csrgan.evaluation.comparison import Job
from csrgan.reports import page


def rows(shift: float) -> list[dict]:
    return [
        {
            "image": name,
            "blur_std": blur,
            "scale": 1.5,
            "noise_std": noise,
            "psnr_low": 20.0,
            "psnr_restored": 21.0 + shift,
            "ssim_restored": 0.7,
            "blur_std_predicted": blur + 0.1,
        }
        for name in ("a.png", "b.png")
        for blur in (1.0, 2.0, 3.0)
        for noise in (0.01, 0.02)
    ]


def jobs(count: int) -> list[Job]:
    return [
        Job(
            str(place),
            ("trainer=smoke", f"loss.parameters.weight={place // 3 / 10:g}", f"seed={place % 3}"),
            command=f"csrgan train seed={place % 3}",
            seconds=10.0,
            rows=rows(place / 50),
            curve=[(100, 0.1), (200, 0.2)],
        )
        for place in range(count)
    ]


class Reader(HTMLParser):
    """Everything that the page would load, its elements and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads, self.tags, self.text = [], [], []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [value for name, value in attributes if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_a_hundred_jobs_make_one_page_that_loads_nothing_else(tmp_path: Path) -> None:
    drawn = np.random.default_rng(0)
    panels = {}
    for place in range(100):
        file = tmp_path / str(place) / "0000_a.png"
        file.parent.mkdir()
        Image.fromarray(drawn.integers(0, 255, (100, 300, 3), np.uint8)).save(file)
        panels[str(place)] = [file]
    began = time.monotonic()
    written = page.write(tmp_path, jobs(100), title="lambda", question="Does it cost quality?", baseline=None, panels=panels)
    assert time.monotonic() - began < 60
    assert written.stat().st_size < 30e6
    read = Reader(written.read_text(encoding="utf-8"))
    assert read.loads
    assert all(value.startswith("data:image/") for value in read.loads)
    text = " ".join(read.text)
    for said in ("Does it cost quality?", "100 of 100 jobs complete", "Predicted against true", "Learning curves", "Pictures"):
        assert said in text
    table = list(csv.reader((tmp_path / "report.csv").open(encoding="utf-8")))
    assert len(table) == 35
    assert table[1][:2] == ["loss.parameters.weight=0", "3"]
    assert table[1][5] == "baseline"
    assert table[2][5].startswith("+0.06")
    assert (tmp_path / "report.md").read_text(encoding="utf-8").count("\n| loss") == 34


def test_what_a_job_says_is_text_and_never_a_script(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>"
    failed = Job("9", ("trainer=smoke", "seed=1"), reason=hostile, command=hostile)
    read = Reader(page.write(tmp_path, [*jobs(3), failed], title=hostile, question=hostile, baseline=None, panels={}).read_text())
    assert "script" not in read.tags
    assert "".join(read.text).count(hostile) >= 4
    assert "3 of 4 jobs complete" in " ".join(read.text)


@pytest.mark.parametrize("count", [0, 1])
def test_a_sweep_without_a_comparison_still_has_a_page(tmp_path: Path, count: int) -> None:
    failed = Job("9", ("trainer=smoke", "seed=1"), reason="ended by SIGKILL", command="csrgan train")
    text = page.write(tmp_path, [*jobs(count), failed], title="t", question="", baseline=None, panels={}).read_text()
    assert "ended by SIGKILL" in text
    assert ("No job is complete." in text) == (count == 0)
