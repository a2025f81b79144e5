"""The tables that a run prints, and the names and units of parameters."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from rich.markup import escape
from rich.table import Table

from csrgan.degradation.parameters import NAMES
from csrgan.evaluation.metrics import METRICS
from csrgan.evaluation.results import predicted_in
from csrgan.training.network_updater import UNWEIGHTED
from csrgan.training.sanity_check import SanityCheck, Term

UNITS = {"blur_std": "blur std, px", "scale": "scale", "noise_std": "noise std, /255"}
NO_UNITS: Mapping[str, str] = MappingProxyType({})  # of further factors of the degradation: there are none
UNKNOWN = "-"  # in a cell without a value
FACTORS = {"noise_std": 255.0}
COMPONENT = re.compile("_(0|45)$")


def label(name: str, units: Mapping[str, str] = NO_UNITS) -> str:
    """Return what tables and charts call a parameter, such as "blur std, px".

    A further factor goes by its own name, and a component of a size and an angle by its angle, as "motion (45°), px", see `axial`.
    units: of further factors, by their names.
    """
    return UNITS.get(name) or ", ".join(filter(None, (COMPONENT.sub(r" (\1°)", name).replace("_", " "), units.get(name, ""))))


NOTHING = 1e-6  # a parameter's number that is smaller is 0, apart from the rounding of its arithmetic


def quantities(values: Mapping[str, float], units: Mapping[str, str]) -> str:
    """Return the known parameters of one picture in a line: blur, scale and noise, then further factors, each with its unit."""
    blur, scale, noise = (values[name] for name in NAMES)
    parts = {"blur_std": f"blur {blur:.2f} px", "scale": f"scale {scale:.2f}", "noise_std": f"noise {255 * noise:.1f}/255"}
    for name in (name for name in values if name not in NAMES):
        what, _, unit = label(name, units).partition(", ")
        value = 0.0 if abs(values[name]) < NOTHING else values[name]
        parts[name] = f"{what} {short(value, 2)} {unit}".rstrip()
    return ", ".join(part for name, part in parts.items() if not math.isnan(values[name])) or "unknown"


def short(value: float, digits: int) -> str:
    """Return a number with so many digits behind the point, or with two digits that count if it is too small for that."""
    return f"{value:.{digits}f}" if abs(value) >= 10.0 ** (1 - digits) or value == 0 else f"{value:.2g}"


def markdown(table: Table) -> str:
    """Return a table as Markdown, its caption below it."""
    lines = [[str(column.header) for column in table.columns], ["---"] * len(table.columns)]
    lines += [list(map(str, cells)) for cells in zip(*(column.cells for column in table.columns), strict=True)]
    rows = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"{rows}\n\n{table.caption}." if table.caption else rows


def sanity_check(check: SanityCheck, batch: str) -> Table:
    """Return the results of the first batch in one table. batch: its description."""
    table = Table(title=f"First batch, {batch}", title_justify="left", caption=_needs(check), caption_justify="left")
    for heading in ("", "enters at", "value", "reaches"):
        table.add_column(heading, justify="left" if heading in ("", "reaches") else "right")
    for term in check.terms:
        enters = "later" if term.start is None else f"{term.start} images"
        table.add_row(f"{term.network}/{term.name}", enters, f"{term.value:.3g}", _reached(term))
    table.add_section()
    for name, (shape, least, greatest) in check.shown.items():
        table.add_row(name, "", f"{least:.3g} .. {greatest:.3g}", shape)
    return table


def losses(recorded: Mapping[str, float]) -> Table | None:
    """Return each loss without and with its weight, from the values that a training recorded; None if it recorded none."""
    named = {name.removeprefix(UNWEIGHTED): value for name, value in recorded.items() if name.startswith(UNWEIGHTED)}
    if not named:
        return None
    table = Table(title="Losses, in the last batch that used them", title_justify="left")
    for heading in ("", "value", "times its weight"):
        table.add_column(heading, justify="left" if not heading else "right")
    for name, value in named.items():
        table.add_row(name, f"{value:.3g}", f"{recorded[name]:.3g}")
    return table


def _reached(term: Term) -> str:
    """Return how many of the network's weights, counted as numbers, a term is a function of."""
    if term.reached == term.weights:
        return "all weights"
    return f"{max(0.1, math.floor(1000 * term.reached / term.weights) / 10):g}% of weights"


