"""The page of a sweep: complete, self-contained, within its size, and safe whatever a job says."""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from sweep import jobs, noise, rows

from csrgan.evaluation.comparison import Job, score
from csrgan.reports import chart, page


class Reader(HTMLParser):
    """Everything that the page would load, its elements and its text."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.loads, self.tags, self.text, self.handlers, self.attributes = [], [], [], [], []
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.append((tag, [name for name, _ in attributes]))
        self.loads += [value for name, value in attributes if name == "src" or (name == "href" and not value.startswith("#"))]
        self.handlers += [name for name, _ in attributes if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def table(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as held:
        return list(csv.DictReader(held))


def test_a_hundred_jobs_make_one_page_that_loads_nothing_else(tmp_path: Path) -> None:
    began = time.process_time()
    written = page.write(tmp_path, jobs(100, tmp_path / "runs"), title="lambda", question="Does it cost quality?")
    assert time.process_time() - began < 60
    assert written.stat().st_size < 30e6
    read = Reader(written)
    assert all(value.startswith("data:") for value in read.loads)
    assert len([value for value in read.loads if value.startswith("data:image/jpeg")]) == 3  # H, S and L are all the same
    text = " ".join(read.text)
    for said in ("Does it cost quality?", "100 of 100 jobs complete", "Predicted against true", "Learning curves", "Pictures"):
        assert said in text
    lines = table(tmp_path / "report.csv")
    assert len(lines) == 34
    assert lines[0]["settings"] == "loss.parameters.weight=0"
    assert (lines[0]["seeds"], lines[0]["verdict"], lines[0]["collapsed"]) == ("3", "baseline", "0 of 3")
    assert (lines[1]["verdict"], lines[1]["difference to the baseline"]) == (
        "better (3 seeds, 2 pictures)",
        "+0.060 [+0.060, +0.060]",
    )
    tables = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert tables.count("\n| parameters.weight=") == 3 * 34  # in the last table, with what each stands for
    assert "| parameters.weight=0 | loss.parameters.weight=0 |" in tables
    for shown in (text, tables.partition("| settings |")[0]):
        assert "Every group has trainer=smoke." in shown
    assert "Settings in full" in text
    assert "loss.parameters.weight=0" in read.text
    names = {"over_loss.parameters.weight", "differences", "perception_distortion", "grid", "predictions", "curves"}
    files = {f"{name}{suffix}" for name in names for suffix in (".png", ".svg", ".pdf")}
    assert {file.name for file in (tmp_path / "figures").iterdir()} == files


def test_every_row_stands_beside_the_page_with_its_job_and_what_varies(tmp_path: Path) -> None:
    old = Job("old/1", ("trainer=smoke", "seed=1"), rows=[{"image": "a.png", "blur_std": 1 / 3, "scale": 1.0, "noise_std": 0.0}])
    page.write(tmp_path, [*jobs(4), old], title="t", question="")
    lines = table(tmp_path / "rows.csv")
    assert list(lines[0])[:4] == ["job", "loss.parameters.weight", "seed", "image"]
    assert len(lines) == 4 * len(rows(0)) + 1
    assert (lines[0]["job"], lines[-2]["job"], lines[-2]["loss.parameters.weight"]) == ("main/0", "main/3", "0.1")
    assert (lines[-1]["blur_std"], lines[-1]["psnr_low"], lines[-1]["loss.parameters.weight"]) == ("0.333333", "", "")


def test_a_score_is_compared_in_its_own_direction(tmp_path: Path) -> None:
    asked = page.Asked(score="perceptual_restored")
    text = page.write(tmp_path, jobs(6), title="t", question="", asked=asked).read_text(encoding="utf-8")
    assert "The score is perceptual distance: lower is better." in text
    line = table(tmp_path / "report.csv")[1]
    assert (line["verdict"], line["difference to the baseline"]) == ("worse (3 seeds, 2 pictures)", "+0.0600 [+0.0600, +0.0600]")


def test_pictures_stop_at_the_limit_and_the_page_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [replace(job, pictures=noise(tmp_path / job.name, 128)) for job in jobs(12)]
    whole = page.write(tmp_path, found, title="t", question="")
    assert "to keep the page below" not in whole.read_text(encoding="utf-8")
    limit = whole.stat().st_size - 100_000
    monkeypatch.setattr(page, "LIMIT", limit)
    monkeypatch.setattr(page, "SPARE", 0)
    cut = page.write(tmp_path, found, title="t", question="")
    assert cut.stat().st_size <= limit
    assert "0 of 1 rows, 4 of 4 groups are shown, to keep the page below" in cut.read_text(encoding="utf-8")


def test_what_a_job_says_is_text_and_never_a_script(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    failed = Job("9", ("trainer=smoke", "seed=1"), reason=hostile, command=hostile)
    named = [replace(job, words=(*job.words, f"x={job.name}{hostile} $\\frac$")) for job in jobs(3, tmp_path / "runs")]
    read = Reader(page.write(tmp_path, [*named, failed], title=hostile, question=hostile))
    assert read.tags.count("script") == 1
    assert not read.handlers
    assert "x" not in read.loads
    assert "".join(read.text).count(hostile) >= 4
    assert "3 of 4 jobs complete" in " ".join(read.text)


HOSTILE = (
    "<script>alert(1)</script>.png",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</script><svg onload=alert(1)>",
    "--><iframe src=//evil></iframe><!--",
    "</title></style></table></section><base href=//evil>",
    "{{ 7 * 7 }}{% include 'page.css' %}",
    "&lt;b&gt;\x1b[31m\u202egnp.exe",
    "javascript:alert(1)",
    "../../../etc/passwd",
)


def test_hostile_names_add_no_element_and_no_attribute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As names of pictures, words of the settings, reasons, commands, names of jobs, columns, title and question."""
    monkeypatch.setattr(chart, "save", lambda figure, file: f"data:{file.parent}")  # to draw them takes long

    def built(folder: Path, said: Sequence[str]) -> Reader:
        found, together = [], " ".join(said)
        for index, job in enumerate(jobs(3, folder / "runs")):
            rows = [row | {"image": f"{together}{row['image']}"} for row in job.rows]
            words = (*job.words, *(f"x={index}{one}" for one in said), *(f"{one.replace('=', '-')}={index}" for one in said))
            noted = {"diagnostics": {f"loss_share/{one}": 0.5 for one in said}, "costs": dict.fromkeys(said, 1.0)}
            found.append(replace(job, name=together, command=together, words=words, rows=rows, **noted))
        found.append(Job("9", (together, "seed=1"), reason=together, command=together))
        folder.mkdir(exist_ok=True)
        return Reader(page.write(folder, found, title=together, question=together))

    plain, odd = built(tmp_path / "plain", [f"p{index}" for index in range(len(HOSTILE))]), built(tmp_path / "odd", HOSTILE)
    assert odd.tags == plain.tags
    assert odd.attributes == plain.attributes
    assert not odd.handlers
    figures = f"data:{tmp_path / 'odd' / 'figures'}"
    assert all(value in ("data:,", figures) or value.startswith("data:image/jpeg;base64,") for value in odd.loads)
    for hostile in HOSTILE:
        assert "".join(odd.text).count(hostile) >= 8


