"""Charts of the effect of a setting on a score: over its values, against the baseline, and distortion against perception."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csrgan.evaluation.comparison import Group, mean, score, spread
from csrgan.evaluation.intervals import Difference
from csrgan.reports.chart import blank, labels, legend, literal, number, style, wrapped
from csrgan.reports.columns import Score


def numeric_factors(groups: Sequence[Group]) -> list[str]:
    """Return the settings that take several numbers in the sweep, the one with the most first."""
    values: dict[str, set[float]] = {}
    for group in groups:
        for word in group.settings:
            key, _, text = word.partition("=")
            parsed = number(text)
            if parsed is not None:
                values.setdefault(key, set()).add(parsed)
    return sorted((key for key, numbers in values.items() if len(numbers) > 1), key=lambda key: -len(values[key]))


def over_factor(groups: Sequence[Group], key: str, chosen: Score) -> Figure:
    """Plot a score against one numeric setting, a line for each combination of the others; bars are one deviation over seeds."""
    lines: dict[tuple[str, ...], list[tuple[float, float, float]]] = {}
    for group in groups:
        x = number(group.value(key))
        rest = tuple(word for word in group.settings if not word.startswith(f"{key}="))
        if x is not None:
            lines.setdefault(rest, []).append((x, mean(group, chosen.column), spread(group, chosen.column)))
    short = labels([Group(rest) for rest in lines])
    figure = blank(6.4, 3.6)
    axes = figure.add_subplot()
    for index, (points, label) in enumerate(zip(lines.values(), short.values(), strict=True)):
        xs, scores, deviations = zip(*sorted(points), strict=True)
        bars = [0.0 if math.isnan(deviation) else deviation for deviation in deviations]
        axes.errorbar(xs, scores, yerr=bars, capsize=3, label=literal(label), **style(index))
    _scale(axes, sorted({x for points in lines.values() for x, *_ in points}))
    axes.set_xlabel(literal(key))
    axes.set_ylabel(chosen.heading)
    axes.grid(alpha=0.3)
    legend(figure)
    return figure


def against_baseline(differences: Mapping[Group, Difference | None], references: Mapping[Group, Group], chosen: Score) -> Figure:
    """Plot each group's difference to its baseline with the 95 % interval, from top to bottom in the order of the table."""
    short = labels(list(references))
    figure = blank(6.4, 0.9 + 0.24 * len(references))
    axes = figure.add_subplot()
    axes.axvline(0, color="black", linewidth=0.8)
    for index, (group, reference) in enumerate(references.items()):
        difference = differences[group]
        if group is reference:
            axes.plot(0, index, marker="D", color="black", markersize=5)
        elif difference:
            left, right = difference.mean - difference.low, difference.high - difference.mean
            colour = {"better": "C2", "worse": "C3"}.get(chosen.verdict(difference), "C7")
            axes.errorbar(difference.mean, index, xerr=[[left], [right]], marker="o", markersize=4, capsize=3, color=colour)
    axes.set_yticks(range(len(short)), [wrapped(literal(label)) for label in short.values()], fontsize=7)
    axes.set_ylim(len(short) - 0.4, -0.6)
    axes.set_xlabel(f"difference in {chosen.heading}, to the baseline (diamond)")
    axes.grid(axis="x", alpha=0.3)
    return figure


def perception_distortion(groups: Sequence[Group]) -> Figure:
    """Plot perceptual distance against PSNR: seeds small, means of groups large, L as a cross. Better is right and down."""
    figure = blank(6.4, 4.2)
    axes = figure.add_subplot()
    for index, (group, label) in enumerate(labels(groups).items()):
        look = style(index) | {"linestyle": ""}
        for job in group.jobs:
            point = (score(job.rows, "psnr_restored"), score(job.rows, "perceptual_restored"))
            axes.plot(*point, markersize=3, alpha=0.5, **look)
        axes.plot(mean(group, "psnr_restored"), mean(group, "perceptual_restored"), markersize=8, label=literal(label), **look)
    inputs = {(round(mean(group, "psnr_low"), 3), round(mean(group, "perceptual_low"), 4)) for group in groups}
    axes.plot(*zip(*sorted(inputs), strict=True), color="black", marker="x", markersize=8, linestyle="", label="L, the input")
    axes.set_xlabel("PSNR, dB (better to the right)")
    axes.set_ylabel("perceptual distance (better below)")
    axes.grid(alpha=0.3)
    legend(figure)
    return figure


def _scale(axes: Axes, numbers: Sequence[float]) -> None:
    """Make the axis logarithmic if the values span more than a factor of 20, with room for zero, and put a tick at each value."""
    positive = [x for x in numbers if x > 0]
    if len(positive) > 1 and numbers[0] >= 0 and positive[-1] > 20 * positive[0]:
        axes.set_xscale("symlog", linthresh=positive[0])
    axes.set_xticks(numbers, [f"{x:g}" for x in numbers])
    axes.minorticks_off()