def memory(check: SanityCheck) -> str:
    """Return the memory needed, in a line."""
    free = f" of {check.bytes_free / 2**30:.1f} GB that are free" if check.bytes_free is not None else ""
    needed = f"{check.bytes_needed / 2**30:.2f} GB" if check.bytes_needed > 2**30 / 20 else f"{check.bytes_needed / 2**20:.0f} MB"
    return f"about {needed} of memory needed{free}"


def _needs(check: SanityCheck) -> str:
    """Return what the values of losses are, the memory needed and the weights that no loss reaches, a line each."""
    lines = ["the value of a loss is times its weight"] if check.terms else []
    lines.append(memory(check))
    for network, weights in check.unreached.items():
        some = ", ".join(weights[:2]) + (" ..." if len(weights) > 2 else "")
        lines.append(f"no loss reaches {len(weights)} weight tensors of the {network}: {some}")
    return "\n".join(lines)


def scores(summary: Mapping[str, float]) -> Table:
    """Return the scores of L and of S."""
    title = f"Quality over {summary['rows']:.0f} pictures and degradations"
    table = Table(title=title, title_justify="left", caption=_resampled(summary), caption_justify="left")
    for heading in ("", "L (input)", "S (restored)", "gain"):
        table.add_column(heading, justify="left" if not heading else "right")
    for score, metric in METRICS.items():
        if f"{score}_low" in summary:
            low, restored = (f"{summary[f'{score}_{which}']:.{metric.digits}f}" for which in ("low", "restored"))
            gain = f"{summary[f'{score}_restored'] - summary[f'{score}_low']:+z.{metric.digits}f}"
            table.add_row(metric.heading, low, restored, gain)
    return table


def _resampled(summary: Mapping[str, float]) -> str | None:
    """Return a line with the 95 % intervals over photographs; None if there are too few photographs."""
    if "gain_db_low95" not in summary:
        return None
    kinds = (("gain_db", "gain", "+.2f"), ("psnr_restored", "PSNR of S", ".2f"), ("ssim_restored", "SSIM of S", ".3f"))
    intervals = (f"{label} {summary[f'{name}_low95']:{kind}} to {summary[f'{name}_high95']:{kind}}" for name, label, kind in kinds)
    return f"95 % intervals over photographs: {', '.join(intervals)}"


def parameters(summary: Mapping[str, float], units: Mapping[str, str] = NO_UNITS) -> Table | None:
    """Return the mean absolute error of each predicted parameter, beside that of always answering the prior's mean.

    units: of further factors, by their names.
    """
    names = predicted_in(summary)
    varied = [name for name in names if math.isfinite(summary.get(f"{name}_r2", math.nan))]
    unknown = [name for name in names if name not in varied and (varied or _share(summary, name) == UNKNOWN)]
    fixed = [name for name in names if name not in varied and _share(summary, name) != UNKNOWN]
    caption = "; ".join(filter(None, (_constant(unknown, units), _fixed(summary, fixed, units)))) or None
    title = "Error of the predicted degradation (mean absolute)"
    table = Table(title=title, title_justify="left", caption=caption, caption_justify="left")
    certain = any(f"{name}_coverage90" in summary for name in names)
    more = (["R2"] if varied else []) + (["in the 90 % interval"] if certain else [])
    for heading in ("", "predicted", "prior's mean", "ratio", *more):
        table.add_column(heading, justify="left" if not heading else "right")
    for name in names:
        factor = FACTORS.get(name, 1.0)
        mine, constant = summary[f"{name}_mae"], summary[f"{name}_mae_prior_mean"]
        errors = (short(mine * factor, 3), short(constant * factor, 3), _share(summary, name))
        r2 = [f"{summary[f'{name}_r2']:.2f}" if name in varied else UNKNOWN] if varied else []
        coverage = [f"{summary[f'{name}_coverage90']:.0%}"] if certain else []
        table.add_row(escape(label(name, units)), *errors, *r2, *coverage)
    return table if table.row_count else None


