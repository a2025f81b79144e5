"""Folders of pictures side by side: a row for each picture, a column for each folder, scores, and a slider between them."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from torch import Tensor
from torch.nn.functional import interpolate

from csrgan.data import picture
from csrgan.errors import UserError
from csrgan.evaluation import blind
from csrgan.evaluation.metrics import METRICS
from csrgan.files import atomic_write, table_cell
from csrgan.networks.source import InMemory
from csrgan.reports import matching, offline
from csrgan.reports.album import Album, Shown
from csrgan.reports.columns import Score, score_of
from csrgan.reports.page import LIMIT, SPARE
from csrgan.run_folder import COMPARED_PAGE, COMPARED_SCORES

OF_SHARP = ("psnr", "ssim")
TRUTH = "sharp"  # the column of the sharp pictures

Progress = Callable[[Sequence[matching.Match]], Iterable[matching.Match]]


class Folder(NamedTuple):
    """names: of its pictures, relative to it."""

    path: Path
    names: tuple[Path, ...]


@dataclass
class Row:
    """A picture. files, scores: in each column that has it, by the number of the column."""

    name: str
    files: dict[int, Path]
    scores: dict[int, dict[str, float]] = field(default_factory=dict)


@dataclass
class Comparison:
    """columns: the names of the folders. alone: pictures that no other folder has. broken: sentences about what cannot be read."""

    columns: list[str]
    rows: list[Row]
    alone: list[str]
    broken: list[str]


def compare(folders: Sequence[Folder], sharp: Folder | None, shown: Progress, further: Sequence[str] = ()) -> Comparison:
    """Match the pictures of the folders by their names and score them.

    shown: shows how many are done. further: metrics against the sharp pictures besides `OF_SHARP`.
    """
    places = [*folders, sharp] if sharp else list(folders)
    columns = [*_names([folder.path for folder in folders]), *([TRUTH] if sharp else [])]
    truth = len(folders) if sharp else None
    result = Comparison(columns, [], [], [])
    for group in shown(matching.match([place.names for place in places])):
        files = {number: places[number].path / name for number, name in group.items()}
        row = Row(min((Path(name).with_suffix("").as_posix() for name in group.values()), key=len), files)
        if len(files) > 1:
            result.broken += _score(row, truth, (*OF_SHARP, *further))
        if len(row.files) > 1:
            result.rows.append(row)
        elif row.files:
            result.alone += [f"{columns[number]}: {picture.called(Path(group[number]))}" for number in row.files]
    return result


def _names(paths: Sequence[Path]) -> list[str]:
    """Return the names of folders, with as many of the folders they lie in as tell them apart."""
    parts = [path.absolute().parts for path in paths]
    for depth in range(1, max(map(len, parts)) + 1):
        names = ["/".join(each[-depth:]) for each in parts]
        if len(set(names)) == len(names):
            break
    return [picture.called(Path(name)) for name in names]


def _score(row: Row, truth: int | None, metrics: Sequence[str]) -> list[str]:
    """Score the pictures of a row; leave out those that cannot be read, and return why."""
    broken: list[str] = []
    sharp: Tensor | None = None
    for number in sorted(row.files, key=lambda number: number != truth):
        try:
            image = picture.read(row.files[number]).tensor()[None]
        except UserError as reason:
            broken.append(str(reason))
            del row.files[number]
            continue
        sharp = image if number == truth else sharp
        scores = {"niqe": blind.niqe(InMemory(image))}
        if sharp is not None and number != truth and (resized := _at_size_of(sharp, image)) is not None:
            scores |= {name: METRICS[name](image=resized, sharp=sharp) for name in metrics}
        row.scores[number] = {name: score for name, score in scores.items() if math.isfinite(score)}
    return broken


def _at_size_of(sharp: Tensor, image: Tensor) -> Tensor | None:
    """Return a picture at the size of the sharp one: a smaller one is enlarged, as L is in evaluations; None for another shape."""
    (height, width), (mine, across) = sharp.shape[-2:], image.shape[-2:]
    if (mine, across) == (height, width):
        return image
    times = height / mine
    if times <= 1 or abs(across * times - width) > times:
        return None
    enlarged: Tensor = interpolate(image, size=(height, width), mode="bicubic", antialias=True).clamp(0, 1)
    return enlarged


def write(destination: Path, compared: Comparison, *, title: str) -> Path:
    """Write compare.html and compare.csv into the folder. Return the page."""
    destination.mkdir(parents=True, exist_ok=True)
    present = {name for row in compared.rows for scores in row.scores.values() for name in scores}
    scores = [name for name in dict.fromkeys(("niqe", *METRICS)) if name in present]
    _write_table(destination / COMPARED_SCORES, compared, scores)
    content: dict[str, object] = {
        "title": title,
        "columns": compared.columns,
        "alone": compared.alone,
        "broken": compared.broken,
        "summary": _summary(compared, scores),
        "orders": [
            (f"{number}:{name}", f"{_shown(name).name} of {column}")
            for number, column in enumerate(compared.columns)
            for name in scores
        ],
        "limit": f"{LIMIT // 1_000_000} MB",
        "left_out": 0,
    }
    page = offline.template("side_by_side.html")
    scripts = ["page.js", "side_by_side.js"]
    album = Album(LIMIT - SPARE - len(offline.rendered(page, scripts, content | {"lines": []}).encode()))
    lines = []
    for row in compared.rows:
        shown = album.add([row.files[number] for number in sorted(row.files)])
        if shown is None:
            break
        lines.append(_line(row, shown, len(compared.columns), scores))
    content |= {"lines": lines, "left_out": len(compared.rows) - len(lines), "total": len(compared.rows)}
    with atomic_write(destination / COMPARED_PAGE) as part:
        part.write_text(offline.rendered(page, scripts, content), encoding="utf-8")
    return destination / COMPARED_PAGE


def _shown(name: str) -> Score:
    return score_of(f"{name}_restored")


def _line(row: Row, shown: Mapping[Path, Shown], columns: int, scores: Sequence[str]) -> dict[str, object]:
    """Return what the page shows of a row. values: of each column and score, as numbers to sort by, in which less is better."""
    cells = []
    values: dict[str, float] = {}
    for number in range(columns):
        own = row.scores.get(number, {})
        text = ", ".join(f"{_shown(name).name} {_shown(name).text(own[name])}" for name in scores if name in own)
        cells.append({"picture": shown[row.files[number]], "scores": text} if number in row.files else None)
        values |= {f"{number}:{name}": _from_best(own[name], _shown(name).target) for name in own}
    return {"name": picture.called(Path(row.name)), "cells": cells, "values": values}


def _from_best(score: float, target: float) -> float:
    """Return a number that is smaller for a better score. target: the best, or an infinity in its direction."""
    return abs(score - target) if math.isfinite(target) else -math.copysign(1, target) * score


def _summary(compared: Comparison, scores: Sequence[str]) -> list[list[str]]:
    """Return a table of the means over the pictures that all columns have, so that they compare."""
    whole = [row for row in compared.rows if len(row.files) == len(compared.columns)]
    lines = [["", "pictures", *(_shown(name).heading for name in scores)]]
    for number, column in enumerate(compared.columns):
        means = []
        for name in scores:
            found = [row.scores[number][name] for row in whole if name in row.scores[number]]
            means.append(_shown(name).text(fmean(found)) if found else "")
        lines.append([column, str(sum(number in row.files for row in compared.rows)), *means])
    return lines


def _write_table(path: Path, compared: Comparison, scores: Sequence[str]) -> None:
    with atomic_write(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["picture", "folder", "file", *scores])
        for row in compared.rows:
            for number in sorted(row.files):
                own = row.scores[number]
                texts = [row.name, compared.columns[number], str(row.files[number])]
                table.writerow([*map(table_cell, texts), *(own.get(name, "") for name in scores)])
