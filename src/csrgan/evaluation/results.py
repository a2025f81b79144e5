"""Results: one row a picture and grid cell, written as csv; a summary is made from rows and from nothing else."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import numpy as np
from jaxtyping import Float
from torch import Tensor

from csrgan.degradation.operator import degrade
from csrgan.degradation.parameters import Parameters
from csrgan.degradation.prior import Prior
from csrgan.degradation.spec import DegradationSpec
from csrgan.evaluation import bound, metrics
from csrgan.evaluation.metrics import METRICS
from csrgan.files import atomic_write, table_cell
from csrgan.records import Batch, Picture, Restoration

Row = dict[str, str | float]
COLOURS = [f"{kind}_{name}" for kind in ("shift", "contrast") for name in metrics.COLOURS]
OF_RESTORED = ("consistency_restored", "consistency_predicted", "theta_error", *COLOURS)
BOUNDS = ("low90", "high90")  # of the interval that holds nine tenths of the true values
BINS = 5  # of the blur, at most
PICTURES = 5  # photographs from which on it is they that are resampled


def row(batch: Batch, restored: Restoration, prior: Prior) -> Row:
    """Scores of L and of S for a batch of one picture, the true parameters, and the predicted ones where there are any.

    prior: of the system, what it predicts.
    """
    spec = batch.spec
    found: Row = {"image": batch.names[0], "height_px": batch.sharp.shape[2], "width_px": batch.sharp.shape[3]}
    found |= _parameters(batch.parameters, restored, prior) | _bounds(batch, restored, prior, spec)
    found |= _scores(batch, restored)
    found |= metrics.channel_statistics(restored.image, batch.sharp)
    found["consistency_restored"] = consistency(restored.image, batch.low, batch.parameters, spec)
    if restored.parameters:
        within = prior.denormalise(prior.normalise(restored.parameters).clamp(0, 1))  # no operator for what was never drawn
        found["consistency_predicted"] = consistency(restored.image, batch.low, within, spec)
        found["theta_error"] = _theta_error(batch, restored, prior)
    return found | _iterations(batch, restored, prior)


def _theta_error(batch: Batch, restored: Restoration, prior: Prior) -> float:
    """Mean absolute error over the predicted parameters, each in units of its prior's range."""
    assert restored.parameters
    error = prior.normalise(restored.parameters) - prior.normalise(batch.parameters)
    return float(error.abs().mean()) if prior.predicted else math.nan


def _iterations(batch: Batch, restored: Restoration, prior: Prior) -> Row:
    """PSNR of S, and the mean error of theta^ in units of the priors' ranges, after each iteration of a system that has several."""
    found: Row = {}
    for place, step in enumerate(restored.trace, start=1):
        found[f"psnr_at_{place}"] = metrics.psnr(step.image, batch.sharp)
        if step.parameters and prior.predicted:
            found[f"theta_error_at_{place}"] = _theta_error(batch, step, prior)
    return found


def _parameters(true: Parameters, restored: Restoration, prior: Prior) -> Row:
    found: Row = {name: float(true.number(name)[0]) for name in true.names}
    mean, predicted = prior.mean(), restored.parameters
    for name in prior.predicted if predicted else ():
        assert predicted
        found[f"{name}_predicted"] = float(predicted.number(name)[0])
        found[f"{name}_prior_mean"] = float(mean.number(name)[0])
        found |= uncertainty(restored, name)
    return found


def uncertainty(restored: Restoration, name: str) -> dict[str, float]:
    """Of a predicted parameter of one picture the standard deviation and the bounds of the 90 % interval, where there are any."""
    if restored.spread is None or restored.interval is None:
        return {}
    found = {f"{name}_predicted_std": restored.spread} | {
        f"{name}_{end}": of for end, of in zip(BOUNDS, restored.interval, strict=True)
    }
    return {column: float(values.number(name)[0]) for column, values in found.items()}


def _bounds(batch: Batch, restored: Restoration, prior: Prior, spec: DegradationSpec) -> Row:
    """Of each predicted parameter that has one the least standard deviation of an estimator without a bias; at most its range. None
    has one where kernels are drawn, or where a further factor is no part of its model of L."""
    if restored.parameters is None or batch.parameters.kernel is not None or spec.factors:
        return {}
    least = bound.least_std(batch.sharp, batch.parameters, spec)
    ranges = {name: prior.ranges[name].bounds for name in prior.predicted if name in least}
    return {f"{name}_bound": min(least[name], high - low) for name, (low, high) in ranges.items()}


def _scores(batch: Batch, restored: Restoration) -> Row:
    """Every metric of L and of S; those that are found of both at once come last."""
    shown = {"low": batch.enlarged, "restored": restored.image}
    border = math.ceil(float(batch.parameters.scale[0]))
    given = {"sharp": batch.sharp, "low": shown["low"]}
    values = {name: metric.each(list(shown.values()), **given, border=border) for name, metric in METRICS.items()}
    alone = {name: each for name, each in values.items() if not METRICS[name].together}
    found: Row = {f"{name}_{which}": each[index] for index, which in enumerate(shown) for name, each in alone.items()}
    late = {name: each for name, each in values.items() if name not in alone}
    return found | {f"{name}_{which}": value for name, each in late.items() for which, value in zip(shown, each, strict=False)}