def _constant(names: Sequence[str], units: Mapping[str, str]) -> str | None:
    """Return a line that names the parameters whose truth hardly varies; None if there are none."""
    if not names:
        return None
    listed = ", ".join(label(name, units).partition(",")[0] for name in names)
    return f"{UNKNOWN} for what is (almost) the same in all pictures: {listed}"


def _fixed(summary: Mapping[str, float], names: Sequence[str], units: Mapping[str, str]) -> str | None:
    """Return a line on large ratios of parameters whose truth hardly varies, so that the prior's mean is near it by chance."""
    large = [label(name, units).partition(",")[0] for name in names if summary[f"{name}_mae"] > summary[f"{name}_mae_prior_mean"]]
    if not large:
        return None
    return (
        f"a ratio above 100 % tells how near the prior's mean happens to be to the one value of {', '.join(large)} in all pictures"
    )


def blurs(bins: Sequence[Mapping[str, float]]) -> Table | None:
    """Return the gain and the errors of theta^ over the blur, a column for each bin; None for a single bin.

    The errors are shares of the prior mean's. A table has few bins, but a degradation may have many parameters."""
    if len(bins) < 2:
        return None
    names = [name for name in predicted_in(bins[0]) if any(_share(summary, name) != UNKNOWN for summary in bins)]
    title = "Over the blur" + (", with errors as shares of the prior mean's" if names else "")
    table = Table(title=title, title_justify="left")
    table.add_column("blur std, px")
    for summary in bins:
        low, high = summary["blur_std_low"], summary["blur_std_high"]
        table.add_column(f"{low:.2f}" if low == high else f"{low:.2f}-{high:.2f}", justify="right")
    table.add_row("PSNR of L, dB", *(f"{summary['psnr_low']:.2f}" for summary in bins))
    table.add_row("gain, dB", *(f"{summary['gain_db']:+z.2f}" for summary in bins))
    if names:
        table.add_section()
        table.add_row("error of")
    for name in names:
        table.add_row(name.removesuffix("_std").replace("_", " "), *(_share(summary, name) for summary in bins))
    return table


def sets(summaries: Mapping[str, Mapping[str, float]]) -> Table | None:
    """Return scores of luma with the border cut, as the field reports them, for each of several sets of pictures; None for none."""
    table = Table(title="PSNR in dB and SSIM of luma, border cut, by set", title_justify="left")
    for heading in ("set", "pictures and degradations", "L, PSNR", "L, SSIM", "S, PSNR", "S, SSIM"):
        table.add_column(heading, justify="left" if heading == "set" else "right")
    for name, summary in summaries.items():
        values = [f"{summary[f'{score}_y_{which}']:.{digits}f}" for which in ("low", "restored") for score, digits in _PSNR_SSIM]
        table.add_row(escape(name), f"{summary['rows']:.0f}", *values)
    return table if table.row_count else None


def refused(reasons: Mapping[str, str]) -> Table:
    """Return the picture files that cannot be used, and why."""
    table = Table(title=f"{len(reasons)} left out (data.strict=true would stop here)", title_justify="left")
    table.add_column("file", overflow="fold")
    table.add_column("reason", overflow="fold")
    for name, reason in reasons.items():
        table.add_row(escape(name), escape(reason))
    return table


def waiting(seconds: Mapping[str, float], workers: int) -> str:
    """Return a sentence about the share of the training time spent waiting for data."""
    share = seconds["seconds_waiting"] / max(seconds["seconds_training"], 1e-9)
    first = f"{seconds['seconds_first_batch']:.1f} s for the first batch"
    sentence = f"waiting for data: {first}, then {share:.1%} of the training time"
    return sentence + (f"; data.workers={workers + 2} may help" if share > 0.1 else "")


_PSNR_SSIM = (("psnr", 2), ("ssim", 4))  # and their digits


def _share(summary: Mapping[str, float], name: str) -> str:
    """Return the error of a parameter as a share of the prior mean's in percent; a dash where that is undefined, because the truth
    hardly varies. Older summaries lack the share."""
    mine, prior = summary[f"{name}_mae"], summary[f"{name}_mae_prior_mean"]
    share = summary.get(f"{name}_mae_share", mine / prior if prior else math.nan)
    return f"{share:.0%}" if math.isfinite(share) else UNKNOWN
