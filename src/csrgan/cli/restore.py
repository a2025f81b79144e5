"""csrgan restore: photographs of any size, restored under their own names, with what was found to have been done to them."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.progress import track
from torch.nn.functional import interpolate

from csrgan.cli import relative
from csrgan.cli.trained import chosen
from csrgan.data import picture
from csrgan.degradation.prior import Prior
from csrgan.evaluation.results import BOUNDS, uncertainty
from csrgan.fault import Fault, check
from csrgan.records import Restoration
from csrgan.reports.table import FACTORS, UNITS

BESIDE = 0.05  # of a prior's range: a prediction this far beyond it is none of a picture within


def run(config: DictConfig) -> int:
    """Restore every picture that can be read. Exit status 1 where some could not."""
    for key in ("source", "destination"):
        check(not OmegaConf.is_missing(config, key), f"{key} is needed: give it as {key}=VALUE.")
    source, destination, factor = Path(config.source), Path(config.destination), float(config.enlarge)
    check(source.exists(), f"source={source} does not exist.")
    files, root = (picture.find(source, apart_from=destination), source) if source.is_dir() else ([source], source.parent)
    check(
        destination.resolve() != root.resolve(),
        f"destination={destination} is where the source lies: its pictures would be overwritten.",
    )
    system, _ = chosen(config, config.checkpoint)
    destination.mkdir(parents=True, exist_ok=True)
    console, errors = Console(), Console(stderr=True)
    rows: list[dict[str, str | float]] = []
    broken = 0
    system.console = console
    for place, file in enumerate(track(files, "restoring", console=console, disable=not console.is_terminal or system.per_picture)):
        if system.per_picture:
            console.print(f"{place + 1}/{len(files)}  {picture.called(file)}", highlight=False, markup=False, soft_wrap=True)
        try:
            found = picture.read(file)
            least = factor * min(found.pixels.shape[:2])
            check(least >= 1, f"{picture.called(file)} has a side that enlarge={factor:g} would make smaller than a pixel.")
        except Fault as fault:
            if not source.is_dir():
                raise
            broken += 1
            errors.print(f"csrgan restore: skipped: {fault}", style="yellow", highlight=False, markup=False, soft_wrap=True)
            continue
        low = found.tensor()[None].to(system.device)
        if factor != 1:
            low = interpolate(low, scale_factor=factor, mode="bicubic", antialias=True).clamp(0, 1)
        restored = system.restore(low)
        name = file.relative_to(root)
        picture.write(destination / name, restored.image[0].cpu(), like=found)
        told = _told(restored, system.prior.predicted)
        rows.append({"file": picture.called(name), **told})
        for line in (_said(told), *_beyond(told, system.prior)):
            if line:
                console.print(f"{picture.called(name)}: {line}", highlight=False, markup=False, soft_wrap=True)
    if rows:
        with (destination / "parameters.csv").open("w", newline="", encoding="utf-8") as table:
            writer = csv.DictWriter(table, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    console.print(f"{len(rows)} restored, {broken} skipped: {relative(destination)}", highlight=False, markup=False, soft_wrap=True)
    return 1 if broken else 0


def _told(restored: Restoration, predicted: Sequence[str]) -> dict[str, float]:
    """The predicted parameters of one picture and, where a variance is predicted, their standard deviations and 90 % intervals."""
    found: dict[str, float] = {}
    for name in predicted if restored.parameters else ():
        found[name] = float(getattr(restored.parameters, name)[0])
        found |= uncertainty(restored, name)
    return found


def _said(told: dict[str, float]) -> str:
    """theta^ in a line, with the intervals where there are any."""
    words = []
    for name, label in UNITS.items():
        if name in told:
            what, _, unit = label.partition(", ")
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
                f"{UNITS[name].partition(',')[0]} {told[name] * factor:.2f} lies outside what the model was trained on,"
                f" {least:g} to {most:g}: do not trust S or the other values."
            )
