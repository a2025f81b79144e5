"""theta^ of one picture in words: numbers with their units, 90 % intervals, and sentences where it is not to be trusted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import torch

from csrgan.degradation import axial
from csrgan.degradation.prior import Prior
from csrgan.evaluation.results import BOUNDS, uncertainty
from csrgan.records import Restoration
from csrgan.reports.table import FACTORS, label

JPEG_QUALITY = "jpeg_quality"  # the parameter that a JPEG file's own tables tell too
TOLERANCE = 0.05  # of a prior's range: a prediction further outside is not of a picture inside it


class Estimate(NamedTuple):
    """A predicted parameter as users read it. interval: the two ends of its 90 % interval; None if no variance is predicted.
    may_be_absent: whether the interval holds the value of pictures that this was not done to, and the model has seen such pictures.
    """

    what: str
    value: float
    interval: tuple[float, float] | None
    unit: str
    may_be_absent: bool


def theta_values(restored: Restoration, predicted: Sequence[str]) -> dict[str, float]:
    """Return theta^ of one picture and, if a variance is predicted, its standard deviations and 90 % intervals."""
    values: dict[str, float] = {}
    if restored.parameters is None:
        return values
    for name in predicted:
        values[name] = float(restored.parameters.number(name)[0])
        values |= uncertainty(restored, name)
    return values


def estimates(values: Mapping[str, float], prior: Prior) -> Iterator[Estimate]:
    """Yield theta^ of `theta_values`, each parameter in the unit that tables give it."""
    ends = {f"{name}_{end}" for name in values for end in ("predicted_std", *BOUNDS)}
    for name in (name for name in values if name not in ends):
        what, _, unit = label(name, prior.units).partition(", ")
        factor = FACTORS.get(name, 1.0)
        low, high = (values.get(f"{name}_{end}") for end in BOUNDS)
        if low is None or high is None:
            yield Estimate(what, values[name] * factor, None, unit, may_be_absent=False)
            continue
        neutral = _neutral(name, prior)
        yield Estimate(
            what, values[name] * factor, (low * factor, high * factor), unit, neutral is not None and low <= neutral <= high
        )


def _neutral(name: str, prior: Prior) -> float | None:
    """Return the value of pictures that a step was not done to; None if the prior has no such pictures."""
    sizes = {component: size for key, (size, _) in prior.axes.items() for component in axial.names(key)}
    sizes |= dict.fromkeys(axial.names(axial.KERNEL), "blur_std")  # an absent blur has no shape
    step = prior.ranges[sizes.get(name, name)]
    return None if not step.absent else step.neutral


def describe_theta(values: Mapping[str, float], prior: Prior) -> str:
    """Return theta^ in one line, with its intervals if there are any. What may be absent is named without numbers."""
    certain, others = [], []
    for what, value, interval, unit, may_be_absent in estimates(values, prior):
        ends = f" [{interval[0]:.2f}, {interval[1]:.2f}]" if interval else ""
        if may_be_absent:
            others.append(re.sub(r" (std|0|45)$", "", what))
        else:
            certain.append(f"{what} {value:.2f}{ends}{unit and f' {unit}'}")
    uncertain = f"not certain: {', '.join(dict.fromkeys(others))}" if others else ""
    return "; ".join(filter(None, [", ".join(certain), uncertain]))


def out_of_range(values: dict[str, float], prior: Prior) -> Iterator[str]:
    """Yield a sentence for each parameter that lies outside the range that the model was trained on."""
    for name in prior.predicted:
        trained = prior.ranges[name]
        position = float(trained.normalise(torch.tensor(values[name]))) if name in values else 0.5
        if not -TOLERANCE <= position <= 1 + TOLERANCE:
            what, _, unit = label(name, prior.units).partition(", ")
            factor, unit = FACTORS.get(name, 1.0), unit and f" {unit}"
            low, high = (f"{bound * factor:.4g}" for bound in trained.bounds)
            yield (
                f"{what} {values[name] * factor:.2f}{unit} lies outside the range that the model was trained on, {low} to"
                f" {high}{unit}: do not trust S or the other values."
            )


def contradicted(values: dict[str, float], witness: int | None) -> Iterator[str]:
    """Yield a sentence if the tables of a JPEG file say another quality than its pixels. witness: what the tables say."""
    low, high = (values.get(f"{JPEG_QUALITY}_{end}") for end in BOUNDS)
    if witness is None or low is None or high is None or low - 3 <= witness <= high + 3:
        return
    earlier = "it was compressed before, more strongly" if witness > high else "its pixels do not show it"
    read = f"{values[JPEG_QUALITY]:.0f} [{low:.0f}, {high:.0f}]"
    yield f"its own tables say JPEG quality {witness}, but it looks like {read}: {earlier}."
