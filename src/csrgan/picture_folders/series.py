"""A series of a user's pictures: it keeps each result at once, reports what fails, and continues when started again."""

from __future__ import annotations

import errno
import hashlib
import shutil
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from rich.progress import track

from csrgan.config import own_code
from csrgan.console import Console
from csrgan.data import picture
from csrgan.data.picture import Picture
from csrgan.data.search import left_out_line
from csrgan.errors import RunStopped, UserError, memory_ran_out
from csrgan.picture_folders.interrupt import Interrupt, StopRequested
from csrgan.picture_folders.ledger import Ledger, Row
from csrgan.picture_folders.places import Places
from csrgan.run_folder import PARAMETERS
from csrgan.version import __version__

LEAST_FREE = 2**16  # bytes: a disk with less is full, whatever reason an encoder gives


@dataclass(frozen=True)
class Made:
    """One result: its finished files, by their future names, and its row of the table."""

    parts: Mapping[str, Path]
    row: Row


@dataclass(frozen=True)
class Unit:
    """A picture and its results: for each, the names of its files in the destination."""

    file: Path
    results: tuple[tuple[str, ...], ...]


Make = Callable[[Unit, Picture, Collection[str]], Iterator[Made]]


class Series:
    """The work of a command on each picture.

    recipe: a digest of all that the results depend on, apart from the picture. doing, done: the verb, as restoring and restored.
    remedy: what helps if memory runs out.
    """

    def __init__(
        self, places: Places, ledger: Ledger, units: Sequence[Unit], recipe: str, doing: str, done: str, remedy: str
    ) -> None:
        self.places, self.ledger, self.units, self.recipe = places, ledger, units, recipe
        self._doing, self._participle, self._remedy = doing, done, remedy
        self.command = {"restoring": "restore"}.get(doing, "degrade")
        self.console, self.errors = Console(), Console(stderr=True)
        self.done: set[str] = set()  # keys of the results in the destination
        self._before = self.broken = self._replaced = 0
        self._frames: list[int] = []  # the number of frames of each decoded picture

    @property
    def keys(self) -> list[str]:
        return [names[0] for unit in self.units for names in unit.results]

    @property
    def replaced(self) -> str:
        """What a last line says of results of another model, other settings or another picture; empty if none was replaced."""
        files = "an earlier file" if self._replaced == 1 else "earlier files"
        return f" ({self._replaced} of them replaced {files})" if self._replaced else ""

    @property
    def others(self) -> str:
        """What a last line says of files in the sources that are no pictures; empty if there are none."""
        count = self.places.no_pictures
        return f"; {count} other file{'s are no pictures' if count > 1 else ' is no picture'}" if count else ""

    def run(
        self, make: Make, interrupt: Interrupt, *, again: Collection[str] = (), bar: bool = True, keep_other_rows: bool
    ) -> None:
        """Make the missing results.

        again: keys of results to make even if they exist; their files stay. keep_other_rows: keep the rows of other pictures in the
        table. Raises UserError if a single picture cannot be used, OSError if the disk is full, RunStopped after a signal.
        """
        try:
            self._begin(keep_other_rows)
            todo = [unit for unit in self.units if not {names[0] for names in unit.results} <= self.done - set(again)]
            shown = track(todo, self._doing, console=self.console, disable=not (bar and self.console.is_terminal))
            with closing(cast(Generator[Unit], shown)) as remaining:
                for unit in remaining:
                    interrupt.raise_pending()
                    self._make(unit, make, interrupt)
        except StopRequested as stop:
            self._sort_table()
            sentence = f"{self.progress} in {self.places.destination}; the same command continues."
            raise RunStopped(f"stopped: {sentence}", 128 + stop.number) from None
        self._sort_table()
        if left_out := left_out_line(self.places.left_out, self._frames):
            self.say(left_out)

    @contextmanager
    def disk_full_reported(self) -> Iterator[None]:
        """Raise UserError if the body finds the disk full."""
        try:
            yield
        except OSError as reason:
            if not disk_full(reason, self.places.destination):
                raise
            with suppress(OSError):
                self._sort_table()
            sentence = f"destination={self.places.destination}: the disk is full"
            raise UserError(f"{sentence}. {self.progress}; make room, and the same command continues.") from reason

    @property
    def progress(self) -> str:
        return f"{len(self.done)} of {len(self.keys)} pictures are {self._participle}"

    def _begin(self, keep_other_rows: bool) -> None:
        """Find the results that exist already, and rewrite the record and the table."""
        rows: dict[str, Row] = {}
        mine = set(self.keys)
        for entry in self.ledger.entries:
            present = all((self.places.destination / name).is_file() for name in entry.files)
            if entry.row is not None and present and (keep_other_rows or entry.key in mine):
                rows[entry.key] = entry.row
        hidden = not (self.ledger.entries and self.console.is_terminal)
        for unit in track(self.units, "looking", console=self.console, transient=True, disable=hidden):
            entries = list(filter(None, map(self.ledger.intact, unit.results)))
            with suppress(UserError):  # it is reported when its turn comes
                source = _sha(picture.load(unit.file)) if entries else ""
                for entry in entries:
                    if entry.made == self._digest(source, entry.key):
                        self.done.add(entry.key)
                        rows[entry.key] = entry.row or {}
        self._before = len(self.done)
        if self._before:
            self.say(f"{self._before} of {len(mine)} pictures were {self._participle} before and stay as they are")
        made = [names for unit in self.units for names in unit.results if names[0] not in self.done]
        if others := sum(any((self.places.destination / name).is_file() for name in names) for names in made):
            files = f"{others} earlier {'file' if others == 1 else 'files'}"
            self.say(f"replacing {files} of another model, other settings, another picture or another version of csrgan")
        of_others = [key for key in rows if key not in mine]
        kept = [key for key in self.keys if key in rows and (keep_other_rows or key in self.done)]
        self.ledger.begin({key: rows[key] for key in (*of_others, *kept)})

    def _digest(self, source: str, key: str) -> str:
        """Return a digest of all that a result depends on."""
        return _sha(f"{__version__} {self.recipe} {source} {key}".encode(errors="surrogateescape"))

    def _make(self, unit: Unit, make: Make, interrupt: Interrupt) -> None:
        """Make the results of one picture, or skip it."""
        decoded: Picture | None = None
        try:
            data = picture.load(unit.file)
            decoded, source = picture.decode(data, unit.file), _sha(data)
            self._frames.append(picture.frames(data))
            del data
            for made in make(unit, decoded, self.done):
                key = next(iter(made.parts))
                self._replaced += key not in self.done and any((self.places.destination / name).is_file() for name in made.parts)
                with interrupt.defer():
                    self.ledger.keep(made.parts, self._digest(source, key), made.row)
                    self.done.add(key)
        except BrokenPipeError:
            raise
        except Exception as reason:
            self._skip(unit, decoded, reason)

    def _skip(self, unit: Unit, decoded: Picture | None, reason: Exception) -> None:
        """Print why there is no result. Raises the reason if it ends the series."""
        expected = isinstance(reason, UserError | OSError) or memory_ran_out(reason)
        if disk_full(reason, self.places.destination) or not (expected or self.places.several):
            raise reason
        sentence = failure(reason, unit.file, decoded, self._participle, self._remedy)
        if not self.places.several:
            raise UserError(sentence) from reason
        self.broken += 1
        self.errors.print(
            f"csrgan {self.command}: skipped: {sentence}", style="yellow", highlight=False, markup=False, soft_wrap=True
        )

    def _sort_table(self) -> None:
        """Rewrite the table in the order of the pictures, after the rows of others, unless it is in that order."""
        mine = dict.fromkeys(self.keys)
        order = [key for key in mine if key in self.ledger.rows]
        others = [key for key in self.ledger.rows if key not in mine]
        if self.ledger.rows and [*others, *order] != list(self.ledger.rows):
            self.ledger.tabulate([*others, *order])

    def say(self, sentence: str) -> None:
        self.console.print(sentence, highlight=False, markup=False, soft_wrap=True)


