"""Charts of what can be known of a degradation, and of whether the predicted intervals hold what they promise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from statistics import NormalDist

import numpy as np
from matplotlib.figure import Figure

from csrgan.evaluation.comparison import Group, value
from csrgan.evaluation.results import BOUNDS, Row
from csrgan.reports.chart import SHOWN, drawn, labels, legend, paper, style
from csrgan.reports.predictions import binned
from csrgan.reports.table import FACTORS, UNITS

LEVELS = np.linspace(0.1, 0.95, 18)


def against_bound(groups: Sequence[Group]) -> Figure | None:
    """Root of the mean squared error of each parameter over the true blur, beside the least standard deviation of any estimator
    without a bias, for the smaller and the larger half of scales and noises; None where no row has a bound."""
    predicting = [group for group in groups if any(f"{name}_bound" in row for name in UNITS for row in _rows(group))][:SHOWN]
    names = [name for name in UNITS if any(f"{name}_bound" in row for group in predicting for row in _rows(group))]
    if not names:
        return None
    short, every = labels(groups), [row for group in predicting for row in _rows(group)]
    cells = [(scale, noise) for scale in _halves(every, "scale") for noise in _halves(every, "noise_std")]
    figure = paper(2.4 * len(cells) + 0.6, 2.3 * len(names))
    for place, (name, (scale, noise)) in enumerate((name, cell) for name in names for cell in cells):
        first = figure.axes[place // len(cells) * len(cells)] if place % len(cells) else None
        axes = figure.add_subplot(len(names), len(cells), place + 1, sharey=first)
        factor = FACTORS.get(name, 1.0)
        for order, group in enumerate(predicting):
            rows = [row for row in _rows(group) if _within(row, "scale", scale) and _within(row, "noise_std", noise)]
            blurs, errors = _over_blur(rows, partial(_squared_error, name))
            axes.plot(blurs, np.sqrt(errors) * factor, label=drawn(short[group]), markersize=3, **style(order))
        inside = [row for row in every if _within(row, "scale", scale) and _within(row, "noise_std", noise)]
        blurs, least = _over_blur(inside, partial(_squared_bound, name))
        axes.plot(blurs, np.sqrt(least) * factor, color="black", linewidth=1.5, label="least without a bias (Cramer-Rao)")
        axes.set_yscale("log")
        axes.grid(alpha=0.3)
        axes.tick_params(labelsize=7)
        if place < len(cells):
            axes.set_title(f"scale {_range(scale)}, noise {_range(noise, 255)} /255", fontsize=7)
        if first is None:
            axes.set_ylabel(f"error of the {UNITS[name]}", fontsize=7)
        if place >= len(cells) * (len(names) - 1):
            axes.set_xlabel("true blur std, px", fontsize=7)
    figure.tight_layout()
    legend(figure)
    return figure


def reliability(groups: Sequence[Group]) -> Figure | None:
    """How often the truth lies in the predicted intervals, over how often it should; None where no interval is predicted."""
    sure = [group for group in groups if any(f"{name}_{BOUNDS[0]}" in row for name in UNITS for row in _rows(group))][:SHOWN]
    names = [name for name in UNITS if any(f"{name}_{BOUNDS[0]}" in row for group in sure for row in _rows(group))]
    if not names:
        return None
    short = labels(groups)
    figure = paper(2.6 * len(names), 2.6)
    for place, name in enumerate(names):
        axes = figure.add_subplot(1, len(names), place + 1)
        axes.plot([0, 1], [0, 1], color="black", linewidth=0.7)
        for order, group in enumerate(sure):
            axes.plot(LEVELS, coverage(_rows(group), name, LEVELS), label=drawn(short[group]), markersize=2, **style(order))
        axes.set_title(UNITS[name].partition(",")[0], fontsize=8)
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


def _within(row: Row, name: str, bounds: tuple[float, float]) -> bool:
    return bounds[0] <= value(row, name) <= bounds[1]


def _over_blur(rows: Sequence[Row], measured: Callable[[Row], float]) -> tuple[np.ndarray, np.ndarray]:
    """The blurs that occur, or the means of some of them together, and the mean of what is measured at each."""
    blurs = np.array([value(row, "blur_std") for row in rows])
    values = np.array([measured(row) for row in rows])
    held = binned(blurs)
    return np.array([blurs[each].mean() for each in held]), np.array([values[each].mean() for each in held])


def _range(bounds: tuple[float, float], factor: float = 1.0) -> str:
    low, high = (f"{bound * factor:.3g}" for bound in bounds)
    return low if low == high else f"{low}-{high}"
