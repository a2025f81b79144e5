"""Results: one row a picture and grid cell, written as csv. A summary is computed from rows only."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from jaxtyping import Float
from torch import Tensor

from csrgan.degradation.operator import degrade
from csrgan.degradation.parameters import NAMES, Parameters
from csrgan.degradation.prior import Prior
from csrgan.degradation.spec import DegradationSpec
from csrgan.errors import UserError
from csrgan.evaluation import bound, conventions, metrics
from csrgan.evaluation.metrics import METRICS
from csrgan.files import atomic_write, table_cell
from csrgan.records import Batch, Picture, Restoration

Row = dict[str, str | float]
COLOURS = [f"{kind}_{name}" for kind in ("shift", "contrast") for name in metrics.COLOURS]
OF_RESTORED = ("consistency_restored", "consistency_predicted", "theta_error", *COLOURS)
BOUNDS = ("low90", "high90")  # suffixes of the bounds of the 90 % interval
NOTHING = 0.02  # of a parameter's value: what is smaller is no variation, and no error
BINS = 5  # bins of the blur, at most
LARGE_ENOUGH = 256  # px: no metric finds a picture with such sides too small
PICTURES = 5  # with at least as many photographs, a bootstrap resamples photographs


def row(batch: Batch, restored: Restoration, prior: Prior) -> Row:
    """Score L and S of a batch of one picture; return the scores with theta and, if predicted, theta^.

    prior: of the system, which defines what it predicts. What needs a theta that is unknown is nan, as that theta is.
    """
    spec, restored, true = batch.spec, conventions.scored(restored, batch.convention), prior.completed(batch.parameters)
    result: Row = {"image": batch.names[0], "height_px": batch.sharp.shape[2], "width_px": batch.sharp.shape[3]}
    result |= _parameters(batch.parameters.names, true, restored, prior) | _bounds(batch, restored, prior, spec)
    result |= _scores(batch, restored)
    result |= metrics.channel_statistics(restored.image, batch.sharp)
    known = batch.parameters.knows()
    result["consistency_restored"] = consistency(restored.image, batch.low, batch.parameters, spec) if known else math.nan
    if restored.parameters:
        within = prior.denormalise(prior.normalise(restored.parameters).clamp(0, 1))  # the operator needs values that can be drawn
        result["consistency_predicted"] = consistency(restored.image, batch.low, within, spec)
        result["theta_error"] = _theta_error(batch, restored, prior)
    return result | _iterations(batch, restored, prior)


def _theta_error(batch: Batch, restored: Restoration, prior: Prior) -> float:
    """Return the mean absolute error over the predicted parameters that are known, each as a share of its range in the protocol of
    L, or in that of the training where the protocol does not vary it."""
    assert restored.parameters
    prior = prior.measured_by(batch.prior) if batch.prior else prior
    true = prior.completed(batch.parameters)
    error = prior.normalise(restored.parameters) - prior.normalise(true)
    if not true.knows(*prior.predicted):
        error = error[error.isfinite()]
    return float(error.abs().mean()) if prior.predicted and error.numel() else math.nan


def _iterations(batch: Batch, restored: Restoration, prior: Prior) -> Row:
    """Return the PSNR of S and the error of theta^ (see `_theta_error`) after each iteration of a system that has several."""
    result: Row = {}
    for number, step in enumerate(restored.trace, start=1):
        result[f"psnr_at_{number}"] = metrics.psnr(step.image, batch.sharp)
        if step.parameters and prior.predicted:
            result[f"theta_error_at_{number}"] = _theta_error(batch, step, prior)
    return result


def _parameters(names: Sequence[str], true: Parameters, restored: Restoration, prior: Prior) -> Row:
    """Return theta and theta^. names: of the protocol of L, beside which theta has what the network predicts."""
    mean, predicted = prior.mean(), restored.parameters
    result: Row = {name: float(true.number(name)[0]) for name in (*names, *(prior.predicted if predicted else ()))}
    for name in prior.predicted if predicted else ():
        assert predicted
        result[f"{name}_predicted"] = float(predicted.number(name)[0])
        result[f"{name}_prior_mean"] = float(mean.number(name)[0])
        result |= uncertainty(restored, name)
    return result


def uncertainty(restored: Restoration, name: str, picture: int = 0) -> dict[str, float]:
    """Return the standard deviation and the 90 % interval of a predicted parameter of one picture, by its number in the batch;
    empty if there are none."""
    if restored.spread is None or restored.interval is None:
        return {}
    columns = {f"{name}_predicted_std": restored.spread} | {
        f"{name}_{end}": bounds for end, bounds in zip(BOUNDS, restored.interval, strict=True)
    }
    return {column: float(values.number(name)[picture]) for column, values in columns.items()}


def _bounds(batch: Batch, restored: Restoration, prior: Prior, spec: DegradationSpec) -> Row:
    """Return the Cramer-Rao bound (`bound.least_std`) of each predicted parameter that has one, cut off at the width of its range.
    There is none if kernels are drawn or the degradation has further factors, which the bound does not model."""
    if restored.parameters is None or batch.parameters.kernel is not None or spec.factors:
        return {}
    known = batch.parameters.knows()
    least = bound.least_std(batch.sharp, batch.parameters, spec) if known else dict.fromkeys(bound.NAMES, math.nan)
    ranges = {name: prior.ranges[name].bounds for name in prior.predicted if name in least}
    return {f"{name}_bound": min(least[name], high - low) if known else math.nan for name, (low, high) in ranges.items()}


def _evidence(batch: Batch) -> dict[str, Any]:
    """Return what metrics may ask for besides the picture."""
    low = conventions.picture(batch.enlarged, batch.convention)
    # Without a known scale, L is as large as H, as at scale 1.
    border = math.ceil(float(batch.parameters.scale[0])) if batch.parameters.knows("scale") else 1
    return {"sharp": batch.sharp, "low": low, "border": border, "luma_bits": conventions.LUMA_BITS[batch.convention]}


def try_metrics(batch: Batch, names: Iterable[str]) -> None:
    """Score L of a batch of one picture by these metrics, so that what is wrong with one is told before much is computed.

    Raises UserError for one that is nan for L, for H, and for the mean of both, also where these are repeated until no metric can
    find them too small: it would be nan for every picture.
    """
    evidence = _evidence(batch)
    for name in sorted(names):
        first = METRICS[name].each([evidence["low"]], **evidence)
        if first and math.isnan(first[0]) and _always_nan(METRICS[name], evidence):
            raise UserError(
                f"metric.{name} gives nan (not a number) for L and for H of the first picture, {batch.names[0]}: look in its"
                " function for a division by 0, and for a root or logarithm of 0 or less, or leave it out with used: false in its"
                " yaml file."
            )


def _always_nan(metric: metrics.Metric, evidence: dict[str, Any]) -> bool:
    low, sharp = evidence["low"], evidence["sharp"]
    times = [math.ceil(LARGE_ENOUGH / side) for side in sharp.shape[2:]]
    for repeats in ((1, 1, 1, 1), (1, 1, *times)):
        large, larger = sharp.repeat(repeats), low.repeat(repeats)
        scores = metric.each([larger, large, (large + larger) / 2], **evidence | {"sharp": large, "low": larger})
        if not all(map(math.isnan, scores)):
            return False
    return True


def _scores(batch: Batch, restored: Restoration) -> Row:
    """Return every metric of L and of S; metrics that score both at once come last."""
    arguments = _evidence(batch)
    images = {"low": arguments["low"], "restored": restored.image}
    values = {name: METRICS[name].each(list(images.values()), **arguments) for name in metrics.computed(batch.metrics)}
    single = {name: scores for name, scores in values.items() if not METRICS[name].together}
    result: Row = {f"{name}_{which}": scores[index] for index, which in enumerate(images) for name, scores in single.items()}
    joint = {name: scores for name, scores in values.items() if name not in single}
    return result | {
        f"{name}_{which}": score for name, scores in joint.items() for which, score in zip(images, scores, strict=False)
    }


def consistency(image: Picture, low: Float[Tensor, "b 3 h2 w2"], parameters: Parameters, spec: DegradationSpec) -> float:
    """Return the PSNR in dB against L of the picture degraded with these parameters, without noise. A picture consistent with L
    reaches the noise level of L; higher means that S reproduces the noise too. nan if L has a factor that the parameters do not
    tell, as those of a network that was trained without it."""
    if not {number for name, factor in spec.factors for number in factor.names(name)} <= set(parameters.names):
        return math.nan
    return metrics.psnr(degrade(image, parameters, spec=spec.unbounded()), low)  # theta^ may lie outside the protocol


def summarise(rows: Sequence[Row]) -> dict[str, float]:
    """Return means over the rows: each score and, for each predicted parameter, the mean absolute error (mae), that of always
    answering the prior's mean, the share of the one in the other, R^2 against the mean over the rows, and the share of rows whose
    90 % interval holds the truth.

    Rows whose truth is unknown do not count, and what no row tells is left out."""
    summary: dict[str, float] = {"rows": len(rows)}
    scores = [f"{score}_{which}" for score in METRICS for which in ("low", "restored")]
    of_all = *(column for column in (*scores, *OF_RESTORED) if column in rows[0]), *(name for name in rows[0] if "_at_" in name)
    summary |= {column: mean(rows, column) for column in of_all if not all(blank(row, column) for row in rows)}
    for score in METRICS:  # all pictures may be too small for a metric
        pair = [column for column in (f"{score}_low", f"{score}_restored") if column in summary]
        if all(math.isnan(summary[column]) for column in pair):
            summary = {name: value for name, value in summary.items() if name not in pair}
    summary["gain_db"] = summary["psnr_restored"] - summary["psnr_low"]
    summary |= _intervals(rows)
    for name in predicted_in(rows[0]):
        summary |= _errors(name, [row for row in rows if not math.isnan(float(row[name]))])
    return summary


def _errors(name: str, rows: Sequence[Row]) -> dict[str, float]:
    """Return how far theta^ of one parameter is from the truth, over rows that know it; empty without rows.

    R^2 and the share of the prior's error are nan where they would divide by next to nothing: if the truth hardly varies, and for
    the share, if the prior's mean is right besides. What rounding to whole pixels changes in a fixed scale counts as nothing.
    """
    if not rows:
        return {}
    true = [float(r[name]) for r in rows]
    errors = [float(r[f"{name}_predicted"]) - t for r, t in zip(rows, true, strict=True)]
    constant = [float(r[f"{name}_prior_mean"]) - t for r, t in zip(rows, true, strict=True)]
    spread, squares = sum((t - fmean(true)) ** 2 for t in true), sum(e * e for e in errors)
    varies = max(true) - min(true) > NOTHING * max(map(abs, true)) and spread > NOTHING**2 * squares
    mine, prior = fmean(map(abs, errors)), fmean(map(abs, constant))
    has_share = varies or prior > NOTHING * max(map(abs, true))
    summary = {f"{name}_mae": mine, f"{name}_mae_prior_mean": prior}
    summary[f"{name}_mae_share"] = mine / prior if has_share and prior else math.nan
    summary[f"{name}_r2"] = 1 - squares / spread if varies else math.nan
    if f"{name}_{BOUNDS[0]}" in rows[0]:
        inside = [float(r[f"{name}_{BOUNDS[0]}"]) <= float(r[name]) <= float(r[f"{name}_{BOUNDS[1]}"]) for r in rows]
        summary[f"{name}_coverage90"] = fmean(inside)
    return summary


def predicted_in(columns: Iterable[str]) -> list[str]:
    """Return the parameters that rows with these columns, or a summary with these keys, have a prediction of."""
    names = list(columns)
    of_rows = [name.removesuffix("_predicted") for name in names if name.endswith("_predicted")]
    return [name for name in of_rows if name in names] or [name.removesuffix("_mae") for name in names if name.endswith("_mae")]


def blank(row: Row, column: str) -> bool:
    """Return whether a cell has no value because the picture's degradation is unknown."""
    if not (isinstance(value := row[column], float) and math.isnan(value)):
        return False
    of_theta = column in (*NAMES, "consistency_restored") or column.startswith("theta_error") or column.endswith("_bound")
    return (of_theta or f"{column}_predicted" in row) and any(math.isnan(float(row.get(name, 0))) for name in NAMES)


