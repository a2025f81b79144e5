"""The end of a run or an evaluation: summary.json, and its tables on the screen."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from csrgan import files
from csrgan.console import Console
from csrgan.evaluation.comparison import COLLAPSED
from csrgan.evaluation.results import Row, by_blur, by_set
from csrgan.files import relative
from csrgan.reports import table
from csrgan.reports.table import NO_UNITS
from csrgan.run_folder import SUMMARY


def conclude(
    console: Console, summary: dict[str, float], rows: list[Row], folder: Path, units: Mapping[str, str] = NO_UNITS
) -> None:
    """Write summary.json, print its tables and name the folder. units: of further factors of the degradation, by their names."""
    bins, sets = by_blur(rows), by_set(rows)
    content = summary | {"by_blur": bins} | ({"by_set": sets} if sets else {}) | ({"units": dict(units)} if units else {})
    files.write_json(folder / SUMMARY, content)
    if nonfinite := sum(not math.isfinite(float(row["psnr_restored"])) for row in rows):
        sentence = f"S is not finite in {nonfinite} of {len(rows)} rows; the means leave those out"
        console.print(sentence, style="yellow", highlight=False)
    for part in (table.scores(summary), table.parameters(summary, units), table.blurs(bins), table.sets(sets)):
        if part:
            console.print(part)
    if (gain := summary.get("gain_db", 0.0)) < COLLAPSED:
        sentence = f"S is {-gain:.1f} dB worse than L: in a training, look for a loss with the wrong sign or too much weight"
        console.print(sentence, style="yellow", highlight=False, soft_wrap=True)
    console.print(f"{relative(folder)}", highlight=False, markup=False, soft_wrap=True)