def targets(units: Sequence[Unit], *more: str) -> list[tuple[str, Path | None]]:
    """Return each file to write, and the picture that it is made from; None if from all of them."""
    of_all: list[tuple[str, Path | None]] = [(name, None) for name in (PARAMETERS, *more)]
    return of_all + [(name, unit.file) for unit in units for names in unit.results for name in names]


def failure(reason: Exception, file: Path, decoded: Picture | None, participle: str, remedy: str) -> str:
    """Return a sentence that says why a picture has no result. remedy: what helps if memory runs out."""
    name = picture.called(file)
    if isinstance(reason, UserError):
        return str(reason)
    if memory_ran_out(reason):
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        size = f" of {decoded.width}x{decoded.height} px" if decoded else ""
        return f"{name}{size} needs more memory than there is: {remedy} may help."
    if isinstance(reason, OSError):
        return f"the result of {name} cannot be written: {reason.strerror or reason}."
    if own := own_code.raised_at(reason):
        return f"{name} cannot be {participle}: your own code {own}."
    return f"{name} cannot be {participle} ({type(reason).__name__}: {' '.join(str(reason).split())})."


def disk_full(reason: Exception, folder: Path) -> bool:
    """Return whether a full disk caused the error; not every encoder says so."""
    if not isinstance(reason, OSError):
        return False
    return reason.errno in (errno.ENOSPC, errno.EDQUOT) or shutil.disk_usage(folder).free < LEAST_FREE


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
