"""The files that a job leaves in its folder, read with suspicion: what is damaged raises UserError, which says in which file."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from csrgan.config.old_names import translate_silently
from csrgan.errors import UserError, require
from csrgan.evaluation import results
from csrgan.evaluation.results import Row
from csrgan.files import relative
from csrgan.run_folder import CHECKPOINTS, JOB, OVERRIDES, RESULTS, SUMMARY

Table = list[dict[str, str]]

KINDS: dict[str, type | tuple[type, ...]] = {
    "words": list,
    "command": str,
    "status": str,
    "reason": str,
    "seconds": (int, float),
}
CELL = ("blur_std", "scale", "noise_std")  # columns that say on what a row was scored
SILENT = (  # how words begin by which no digit of a run changes
    *("hydra.", "logger", "panels=", "data.cache", "data.memory_mb", "data.workers"),
    *(f"trainer.{key}=" for key in ("panels", "gradient_stats_every", "validate_every", "save_every", "measure_macs")),
)
GREATEST = 1e60  # of any number that a run writes; sums of squares stay finite


def places(folder: Path) -> list[Path]:
    """The folders below this one, itself among them, that hold a job of a sweep, or a run or an evaluation by itself."""
    alone = (file.parent for file in folder.rglob(SUMMARY) if (file.parent / OVERRIDES).is_file())
    return sorted({*(file.parent for file in folder.rglob(JOB)), *alone}, key=_natural)


def _natural(place: Path) -> list[tuple[str, int]]:
    """A key by which 2 comes before 10."""
    return [(text, int(digits or 0)) for text, digits in re.findall(r"(\D*)(\d*)", place.as_posix())]


def job(place: Path) -> Mapping[str, Any]:
    """What job.json says of the job in this folder; of a run or an evaluation by itself what would stand there."""
    content = _json(place / JOB) if (place / JOB).is_file() else _alone(place)
    for key, kind in KINDS.items():
        require(isinstance(content.get(key), kind), f"{JOB} does not say its {key}.")
    require(all(isinstance(word, str) for word in content["words"]), f"{JOB} holds words that are no text.")
    require(0 <= content["seconds"] < GREATEST, f"{JOB} holds seconds={content['seconds']}.")
    spelt = {key: _spelt(value) for key, value in content.items() if isinstance(value, str)}
    return {**content, **spelt, "words": [_spelt(word) for word in translate_silently(content["words"])]}


def _alone(place: Path) -> Mapping[str, Any]:
    words = _parsed(place / OVERRIDES)
    require(isinstance(words, list), f"{OVERRIDES} is damaged: it holds no overrides.")
    kind = "train" if (place / CHECKPOINTS).is_dir() else "evaluate"
    command = shlex.join(["csrgan", kind, *map(str, words), f"run_dir={relative(place)}"])
    told = [word for word in translate_silently(map(str, words)) if not word.startswith(SILENT)]
    return {"words": told, "command": command, "status": "complete", "reason": "", "seconds": summary(place).get("seconds", 0.0)}


def rows(place: Path) -> list[Row]:
    """The rows of results.csv, which must be as many as summary.json says and have the means that stand there."""
    result: list[Row] = []
    for line in table(place / RESULTS):
        require({"image", *CELL} <= set(line), f"{RESULTS} has no column {', '.join(sorted({'image', *CELL} - set(line)))}.")
        row: Row = {key: text if key == "image" else number(text, f"{RESULTS}: {key}") for key, text in line.items()}
        require(all(math.isfinite(float(row[key])) for key in CELL), f"{RESULTS} holds a row without its degradation.")
        result.append(row)
    require(bool(result), f"{RESULTS} is missing or empty")
    told = summary(place)
    require(
        told.get("rows", len(result)) == len(result),
        f"{RESULTS} has {len(result)} rows, and {SUMMARY} tells of {told.get('rows')}.",
    )
    for column in result[0]:
        if column.endswith(("_low", "_restored")) and column in told:
            mine, theirs = results.mean(result, column), told[column]
            same = math.isclose(mine, theirs, rel_tol=1e-6, abs_tol=1e-9) or (math.isnan(mine) and math.isnan(theirs))
            require(same, f"{RESULTS} has the mean {mine:g} of {column}, and {SUMMARY} {theirs:g}.")
    return result


def summary(place: Path) -> dict[str, float]:
    """The numbers of summary.json, nan for null; none where the file is not there."""
    file = place / SUMMARY
    content = _json(file) if file.is_file() else {}
    numbers = {key: math.nan if value is None else value for key, value in content.items()}
    return {key: float(value) for key, value in numbers.items() if isinstance(value, int | float) and not abs(value) >= GREATEST}


def units(place: Path) -> dict[str, str]:
    """The units of further factors of the degradation that summary.json names, by the factors' names."""
    file = place / SUMMARY
    content = _json(file).get("units") if file.is_file() else None
    named = content.items() if isinstance(content, dict) else ()
    return {_spelt(name): _spelt(unit) for name, unit in named if isinstance(unit, str)}


def table(file: Path) -> Table:
    """The lines of a csv file by its headings; none where the file is not there. The last line must be whole."""
    if not file.is_file():
        return []
    text = _text(file)
    require(not text or text.endswith(("\n", "\r")), f"{file.name} is cut off.")
    try:
        headings, *lines = list(csv.reader(io.StringIO(text, newline=""), strict=True)) or [[]]
    except csv.Error as reason:
        raise UserError(f"{file.name} is damaged: {reason}.") from reason
    lines = [line for line in lines if line]
    require(len(set(headings)) == len(headings), f"{file.name} has two columns of the same name.")
    for index, line in enumerate(lines, start=1):
        require(len(line) == len(headings), f"{file.name} has {len(line)} cells in row {index}, and {len(headings)} headings.")
    return [dict(zip(headings, line, strict=True)) for line in lines]


def number(text: str, place: str) -> float:
    """nan where there is none."""
    try:
        result = float(text) if text else math.nan
    except ValueError:
        result = math.inf
    require("_" not in text and not abs(result) >= GREATEST, f"{place} holds {text[:40]!r}, which is no number that a run writes.")
    return result


def _json(file: Path) -> Mapping[str, Any]:
    content = _parsed(file)
    require(isinstance(content, dict), f"{file.name} is damaged: it holds no settings.")
    return content  # type: ignore[no-any-return]


def _parsed(file: Path) -> Any:
    try:
        return json.loads(_text(file))
    except (ValueError, RecursionError) as reason:
        if isinstance(reason, UserError):
            raise
        raise UserError(f"{file.name} is damaged: {reason}.") from reason


def _spelt(text: str) -> str:
    """Text that can be written anywhere: what came of bytes that are no UTF-8 is told by its number."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8")
    except OSError as reason:
        raise UserError(f"{file.name} cannot be read: {reason.strerror}.") from reason
    except UnicodeDecodeError as reason:
        raise UserError(f"{file.name} is damaged: it is no text.") from reason
