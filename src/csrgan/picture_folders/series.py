"""A series of a user's pictures: each result is kept when it is made, what cannot be made is told, and a second start goes on."""

from __future__ import annotations

import errno
import hashlib
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import torch
from rich.progress import track

from csrgan.console import Console
from csrgan.data import picture
from csrgan.data.picture import Picture
from csrgan.data.search import left_out_line
from csrgan.errors import RunStopped, UserError
from csrgan.picture_folders.leave import Asked, Leave
from csrgan.picture_folders.ledger import Ledger, Row
from csrgan.picture_folders.places import Places
from csrgan.run_folder import PARAMETERS

MEMORY = ("can't allocate memory", "cannot allocate memory", "out of memory", "insufficient memory", "bad_alloc", "alloc_failed")
LEAST_FREE = 2**16  # bytes: a disk with less is full, whatever an encoder says of the reason


@dataclass(frozen=True)
class Made:
    """One result: its finished files by the names that they will have, and its row of the table."""

    parts: Mapping[str, Path]
    row: Row


@dataclass(frozen=True)
class Unit:
    """A picture and the results that come of it, each the names of its files in the destination."""

    file: Path
    results: tuple[tuple[str, ...], ...]


Make = Callable[[Unit, Picture, Collection[str]], Iterator[Made]]


