"""Charts of what can be known of a degradation, and of whether the predicted intervals hold what they promise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from statistics import NormalDist
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csrgan.evaluation.comparison import Group, comparable, value
from csrgan.evaluation.results import BOUNDS, Row
from csrgan.reports.chart import SHOWN, drawn, labels, legend, paper, style
from csrgan.reports.predictions import binned, predicted_by
from csrgan.reports.table import FACTORS, UNITS, label

LEVELS = np.linspace(0.1, 0.95, 18)

Cell = tuple[tuple[float, float], tuple[float, float]]  # a range of scales and one of noises


def against_bound(groups: Sequence[Group]) -> Figure | None:
    """Root of the mean squared error of each parameter over the true blur, beside the least standard deviation of any estimator
    without a bias, for the smaller and the larger half of scales and noises; None where no row has a bound. Groups that were not
    scored on the same degradations have rows of charts of their own."""
    predicting = [group for group in groups if any(f"{name}_bound" in row for name in UNITS for row in _rows(group))][:SHOWN]
    lines = [(together, _cells(together), name) for together in comparable(predicting) for name in _bounded(together)]
    if not lines:
        return None
    short, columns = labels(groups), max(len(cells) for _, cells, _ in lines)
    figure = paper(2.4 * columns + 0.6, 2.3 * len(lines))
    for line, (together, cells, name) in enumerate(lines):
        first: Axes | None = None
        for column, cell in enumerate(cells):
            axes = figure.add_subplot(len(lines), columns, line * columns + column + 1, sharey=first)
            for order, group in enumerate(predicting):
                rows = _inside(_rows(group), cell) if group in together else []
                _root(axes, rows, partial(_squared_error, name), name, label=drawn(short[group]), markersize=3, **style(order))
            rows = _inside([row for group in together for row in _rows(group)], cell)
            _root(axes, rows, partial(_squared_bound, name), name, color="black", label="least without a bias (Cramer-Rao)")
            axes.set_yscale("log")
            axes.set_title(f"scale {_range(cell[0])}, noise {_range(cell[1], 255)} /255", fontsize=7)
            axes.set_xlabel("true blur std, px", fontsize=7)
            axes.grid(alpha=0.3)
            axes.tick_params(which="both", labelsize=7)
            first = first or axes
        if first is not None:
            first.set_ylabel(f"error of the {UNITS[name]}", fontsize=7)
    figure.tight_layout()
    legend(figure)
    return figure


def reliability(groups: Sequence[Group]) -> Figure | None:
    """How often the truth lies in the predicted intervals, over how often it should; None where no interval is predicted."""
    sure = [group for group in groups if _with_interval([group])][:SHOWN]
    names = _with_interval(sure)
    if not names:
        return None
    short = labels(groups)
    figure = paper(2.6 * len(names), 2.6)
    for index, name in enumerate(names):
        axes = figure.add_subplot(1, len(names), index + 1)
        axes.plot([0, 1], [0, 1], color="black", linewidth=0.7)
        for order, group in enumerate(sure):
            axes.plot(LEVELS, coverage(_rows(group), name, LEVELS), label=drawn(short[group]), markersize=2, **style(order))
        axes.set_title(label(name).partition(",")[0], fontsize=8)
        axes.set_xlabel("promised", fontsize=7)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        axes.grid(alpha=0.3)
        axes.tick_params(labelsize=7)
    figure.axes[0].set_ylabel("share of pictures within", fontsize=7)
    figure.tight_layout()
    legend(figure)
    return figure


def coverage(rows: Sequence[Row], name: str, levels: np.ndarray) -> np.ndarray:
    """Share of the rows whose truth lies in the central interval of each level, of Gaussians that the 90 % intervals tell: on
    either side of the prediction as wide as the bound on that side. Rows without a prediction do not count; NaN where none has
    one."""
    predicting = [row for row in rows if not np.isnan(value(row, f"{name}_predicted"))]
    if not predicting:
        return np.full(len(levels), np.nan)
    away = []
    for row in predicting:
        true, found, low, high = (
            value(row, column) for column in (name, f"{name}_predicted", *(f"{name}_{end}" for end in BOUNDS))
        )
        side = high - found if true > found else found - low
        away.append(abs(true - found) / side if side else (0.0 if true == found else np.inf))
    within = [NormalDist().inv_cdf((1 + level) / 2) / NormalDist().inv_cdf(0.95) for level in levels]
    return (np.array(away)[:, None] <= np.array(within)).mean(axis=0)


def _squared_error(name: str, row: Row) -> float:
    return (value(row, f"{name}_predicted") - value(row, name)) ** 2


def _squared_bound(name: str, row: Row) -> float:
    return value(row, f"{name}_bound") ** 2


def _rows(group: Group) -> list[Row]:
    return [row for job in group.jobs for row in job.rows]


def _halves(rows: Sequence[Row], name: str) -> list[tuple[float, float]]:
    """The values below and above the middle of the range; a parameter of one value is not divided."""
    found = [value(row, name) for row in rows]
    least, most = min(found), max(found)
    middle = (least + most) / 2
    return [(least, most)] if most - least < 1e-3 * max(most, 1e-3) else [(least, middle), (middle, most)]


def unbounded(groups: Sequence[Group]) -> str:
    """A sentence about predicted parameters of which no least error is known; empty where there are none."""
    without = [label(name).partition(",")[0] for name in predicted_by(groups) if name not in _bounded(groups)]
    return f" No bound on the error is known of: {', '.join(without)}." if without else ""


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


def _root(axes: Axes, rows: Sequence[Row], squared: Callable[[Row], float], name: str, **style: Any) -> None:
    """The root of a mean square over the blur, in the parameter's own unit."""
    blurs, squares = _over_blur(rows, squared) if rows else (np.empty(0), np.empty(0))
    axes.plot(blurs, np.sqrt(squares) * FACTORS.get(name, 1.0), **style)


def _over_blur(rows: Sequence[Row], measured: Callable[[Row], float]) -> tuple[np.ndarray, np.ndarray]:
    """The blurs that occur, or the means of some of them together, and the mean of what is measured at each."""
    blurs = np.array([value(row, "blur_std") for row in rows])
    values = np.array([measured(row) for row in rows])
    held = binned(blurs)
    return np.array([blurs[each].mean() for each in held]), np.array([values[each].mean() for each in held])


def _range(bounds: tuple[float, float], factor: float = 1.0) -> str:
    low, high = (f"{bound * factor:.3g}" for bound in bounds)
    return low if low == high else f"{low}-{high}"
