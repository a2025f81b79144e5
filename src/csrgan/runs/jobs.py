"""Reading the files in a job's folder. Damage raises UserError, which names the file."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from csrgan.config import announced
from csrgan.config.old_names import translate_silently
from csrgan.config.override import plain_number
from csrgan.errors import UserError, require
from csrgan.evaluation import results
from csrgan.evaluation.results import Row
from csrgan.files import relative
from csrgan.run_folder import CHECKPOINTS, DUE, JOB, OVERRIDES, RESULTS, SUMMARY
from csrgan.runs import record
from csrgan.tree import Settings

Table = list[dict[str, str]]

KINDS: dict[str, type | tuple[type, ...]] = {
    "words": list,
    "command": str,
    "status": str,
    "reason": str,
    "seconds": (int, float),
}
CELL = ("blur_std", "scale", "noise_std")  # columns that name the degradation of a row
IRRELEVANT = (  # prefixes of words that change no number of a run
    *("hydra.", "logger", "panels=", "data.cache", "data.memory_mb", "data.workers"),
    *(f"trainer.{key}=" for key in ("panels", "gradient_stats_every", "validate_every", "save_every", "measure_macs")),
)
MOST = 1_000_000  # jobs of a sweep
LIMIT = 1e60  # of the numbers that a run writes, so that sums of squares stay finite


def folders(folder: Path) -> list[Path]:
    """Return this folder and those below it that hold a job of a sweep, or a single run or evaluation."""
    single = (file.parent for file in folder.rglob(SUMMARY) if (file.parent / OVERRIDES).is_file())
    return sorted({*(file.parent for file in folder.rglob(JOB)), *single}, key=_natural)


def due(folder: Path) -> list[tuple[Path, list[str]]]:
    """Return the folder and the words of each job that has not begun, though the last command of its sweep asked for it. Where a
    sweep cannot tell its jobs' folders beforehand, they are called by their numbers, and have no words."""
    return [job for file in _plans(folder) for job in _not_begun(file)]


def left_over(folder: Path) -> set[Path]:
    """Return the folders of the jobs that the last command of their sweep did not ask for: an earlier one with more values did."""
    asked = {file.parent: _asked(file)[1] for file in _plans(folder)}
    return {
        path.parent for sweep, named in asked.items() if named for path in sweep.glob(f"*/{JOB}") if path.parent.name not in named
    }


def _plans(folder: Path) -> list[Path]:
    """Return the files of due jobs in this folder and below; another program's file of that name is none."""
    return sorted((file for file in folder.rglob(DUE) if not _is_foreign(file)), key=_natural)


def _is_foreign(file: Path) -> bool:
    with suppress(UserError):  # a damaged file is reported by its reader
        content = _json(file)
        return bool(content) and not {"jobs", "folders"} & content.keys()
    return False


def _not_begun(file: Path) -> Iterator[tuple[Path, list[str]]]:
    count, named = _asked(file)
    begun = {path.parent.name for path in file.parent.glob(f"*/{JOB}")}
    for name, words in (named or {str(number): [] for number in range(len(begun), count)}).items():
        if name not in begun:
            yield file.parent / _printable(name), [_printable(plain_number(word)) for word in translate_silently(words)]


def _asked(file: Path) -> tuple[int, dict[str, list[str]]]:
    """Return how many jobs the last command of a sweep asked for, and the words of each by the name of its folder."""
    try:
        content = _json(file)
        count, named = content["jobs"], content["folders"]
        lists = list(named.values())
        good = isinstance(count, int) and 0 <= count < MOST and all(isinstance(words, list) for words in lists)
        require(good and all(isinstance(word, str) for words in lists for word in words), "no text")
    except (UserError, KeyError, AttributeError) as reason:
        sentence = f"{relative(file)} is damaged: it names no jobs. Without it, only the jobs that have begun are counted."
        raise UserError(sentence) from reason
    return count, named


def _natural(folder: Path) -> list[tuple[str, int]]:
    """Return a sort key by which 2 comes before 10."""
    return [(text, int(digits or 0)) for text, digits in re.findall(r"(\D*)(\d*)", folder.as_posix())]


def job(folder: Path) -> Settings:
    """Return the contents of job.json in this folder, or what they would be for a single run or evaluation."""
    content = _json(folder / JOB) if (folder / JOB).is_file() else _single(folder)
    for key, kind in KINDS.items():
        require(isinstance(content.get(key), kind), f"{JOB} lacks a valid {key}.")
    require(all(isinstance(word, str) for word in content["words"]), f"{JOB} holds words that are not text.")
    require(0 <= content["seconds"] < LIMIT, f"{JOB} holds seconds={content['seconds']}.")
    content = record.current(folder, content)
    texts = {key: _printable(value) for key, value in content.items() if isinstance(value, str)}
    return {**content, **texts, "words": [_printable(plain_number(word)) for word in translate_silently(content["words"])]}


