"""Heat maps of a score over the grid of degradations: a row for each group, a column for each scale, blur and noise within."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Sequence
from statistics import fmean

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from csrgan.degradation.parameters import NAMES
from csrgan.evaluation.comparison import Group, value
from csrgan.reports.chart import SHOWN, blank, labels, literal
from csrgan.reports.columns import Score
from csrgan.reports.look import PAGE, Look

LEVELS = 12  # with more levels of a parameter, the rows are no grid
NEAR = 1.03  # greatest ratio of two values of one level

Cell = tuple[float, float, float]  # blur std, scale, noise std


def over_grid(groups: Sequence[Group], chosen: Score, look: Look = PAGE) -> Figure | None:
    """Plot the mean over photographs and seeds in each cell for the first groups; None without a grid of degradations."""
    if any(math.isnan(value(row, name)) for group in groups for job in group.jobs for row in job.rows for name in NAMES):
        return None
    short = labels(groups, look)
    shown = {group: _cells(group, chosen.column) for group in groups[:SHOWN]}
    scales = {group: _levels(cells, 1) for group, cells in shown.items()}
    if any(len(_levels(cells, axis)) > LEVELS for cells in shown.values() for axis in range(3)):
        return None
    if max(map(len, shown.values()), default=0) < 2:
        return None  # a single cell is no map
    columns = max(map(len, scales.values()))
    names = {group: textwrap.wrap(literal(short[group]), look.letters(0.9 / columns)) for group in shown}
    high = min(1.8, 0.9 + 0.3 * max(len(_levels(cells, 2)) for cells in shown.values()))  # inches of a map
    figure = blank(look, sum(high + 0.12 * len(name) for name in names.values()))
    colours = _colours(list(shown.values()), chosen)
    for row, (group, cells) in enumerate(shown.items()):
        for column, scale in enumerate(scales[group]):
            axes = figure.add_subplot(len(shown), columns, row * columns + column + 1)
            _draw(axes, {cell: mean for cell, mean in cells.items() if cell[1] == scale}, chosen, colours, look.inches / columns)
            name = names[group] if column == 0 else []
            axes.set_title("\n".join([*name, f"scale {scale:.2f}"]), fontsize=7, loc="left")
    return figure


def _cells(group: Group, column: str) -> dict[Cell, float]:
    values: dict[Cell, list[float]] = {}
    rows = [row for job in group.jobs for row in job.rows]
    blurs, scales, noises = (_near(float(row[name]) for row in rows) for name in NAMES)
    for row in rows:
        cell = blurs[float(row["blur_std"])], scales[float(row["scale"])], noises[float(row["noise_std"])]
        values.setdefault(cell, []).append(value(row, column))
    return {cell: fmean(scores) for cell, scores in values.items()}


def _near(values: Iterable[float]) -> dict[float, float]:
    """Map each value to its level: the mean of the values within NEAR of the level's least. Levels are needed because the realised
    scale depends on the size of the photograph."""
    levels: list[list[float]] = []
    for number in sorted(set(values)):
        if levels and number <= NEAR * levels[-1][0]:
            levels[-1].append(number)
        else:
            levels.append([number])
    return {number: fmean(level) for level in levels for number in level}


def _levels(cells: dict[Cell, float], axis: int) -> list[float]:
    return sorted({cell[axis] for cell in cells})


def _colours(maps: Sequence[dict[Cell, float]], chosen: Score) -> tuple[str, float, float]:
    """Return one colour scale for all maps: centred on the best value or on a gain of 0, else from least to greatest."""
    values = np.array([mean for cells in maps for mean in cells.values()])
    values = values[np.isfinite(values)]
    middle = 0.0 if chosen.column == "gain" else chosen.target
    if not len(values) or np.isfinite(middle):
        reach = float(np.abs(values - middle).max(initial=0)) or 1.0
        return "RdBu", middle - reach, middle + reach
    return "viridis", float(values.min()), float(values.max())


def _draw(axes: Axes, cells: dict[Cell, float], chosen: Score, colours: tuple[str, float, float], width: float) -> None:
    """Draw a map, about so many inches wide, with the number in each cell: upright where the cells are narrow."""
    blurs, noises = _levels(cells, 0), _levels(cells, 2)
    table: NDArray[np.float64] = np.full((len(noises), len(blurs)), np.nan)
    for (blur, _, noise), mean in cells.items():
        table[noises.index(noise), blurs.index(blur)] = mean
    name, least, most = colours
    image = axes.imshow(table, cmap=name, vmin=least, vmax=most, origin="lower", aspect="auto")
    size, turned = 7 if len(blurs) < 6 else 5, 90 if 0.7 * width / len(blurs) < 0.3 else 0
    for (y, x), mean in np.ndenumerate(table):
        red, green, blue, _ = image.to_rgba(np.array([mean]))[0]
        ink = "white" if 0.3 * red + 0.6 * green + 0.1 * blue < 0.5 else "black"
        axes.text(x, y, chosen.text(mean), ha="center", va="center", fontsize=size, color=ink, rotation=turned)
    axes.set_xticks(range(len(blurs)), [f"{blur:.1f}" for blur in blurs], fontsize=size)
    axes.set_yticks(range(len(noises)), [f"{255 * noise:.1f}" for noise in noises], fontsize=7)
    axes.set_xlabel("blur std, px", fontsize=7)
    axes.set_ylabel("noise std, /255", fontsize=7)
