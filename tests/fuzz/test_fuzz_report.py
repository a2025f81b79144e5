"""csrgan report, over files that jobs left and something has damaged: a number of the page is one that a job wrote, or the page
says which job was left out."""

from __future__ import annotations

import csv
import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from composed import composed
from fuzzing import CHANGES, changed, counts, hold
from hypothesis import strategies as st
from omegaconf import OmegaConf
from sweep import pictures, rows

from csrgan.cli import report
from csrgan.errors import UserError
from csrgan.evaluation import results
from csrgan.evaluation.comparison import Job
from csrgan.reports import chart, offline, page

NAMES = ("job.json", "results.csv", "summary.json", "metrics.csv")
DAMAGED = "1"  # of the three jobs, the one whose file is changed

ODD_NUMBERS = [
    "",
    "nan",
    "inf",
    "-inf",
    "1e999",
    "1e300",
    "-1e300",
    "1e-320",
    "1_0",
    "0x10",
    "1,5",
    "two",
    " ",
    "9" * 400,
    "-0.0",
    "٣",
]
ODD_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["<b>", "a=1", "\udcff", 10**400]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three complete jobs."""
    folder = tmp_path_factory.mktemp("sweep") / "sweep"
    for index in range(3):
        job = folder / str(index)
        job.mkdir(parents=True)
        held = rows(0.1 * index)
        results.write(job / "results.csv", held)
        said: dict[str, Any] = {
            "words": ["trainer=smoke", f"loss.parameters.weight={index}"],
            "command": "csrgan train",
            "reason": "",
        }
        (job / "job.json").write_text(json.dumps(said | {"status": "complete", "seconds": 10.0}))
        summary = results.summarise([row | {"blur_std_prior_mean": 2.0} for row in held])
        (job / "summary.json").write_text(json.dumps(summary | {"generator_parameters": 1000, "seconds_training": 3.5}))
        (job / "metrics.csv").write_text("step,D(real),valid/gain_db\r\n8,0.5,0.9\r\n16,0.7,1.0\r\n")
        pictures(job / "pictures")
    return folder


@pytest.fixture(scope="module")
def reported(sweep: Path) -> Callable[..., list[Job] | None]:
    """The jobs of the page where one file of one job is another; None where there is no page but a sentence."""
    folder, templates = (
        sweep.parent / "damaged",
        offline.Environment(loader=offline.PackageLoader("csrgan.reports", "."), autoescape=True),
    )

    def run(name: str, data: bytes | None, score: str = "gain", *, charts: bool = False) -> list[Job] | None:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(sweep, folder)
        (folder / DAMAGED / name).unlink()
        if data is not None:
            (folder / DAMAGED / name).write_bytes(data)
        settings = composed(f"folder={folder}", f"score={score}", command="report")
        told: list[Job] = []
        with pytest.MonkeyPatch.context() as patch:
            write = page.write
            patch.setattr(page, "write", lambda place, jobs, **words: told.extend(jobs) or write(place, jobs, **words))
            patch.setattr(chart, "save", lambda figure, file: figure.canvas.draw() or "data:,")
            patch.setattr(offline, "Environment", lambda **_: templates)  # compiled once
            if not charts:
                patch.setattr(page.charts, "write", lambda *_: [])
            try:
                assert report.run(OmegaConf.create(settings)) == 0
            except UserError as fault:
                assert str(fault)
                assert "\n" not in str(fault)
                return None
        text = (folder / "report.html").read_text(encoding="utf-8")
        assert f"{sum(not job.reason for job in told)} of {len(told)} jobs complete" in text
        assert {job.name for job in told} >= {"0", "2"}
        return told

    return run


def stays(jobs: list[Job] | None, data: bytes | None, name: str) -> None:
    """The other jobs are as they were; the damaged one is left out with a reason, or has the numbers of its files."""
    if jobs is None:
        return
    by_name = {job.name: job for job in jobs}
    for place in ("0", "2"):
        assert by_name[place].rows == rows(0.1 * int(place))
        assert not by_name[place].reason
    job = by_name[DAMAGED]
    assert bool(job.rows) != bool(job.reason)
    if not job.rows or name != "results.csv":
        assert not job.rows or job.rows == rows(0.1)
        return
    assert data is not None
    lines = list(csv.DictReader(data.decode().splitlines()))
    assert len(lines) == len(job.rows) == len(rows(0.1))
    for line, row in zip(lines, job.rows, strict=True):
        assert row["image"] == line["image"]
        assert all(str(row[key]) == str(float(line[key] or math.nan)) for key in row if key != "image")


@counts(15, 400)
def test_a_damaged_file_gives_its_own_numbers_or_leaves_its_job_out(
    count: int, sweep: Path, reported: Callable[..., list[Job] | None]
) -> None:
    def law(name: str, changes: list[tuple[str, float, bytes]], score: str) -> None:
        data = changed((sweep / DAMAGED / name).read_bytes(), changes)
        stays(reported(name, data, score), data, name)

    scores = st.sampled_from(["gain", "ssim_restored"])
    hold("report of a damaged file", count, law, name=st.sampled_from(NAMES), changes=CHANGES, score=scores)


@counts(15, 300)
def test_a_file_that_is_cut_off_or_missing_changes_no_number(
    count: int, sweep: Path, reported: Callable[..., list[Job] | None]
) -> None:
    def law(name: str, share: float | None) -> None:
        whole = (sweep / DAMAGED / name).read_bytes()
        data = None if share is None else whole[: int(share * len(whole))]
        for job in reported(name, data) or ():
            if job.rows:
                assert job.rows == rows(0.1 * int(job.name))
                assert job.diagnostics in ({"D(real)": pytest.approx(0.6)}, {}, {"D(real)": 0.5})
                assert job.name == DAMAGED or job.costs == {"parameters": 1000.0, "training, s": 3.5}

    share = st.none() | st.floats(0, 1, exclude_max=True)
    hold("report of a file cut off", count, law, name=st.sampled_from(NAMES), share=share)


@counts(15, 300)
def test_odd_numbers_in_a_table_are_told_or_drawn(count: int, sweep: Path, reported: Callable[..., list[Job] | None]) -> None:
    """With the charts; the means of summary.json would give most of them away."""

    def law(name: str, cells: list[tuple[int, int, str]], charts: bool) -> None:
        with (sweep / DAMAGED / name).open(newline="") as file:
            lines = list(csv.reader(file))
        for row, column, text in cells:
            lines[1 + row % (len(lines) - 1)][column % len(lines[0])] = text
        data = "".join(",".join(f'"{cell}"' for cell in line) + "\r\n" for line in lines).encode()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(report.jobs, "summary", lambda place: {})
            jobs = reported(name, data, charts=charts)
        assert jobs is None or all(bool(job.rows) != bool(job.reason) for job in jobs)

    numbers = (
        st.sampled_from(ODD_NUMBERS)
        | st.floats().map(repr)
        | st.text(st.characters(exclude_characters='"', codec="utf-8"), max_size=4)
    )
    cells = st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99), numbers), min_size=1, max_size=6)
    charts = st.sampled_from([False] * 9 + [True]) if count > 100 else st.just(False)
    hold("report of odd numbers", count, law, name=st.sampled_from(["results.csv", "metrics.csv"]), cells=cells, charts=charts)


@counts(15, 300)
def test_odd_values_in_a_json_file_are_told(count: int, sweep: Path, reported: Callable[..., list[Job] | None]) -> None:
    def law(name: str, key: str, value: Any, whole: bool) -> None:
        content = json.loads((sweep / DAMAGED / name).read_text())
        data = json.dumps(value if whole else content | {key: value}).encode()
        stays(reported(name, data), data, name)

    keys = ["words", "command", "status", "reason", "seconds", "rows", "psnr_restored", "seconds_training", "generator_parameters"]
    drawn = {"name": st.sampled_from(["job.json", "summary.json"]), "key": st.sampled_from(keys)}
    hold("report of odd values", count, law, **drawn, value=ODD_VALUES, whole=st.sampled_from([False, False, False, True]))


def test_a_picture_that_is_none_is_left_out(sweep: Path, reported: Callable[..., list[Job] | None]) -> None:
    for name in ("pictures/0000_a/S.png", "pictures/0001_a/H.png"):
        whole = (sweep / DAMAGED / name).read_bytes()
        for data in (b"", b"no picture", whole[:60], whole[: len(whole) // 2], None):
            jobs = reported(name, data)
            assert jobs is None or not any(job.reason for job in jobs)
