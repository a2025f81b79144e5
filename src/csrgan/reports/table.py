"""The tables at the end of a run, from its summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table

UNITS = {"blur_std": "blur std, px", "scale": "scale", "noise_std": "noise std, /255"}
FACTORS = {"noise_std": 255.0}
SCORES = {  # what it is called, and its digits
    "psnr": ("PSNR, RGB, dB", 2),
    "ssim": ("SSIM, RGB", 4),
    "psnr_y": ("PSNR, Y, border cut, dB", 2),
    "ssim_y": ("SSIM, Y, border cut", 4),
    "perceptual": ("perceptual distance (0 best)", 4),
    "ciede2000": ("colour error, CIEDE2000 (0 best)", 2),
    "hf_ratio": ("high-frequency energy (1 best)", 2),
}


def scores(summary: Mapping[str, float]) -> Table:
    """The scores of L and of S."""
    table = Table(title=f"Quality over {summary['rows']:.0f} pictures and degradations", title_justify="left")
    for heading in ("", "L (input)", "S (restored)", "gain"):
        table.add_column(heading, justify="left" if not heading else "right")
    for score, (label, digits) in SCORES.items():
        if f"{score}_low" in summary:
            low, restored = summary[f"{score}_low"], summary[f"{score}_restored"]
            table.add_row(label, f"{low:.{digits}f}", f"{restored:.{digits}f}", f"{restored - low:+.{digits}f}")
    return table


def parameters(summary: Mapping[str, float]) -> Table | None:
    """Mean absolute error of each predicted parameter, beside that of always answering the prior's mean."""
    table = Table(title="Error of the predicted degradation (mean absolute)", title_justify="left")
    for heading in ("", "predicted", "prior's mean", "ratio", "R2"):
        table.add_column(heading, justify="left" if not heading else "right")
    for name, label in UNITS.items():
        if f"{name}_mae" in summary:
            factor = FACTORS.get(name, 1.0)
            mine, constant = summary[f"{name}_mae"], summary[f"{name}_mae_prior_mean"]
            errors = (f"{mine * factor:.3f}", f"{constant * factor:.3f}", _share(mine, constant))
            table.add_row(label, *errors, f"{summary[f'{name}_r2']:.2f}")
    return table if table.row_count else None


def blurs(bins: Sequence[Mapping[str, float]]) -> Table | None:
    """Gain, and the error of each predicted parameter as a share of the prior mean's, over the blur; None for a single bin."""
    names = [name for name in UNITS if bins and f"{name}_mae" in bins[0]]
    table = Table(title="Over the blur, with errors as shares of the prior mean's", title_justify="left")
    for heading in ("blur std, px", "PSNR of L", "gain, dB", *(f"error, {name.removesuffix('_std')}" for name in names)):
        table.add_column(heading, justify="right")
    for found in bins:
        low, high = found["blur_std_low"], found["blur_std_high"]
        errors = [_share(found[f"{name}_mae"], found[f"{name}_mae_prior_mean"]) for name in names]
        bounds = f"{low:.2f}" if low == high else f"{low:.2f}-{high:.2f}"
        table.add_row(bounds, f"{found['psnr_low']:.2f}", f"{found['gain_db']:+.2f}", *errors)
    return table if table.row_count > 1 else None


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.0%}" if whole else "-"
