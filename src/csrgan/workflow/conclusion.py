"""What a run or an evaluation ends with: summary.json, and its tables on the screen."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from csrgan import files
from csrgan.console import Console
from csrgan.evaluation.results import Row, by_blur, by_set
from csrgan.files import relative
from csrgan.reports import table
from csrgan.run_folder import SUMMARY


def conclude(console: Console, summary: dict[str, float], rows: list[Row], folder: Path, units: Mapping[str, str]) -> None:
    """Write summary.json and print its tables. units: of further factors of the degradation, by their names."""
    bins, sets = by_blur(rows), by_set(rows)
    whole = summary | {"by_blur": bins} | ({"by_set": sets} if sets else {}) | ({"units": dict(units)} if units else {})
    files.write_json(folder / SUMMARY, whole)
    if lost := sum(not math.isfinite(float(row["psnr_restored"])) for row in rows):
        sentence = f"S is not finite in {lost} of {len(rows)} rows: the means are over the others"
        console.print(sentence, style="yellow", highlight=False)
    for made in (table.scores(summary), table.parameters(summary, units), table.blurs(bins), table.sets(sets)):
        if made:
            console.print(made)
    console.print(f"{relative(folder)}", highlight=False, markup=False, soft_wrap=True)
