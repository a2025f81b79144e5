"""The test sets of a report: what its groups were scored on, and which settings tell methods apart on each of them.

Groups that were scored on the same photographs and degradations share a test set. A set whose pictures lie in several folders, as
`Set5/baby.png`, can be split by these.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import and_
from pathlib import PurePath

from csrgan.degradation.parameters import NAMES
from csrgan.evaluation.comparison import Group, comparable, value
from csrgan.evaluation.results import Row
from csrgan.reports.look import Look

OF_TESTS = ("data", "degradation", "evaluation", "factor")  # first parts of the keys that decide on what a method is scored
QUANTITIES = {"blur_std": ("blur", " px", 1.0), "scale": ("scale", "", 1.0), "noise_std": ("noise", "/255", 255.0)}


@dataclass(frozen=True, eq=False)
class Scored:
    """A test set. name: what tables call it. about: its pictures and degradations in a line. methods: the groups scored on it, with
    the rows of this set alone, in their order; their settings are those that tell methods apart."""

    name: str
    about: str
    methods: tuple[Group, ...]


def whole(groups: Sequence[Group], look: Look) -> list[Scored]:
    """Return the test sets with their groups as they are."""
    found = comparable(groups)
    words = _words_of_sets(found)
    return _named([(_name(each, "", look), "", tuple(same)) for same, each in zip(found, words, strict=True)])


def split(groups: Sequence[Group], look: Look) -> list[Scored]:
    """Return the test sets, one for each folder of pictures, with methods: groups without the settings that name the set."""
    found = comparable(groups)
    parts = []
    for same, words in zip(found, _words_of_sets(found), strict=True):
        methods = [_without(group, words) for group in same]
        folders = sorted({_folder(row) for group in same for job in group.jobs for row in job.rows}, key=_natural)
        for folder in folders:
            parts.append((_name(words, folder, look), folder, tuple(_inside(method, folder) for method in methods)))
    return _named(parts)


def apart(found: Sequence[Scored]) -> str:
    """Return sentences that name the test sets; empty for a single one."""
    if len(found) < 2:
        return ""
    listed = "; ".join(f"{each.name}: {each.about}" if each.about else each.name for each in found)
    return f"These settings were scored on {len(found)} test sets, and compare only within one. {listed}."


def _words_of_sets(found: Sequence[Sequence[Group]]) -> list[tuple[str, ...]]:
    """Return the words that name each set: those that all of its groups have. Of a set with a single group, the words whose keys
    name other sets or decide on what is scored."""
    in_all = [reduce(and_, (Counter(group.settings) for group in same)) for same in found]
    keys = {word.partition("=")[0] for same, words in zip(found, in_all, strict=True) if len(same) > 1 for word in words}
    result = []
    for same, words in zip(found, in_all, strict=True):
        named = list(words.elements())
        if len(same) == 1 and len(found) > 1:
            named = [word for word in named if _key(word) in keys or _key(word).split(".")[0].split("/")[0] in OF_TESTS]
        result.append(tuple(named) if len(found) > 1 else ())
    return result


def _key(word: str) -> str:
    return word.partition("=")[0].lstrip("+")


def _without(group: Group, words: Sequence[str]) -> Group:
    """Return a group without the words of its set, each once, from the end: those of an evaluation follow those of a training."""
    left, kept = Counter(words), []
    for word in reversed(group.settings):
        kept += [word] if left[word] < 1 else []
        left[word] -= 1
    return Group(tuple(reversed(kept)), group.jobs, (*group.shared, *words))


def _inside(group: Group, folder: str) -> Group:
    jobs = [replace(job, rows=[row for row in job.rows if _folder(row) == folder]) for job in group.jobs]
    return Group(group.settings, jobs, group.shared)


def _natural(name: str) -> list[tuple[str, int]]:
    """Return a sort key by which Set5 comes before Set14."""
    return [(text.casefold(), int(digits or 0)) for text, digits in re.findall(r"(\D*)(\d*)", name)]


def _folder(row: Row) -> str:
    return str(row["image"]).rpartition("/")[0]


def _name(words: Sequence[str], folder: str, look: Look) -> str:
    """Return the folder and the settings that name a set; of a path, its last part."""
    named = [look.names.get(folder, folder)] if folder else []
    for word in words:
        key, _, text = word.partition("=")
        short = PurePath(text).name if "/" in text or key.startswith("data.") else text
        named.append(look.word(word, short if _key(word) in ("degradation", "data.valid") else f"{key}={short}"))
    return " ".join(dict.fromkeys(named))


def _named(parts: Sequence[tuple[str, str, tuple[Group, ...]]]) -> list[Scored]:
    """Return sets that all have a name of their own."""
    counts = Counter(name for name, *_ in parts)
    several = len(parts) > 1
    names = [
        (f"test set {number}" if several else "the test set") if not name else f"{name}, set {number}" if counts[name] > 1 else name
        for number, (name, *_) in enumerate(parts, start=1)
    ]
    return [Scored(name, _about(methods), methods) for name, (*_, methods) in zip(names, parts, strict=True)]


def _about(methods: Sequence[Group]) -> str:
    """Return how many pictures a set has, and the range of each parameter that is known."""
    rows = methods[0].jobs[0].rows
    pictures = len({row["image"] for row in rows})
    parts = [f"{pictures} picture{'s' * (pictures != 1)}"]
    for name in NAMES:
        what, unit, factor = QUANTITIES[name]
        known = [factor * value(row, name) for row in rows if math.isfinite(value(row, name))]
        if known:
            ends = dict.fromkeys(f"{end:.3g}" for end in (min(known), max(known)))
            parts.append(f"{what} {'-'.join(ends)}{unit}")
    return ", ".join(parts)
