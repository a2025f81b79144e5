"""csrgan restore: photographs of any size, restored under their own names, with what was found to have been done to them."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig

from csrgan.api.model import enlarged, unlike
from csrgan.api.restoration import finite
from csrgan.data import picture
from csrgan.data.picture import Picture
from csrgan.degradation.prior import Prior
from csrgan.errors import require
from csrgan.evaluation.results import BOUNDS, uncertainty
from csrgan.files import relative, table_cell
from csrgan.picture_folders.leave import leaving
from csrgan.picture_folders.ledger import Ledger
from csrgan.picture_folders.places import Places
from csrgan.picture_folders.series import Made, Series, Unit, targets
from csrgan.records import Restoration
from csrgan.reports.table import FACTORS, label
from csrgan.training.evaluated import Evaluated
from csrgan.training.system import System
from csrgan.workflow.trained import chosen

BESIDE = 0.05  # of a prior's range: a prediction this far beyond it is none of a picture within
LONGEST = {".jpg": 65500, ".jpeg": 65500, ".webp": 16383}  # px a side that the encoders take


def run(config: DictConfig) -> int:
    """Restore every picture that can be read. Exit status 1 where some could not."""
    with leaving() as leave:
        places, factor = Places.given(config), float(config.enlarge)
        ledger = Ledger(places.destination, overwrite=config.overwrite)
        units = [Unit(file, ((str(file.relative_to(places.root)),),)) for file in places.files]
        places.examine(targets(units), ledger)
        require(not ledger.sets, f"destination={places.destination} holds a set that csrgan degrade made: choose another folder.")
        system, settings = chosen(config, config.checkpoint)
        restorer = system.restorer
        helps = (
            "a smaller picture or a lower enlarge" if config.device == "cpu" else "a smaller picture, a lower enlarge or device=cpu"
        )
        series = Series(places, ledger, units, identity(system, settings, factor), "restoring", "restored", helps)
        restorer.console = series.console
        for sentence in unlike(restorer, factor):
            series.errors.print(sentence, style="yellow", highlight=False, markup=False, soft_wrap=True)
        with ledger.opened(), series.room():
            series.go(_Restorer(system, factor, series), leave, bar=not restorer.per_picture, whole=True)
    told = f"{len(series.done)} restored, {series.broken} skipped: {relative(places.destination)}"
    series.say(told)
    return 1 if series.broken else 0


class _Restorer:
    """Makes S of a picture. factor: of the enlargement before the network."""

    def __init__(self, system: Evaluated, factor: float, series: Series) -> None:
        self.system, self.factor, self.series = system, factor, series

    def __call__(self, unit: Unit, found: Picture, done: Collection[str]) -> Iterator[Made]:
        ((name,),) = unit.results
        told = picture.called(Path(name))
        if self.system.restorer.per_picture:
            self.series.say(f"{self.series.units.index(unit) + 1}/{len(self.series.units)}  {told}")
        self._examine(unit.file, found)
        restored = self.system.restorer.restore(enlarged(found.tensor()[None].to(self.system.device), self.factor))
        parameters = _told(restored, self.system.restorer.prior.predicted)
        require(finite(restored), f"{told}: what the network makes of it is not finite, and no picture.")
        part = self.series.ledger.place / f"part{unit.file.suffix}"
        picture.write(part, restored.image[0].cpu(), like=found)
        yield Made({name: part}, {"file": table_cell(told), **parameters})
        for line in (_said(parameters, self.system.restorer.prior.units), *_beyond(parameters, self.system.restorer.prior)):
            if line:
                self.series.say(f"{told}: {line}")

    def _examine(self, file: Path, found: Picture) -> None:
        """Raise UserError for a picture whose S no file could hold, before minutes are spent on it."""
        sides = found.pixels.shape[:2]
        name, least = picture.called(file), self.factor * min(sides)
        require(least >= 1, f"{name} has a side that enlarge={self.factor:g} would make smaller than a pixel.")
        longest, most = int(self.factor * max(sides)) * self.system.restorer.enlarge, LONGEST.get(file.suffix.lower(), math.inf)
        require(
            longest <= most,
            f"{name} would be {longest} px long, and a {file.suffix} file takes {most}: lower enlarge, or give it as PNG.",
        )


def identity(system: Evaluated, settings: Mapping[str, Any], factor: float) -> str:
    """A digest of what a restored picture depends on, beside the picture: weights, settings and enlargement, and no device."""
    found = hashlib.sha256()
    for each in filter(None, (system.restorer, system.restorer.parameter_source)):
        described = [each.kind.name, system.recipe.get("system"), each.calibrated(), each.oracle]
        found.update(json.dumps(described, sort_keys=True, default=str).encode())
        for name, weight in each.weights().items():
            found.update(name.encode())
            found.update(weight.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    own = [settings.get(key) for key in ("system", "degradation", "seed")] if not isinstance(system, System) else []
    found.update(json.dumps([own, factor], sort_keys=True, default=str).encode())
    return found.hexdigest()


def _told(restored: Restoration, predicted: Sequence[str]) -> dict[str, float]:
    """The predicted parameters of one picture and, where a variance is predicted, their standard deviations and 90 % intervals."""
    found: dict[str, float] = {}
    if restored.parameters is None:
        return found
    for name in predicted:
        found[name] = float(restored.parameters.number(name)[0])
        found |= uncertainty(restored, name)
    return found


def _said(told: dict[str, float], units: Mapping[str, str]) -> str:
    """theta^ in a line, with the intervals where there are any. units: of further factors, by their names."""
    words = []
    ends = {f"{name}_{end}" for name in told for end in ("predicted_std", *BOUNDS)}
    for name in (name for name in told if name not in ends):
        what, _, unit = label(name, units).partition(", ")
        values = [told[key] * FACTORS.get(name, 1.0) for key in (name, *(f"{name}_{end}" for end in BOUNDS)) if key in told]
        within = f" [{values[1]:.2f}, {values[2]:.2f}]" if len(values) > 1 else ""
        words.append(f"{what} {values[0]:.2f}{within}{unit and f' {unit}'}")
    return ", ".join(words)


def _beyond(told: dict[str, float], prior: Prior) -> Iterator[str]:
    """A sentence for each parameter that lies outside what the model was trained on."""
    for name in prior.predicted:
        here = prior.ranges[name]
        place = float(here.normalise(torch.tensor(told[name]))) if name in told else 0.5
        if not -BESIDE <= place <= 1 + BESIDE:
            factor = FACTORS.get(name, 1.0)
            least, most = (bound * factor for bound in here.bounds)
            yield (
                f"{label(name).partition(',')[0]} {told[name] * factor:.2f} lies outside what the model was trained on,"
                f" {least:g} to {most:g}: do not trust S or the other values."
            )
