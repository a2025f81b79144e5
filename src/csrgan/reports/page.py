"""A sweep on one page: self-contained HTML, and its table as csv and Markdown. Everything comes from rows."""

from __future__ import annotations

import base64
import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader
from PIL import Image

from csrgan.evaluation.comparison import PICTURES, Group, Job, difference, grouped, spread
from csrgan.reports import chart

HEADINGS = (
    "settings",
    "seeds",
    "PSNR, dB",
    "gain, dB",
    "deviation over seeds",
    "difference to the baseline, dB",
    "SSIM",
    "seconds",
)
ROWS, COLUMNS = 6, 8  # of the matrix of pictures


def write(
    folder: Path, jobs: Sequence[Job], *, title: str, question: str, baseline: str | None, panels: dict[str, list[Path]]
) -> Path:
    """report.html, report.csv and report.md in the sweep's folder. Returns the page.

    baseline: settings of the group that the others are compared with; None: the first. panels: pictures of each job by name.
    """
    groups = grouped(jobs)
    reference = next((group for group in groups if baseline in (None, group.name)), groups[0] if groups else None)
    lines = [_line(group, reference) for group in groups]
    with (folder / "report.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([HEADINGS, *lines])
    bars = ["|".join(["", *(f" {cell} " for cell in line), ""]) for line in (HEADINGS, ["---"] * len(HEADINGS), *lines)]
    (folder / "report.md").write_text(f"# {title}\n\n{question}\n\n" + "\n".join(bars) + "\n", encoding="utf-8")
    shown = groups[:COLUMNS]
    page = Environment(loader=PackageLoader("csrgan.reports", "."), autoescape=True).get_template("page.html")
    text = page.render(
        title=title,
        question=question,
        note=_note(jobs, reference),
        complete=sum(not job.reason for job in jobs),
        total=len(jobs),
        headings=HEADINGS,
        lines=lines,
        charts=_charts(groups),
        columns=[group.name for group in shown],
        pictures=_pictures(shown, panels),
        jobs=jobs,
    )
    (folder / "report.html").write_text(text, encoding="utf-8")
    return folder / "report.html"


def _line(group: Group, reference: Group | None) -> list[str]:
    deviation = spread(group, "gain")
    found = difference(group, reference, "gain") if reference and group is not reference else None
    told = "baseline" if group is reference else "other degradations"
    if found:
        told = f"{found.mean:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"
    return [
        group.name,
        str(len(group.jobs)),
        f"{chart.score_of(group, 'psnr_restored'):.2f}",
        f"{chart.score_of(group, 'gain'):+.3f}",
        "-" if math.isnan(deviation) else f"{deviation:.3f}",
        told,
        f"{chart.score_of(group, 'ssim_restored'):.4f}",
        f"{sum(job.seconds for job in group.jobs) / len(group.jobs):.0f}",
    ]


def _note(jobs: Sequence[Job], reference: Group | None) -> str:
    if reference is None:
        return "No job is complete."
    images = len({row["image"] for row in reference.jobs[0].rows})
    unit = "photographs" if images >= PICTURES else "photograph and degradation pairs, too few photographs to speak for others"
    return (
        f"Baseline: {reference.name}. Brackets are 95 % bootstrap intervals of the paired difference, over {images} photographs;"
        f" resampled are {unit}."
    )


def _charts(groups: Sequence[Group]) -> list[dict[str, str]]:
    if not groups:
        return []
    figures = {f"Gain over {key}": chart.over_factor(groups, key) for key in chart.numeric_factors(groups)[:2]}
    figures["Gain over blur and noise"] = chart.over_grid(groups)
    predicted = chart.predictions(groups)
    if predicted:
        figures["Predicted against true parameters"] = predicted
    figures["Learning curves"] = chart.curves(groups)
    return [{"title": title, "uri": chart.data_uri(figure)} for title, figure in figures.items()]


def _pictures(groups: Sequence[Group], panels: dict[str, list[Path]]) -> list[tuple[str, list[str | None]]]:
    """The panels that the first job of each group drew, a line a panel."""
    held = [{file.stem: file for file in panels.get(group.jobs[0].name, [])} for group in groups]
    names = sorted({name for each in held for name in each})[:ROWS]
    return [(name, [_small(each[name]) if name in each else None for each in held]) for name in names]


def _small(file: Path) -> str:
    """A picture at most 900 px wide, as a JPEG inside a URI."""
    with Image.open(file) as image:
        image.thumbnail((900, 900))
        out = io.BytesIO()
        image.convert("RGB").save(out, "JPEG", quality=82)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode()
