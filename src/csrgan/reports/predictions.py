"""Chart of the predicted degradation against the true one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csrgan.evaluation.comparison import Group, value
from csrgan.evaluation.results import predicted_in
from csrgan.reports.chart import SHOWN, drawn, labels, legend, paper, style
from csrgan.reports.table import FACTORS, label

BINS = 8  # of a true parameter that takes many values


def against_truth(groups: Sequence[Group]) -> Figure | None:
    """Mean and deviation of what the first groups predict at each true value; None where nothing was predicted."""
    predicting = [group for group in groups if predicted_by([group])][:SHOWN]
    names = [name for name in predicted_by(predicting) if any(_points(group, name).size for group in predicting)]
    if not names:
        return None
    short, units = labels(groups), {name: unit for group in groups for job in group.jobs for name, unit in job.units.items()}
    across, down = min(2, len(names)), (len(names) + 1) // 2
    figure = paper(3.2 * across, 2.8 * down)
    for index, name in enumerate(names):
        axes = figure.add_subplot(down, across, index + 1)
        for order, group in enumerate(predicting):
            _draw(axes, _points(group, name), drawn(short[group]), order, len(predicting))
        least, most = axes.get_xlim()
        axes.plot([least, most], [least, most], color="black", linewidth=0.7)
        axes.set_xlabel(f"true {drawn(label(name, units))}", fontsize=8)
        axes.set_ylabel("predicted", fontsize=8)
        axes.grid(alpha=0.3)
    figure.tight_layout()
    legend(figure)
    return figure


def predicted_by(groups: Sequence[Group]) -> list[str]:
    """The parameters that any of the groups predicts."""
    rows = (row for group in groups for job in group.jobs for row in job.rows[:1])
    return list(dict.fromkeys(name for row in rows for name in predicted_in(row)))


def _points(group: Group, name: str) -> np.ndarray:
    """True and predicted values, (rows, 2)."""
    rows = [row for job in group.jobs for row in job.rows]
    found = np.array([[value(row, name), value(row, f"{name}_predicted")] for row in rows]) * FACTORS.get(name, 1.0)
    return found[np.isfinite(found).all(axis=1)]


def _draw(axes: Axes, points: np.ndarray, label: str, order: int, count: int) -> None:
    """Groups stand a little beside each other, so that their bars can be told apart."""
    if not points.size:
        return
    true = points[:, 0]
    held = [points[each] for each in binned(true)]
    aside = ((order + 0.5) / count - 0.5) * 0.1 * np.ptp(true) / max(1, len(held) - 1)
    means = np.array([each.mean(axis=0) for each in held])
    deviations = [each[:, 1].std() for each in held]
    axes.errorbar(means[:, 0] + aside, means[:, 1], yerr=deviations, capsize=2, markersize=4, label=label, **style(order))


def binned(true: np.ndarray) -> list[np.ndarray]:
    """Which of the rows have each value, or are in each of BINS quantiles of more values than that."""
    levels = np.unique(true.round(4))
    edges = levels[1:] if len(levels) <= BINS else np.quantile(true, np.linspace(0, 1, BINS + 1)[1:-1])
    bins = np.digitize(true.round(4), edges)
    return [bins == each for each in np.unique(bins)]