def _intervals(rows: Sequence[Row]) -> dict[str, float]:
    """Return 95 % bootstrap intervals of the means of PSNR, gain and SSIM; resampling takes photographs with all of their rows.
    Empty with fewer than PICTURES photographs."""
    names = sorted({str(r["image"]) for r in rows})
    if len(names) < PICTURES:
        return {}
    drawn = np.random.default_rng(0).integers(len(names), size=(2000, len(names)))
    by_image = [[r for r in rows if r["image"] == name] for name in names]
    restored, low, ssim = (np.array([mean(own, c) for own in by_image]) for c in ("psnr_restored", "psnr_low", "ssim_restored"))
    result: dict[str, float] = {}
    for name, means in (("psnr_restored", restored), ("gain_db", restored - low), ("ssim_restored", ssim)):
        result[f"{name}_low95"], result[f"{name}_high95"] = map(float, np.quantile(means[drawn].mean(axis=1), (0.025, 0.975)))
    return result


def by_blur(rows: Sequence[Row]) -> list[dict[str, float]]:
    """Return a summary of the rows in each bin of the blur, with the bin's bounds in px: one bin a level of the grid, but at most
    BINS bins of about as many levels each. R^2 is left out if it is undefined, as for a blur that is the same in all rows."""
    rows = [row for row in rows if not math.isnan(float(row["blur_std"]))]
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
    """Return a summary for each set, the folder in a picture's name; empty with fewer than two sets."""
    sets = sorted({str(r["image"]).rpartition("/")[0] for r in rows})
    if len(sets) < 2:
        return {}
    return {name: summarise([r for r in rows if str(r["image"]).rpartition("/")[0] == name]) for name in sets}


def write(path: Path, rows: Sequence[Row]) -> None:
    """Write rows as csv; a cell is empty where the degradation is unknown or the picture too small for a score."""
    with atomic_write(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, fieldnames=list(dict.fromkeys(name for row in rows for name in row)))
        table.writeheader()
        table.writerows({name: _cell(row, name) for name in row} for row in rows)


def _cell(row: Row, column: str) -> str | float:
    value = row[column]
    return table_cell(value) if isinstance(value, str) else "" if math.isnan(value) else value


def mean(rows: Sequence[Row], column: str) -> float:
    """Return the mean of a column over the rows where it is not nan; nan if there are none."""
    values = [float(r[column]) for r in rows if not math.isnan(float(r[column]))]
    return fmean(values) if values else math.nan
