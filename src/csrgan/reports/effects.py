"""Charts of the effect of a setting on a score: over its values, against the baseline, and distortion against perception."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csrgan.evaluation.comparison import Group, comparable, mean, score, spread
from csrgan.evaluation.intervals import Difference
from csrgan.reports.chart import blank, labels, legend, literal, number, wrapped
from csrgan.reports.columns import RELEVANT, Score
from csrgan.reports.look import BLUE, GREY, PAGE, VERMILION, Look, style


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


def over_factor(groups: Sequence[Group], key: str, chosen: Score, look: Look = PAGE) -> Figure | None:
    """Plot a score against one numeric setting, a line for each combination of the others and each test set; bars are one deviation
    over seeds. Lines of a single point are left out; None if no other is left."""
    lines = [(rest, points) for rest, points in _lines(groups, key, chosen) if len(points) > 1]
    if not lines:
        return None
    short = labels([Group(rest) for rest, _ in lines], look)
    figure = blank(look, 0.35 + 0.5 * look.inches)
    axes = figure.add_subplot()
    for index, ((_, points), label) in enumerate(zip(lines, short.values(), strict=True)):
        xs, scores, deviations = zip(*sorted(points), strict=True)
        several = [] if all(map(math.isnan, deviations)) else deviations
        axes.errorbar(xs, scores, yerr=several or None, capsize=3, markersize=4, label=literal(label), **style(index))
    _scale(axes, sorted({x for _, points in lines for x, *_ in points}))
    _widen(axes, 2 * chosen.changed_by(RELEVANT, lines[0][1][0][1]))
    axes.set_xlabel(wrapped(literal(look.key(key)), look.letters(0.8, 8)))
    axes.set_ylabel(wrapped(literal(look.score(chosen)), look.letters(0.5, 8)))
    axes.grid(alpha=0.3)
    legend(figure, look)
    return figure


def not_joined(groups: Sequence[Group], key: str, chosen: Score) -> str:
    """Return a sentence about the points of this setting that no line joins, because they were measured on different test sets or
    are alone; empty if there are none."""
    lines = _lines(groups, key, chosen)
    alone = sum(len(points) == 1 for _, points in lines)
    counts = [sum(other == rest for other, _ in lines) for rest, _ in lines]
    said = " Values that were scored on different test sets are not joined." if max(counts, default=0) > 1 else ""
    return said + (f" {alone} {'value' if alone == 1 else 'values'} without another to join are left out." if alone else "")


def _lines(groups: Sequence[Group], key: str, chosen: Score) -> list[tuple[tuple[str, ...], list[tuple[float, float, float]]]]:
    """Return the other settings of each line with its points: the number, the mean and the deviation over seeds. The points of a
    line were measured on the same test set."""
    lines: dict[tuple[int, tuple[str, ...]], list[tuple[float, float, float]]] = {}
    for number_of_set, same in enumerate(comparable(groups)):
        for group in same:
            x, y = number(group.value(key)), mean(group, chosen.column)
            rest = tuple(word for word in group.settings if not word.startswith(f"{key}="))
            if x is not None and math.isfinite(y):
                lines.setdefault((number_of_set, rest), []).append((x, y, spread(group, chosen.column)))
    return [(rest, points) for (_, rest), points in lines.items()]


def against_baseline(
    differences: Mapping[Group, Difference | None], references: Mapping[Group, Group], chosen: Score, look: Look = PAGE
) -> Figure | None:
    """Plot each group's difference to its baseline with the 95 % interval, top to bottom in the order of the table, with a line
    between test sets. Groups without a difference have no row; None if no group has one."""
    short = labels(list(references), look)
    sets = [[group for group in same if differences[group] or references[group] is group] for same in comparable(list(references))]
    sets = [rows for rows in sets if any(differences[group] for group in rows)]
    rows = [group for each in sets for group in each]
    if not rows:
        return None
    names = [wrapped(literal(short[group]), look.letters(0.42)) for group in rows]
    heights = [0.12 + 0.13 * len(name.split("\n")) for name in names]  # inches; a row is as high as its name
    edges = [0.0, *itertools.accumulate(heights)]
    middles = [(low + high) / 2 for low, high in itertools.pairwise(edges)]
    figure = blank(look, 0.7 + edges[-1])
    axes = figure.add_subplot()
    axes.axvline(0, color="black", linewidth=0.8)
    for middle, group in zip(middles, rows, strict=True):
        _draw_difference(axes, middle, differences[group], chosen)
    for last in itertools.accumulate(map(len, sets[:-1])):
        axes.axhline(edges[last], color=GREY, linewidth=0.6)
    axes.set_yticks(middles, names)
    axes.set_ylim(edges[-1], 0)
    axes.set_xlabel(wrapped(literal(f"difference in {look.score(chosen)}, to the baseline (diamond)"), look.letters(0.55, 8)))
    axes.grid(axis="x", alpha=0.3)
    return figure


def _draw_difference(axes: Axes, height: float, difference: Difference | None, chosen: Score) -> None:
    """Draw a row: the diamond of a baseline, or a mean and its interval, whose shape and colour say the verdict."""
    if difference is None:
        axes.plot(0, height, marker="D", color="black", markersize=5)
        return
    below, above = difference.mean - difference.low, difference.high - difference.mean
    ends = [[max(0.0, below)], [max(0.0, above)]]  # rounding may put the mean of equal differences beside them
    colour, marker = {"better": (BLUE, "^"), "worse": (VERMILION, "v")}.get(chosen.verdict(difference), (GREY, "o"))
    axes.errorbar(difference.mean, height, xerr=ends, marker=marker, markersize=5, capsize=3, color=colour)


def perception_distortion(groups: Sequence[Group], look: Look = PAGE) -> Figure:
    """Plot perceptual distance against PSNR: seeds small, means of groups large, L as a cross. Better is right and down."""
    figure = blank(look, 0.4 + 0.6 * look.inches)
    axes = figure.add_subplot()
    for index, (group, label) in enumerate(labels(groups, look).items()):
        points = style(index) | {"linestyle": ""}
        for job in group.jobs:
            point = (score(job.rows, "psnr_restored"), score(job.rows, "perceptual_restored"))
            axes.plot(*point, markersize=3, alpha=0.5, **points)
        axes.plot(mean(group, "psnr_restored"), mean(group, "perceptual_restored"), markersize=8, label=literal(label), **points)
    inputs = {(round(mean(group, "psnr_low"), 3), round(mean(group, "perceptual_low"), 4)) for group in groups}
    axes.plot(*zip(*sorted(inputs), strict=True), color="black", marker="x", markersize=8, linestyle="", label="L, the input")
    axes.set_xlabel(wrapped(literal(f"{look.names.get('psnr_restored', 'PSNR, dB')} (better to the right)"), look.letters(0.8, 8)))
    axes.set_ylabel(
        wrapped(literal(f"{look.names.get('perceptual_restored', 'perceptual distance')} (better below)"), look.letters(0.5, 8))
    )
    axes.grid(alpha=0.3)
    legend(figure, look)
    return figure


def _widen(axes: Axes, least: float) -> None:
    """Show at least so much of the score, lest a difference that is not relevant look like a steep slope."""
    low, high = axes.get_ylim()
    if high - low < least:
        axes.set_ylim((low + high - least) / 2, (low + high + least) / 2)


def _scale(axes: Axes, numbers: Sequence[float]) -> None:
    """Make the axis logarithmic if the values span more than a factor of 20, with room for zero, and put a tick at each value."""
    positive = [x for x in numbers if x > 0]
    if len(positive) > 1 and numbers[0] >= 0 and positive[-1] > 20 * positive[0]:
        axes.set_xscale("symlog", linthresh=positive[0])
    axes.set_xticks(numbers, [f"{x:g}" for x in numbers])
    axes.minorticks_off()