def consistency(image: Picture, low: Float[Tensor, "b 3 h2 w2"], parameters: Parameters, spec: DegradationSpec) -> float:
    """PSNR in dB of the picture, degraded with these parameters but without noise, against L. What is consistent with L reaches
    the level of the noise in L; higher means that the noise was restored too."""
    unbounded = replace(spec, max_std=None, max_scale=None)  # theta^ may lie outside the protocol
    return metrics.psnr(degrade(image, parameters, spec=unbounded), low)


def summarise(rows: Sequence[Row]) -> dict[str, float]:
    """Means over the rows: each score, and of each predicted parameter the mean absolute error (mae), that of always
    answering the prior's mean, R^2 against the mean over the rows, and the share of rows whose 90 % interval holds the truth."""
    summary: dict[str, float] = {"rows": len(rows)}
    for column in (*(f"{score}_{which}" for score in METRICS for which in ("low", "restored")), *OF_RESTORED):
        if column in rows[0]:
            summary[column] = mean(rows, column)
    summary |= {column: mean(rows, column) for column in rows[0] if "_at_" in column}
    summary["gain_db"] = summary["psnr_restored"] - summary["psnr_low"]
    summary |= _intervals(rows)
    for name in predicted_in(rows[0]):
        true = [float(r[name]) for r in rows]
        errors = [float(r[f"{name}_predicted"]) - t for r, t in zip(rows, true, strict=True)]
        constant = [float(r[f"{name}_prior_mean"]) - t for r, t in zip(rows, true, strict=True)]
        spread = sum((t - fmean(true)) ** 2 for t in true)
        summary[f"{name}_mae"] = fmean(map(abs, errors))
        summary[f"{name}_mae_prior_mean"] = fmean(map(abs, constant))
        summary[f"{name}_r2"] = 1 - sum(e * e for e in errors) / spread if spread else math.nan
        if f"{name}_{BOUNDS[0]}" in rows[0]:
            held = [float(r[f"{name}_{BOUNDS[0]}"]) <= float(r[name]) <= float(r[f"{name}_{BOUNDS[1]}"]) for r in rows]
            summary[f"{name}_coverage90"] = fmean(held)
    return summary


def predicted_in(columns: Iterable[str]) -> list[str]:
    """The parameters that rows with these columns, or their summary, say a prediction of."""
    known = list(columns)
    of_rows = [column.removesuffix("_predicted") for column in known if column.endswith("_predicted")]
    return [name for name in of_rows if name in known] or [name.removesuffix("_mae") for name in known if name.endswith("_mae")]


def _intervals(rows: Sequence[Row]) -> dict[str, float]:
    """95 % bootstrap intervals of the means of PSNR, its gain and SSIM over photographs, each with all of its rows; empty where
    there are fewer than PICTURES of them."""
    names = sorted({str(r["image"]) for r in rows})
    if len(names) < PICTURES:
        return {}
    drawn = np.random.default_rng(0).integers(len(names), size=(2000, len(names)))
    of = [[r for r in rows if r["image"] == name] for name in names]
    restored, low, ssim = (np.array([mean(each, c) for each in of]) for c in ("psnr_restored", "psnr_low", "ssim_restored"))
    found: dict[str, float] = {}
    for name, means in (("psnr_restored", restored), ("gain_db", restored - low), ("ssim_restored", ssim)):
        found[f"{name}_low95"], found[f"{name}_high95"] = map(float, np.quantile(means[drawn].mean(axis=1), (0.025, 0.975)))
    return found


def by_blur(rows: Sequence[Row]) -> list[dict[str, float]]:
    """A summary of the rows in each bin of the blur, with its bounds in px: a level of the grid each, or BINS of as many levels.
    R^2 is left out where it has no value, of a blur that is the same in all rows."""
    levels = sorted({float(r["blur_std"]) for r in rows})
    count = min(BINS, len(levels))
    result = []
    for index in range(count):
        bin_ = levels[index * len(levels) // count : (index + 1) * len(levels) // count]
        summary = summarise([r for r in rows if bin_[0] <= float(r["blur_std"]) <= bin_[-1]])
        defined = {name: value for name, value in summary.items() if math.isfinite(value) or not name.endswith("_r2")}
        result.append({"blur_std_low": bin_[0], "blur_std_high": bin_[-1], **defined})
    return result


def by_set(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """A summary for each set: the folder that the name of a picture begins with; empty where there are no two."""
    sets = sorted({str(r["image"]).rpartition("/")[0] for r in rows})
    if len(sets) < 2:
        return {}
    return {name: summarise([r for r in rows if str(r["image"]).rpartition("/")[0] == name]) for name in sets}


def write(path: Path, rows: Sequence[Row]) -> None:
    with atomic_write(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, fieldnames=list(rows[0]))
        table.writeheader()
        table.writerows(
            {name: table_cell(value) if isinstance(value, str) else value for name, value in row.items()} for row in rows
        )


def mean(rows: Sequence[Row], column: str) -> float:
    """Over the rows in which it is no nan."""
    values = [float(r[column]) for r in rows if not math.isnan(float(r[column]))]
    return fmean(values) if values else math.nan