class Series:
    """What a command makes of each picture. recipe: a digest of all else that its results depend on. doing, done: what it does, as
    in restoring and restored. helps: against want of memory."""

    def __init__(
        self, places: Places, ledger: Ledger, units: Sequence[Unit], recipe: str, doing: str, done: str, helps: str
    ) -> None:
        self.places, self.ledger, self.units, self.recipe = places, ledger, units, recipe
        self.doing, self.participle, self.helps = doing, done, helps
        self.command = {"restoring": "restore"}.get(doing, "degrade")
        self.console, self.errors = Console(), Console(stderr=True)
        self.done: set[str] = set()  # keys of the results that lie in the destination
        self.before = self.broken = 0
        self.frames: list[int] = []  # of each picture that was decoded

    @property
    def keys(self) -> list[str]:
        return [names[0] for unit in self.units for names in unit.results]

    def go(self, make: Make, leave: Leave, *, again: Collection[str] = (), bar: bool = True, whole: bool) -> None:
        """Make what is not there. again: keys of results that are made although they are, and not kept. whole: whether the table
        keeps the rows of other pictures.

        Raises UserError where the one picture cannot be used, OSError where the disk is full, Stopped where a signal asked to
        leave.
        """
        try:
            self._begin(whole)
            todo = [unit for unit in self.units if not {names[0] for names in unit.results} <= self.done - set(again)]
            left = track(todo, self.doing, console=self.console, disable=not (bar and self.console.is_terminal))
            with closing(left):  # type: ignore[type-var]
                for unit in left:
                    leave.heed()
                    self._one(unit, make, leave)
        except Asked as asked:
            self._table()
            said = f"{self.told} in {self.places.destination}; the same command goes on."
            raise RunStopped(f"stopped: {said}", 128 + asked.number) from None
        self._table()
        if left_out := left_out_line(self.places.left, self.frames):
            self.say(left_out)

    @contextmanager
    def room(self) -> Iterator[None]:
        """Raise UserError where the disk is full."""
        try:
            yield
        except OSError as reason:
            if not full(reason, self.places.destination):
                raise
            with suppress(OSError):
                self._table()
            told = f"destination={self.places.destination}: the disk is full"
            raise UserError(f"{told}. {self.told}; make room, and the same command goes on.") from reason

    @property
    def told(self) -> str:
        return f"{len(self.done)} of {len(self.keys)} pictures are {self.participle}"

    def _begin(self, whole: bool) -> None:
        rows: dict[str, Row] = {}
        mine = set(self.keys)
        for entry in self.ledger.entries:
            there = all((self.places.destination / name).is_file() for name in entry.files)
            if entry.row is not None and there and (whole or entry.key in mine):
                rows[entry.key] = entry.row
        dumb = not (self.ledger.entries and self.console.is_terminal)
        for unit in track(self.units, "looking", console=self.console, transient=True, disable=dumb):
            found = list(filter(None, map(self.ledger.standing, unit.results)))
            with suppress(UserError):  # it is told when its turn comes
                source = _sha(picture.load(unit.file)) if found else ""
                for entry in found:
                    if entry.made == self._made(source, entry.key):
                        self.done.add(entry.key)
                        rows[entry.key] = entry.row or {}
        self.before = len(self.done)
        if self.before:
            self.say(f"{self.before} of {len(mine)} pictures were {self.participle} before, and stay")
        others = [key for key in rows if key not in mine]
        kept = [key for key in self.keys if key in rows and (whole or key in self.done)]
        self.ledger.begin({key: rows[key] for key in (*others, *kept)})

    def _made(self, source: str, key: str) -> str:
        return _sha(f"{version('csrgan')} {self.recipe} {source} {key}".encode(errors="surrogateescape"))

    def _one(self, unit: Unit, make: Make, leave: Leave) -> None:
        found: Picture | None = None
        try:
            data = picture.load(unit.file)
            found, source = picture.decode(data, unit.file), _sha(data)
            self.frames.append(picture.frames(data))
            del data
            for made in make(unit, found, self.done):
                key = next(iter(made.parts))
                with leave.shelter():
                    self.ledger.keep(made.parts, self._made(source, key), made.row)
                    self.done.add(key)
        except BrokenPipeError:
            raise
        except Exception as reason:
            self._skip(unit, found, reason)

    def _skip(self, unit: Unit, found: Picture | None, reason: Exception) -> None:
        """Tell why there is no result. Raises where that ends the series."""
        expected = isinstance(reason, UserError | OSError) or spent(reason)
        if full(reason, self.places.destination) or not (expected or self.places.several):
            raise reason
        sentence = self._sentence(unit, found, reason)
        if not self.places.several:
            raise UserError(sentence) from reason
        self.broken += 1
        self.errors.print(
            f"csrgan {self.command}: skipped: {sentence}", style="yellow", highlight=False, markup=False, soft_wrap=True
        )

    def _sentence(self, unit: Unit, found: Picture | None, reason: Exception) -> str:
        name = picture.called(unit.file)
        if isinstance(reason, UserError):
            return str(reason)
        if spent(reason):
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            size = f" of {found.pixels.shape[1]}x{found.pixels.shape[0]} px" if found else ""
            return f"{name}{size} needs more memory than there is: {self.helps} may help."
        if isinstance(reason, OSError):
            return f"what comes of {name} cannot be written: {reason.strerror or reason}."
        return f"{name} cannot be {self.participle} ({type(reason).__name__}: {' '.join(str(reason).split())})."

    def _table(self) -> None:
        """The rows in the order of the pictures, after those of others."""
        mine = dict.fromkeys(self.keys)
        order = [key for key in mine if key in self.ledger.rows]
        others = [key for key in self.ledger.rows if key not in mine]
        if self.ledger.rows and [*others, *order] != list(self.ledger.rows):
            self.ledger.tabulate([*others, *order])

    def say(self, sentence: str) -> None:
        self.console.print(sentence, highlight=False, markup=False, soft_wrap=True)


def targets(units: Sequence[Unit], *more: str) -> list[tuple[str, Path | None]]:
    """Each file that will be written, and the picture that it is made from; None for those that are of all."""
    of_all: list[tuple[str, Path | None]] = [(name, None) for name in (PARAMETERS, *more)]
    return of_all + [(name, unit.file) for unit in units for names in unit.results for name in names]


def full(reason: Exception, folder: Path) -> bool:
    """Whether it is for want of room on the disk that something could not be written; not every encoder says so."""
    if not isinstance(reason, OSError):
        return False
    return reason.errno in (errno.ENOSPC, errno.EDQUOT) or shutil.disk_usage(folder).free < LEAST_FREE


def spent(reason: Exception) -> bool:
    """Whether it is for want of memory."""
    told = str(reason).lower()
    return isinstance(reason, MemoryError | torch.OutOfMemoryError) or any(sign in told for sign in MEMORY)


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
