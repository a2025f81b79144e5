"""Charts of the error of theta^ beside its lower bound, and of the coverage of the predicted intervals."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import NormalDist

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csrgan.degradation.parameters import NAMES
from csrgan.evaluation.comparison import Group, comparable, value
from csrgan.evaluation.results import BOUNDS, Row
from csrgan.reports.chart import SHOWN, blank, labels, legend, literal
from csrgan.reports.look import PAGE, Look, style
from csrgan.reports.predictions import binned, predicted_by
from csrgan.reports.table import FACTORS, UNITS, label

LEVELS = np.linspace(0.1, 0.95, 18)

Cell = tuple[tuple[float, float], tuple[float, float]]  # a range of scales and one of noises


def against_bound(groups: Sequence[Group], look: Look = PAGE) -> Figure | None:
    """Plot the root mean squared error of each parameter over the true blur beside the Cramer-Rao bound, for the smaller and the
    larger half of scales and noises; None if no row has a bound, or all have the same blur. Groups scored on different degradations
    get rows of charts of their own."""
    predicting = [group for group in groups if any(f"{name}_bound" in row for name in UNITS for row in _rows(group))][:SHOWN]
    lines = [(same, _cells(same), name) for same in comparable(predicting) for name in _bounded(same) if _curved(same)]
    if not lines:
        return None
    columns = min(2 if look.narrow else 4, max(len(cells) for _, cells, _ in lines))
    above = list(itertools.accumulate((-(-len(cells) // columns) for _, cells, _ in lines), initial=0))  # rows of charts above
    short = {group: name for group, name in labels(groups, look).items() if group in predicting}
    figure = blank(look, 2.0 * above[-1])
    for (same, cells, name), row in zip(lines, above, strict=False):
        first: Axes | None = None
        for column, cell in enumerate(cells):
            axes = figure.add_subplot(above[-1], columns, row * columns + column + 1, sharey=first)
            _draw_error(axes, short, same, cell, name)
            if column % columns == 0:
                axes.set_ylabel(f"error of the {UNITS[name]}", fontsize=7)
            first = first or axes
    legend(figure, look)
    return figure


def _curved(groups: Sequence[Group]) -> bool:
    """Return whether there is a curve over the blur: two points at least."""
    rows = [row for group in groups for row in _rows(group)]
    return len(_over_blur(rows, lambda row: 0.0)[0]) > 1


def _draw_error(axes: Axes, short: Mapping[Group, str], same: Sequence[Group], cell: Cell, name: str) -> None:
    """Draw the errors of the groups within a range of scales and noises, and their bound. short: of all groups of the chart."""
    for order, (group, text) in enumerate(short.items()):
        rows = _inside(_rows(group), cell) if group in same else []
        points = _root(rows, partial(_squared_error, name), name)
        axes.plot(*points, label=literal(text), markersize=3, **style(order))
    rows = _inside([row for group in same for row in _rows(group)], cell)
    axes.plot(*_root(rows, partial(_squared_bound, name), name), color="black", label="Cramer-Rao bound")
    axes.set_yscale("log")
    # In two lines: one would be wider than a panel.
    axes.set_title(f"scale {_range(cell[0])}\nnoise {_range(cell[1], 255)} /255", fontsize=7)
    axes.set_xlabel("true blur std, px", fontsize=7)
    axes.grid(alpha=0.3)
    axes.tick_params(which="both", labelsize=7)


def reliability(groups: Sequence[Group], look: Look = PAGE) -> Figure | None:
    """Plot how often the truth lies in the predicted intervals over how often it should; None if no interval is predicted."""
    predicting = [group for group in groups if _with_interval([group])][:SHOWN]
    names = _with_interval(predicting)
    if not names:
        return None
    short = labels(groups, look)
    across = min(len(names), 2 if look.narrow else 3)
    down = -(-len(names) // across)
    figure = blank(look, 0.9 * down * min(2.8, look.inches / across))
    for index, name in enumerate(names):
        axes = figure.add_subplot(down, across, index + 1)
        axes.plot([0, 1], [0, 1], color="black", linewidth=0.7)
        for order, group in enumerate(predicting):
            axes.plot(LEVELS, coverage(_rows(group), name, LEVELS), label=literal(short[group]), markersize=2, **style(order))
        axes.set_title(look.names.get(name) or label(name).partition(",")[0])
        axes.set_xlabel("nominal coverage", fontsize=7)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        axes.grid(alpha=0.3)
        if index % across == 0:
            axes.set_ylabel("observed coverage", fontsize=7)
    legend(figure, look)
    return figure


def coverage(rows: Sequence[Row], name: str, levels: np.ndarray) -> np.ndarray:
    """Return the share of rows whose truth lies in the central interval of each level. On either side of the prediction, the
    interval is that of a Gaussian with the 90 % bound of that side. Rows without a prediction do not count; nan if none has one."""
    predicting = [row for row in rows if not np.isnan(value(row, f"{name}_predicted"))]
    if not predicting:
        return np.full(len(levels), np.nan)
    distances = []  # from the prediction to the truth, in units of the 90 % bound
    for row in predicting:
        true, predicted, low, high = (
            value(row, column) for column in (name, f"{name}_predicted", *(f"{name}_{end}" for end in BOUNDS))
        )
        side = high - predicted if true > predicted else predicted - low
        distances.append(abs(true - predicted) / side if side else (0.0 if true == predicted else np.inf))
    within = [NormalDist().inv_cdf((1 + level) / 2) / NormalDist().inv_cdf(0.95) for level in levels]
    return (np.array(distances)[:, None] <= np.array(within)).mean(axis=0)


def _squared_error(name: str, row: Row) -> float:
    return (value(row, f"{name}_predicted") - value(row, name)) ** 2


def _squared_bound(name: str, row: Row) -> float:
    return value(row, f"{name}_bound") ** 2


def _rows(group: Group) -> list[Row]:
    """Return the rows whose degradation is known."""
    rows = (row for job in group.jobs for row in job.rows)
    return [row for row in rows if not any(np.isnan(value(row, name)) for name in NAMES if name in row)]


def _halves(rows: Sequence[Row], name: str) -> list[tuple[float, float]]:
    """Return the lower and the upper half of a parameter's range; a single value is not divided."""
    values = [value(row, name) for row in rows]
    least, most = min(values), max(values)
    middle = (least + most) / 2
    return [(least, most)] if most - least < 1e-3 * max(most, 1e-3) else [(least, middle), (middle, most)]


