"""What went on during the training and within a system: learning curves, iterations, means of the diagnostics, and costs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean

from matplotlib.figure import Figure

from csrgan.evaluation.comparison import Group, Job, mean
from csrgan.reports.chart import drawn, labels, legend, paper, style
from csrgan.reports.columns import Score

ITERATIONS = 50  # of a system, at most


def curves(groups: Sequence[Group], chosen: Score) -> Figure | None:
    """The score at each evaluation, a line a job; None where no run kept it."""
    figure = paper(6.4, 3.4)
    axes = figure.add_subplot()
    for index, (group, label) in enumerate(labels(groups).items()):
        curves = [job.curve for job in group.jobs if job.curve]
        for order, curve in enumerate(curves):
            images, scores = zip(*curve, strict=True)
            axes.plot(images, scores, markersize=3, linewidth=1, label=None if order else drawn(label), **style(index))
    axes.set_xlabel("images seen")
    axes.set_ylabel(chosen.heading)
    axes.grid(alpha=0.3)
    legend(figure)
    return figure if axes.lines else None


def iterations(groups: Sequence[Group]) -> Figure | None:
    """PSNR of S and the error of theta^ after each iteration, a line a group; None where no system has several."""
    figure = paper(6.4, 3.0)
    axes = figure.subplots(1, 2)
    for index, (group, label) in enumerate(labels(groups).items()):
        for panel, column in zip(axes, ("psnr", "theta_error"), strict=True):
            points = [(k, mean(group, f"{column}_at_{k}")) for k in range(1, ITERATIONS + 1)]
            shown = [(k, value) for k, value in points if not math.isnan(value)]
            if shown:
                panel.plot(*zip(*shown, strict=True), markersize=3, linewidth=1, label=drawn(label), **style(index))
    for panel, what in zip(axes, ("PSNR of S, dB", "error of theta^, shares of the range"), strict=True):
        panel.set_xlabel("iteration")
        panel.set_ylabel(what)
        panel.xaxis.get_major_locator().set_params(integer=True)
        panel.grid(alpha=0.3)
    figure.tight_layout()
    legend(figure)
    return figure if axes[0].lines else None


def diagnostics(groups: Sequence[Group]) -> list[list[str]]:
    """A table of the means over runs and seeds, its headings first; empty where no run kept any."""
    return _means(groups, lambda job: job.diagnostics)


def costs(groups: Sequence[Group]) -> list[list[str]]:
    """As above, of what the runs cost."""
    return _means(groups, lambda job: job.costs)


def _means(groups: Sequence[Group], of: Callable[[Job], Mapping[str, float]]) -> list[list[str]]:
    columns = list(dict.fromkeys(column for group in groups for job in group.jobs for column in of(job)))
    lines = [[group.name, *(_mean([of(job) for job in group.jobs], column) for column in columns)] for group in groups]
    return [["settings", *columns], *lines] if columns else []


def _mean(held: Sequence[Mapping[str, float]], column: str) -> str:
    values = [each[column] for each in held if column in each]
    found = fmean(values) if values else math.nan
    if math.isnan(found):
        return "-"
    return f"{found:,.0f}" if found >= 1000 else f"{found:.3g}"
