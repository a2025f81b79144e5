"""Charts and tables of the training and of iterative systems: learning curves, iterations, means of diagnostics, and costs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean

from matplotlib.figure import Figure

from csrgan.evaluation.comparison import Group, Job, mean
from csrgan.reports.chart import blank, labels, legend, literal, wrapped
from csrgan.reports.columns import Score
from csrgan.reports.look import PAGE, Look, style
from csrgan.run_folder import METRICS

TRAINED = "training, s"  # heading of a cost that only trainings have
SHARE = "gradient_share/"  # begins the names of these diagnostics
WEAK = 0.01  # a share of the gradient below which a loss is called weak
OTHER = 0.15  # a difference of such a share between two groups that is told
OF_LOSSES = ("loss", "system", "experiment", "size")  # beginnings of words that change losses or what they act on
ITERATIONS = 50  # iterations of a system, at most


def curves(groups: Sequence[Group], chosen: Score, look: Look = PAGE) -> Figure | None:
    """Plot the score at each evaluation, a line for each job; None if no run has been scored more than once."""
    figure = blank(look, 0.2 + 0.5 * look.inches)
    axes = figure.add_subplot()
    for index, (group, label) in enumerate(labels(groups, look).items()):
        curves = [job.curve for job in group.jobs if len(job.curve) > 1]
        for order, curve in enumerate(curves):
            images, scores = zip(*curve, strict=True)
            axes.plot(images, scores, markersize=3, linewidth=1, label=None if order else literal(label), **style(index))
    axes.set_xlabel("training crops seen")
    axes.set_ylabel(wrapped(literal(look.score(chosen)), look.letters(0.5, 8)))
    axes.grid(alpha=0.3)
    legend(figure, look)
    return figure if axes.lines else None


def iterations(groups: Sequence[Group], look: Look = PAGE) -> Figure | None:
    """Plot the PSNR of S and the error of theta^ after each iteration, a line for each group; None if no system has several."""
    figure = blank(look, 4.2 if look.narrow else 3.0)
    axes = figure.subplots(2, 1) if look.narrow else figure.subplots(1, 2)
    for index, (group, label) in enumerate(labels(groups, look).items()):
        for panel, column in zip(axes, ("psnr", "theta_error"), strict=True):
            points = [(k, mean(group, f"{column}_at_{k}")) for k in range(1, ITERATIONS + 1)]
            shown = [(k, value) for k, value in points if not math.isnan(value)]
            if len(shown) > 1:
                panel.plot(*zip(*shown, strict=True), markersize=3, linewidth=1, label=literal(label), **style(index))
    for panel, what in zip(axes, ("PSNR of S, dB", "error of theta^, shares of the range"), strict=True):
        panel.set_xlabel("iteration")
        panel.set_ylabel(what)
        panel.xaxis.get_major_locator().set_params(integer=True)
        panel.grid(alpha=0.3)
    legend(figure, look)
    return figure if any(panel.lines for panel in axes) else None


def diagnostics(groups: Sequence[Group]) -> list[list[str]]:
    """Return a table of the diagnostics' means over runs and seeds, headings first; empty if no run kept any."""
    return _means(groups, lambda job: job.diagnostics)


def without_diagnostics(groups: Sequence[Group]) -> list[str]:
    """Return a sentence that says why there are no diagnostics, if something was trained and no run kept any."""
    jobs = [job for group in groups for job in group.jobs]
    if any(job.diagnostics for job in jobs) or not any(job.costs.get(TRAINED) for job in jobs):
        return []
    return [f"There is no table of diagnostics: no run has them in its {METRICS}, which any logger brings, such as logger=csv."]


def weak_losses(groups: Sequence[Group]) -> list[str]:
    """Return a sentence for each loss that hardly contributed to the gradient, so that a comparison says little about it."""
    return [
        f"In “{group.name}” the loss {column.removeprefix(SHARE)} made {share:.2%} of the gradient: too little to change much."
        " To test it, raise its weight."
        for group, column, share in ((group, *found) for group in groups for found in _shares(group).items())
        if 0 < share < WEAK
    ]


def other_shares(references: Mapping[Group, Group]) -> list[str]:
    """Return a sentence for each loss whose share of the gradient is quite another than in the reference of a group, although they
    do not differ in a loss: what the verdict says of a setting may be the effect of that."""
    said = []
    for group, reference in references.items():
        differing = set(group.settings) ^ set(reference.settings)
        if any(word.lstrip("+").startswith(OF_LOSSES) for word in differing):
            continue
        before = _shares(reference)
        for column, share in _shares(group).items():
            if column in before and abs(share - before[column]) >= OTHER:
                said.append(
                    f"In “{group.name}” the loss {column.removeprefix(SHARE)} made {share:.0%} of the gradient, and in"
                    f" “{reference.name}” {before[column]:.0%}, though they differ in no loss: part of their difference may come"
                    " from that."
                )
    return said


def _shares(group: Group) -> dict[str, float]:
    columns = {column for job in group.jobs for column in job.diagnostics if column.startswith(SHARE)}
    return {column: fmean(job.diagnostics[column] for job in group.jobs if column in job.diagnostics) for column in sorted(columns)}


def costs(groups: Sequence[Group]) -> list[list[str]]:
    """Return a table of the costs' means over seeds, headings first; empty if no run kept any."""
    return _means(groups, lambda job: job.costs)


def _means(groups: Sequence[Group], of: Callable[[Job], Mapping[str, float]]) -> list[list[str]]:
    columns = list(dict.fromkeys(column for group in groups for job in group.jobs for column in of(job)))
    lines = [[group.name, *(_mean([of(job) for job in group.jobs], column) for column in columns)] for group in groups]
    return [["settings", *columns], *lines] if columns else []


def _mean(jobs: Sequence[Mapping[str, float]], column: str) -> str:
    values = [job[column] for job in jobs if column in job]
    average = fmean(values) if values else math.nan
    if math.isnan(average):
        return "-"
    return f"{average:,.0f}" if average >= 1000 else f"{average:.3g}"
