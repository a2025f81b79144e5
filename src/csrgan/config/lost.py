"""Choices with which a run began and which are not found when it goes on: which package or folder of the user's it needs again."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from csrgan.config import announced, search
from csrgan.config.resume import original_words
from csrgan.config.targets import PACKAGES
from csrgan.run_folder import CONFIG, OVERRIDES


def lost_choices(folder: Path, faults: Collection[str]) -> Iterator[str]:
    """Yield what a run needs to go on, if faults of the command say that choices with which it began are not found."""
    if not any(_is_of(word, fault) for fault in faults for word in _words(folder)):
        return
    tops = _packages(folder)
    if untold := [top for top in tops if not any(f"{announced.ALLOW}={top}" in fault for fault in faults)]:
        absent, allow = [top for top in untold if not search.exists(top)], f"{announced.ALLOW}={','.join(tops)}"
        where = f", and {search.no_package(' or '.join(absent))}: install it, or run this beside it with {allow}"
        needs = where if absent else f": name {'them' if tops[1:] else 'it'} in {allow}"
        yield f"resume={folder}: the run began with code of {' and '.join(tops)}{needs}."
    elif not tops and announced.CONF not in os.environ:
        again = f"name their folder again with {announced.FLAG}FOLDER, or their package in {announced.ALLOW}=PACKAGE"
        yield f"resume={folder}: the run began with choices that are not found here: {again}."


def _words(folder: Path) -> list[str]:
    return original_words(folder) if (folder / OVERRIDES).is_file() else []


def _is_of(word: str, fault: str) -> bool:
    """Return whether a fault says that the choice which a word names does not exist."""
    key, _, value = word.lstrip("+~").partition("=")
    lacking = (f"conf/ has no {key}.", *(f"{key} has no {choice.strip()}." for choice in value.strip("[]").split(",")))
    return fault.startswith(tuple(f"{each} Its choices: " for each in lacking))


def _packages(folder: Path) -> list[str]:
    """Return the top packages that a run's configuration names and that are not allowed here."""
    file = folder / CONFIG
    text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
    known = {name.partition(".")[0] for name in (*PACKAGES, *search.packages())}
    return sorted({target.partition(".")[0] for target in re.findall(r"_target_: *([\w.]+)", text)} - known)
