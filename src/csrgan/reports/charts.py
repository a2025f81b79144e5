"""All charts of a report, each with its name and caption."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from csrgan.console import Console
from csrgan.data.progress import progress
from csrgan.evaluation.comparison import Group, comparable, spread
from csrgan.evaluation.intervals import Difference
from csrgan.reports import chart, columns, effects, maps, predictions, race, training, uncertainty
from csrgan.reports.look import Look, drawing

Drawn = tuple[str, str, Figure | None]  # the name of the file, the caption, and the chart; None: there is nothing to draw


def write(
    folder: Path,
    compared: Mapping[Group, Group],
    differences: Mapping[Group, Difference | None],
    chosen: columns.Score,
    look: Look,
    reach: Sequence[float] = (),
) -> list[dict[str, str]]:
    """Write each chart as files, and return its name, caption and data URI. compared, differences: of each group, with its
    reference. reach: values of the score, see `race`."""
    if not compared:
        return []
    with drawing(look):
        shown = [
            (name, caption, figure)
            for name, caption, figure in (
                *_effects(compared, differences, chosen, look),
                *_others(list(compared), chosen, look),
                ("race", f"{chosen.name} over the minutes of training.", race.chart(list(compared), chosen, reach, look)),
            )
            if figure
        ]
        written = []
        with progress(Console(), "drawing the charts", len(shown)) as advance:
            for name, text, figure in shown:
                uri = chart.save(figure, folder / f"{name}.png")
                written.append({"name": name, "text": text[0].upper() + text[1:], "uri": uri})
                advance(len(written))
        return written


def _effects(
    compared: Mapping[Group, Group], differences: Mapping[Group, Difference | None], chosen: columns.Score, look: Look
) -> Iterator[Drawn]:
    """Yield the charts of the chosen score and what changes it."""
    groups = list(compared)
    bars = " Bars: deviation over seeds." if any(spread(group, chosen.column) >= 0 for group in groups) else ""
    for key in effects.numeric_factors(groups):
        text = f"{chosen.name} over {look.key(key)}.{bars}{effects.not_joined(groups, key, chosen)}"
        yield "over_" + re.sub(r"[^\w.-]", ".", key)[:60], text, effects.over_factor(groups, key, chosen, look)
    text = f"Difference in {chosen.name} to the baseline, with 95 % intervals; {chosen.better}."
    lines = " Lines separate test sets." if len(comparable(groups)) > 1 else ""
    yield "differences", text + lines, effects.against_baseline(differences, compared, chosen, look)
    perceptual = "perceptual_restored" in columns.present(job for group in groups for job in group.jobs)
    figure = effects.perception_distortion(groups, look) if perceptual else None
    yield "perception_distortion", f"Perception and distortion.{_sets(groups)}", figure


def _others(groups: Sequence[Group], chosen: columns.Score, look: Look) -> Iterator[Drawn]:
    """Yield the charts of what is within a group."""
    some = f" The first {chart.SHOWN} of {len(groups)} groups." if len(groups) > chart.SHOWN else ""
    apart = _sets(groups)
    text = f"PSNR and the error of theta^ after each iteration.{apart}"
    yield "iterations", text, training.iterations(groups, look)
    yield "grid", f"{chosen.name} over blur, noise and scale.{some}{apart}", maps.over_grid(groups, chosen, look)
    text = f"Predicted against true parameters, with standard deviations.{some}{apart}{uncertainty.without_bound(groups)}"
    yield "predictions", text, predictions.against_truth(groups, look)
    text = f"Error of theta^ beside the Cramer-Rao bound, the least of any unbiased estimator; a biased one may lie below.{some}"
    yield "bound", text, uncertainty.against_bound(groups, look)
    text = f"Observed over nominal coverage of the predicted intervals.{some}{apart}"
    yield "reliability", text, uncertainty.reliability(groups, look)
    yield "curves", f"Learning curves: {chosen.name} at each evaluation.{apart}", training.curves(groups, chosen, look)


def _sets(groups: Sequence[Group]) -> str:
    """Return a warning where points of several test sets share a chart."""
    count = len(comparable(groups))
    return f" The settings were measured on {count} test sets: compare only those of the same one." if count > 1 else ""