@pytest.mark.parametrize("count", [0, 1])
def test_a_sweep_without_a_comparison_still_has_a_page(tmp_path: Path, count: int) -> None:
    failed = Job("9", ("trainer=smoke", "seed=1"), reason="ended by SIGKILL", command="csrgan train")
    text = page.write(tmp_path, [*jobs(count), failed], title="t", question="").read_text(encoding="utf-8")
    assert "ended by SIGKILL" in text
    assert ("No job is complete." in text) == (count == 0)
    assert not re.search(r'<section id="pictures">', text)


def _trained(shift: float, seed: int, weight: str, **diagnostics: float) -> Job:
    scored = [row | {"psnr_restored": row["psnr_restored"] + shift} for row in rows(1.0, 8)]
    words = (f"loss.adversarial.weight={weight}", f"seed={seed}")
    return Job(f"{weight}-{seed}", words, rows=scored, diagnostics=diagnostics)


def test_a_verdict_that_one_seed_makes_is_told_with_the_difference_of_each(tmp_path: Path) -> None:
    shifts = {"0": (0.0, 0.0, 0.0), "0.1": (-0.003, -0.028, -0.313), "1": (-0.5, -0.4, -0.6)}
    found = [_trained(shift, seed, weight) for weight, of_seeds in shifts.items() for seed, shift in enumerate(of_seeds)]
    text = " ".join(Reader(page.write(tmp_path, found, title="", question="")).text)
    verdict = "“loss.adversarial.weight=0.1” is worse because of seed=2: without it, the difference would not be relevant"
    assert (verdict in text, text.count("More seeds will tell.")) == (True, 1)
    assert "(seed=0 -0.003, seed=1 -0.028, seed=2 -0.313 dB)" in text
    assert f"complete, gain {score(found[0].rows, 'gain'):+.3f} dB" in text


def test_a_loss_that_moved_nothing_is_named(tmp_path: Path) -> None:
    shares = {"0": {}, "0.001": {"gradient_share/adversarial": 0.00105}, "0.1": {"gradient_share/adversarial": 0.2}}
    found = [_trained(0.0, seed, weight, **share) for weight, share in shares.items() for seed in range(3)]
    page.write(tmp_path, found, title="", question="")
    told = [line for line in (tmp_path / "report.md").read_text(encoding="utf-8").splitlines() if "of the gradient" in line]
    assert told == [
        "In “loss.adversarial.weight=0.001” the loss adversarial made 0.10% of the gradient: too little to change much. To test it,"
        " raise its weight."
    ]


def test_another_share_of_a_loss_that_nobody_changed_is_told(tmp_path: Path) -> None:
    """Beside a setting that is no loss; where a loss was changed, the shares change by themselves."""

    def jobs(key: str) -> list[Job]:
        shares = {"clamp": 0.3, "minmax": 0.55, "sigmoid": 0.4}
        return [
            Job(name, (f"{key}={name}", f"seed={seed}"), rows=rows(1.0, 8), diagnostics={"gradient_share/image": share})
            for name, share in shares.items()
            for seed in range(3)
        ]

    sentence = (
        "In “output=minmax” the loss image made 55% of the gradient, and in “output=clamp” 30%, though they differ in no loss: part"
        " of their difference may come from that."
    )
    for key, expected in (("output", [sentence]), ("loss/image", [])):
        page.write(tmp_path, jobs(key), title="", question="")
        lines = (tmp_path / "report.md").read_text(encoding="utf-8").splitlines()
        assert [line for line in lines if "of the gradient" in line] == expected
