"""Charts of a sweep, from its rows: quality over a factor, over the grid, along the training; predictions against the truth."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from itertools import cycle

import numpy as np
from matplotlib.figure import Figure

from csrgan.evaluation.comparison import Group, score, spread
from csrgan.reports.table import FACTORS, UNITS

SHOWN = 9  # groups in a chart of small multiples


def data_uri(figure: Figure) -> str:
    """The figure as a PNG inside a URI, so that a page needs no other file."""
    held = io.BytesIO()
    figure.savefig(held, dpi=90, bbox_inches="tight")
    return "data:image/png;base64," + base64.b64encode(held.getvalue()).decode()


def numeric_factors(groups: Sequence[Group]) -> list[str]:
    """Settings that take several numbers in the sweep, the one with the most first."""
    values: dict[str, set[float]] = {}
    for group in groups:
        for word in group.settings:
            key, _, value = word.partition("=")
            number = _number(value)
            if number is not None:
                values.setdefault(key, set()).add(number)
    return sorted((key for key, found in values.items() if len(found) > 1), key=lambda key: -len(values[key]))


def over_factor(groups: Sequence[Group], key: str) -> Figure:
    """Gain against one numeric setting, a line for each combination of the others; bars are one deviation over seeds."""
    lines: dict[tuple[str, ...], list[tuple[float, float, float]]] = {}
    for group in groups:
        number = _number(group.value(key))
        rest = tuple(word for word in group.settings if not word.startswith(f"{key}="))
        if number is not None:
            lines.setdefault(rest, []).append((number, score_of(group, "gain"), spread(group, "gain")))
    figure = Figure(figsize=(6.4, 3.6), facecolor="white")
    axes = figure.add_subplot()
    for rest, points in lines.items():
        x, y, deviation = zip(*sorted(points), strict=True)
        bars = [0.0 if math.isnan(d) else d for d in deviation]
        axes.errorbar(x, y, yerr=bars, marker="o", capsize=3, label=" ".join(rest) or None)
    numbers = sorted({number for points in lines.values() for number, *_ in points})
    if numbers[-1] > 20 * (numbers[1] if len(numbers) > 1 else 1):
        axes.set_xscale("symlog", linthresh=numbers[1] if numbers[0] == 0 else numbers[0])
    axes.set_xticks(numbers, [f"{number:g}" for number in numbers])
    axes.set_xlabel(key)
    axes.set_ylabel("gain of S over L, dB")
    axes.grid(alpha=0.3)
    if len(lines) > 1:
        axes.legend(fontsize=7)
    return figure


def over_grid(groups: Sequence[Group]) -> Figure:
    """Gain over blur and noise, averaged over scales, photographs and seeds; one map a group."""
    shown = groups[:SHOWN]
    figure = Figure(figsize=(3.2 * min(3, len(shown)), 2.8 * math.ceil(len(shown) / 3)), facecolor="white")
    maps = [_map(group) for group in shown]
    limit = max(float(np.nanmax(np.abs(values))) for values, *_ in maps) or 1.0
    for place, (group, (values, blurs, noises)) in enumerate(zip(shown, maps, strict=True)):
        axes = figure.add_subplot(math.ceil(len(shown) / 3), min(3, len(shown)), place + 1)
        axes.imshow(values, cmap="RdBu", vmin=-limit, vmax=limit, origin="lower", aspect="auto")
        for (row, column), value in np.ndenumerate(values):
            colour = "white" if abs(value) > 0.6 * limit else "black"
            axes.text(column, row, f"{value:+.2f}", ha="center", va="center", fontsize=7, color=colour)
        axes.set_xticks(range(len(blurs)), [f"{blur:.1f}" for blur in blurs], fontsize=7)
        axes.set_yticks(range(len(noises)), [f"{255 * noise:.1f}" for noise in noises], fontsize=7)
        axes.set_xlabel("blur std, px", fontsize=7)
        axes.set_ylabel("noise std, /255", fontsize=7)
        axes.set_title(_short(group.name), fontsize=7)
    figure.tight_layout()
    return figure


def predictions(groups: Sequence[Group]) -> Figure | None:
    """Predicted against true parameters; None where nothing was predicted."""
    names = [
        name for name in UNITS if any(f"{name}_predicted" in row for group in groups for job in group.jobs for row in job.rows[:1])
    ]
    if not names:
        return None
    figure = Figure(figsize=(3.4 * len(names), 3.2), facecolor="white")
    for place, name in enumerate(names):
        axes, factor = figure.add_subplot(1, len(names), place + 1), FACTORS.get(name, 1.0)
        for group, colour in zip(groups[:SHOWN], cycle(f"C{k}" for k in range(10)), strict=False):
            rows = [row for job in group.jobs for row in job.rows if f"{name}_predicted" in row]
            true, found = ([factor * float(row[column]) for row in rows] for column in (name, f"{name}_predicted"))
            axes.scatter(true, found, s=6, alpha=0.4, color=colour, label=_short(group.name))
        axes.axline((0 if name != "scale" else 1,) * 2, slope=1, color="black", linewidth=0.7)
        axes.set_xlabel(f"true {UNITS[name]}", fontsize=8)
        axes.set_ylabel("predicted", fontsize=8)
    if len(groups) > 1:
        figure.axes[0].legend(fontsize=6)
    figure.tight_layout()
    return figure


def curves(groups: Sequence[Group]) -> Figure:
    """Gain at each evaluation during the training, a line a job."""
    figure = Figure(figsize=(6.4, 3.2), facecolor="white")
    axes = figure.add_subplot()
    for group, colour in zip(groups, cycle(f"C{k}" for k in range(10)), strict=False):
        for place, job in enumerate(group.jobs):
            if job.curve:
                images, gains = zip(*job.curve, strict=True)
                axes.plot(images, gains, marker=".", color=colour, label=None if place else _short(group.name))
    axes.set_xlabel("images seen")
    axes.set_ylabel("gain of S over L, dB")
    axes.grid(alpha=0.3)
    if 1 < len(groups) <= 12 and axes.lines:
        axes.legend(fontsize=6)
    return figure


def score_of(group: Group, column: str) -> float:
    """Mean over the jobs of a group."""
    return float(np.mean([score(job.rows, column) for job in group.jobs]))


def _map(group: Group) -> tuple[np.ndarray, list[float], list[float]]:
    rows = [row for job in group.jobs for row in job.rows]
    blurs, noises = (sorted({round(float(row[name]), 4) for row in rows}) for name in ("blur_std", "noise_std"))
    values = np.full((len(noises), len(blurs)), np.nan)
    for y, noise in enumerate(noises):
        for x, blur in enumerate(blurs):
            here = [r for r in rows if round(float(r["blur_std"]), 4) == blur and round(float(r["noise_std"]), 4) == noise]
            values[y, x] = score(here, "gain") if here else np.nan
    return values, blurs, noises


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _short(name: str) -> str:
    """The settings with the last two parts of their keys."""
    words = (word.partition("=") for word in name.split())
    return " ".join(".".join(key.split(".")[-2:]) + sign + value for key, sign, value in words)[:60]
