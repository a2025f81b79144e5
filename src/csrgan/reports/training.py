"""What went on during the training: learning curves, and the means of the diagnostics."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

from matplotlib.figure import Figure

from csrgan.evaluation.comparison import Group
from csrgan.reports.chart import drawn, labels, legend, paper, style
from csrgan.reports.columns import Score


def curves(groups: Sequence[Group], chosen: Score) -> Figure | None:
    """The score at each evaluation, a line a job; None where no run kept it."""
    figure = paper(6.4, 3.4)
    axes = figure.add_subplot()
    for place, (group, label) in enumerate(labels(groups).items()):
        curves = [job.curve for job in group.jobs if job.curve]
        for order, curve in enumerate(curves):
            images, scores = zip(*curve, strict=True)
            axes.plot(images, scores, markersize=3, linewidth=1, label=None if order else drawn(label), **style(place))
    axes.set_xlabel("images seen")
    axes.set_ylabel(chosen.heading)
    axes.grid(alpha=0.3)
    legend(figure)
    return figure if axes.lines else None


def diagnostics(groups: Sequence[Group]) -> list[list[str]]:
    """A table of the means over runs and seeds, its headings first; empty where no run kept any."""
    columns = list(dict.fromkeys(column for group in groups for job in group.jobs for column in job.diagnostics))
    lines = [[group.name, *(_mean(group, column) for column in columns)] for group in groups]
    return [["settings", *columns], *lines] if columns else []


def _mean(group: Group, column: str) -> str:
    values = [job.diagnostics[column] for job in group.jobs if column in job.diagnostics]
    found = fmean(values) if values else math.nan
    return "-" if math.isnan(found) else f"{found:.3g}"
