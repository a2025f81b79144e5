"""Chart of the predicted degradation against the true one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from csrgan.evaluation.comparison import Group, value
from csrgan.evaluation.results import predicted_in
from csrgan.reports.chart import SHOWN, blank, labels, legend, literal
from csrgan.reports.look import PAGE, Look, style
from csrgan.reports.table import FACTORS, label

BINS = 8  # bins of a true parameter that takes more values


def against_truth(groups: Sequence[Group], look: Look = PAGE) -> Figure | None:
    """Plot mean and deviation of what the first groups predict at each true value; None if nothing was predicted, or of a single
    true value."""
    predicting = [group for group in groups if predicted_by([group])][:SHOWN]
    names = [name for name in predicted_by(predicting) if any(_bins(group, name) > 1 for group in predicting)]
    if not names:
        return None
    short, units = labels(groups, look), {name: unit for group in groups for job in group.jobs for name, unit in job.units.items()}
    across = 1 if look.narrow else min(2, len(names))
    down = -(-len(names) // across)
    figure = blank(look, 2.5 * down)
    for index, name in enumerate(names):
        axes = figure.add_subplot(down, across, index + 1)
        for order, group in enumerate(predicting):
            _draw(axes, _points(group, name), literal(short[group]), order, len(predicting))
        least, most = axes.get_xlim()
        axes.plot([least, most], [least, most], color="black", linewidth=0.7)
        axes.set_xlabel(f"true {literal(look.names.get(name) or label(name, units))}")
        axes.set_ylabel("predicted")
        axes.grid(alpha=0.3)
    legend(figure, look)
    return figure


def predicted_by(groups: Sequence[Group]) -> list[str]:
    """Return the parameters that any of the groups predicts."""
    rows = (row for group in groups for job in group.jobs for row in job.rows[:1])
    return list(dict.fromkeys(name for row in rows for name in predicted_in(row)))


def _points(group: Group, name: str) -> np.ndarray:
    """Return true and predicted values, (rows, 2), in the units of `label`."""
    rows = [row for job in group.jobs for row in job.rows]
    points = np.array([[value(row, name), value(row, f"{name}_predicted")] for row in rows]) * FACTORS.get(name, 1.0)
    return points[np.isfinite(points).all(axis=1)]


def _bins(group: Group, name: str) -> int:
    points = _points(group, name)
    return len(binned(points[:, 0])) if points.size else 0


def _draw(axes: Axes, points: np.ndarray, label: str, order: int, count: int) -> None:
    """Plot one group, shifted a little sideways so that its bars do not cover those of the others."""
    if not points.size:
        return
    true = points[:, 0]
    bins = [points[mask] for mask in binned(true)]
    offset = ((order + 0.5) / count - 0.5) * 0.1 * np.ptp(true) / max(1, len(bins) - 1)
    means = np.array([inside.mean(axis=0) for inside in bins])
    deviations = [inside[:, 1].std() for inside in bins]
    axes.errorbar(means[:, 0] + offset, means[:, 1], yerr=deviations, capsize=2, markersize=4, label=label, **style(order))


def binned(true: np.ndarray) -> list[np.ndarray]:
    """Return a mask of the rows for each true value or, with more than BINS values, for each of BINS quantiles."""
    levels = np.unique(true.round(4))
    edges = levels[1:] if len(levels) <= BINS else np.quantile(true, np.linspace(0, 1, BINS + 1)[1:-1])
    bins = np.digitize(true.round(4), edges)
    return [bins == index for index in np.unique(bins)]
