"""Results: one row a picture and grid cell, written as csv; a summary is made from rows and from nothing else."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from csrgan.degradation.parameters import NAMES
from csrgan.degradation.prior import Prior
from csrgan.evaluation import metrics
from csrgan.records import Batch, Restoration

Row = dict[str, str | float]
SCORES = ("psnr", "ssim", "psnr_y", "ssim_y")


def row(batch: Batch, restored: Restoration, prior: Prior) -> Row:
    """Scores of L and of S for a batch of one picture, the true parameters, and the predicted ones where there are any."""
    crop = math.ceil(float(batch.parameters.scale[0]))
    found: Row = {"image": batch.names[0], "height_px": batch.sharp.shape[2], "width_px": batch.sharp.shape[3]}
    mean = prior.mean()
    for name in NAMES:
        found[name] = float(getattr(batch.parameters, name)[0])
    for name in prior.predicted if restored.parameters else ():
        found[f"{name}_predicted"] = float(getattr(restored.parameters, name)[0])
        found[f"{name}_prior_mean"] = float(getattr(mean, name)[0])
        if restored.spread:
            found[f"{name}_predicted_std"] = float(getattr(restored.spread, name)[0])
    sharp_y = metrics.luma(batch.sharp, crop)
    for which, image in (("low", batch.low), ("restored", restored.image)):
        image_y = metrics.luma(image, crop)
        scores = (metrics.psnr(image, batch.sharp), metrics.ssim(image, batch.sharp))
        scores_y = (metrics.psnr(image_y, sharp_y), metrics.ssim(image_y, sharp_y)) if sharp_y.numel() else (math.nan, math.nan)
        found |= {f"{score}_{which}": value for score, value in zip(SCORES, scores + scores_y, strict=True)}
    return found


def summarise(rows: Sequence[Row]) -> dict[str, float]:
    """Means over the rows: each score, and of each predicted parameter the mean absolute error (mae), that of always
    answering the prior's mean, and R^2 against the mean over the rows."""
    summary: dict[str, float] = {"rows": len(rows)}
    for score in SCORES:
        for which in ("low", "restored"):
            summary[f"{score}_{which}"] = _mean(rows, f"{score}_{which}")
    summary["gain_db"] = summary["psnr_restored"] - summary["psnr_low"]
    for name in NAMES:
        if f"{name}_predicted" not in rows[0]:
            continue
        true = [float(r[name]) for r in rows]
        errors = [float(r[f"{name}_predicted"]) - t for r, t in zip(rows, true, strict=True)]
        constant = [float(r[f"{name}_prior_mean"]) - t for r, t in zip(rows, true, strict=True)]
        spread = sum((t - fmean(true)) ** 2 for t in true)
        summary[f"{name}_mae"] = fmean(map(abs, errors))
        summary[f"{name}_mae_prior_mean"] = fmean(map(abs, constant))
        summary[f"{name}_r2"] = 1 - sum(e * e for e in errors) / spread if spread else math.nan
    return summary


def write(path: Path, rows: Sequence[Row]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, fieldnames=list(rows[0]))
        table.writeheader()
        table.writerows(rows)


def _mean(rows: Sequence[Row], column: str) -> float:
    values = [float(r[column]) for r in rows if not math.isnan(float(r[column]))]
    return fmean(values) if values else math.nan