def _single(folder: Path) -> Settings:
    """Return the contents that job.json would have for a single run or evaluation."""
    words = _parsed(folder / OVERRIDES)
    if not isinstance(words, list):
        raise UserError(f"{OVERRIDES} is damaged: it holds no overrides.")
    kind = "train" if (folder / CHECKPOINTS).is_dir() else "evaluate"
    command = announced.command(kind, *map(str, words), f"run_dir={relative(folder)}")
    relevant = [word for word in translate_silently(map(str, words)) if not word.startswith(IRRELEVANT)]
    return {
        "words": relevant,
        "command": command,
        "status": "complete",
        "reason": "",
        "seconds": summary(folder).get("seconds", 0.0),
    }


def rows(folder: Path) -> list[Row]:
    """Return the rows of results.csv, after checking their number and means against summary.json."""
    result: list[Row] = []
    for line in table(folder / RESULTS):
        require({"image", *CELL} <= set(line), f"{RESULTS} has no column {', '.join(sorted({'image', *CELL} - set(line)))}.")
        row: Row = {key: text if key == "image" else number(text, f"{RESULTS}: {key}") for key, text in line.items()}
        known = all(line[key] == "" or math.isfinite(float(row[key])) for key in CELL)  # empty: that of given pairs is unknown
        require(known, f"{RESULTS} holds a row without its degradation.")
        result.append(row)
    require(bool(result), f"{RESULTS} is missing or empty")
    means = summary(folder)
    require(
        means.get("rows", len(result)) == len(result),
        f"{RESULTS} has {len(result)} rows, but {SUMMARY} says {means.get('rows')}.",
    )
    for column in result[0]:
        if column.endswith(("_low", "_restored")) and column in means:
            mine, theirs = results.mean(result, column), means[column]
            same = math.isclose(mine, theirs, rel_tol=1e-6, abs_tol=1e-9) or (math.isnan(mine) and math.isnan(theirs))
            require(same, f"the mean of {column} is {mine:g} in {RESULTS}, but {SUMMARY} says {theirs:g}.")
    return result


def summary(folder: Path) -> dict[str, float]:
    """Return the numbers of summary.json, with nan for null; none if the file does not exist."""
    file = folder / SUMMARY
    content = _json(file) if file.is_file() else {}
    numbers = {key: math.nan if value is None else value for key, value in content.items()}
    return {key: float(value) for key, value in numbers.items() if isinstance(value, int | float) and not abs(value) >= LIMIT}


def units(folder: Path) -> dict[str, str]:
    """Return the units of further factors that summary.json names, by the factors' names."""
    file = folder / SUMMARY
    content = _json(file).get("units") if file.is_file() else None
    named = content.items() if isinstance(content, dict) else ()
    return {_printable(name): _printable(unit) for name, unit in named if isinstance(unit, str)}


def table(file: Path) -> Table:
    """Return the lines of a csv file by its headings; none if the file does not exist. The last line must be complete."""
    if not file.is_file():
        return []
    text = _text(file)
    require(not text or text.endswith(("\n", "\r")), f"{file.name} is cut off.")
    try:
        headings, *lines = list(csv.reader(io.StringIO(text, newline=""), strict=True)) or [[]]
    except csv.Error as reason:
        raise UserError(f"{file.name} is damaged: {reason}.") from reason
    lines = [line for line in lines if line]
    require(len(set(headings)) == len(headings), f"{file.name} has two columns with the same name.")
    for index, line in enumerate(lines, start=1):
        require(len(line) == len(headings), f"{file.name} has {len(line)} cells in row {index}, but {len(headings)} headings.")
    return [dict(zip(headings, line, strict=True)) for line in lines]


def number(text: str, place: str) -> float:
    """Return the number in a cell, nan if that is empty. Raises UserError for what no run writes."""
    try:
        result = float(text) if text else math.nan
    except ValueError:
        result = math.inf
    require("_" not in text and not abs(result) >= LIMIT, f"{place} holds {text[:40]!r}, which is not a number that a run writes.")
    return result


def _json(file: Path) -> Settings:
    content = _parsed(file)
    if not isinstance(content, dict):
        raise UserError(f"{file.name} is damaged: it holds no settings.")
    return content


def _parsed(file: Path) -> object:
    try:
        content: object = json.loads(_text(file))
        return content
    except (ValueError, RecursionError) as reason:
        if isinstance(reason, UserError):
            raise
        raise UserError(f"{file.name} is damaged: {reason}.") from reason


def _printable(text: str) -> str:
    """Return text that can be written anywhere: bytes that are not UTF-8 become escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8")
    except OSError as reason:
        raise UserError(f"{file.name} cannot be read: {reason.strerror}.") from reason
    except UnicodeDecodeError as reason:
        raise UserError(f"{file.name} is damaged: it is not text.") from reason