def without_bound(groups: Sequence[Group]) -> str:
    """Return a sentence that names the predicted parameters without a bound; empty if there are none."""
    without = [label(name).partition(",")[0] for name in predicted_by(groups) if name not in _bounded(groups)]
    return f" No bound on the error is known for: {', '.join(without)}." if without else ""


def _with_interval(groups: Sequence[Group]) -> list[str]:
    rows = [row for group in groups for row in _rows(group)]
    return [name for name in predicted_by(groups) if any(f"{name}_{BOUNDS[0]}" in row for row in rows)]


def _bounded(groups: Sequence[Group]) -> list[str]:
    return [name for name in UNITS if any(f"{name}_bound" in row for group in groups for row in _rows(group))]


def _cells(groups: Sequence[Group]) -> list[Cell]:
    rows = [row for group in groups for row in _rows(group)]
    return [(scale, noise) for scale in _halves(rows, "scale") for noise in _halves(rows, "noise_std")]


def _inside(rows: Sequence[Row], cell: Cell) -> list[Row]:
    def within(row: Row, name: str, bounds: tuple[float, float]) -> bool:
        return bounds[0] <= value(row, name) <= bounds[1]

    scale, noise = cell
    return [row for row in rows if within(row, "scale", scale) and within(row, "noise_std", noise)]


def _root(rows: Sequence[Row], squared: Callable[[Row], float], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the blurs and, at each, the root of a mean square in the unit of `label`; empty without rows."""
    blurs, squares = _over_blur(rows, squared) if rows else (np.empty(0), np.empty(0))
    return blurs, np.sqrt(squares) * FACTORS.get(name, 1.0)


def _over_blur(rows: Sequence[Row], measured: Callable[[Row], float]) -> tuple[np.ndarray, np.ndarray]:
    """Return the blurs, or the mean blur of each bin if there are many, and the mean of the measured values at each."""
    blurs = np.array([value(row, "blur_std") for row in rows])
    values = np.array([measured(row) for row in rows])
    bins = binned(blurs)
    return np.array([blurs[mask].mean() for mask in bins]), np.array([values[mask].mean() for mask in bins])


def _range(bounds: tuple[float, float], factor: float = 1.0) -> str:
    low, high = (f"{bound * factor:.3g}" for bound in bounds)
    return low if low == high else f"{low}-{high}"
