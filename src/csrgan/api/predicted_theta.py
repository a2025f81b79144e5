"""What is said of one restored picture: theta^ with its intervals, how far S is from L, and what is not to be trusted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch

from csrgan.data.jpeg_tables import quality_in
from csrgan.degradation import axial
from csrgan.degradation.prior import Prior
from csrgan.evaluation.results import BOUNDS, uncertainty
from csrgan.records import Restoration
from csrgan.reports.table import FACTORS, label

JPEG_QUALITY = "jpeg_quality"  # the parameter that a JPEG file's own tables tell too
LEFT = 0.5  # of 255: the mean difference below which nobody sees that S is not L
TOLERANCE = 0.05  # of a prior's range: a prediction further outside is not of a picture inside it


class Estimate(NamedTuple):
    """A predicted parameter as users read it. interval: the two ends of its 90 % interval; None if no variance is predicted.
    may_be_absent: whether the interval, as it is shown, holds the value of pictures that this was not done to, and the model has
    seen such pictures. digits: that are shown behind the point. aside: what else is known of it; "" for nothing.
    """

    what: str
    value: float
    interval: tuple[float, float] | None
    unit: str
    may_be_absent: bool
    digits: int = 2
    aside: str = ""

    def shown(self, value: float) -> str:
        """Return a value with as many digits as users see of it."""
        return f"{round(value, self.digits) + 0.0:.{self.digits}f}"  # + 0.0: no -0.00

    @property
    def sentence(self) -> str:
        """The parameter with its numbers."""
        ends = f" [{', '.join(map(self.shown, self.interval))}]" if self.interval else ""
        return " ".join(filter(None, (f"{self.what} {self.shown(self.value)}{ends}", self.unit, self.aside)))


@dataclass(frozen=True)
class Findings:
    """What is said of one restored picture.

    values: theta^ and its intervals, see `theta_values`; nothing for a picture unlike those of the training. foreign: the sentence
    about such a picture, else "". witness: the JPEG quality that the file's own tables say. difference: mean of |S - L|, fraction
    of full scale; None if S has another size than L. name: of the picture; "" if it has none.
    """

    values: dict[str, float]
    prior: Prior
    foreign: str = ""
    witness: int | None = None
    difference: float | None = None
    name: str = ""

    @property
    def line(self) -> str:
        """theta^, what is not certain, and how far S is from L."""
        return "; ".join(
            filter(None, (describe_theta(self.values, self.prior, self.witness), describe_difference(self.difference)))
        )

    @property
    def warnings(self) -> Iterator[str]:
        """Yield sentences about what is not to be trusted."""
        if self.foreign:
            yield self.foreign
        yield from out_of_range(self.values, self.prior)
        yield from contradicted(self.values, self.witness)

    @property
    def lines(self) -> list[str]:
        """All that is said, under the picture's name."""
        return [f"{self.name}: {line}" if self.name else line for line in (self.line, *self.warnings) if line]


def witness_of(file: Path, prior: Prior, factor: float) -> int | None:
    """Return the JPEG quality that a file's own tables say; None if the model predicts none, or L is enlarged by a factor."""
    return quality_in(file) if JPEG_QUALITY in prior.predicted and factor == 1 else None


def theta_values(restored: Restoration, predicted: Sequence[str], picture: int = 0) -> dict[str, float]:
    """Return theta^ of one picture, by its number in the batch, and its standard deviations and 90 % intervals if there are any."""
    values: dict[str, float] = {}
    if restored.parameters is None:
        return values
    for name in predicted:
        values[name] = float(restored.parameters.number(name)[picture])
        values |= uncertainty(restored, name, picture)
    return values


def estimates(values: Mapping[str, float], prior: Prior, witness: int | None = None) -> Iterator[Estimate]:
    """Yield theta^ of `theta_values`, each parameter in the unit that tables give it. What belongs together may be absent only
    together: the two components of a shape, and the shape of a blur with the blur. What has a
    witness is there. witness: see `Findings`."""
    ends = {f"{name}_{end}" for name in values for end in ("predicted_std", *BOUNDS)}
    found = {name: _estimate(name, values, prior) for name in values if name not in ends}
    by_step: dict[str, list[bool]] = {}
    for name, estimate in found.items():
        by_step.setdefault(_step(name, prior), []).append(estimate.may_be_absent)
    absent = {step: all(members) for step, members in by_step.items()}
    if absent.get("blur_std") and axial.KERNEL in absent:
        absent[axial.KERNEL] = True  # an absent blur has no shape
    aside = "" if witness is None else f"(the file says {witness})"
    for name, estimate in found.items():
        told = aside and name == JPEG_QUALITY  # a file with a witness is a JPEG, whatever its pixels say
        yield estimate._replace(may_be_absent=absent[_step(name, prior)] and not told, aside=aside if told else "")


def _step(name: str, prior: Prior) -> str:
    """Return the name of what a parameter belongs to: `ellipticity` for each of its components, its own for another."""
    return next((key for key in (*prior.axes, axial.KERNEL) if name in axial.names(key)), name)


def _estimate(name: str, values: Mapping[str, float], prior: Prior) -> Estimate:
    """Return a parameter by itself."""
    what, _, unit = label(name, prior.units).partition(", ")
    digits, factor = 0 if name == JPEG_QUALITY else 2, FACTORS.get(name, 1.0)
    low, high = (values.get(f"{name}_{end}") for end in BOUNDS)
    if low is None or high is None:
        return Estimate(what, values[name] * factor, None, unit, may_be_absent=False, digits=digits)
    neutral, ends = _neutral(name, prior), (low * factor, high * factor)
    absent = neutral is not None and round(ends[0], digits) <= round(neutral * factor, digits) <= round(ends[1], digits)
    return Estimate(what, values[name] * factor, ends, unit, absent, digits)


def _neutral(name: str, prior: Prior) -> float | None:
    """Return the value of pictures that a step was not done to; None if the prior has no such pictures."""
    sizes = {component: size for key, (size, _) in prior.axes.items() for component in axial.names(key)}
    sizes |= dict.fromkeys(axial.names(axial.KERNEL), "blur_std")
    step = prior.ranges[sizes.get(name, name)]
    return None if not step.absent else step.neutral


def describe_theta(values: Mapping[str, float], prior: Prior, witness: int | None = None) -> str:
    """Return theta^ in one line, with its intervals if there are any. What may be absent is named without numbers."""
    found = list(estimates(values, prior, witness))
    others = [re.sub(r" (std|\(\d+°\))$", "", each.what) for each in found if each.may_be_absent]
    uncertain = f"not certain: {', '.join(dict.fromkeys(others))}" if others else ""
    return "; ".join(filter(None, [", ".join(each.sentence for each in found if not each.may_be_absent), uncertain]))


def describe_difference(difference: float | None) -> str:
    """Return how far S is from L, in grey levels of 255; "" if that is not known."""
    if difference is None:
        return ""
    return f"S differs by {255 * difference:.1f}/255" if 255 * difference >= LEFT else "left as it is"


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
