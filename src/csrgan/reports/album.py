"""The matrix of pictures: a row for each photograph and degradation, a column for each group, within a budget of bytes."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from csrgan.data import picture
from csrgan.degradation.parameters import NAMES
from csrgan.evaluation.comparison import Group, value
from csrgan.evaluation.results import Row, predicted_in
from csrgan.reports.columns import Score
from csrgan.reports.table import quantities
from csrgan.run_folder import LOW, RESTORED, SHARP

LARGEST = 512  # px a side, at most
COLUMNS = 40  # groups beside each other, at most
MARKUP = 1200  # bytes of the page around a picture, at most


class Shown(NamedTuple):
    """A picture on the page: a key of its content, and its data if this is the first place that shows it."""

    key: str
    uri: str | None


class Cell(NamedTuple):
    """S, L under it, and the score of S."""

    restored: Shown
    low: Shown
    score: str


class Line(NamedTuple):
    """A row of the matrix: H, then a cell for each group; None if the group lacks the picture."""

    label: str
    sharp: Shown
    cells: list[Cell | None]


@dataclass
class Matrix:
    """Groups that were scored on the same photographs and degradations."""

    columns: list[str]
    lines: list[Line] = field(default_factory=list)
    left_out: str = ""


class Album:
    """Pictures as JPEG data URIs, each content once, until the budget of bytes is spent."""

    def __init__(self, budget: int) -> None:
        self.left = budget
        self.keys: set[str] = set()

    def add(self, files: Sequence[Path]) -> dict[Path, Shown] | None:
        """Add all of these pictures; None if not all fit."""
        pictures: dict[Path, Shown] = {}
        fresh: set[str] = set()
        for file in files:
            content = file.read_bytes()
            key = "p" + hashlib.sha256(content).hexdigest()[:16]
            pictures[file] = Shown(key, None if key in self.keys | fresh else _uri(content, file))
            fresh.add(key)
        cost = sum(len(shown.uri or "") + MARKUP for shown in pictures.values())
        if cost > self.left:
            return None
        self.left -= cost
        self.keys |= fresh
        return pictures


def matrices(references: Mapping[Group, Group], labels: Mapping[Group, str], chosen: Score, budget: int) -> list[Matrix]:
    """Make a matrix for each baseline and its groups, baseline first. They are filled row by row in turn, so that each gets its
    share of the budget."""
    sets: dict[Group, list[Group]] = {}
    for group, reference in references.items():
        if group.jobs[0].pictures:
            sets.setdefault(reference, []).append(group)
    ordered = [sorted(groups, key=lambda group: group is not references[group]) for groups in sets.values()]
    return _filled(ordered, labels, chosen, Album(budget))


def _filled(sets: Sequence[Sequence[Group]], labels: Mapping[Group, str], chosen: Score, album: Album) -> list[Matrix]:
    result = [Matrix([labels[group] for group in groups[:COLUMNS]]) for groups in sets]
    names = [sorted({folder.name for group in groups[:COLUMNS] for folder in group.jobs[0].pictures}) for groups in sets]
    for index in range(max(map(len, names), default=0)):
        for matrix, groups, rows in zip(result, sets, names, strict=True):
            if index == len(matrix.lines) < len(rows):  # once a row did not fit, a matrix gets no more
                line = _line(rows[index], groups[:COLUMNS], chosen, album)
                matrix.lines += [line] if line else []
    for matrix, groups, rows in zip(result, sets, names, strict=True):
        if len(matrix.lines) < len(rows) or len(matrix.columns) < len(groups):
            matrix.left_out = f"{len(matrix.lines)} of {len(rows)} rows, {len(matrix.columns)} of {len(groups)} groups"
    return result


def _line(name: str, groups: Sequence[Group], chosen: Score, album: Album) -> Line | None:
    folders = [next((folder for folder in group.jobs[0].pictures if folder.name == name), None) for group in groups]
    files = [folder / name for folder in folders if folder for name in (SHARP, LOW, RESTORED)]
    shown = album.add(files)
    if not shown:
        return None
    row, units = next(
        ((row, group.jobs[0].units) for row, group in ((_row(name, group), group) for group in groups) if row), (None, {})
    )
    cells = [_cell(folder, group, shown, chosen) for folder, group in zip(folders, groups, strict=True)]
    return Line(_label(name, row, units), shown[files[0]], cells)


def _cell(folder: Path | None, group: Group, shown: Mapping[Path, Shown], chosen: Score) -> Cell | None:
    if folder is None:
        return None
    row = _row(folder.name, group)
    sentence = f"{chosen.text(value(row, chosen.column))} {chosen.unit}".strip() if row else ""
    return Cell(shown[folder / RESTORED], shown[folder / LOW], sentence)


def _row(name: str, group: Group) -> Row | None:
    """Return the row of a picture, whose folder is named by the row's index and the photograph."""
    index, _, stem = name.partition("_")
    rows = group.jobs[0].rows
    row = rows[int(index)] if index.isdigit() and int(index) < len(rows) else None
    return row if row and Path(str(row["image"])).stem == stem else None


def _label(name: str, row: Row | None, units: Mapping[str, str]) -> str:
    if row is None:
        return name
    parameters = dict.fromkeys((*NAMES, *predicted_in(row)))
    return f"{row['image']}: {quantities({each: value(row, each) for each in parameters}, units)}"


def _uri(content: bytes, file: Path) -> str:
    """Encode a picture as a JPEG data URI. Raises UserError for a file that is no picture."""
    image = Image.fromarray(picture.decode(content, file).eight_bits)
    image.thumbnail((LARGEST, LARGEST))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85, subsampling=0)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
