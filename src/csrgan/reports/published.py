"""Published numbers beside what was measured, in one table."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple

from csrgan.data.benchmark import ALIASES
from csrgan.reports.table import UNKNOWN

SCORES = {"psnr_y": ("PSNR of Y, dB", 2), "ssim_y": ("SSIM of Y", 4)}  # with headings and digits
WHAT = ("published", "here", "difference")
NONE = "none published"
Table = list[list[str]]


class Entry(NamedTuple):
    """A published number: the scores of a method on a set of a protocol, nan where not given, and who says so."""

    protocol: str
    set: str
    method: str
    psnr_y: float
    ssim_y: float
    source: str
    year: str
    url: str

    @property
    def key(self) -> tuple[str, str, str]:
        return self.protocol, canonical(self.set), canonical(self.method)


class Measured(NamedTuple):
    """Mean scores of a method on a set, of one run. remark: in what it differs from what papers do."""

    protocol: str
    set: str
    method: str
    psnr_y: float
    ssim_y: float
    remark: str


def canonical(name: str) -> str:
    """Return a name by which sets and methods are compared: BSDS100 is BSD100, dan_v2 is DANv2, and srmd_official is SRMD."""
    plain = re.sub(r"[^a-z0-9+]", "", name.casefold()).removesuffix("official")
    return ALIASES.get(plain, plain)


def table(entries: Sequence[Entry], runs: Sequence[Measured], *, asked: bool) -> Table:
    """Return the table: for each protocol and set that was measured, what was measured here and then what else is published.

    asked: whether to list also what has nothing published beside it; else the table is empty if nothing has.
    """
    by_key = {entry.key: entry for entry in entries}
    pairs = list(dict.fromkeys((run.protocol, run.set) for run in runs))
    known = {entry.key[:2] for entry in entries}
    if not asked and not any((protocol, canonical(name)) in known for protocol, name in pairs):
        return []
    headings = [f"{heading}, {what}" for heading, _ in SCORES.values() for what in WHAT]
    lines = [["protocol", "set", "method", *headings, "remark", "source"]]
    for protocol, name in pairs:
        own = [run for run in runs if (run.protocol, run.set) == (protocol, name)]
        for method, remark in dict.fromkeys((run.method, run.remark) for run in own):
            same = [run for run in own if (run.method, run.remark) == (method, remark)]
            entry = by_key.get((protocol, canonical(name), canonical(method)))
            lines.append(_line(protocol, name, method, entry, same, remark))
        done = {canonical(run.method) for run in own}
        others = [entry for entry in entries if entry.key[:2] == (protocol, canonical(name)) and entry.key[2] not in done]
        lines += [_line(protocol, name, entry.method, entry, [], "not run here") for entry in others]
    return lines


def _line(protocol: str, name: str, method: str, entry: Entry | None, runs: Sequence[Measured], remark: str) -> list[str]:
    """Return a line of the table. runs: of the same method, such as its seeds."""
    cells = []
    for score, (_, digits) in SCORES.items():
        theirs = getattr(entry, score) if entry else math.nan
        here = [value for run in runs if math.isfinite(value := getattr(run, score))]
        mine = fmean(here) if here else math.nan
        cells += [_number(theirs, f".{digits}f"), _number(mine, f".{digits}f"), _number(mine - theirs, f"+z.{digits}f")]
    several = f"mean of {len(runs)} runs" if len(runs) > 1 else ""
    source = " ".join(filter(None, (entry.source, f"({entry.year})" if entry.year else "", entry.url))) if entry else NONE
    return [protocol, name or "unknown, see published_as.set", method, *cells, ", ".join(filter(None, (remark, several))), source]


def _number(value: float, form: str) -> str:
    return format(value, form) if math.isfinite(value) else UNKNOWN
