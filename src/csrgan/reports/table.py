"""The table at the end of a run, from its summary."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table

UNITS = {"blur_std": "blur std, px", "scale": "scale", "noise_std": "noise std, /255"}
FACTORS = {"noise_std": 255.0}


def scores(summary: Mapping[str, float]) -> Table:
    """PSNR and SSIM of L and of S, in both conventions."""
    table = Table(title=f"Quality over {summary['rows']:.0f} pictures and degradations", title_justify="left")
    for heading in ("", "L (input)", "S (restored)", "gain"):
        table.add_column(heading, justify="left" if not heading else "right")
    for score, label, digits in (
        ("psnr", "PSNR, RGB, dB", 2),
        ("ssim", "SSIM, RGB", 4),
        ("psnr_y", "PSNR, Y, border cut, dB", 2),
        ("ssim_y", "SSIM, Y, border cut", 4),
    ):
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
            ratio = f"{mine / constant:.0%}" if constant else "-"
            table.add_row(label, f"{mine * factor:.3f}", f"{constant * factor:.3f}", ratio, f"{summary[f'{name}_r2']:.2f}")
    return table if table.row_count else None
