"""Heat maps of a score over the grid of degradations: a row a group, a column a scale, blur and noise within."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from statistics import fmean

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from csrgan.evaluation.comparison import Group, value
from csrgan.reports.chart import SHOWN, drawn, labels, paper
from csrgan.reports.columns import Score

LEVELS = 12  # of a parameter, beyond which the rows are no grid
NEAR = 1.03  # of two values that are of one level

Cell = tuple[float, float, float]  # blur std, scale, noise std


def over_grid(groups: Sequence[Group], chosen: Score) -> Figure | None:
    """The mean over photographs and seeds in each cell, of the first groups; None where the degradations are no grid."""
    short = labels(groups)
    shown = {group: _cells(group, chosen.column) for group in groups[:SHOWN]}
    scales = {group: _levels(cells, 1) for group, cells in shown.items()}
    if any(len(_levels(cells, axis)) > LEVELS for cells in shown.values() for axis in range(3)):
        return None
    columns = max(map(len, scales.values()))
    names = {group: textwrap.wrap(drawn(short[group]), 38 * columns) for group in shown}
    figure = paper(0.4 + 2.1 * columns, sum(1.8 + 0.12 * len(name) for name in names.values()))
    colours = _colours(list(shown.values()), chosen)
    for row, (group, cells) in enumerate(shown.items()):
        for column, scale in enumerate(scales[group]):
            axes = figure.add_subplot(len(shown), columns, row * columns + column + 1)
            _draw(axes, {cell: found for cell, found in cells.items() if cell[1] == scale}, chosen, colours)
            name = names[group] if column == 0 else []
            axes.set_title("\n".join([*name, f"scale {scale:.2f}"]), fontsize=7, loc="left")
    figure.tight_layout()
    return figure


def _cells(group: Group, column: str) -> dict[Cell, float]:
    found: dict[Cell, list[float]] = {}
    rows = [row for job in group.jobs for row in job.rows]
    blurs, scales, noises = (_near(float(row[name]) for row in rows) for name in ("blur_std", "scale", "noise_std"))
    for row in rows:
        cell = blurs[float(row["blur_std"])], scales[float(row["scale"])], noises[float(row["noise_std"])]
        found.setdefault(cell, []).append(value(row, column))
    return {cell: fmean(values) for cell, values in found.items()}


def _near(values: Iterable[float]) -> dict[float, float]:
    """The level of each value: the mean of those that are hardly greater than the first of it. A scale is what the size of the
    photograph makes of it."""
    together: list[list[float]] = []
    for each in sorted(set(values)):
        if together and each <= NEAR * together[-1][0]:
            together[-1].append(each)
        else:
            together.append([each])
    return {each: fmean(level) for level in together for each in level}


def _levels(cells: dict[Cell, float], axis: int) -> list[float]:
    return sorted({cell[axis] for cell in cells})


def _colours(maps: Sequence[dict[Cell, float]], chosen: Score) -> tuple[str, float, float]:
    """One scale for all maps: around the best value or a gain's zero where there is one, else from the least to the most."""
    values = np.array([found for cells in maps for found in cells.values()])
    values = values[np.isfinite(values)]
    middle = 0.0 if chosen.column == "gain" else chosen.target
    if not len(values) or np.isfinite(middle):
        reach = float(np.abs(values - middle).max(initial=0)) or 1.0
        return "RdBu", middle - reach, middle + reach
    return "viridis", float(values.min()), float(values.max())


def _draw(axes: Axes, cells: dict[Cell, float], chosen: Score, colours: tuple[str, float, float]) -> None:
    blurs, noises = _levels(cells, 0), _levels(cells, 2)
    table: NDArray[np.float64] = np.full((len(noises), len(blurs)), np.nan)
    for (blur, _, noise), found in cells.items():
        table[noises.index(noise), blurs.index(blur)] = found
    name, least, most = colours
    image = axes.imshow(table, cmap=name, vmin=least, vmax=most, origin="lower", aspect="auto")
    size = 7 if len(blurs) < 6 else 5
    for (y, x), found in np.ndenumerate(table):
        red, green, blue, _ = image.to_rgba(np.array([found]))[0]
        ink = "white" if 0.3 * red + 0.6 * green + 0.1 * blue < 0.5 else "black"
        axes.text(x, y, chosen.text(found), ha="center", va="center", fontsize=size, color=ink)
    axes.set_xticks(range(len(blurs)), [f"{blur:.1f}" for blur in blurs], fontsize=size)
    axes.set_yticks(range(len(noises)), [f"{255 * noise:.1f}" for noise in noises], fontsize=7)
    axes.set_xlabel("blur std, px", fontsize=7)
    axes.set_ylabel("noise std, /255", fontsize=7)
