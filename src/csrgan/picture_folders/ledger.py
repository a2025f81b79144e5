"""What csrgan wrote into a folder of the user's, known by its contents: nothing else is overwritten, and work is not done twice."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from csrgan import files
from csrgan.data.picture import called
from csrgan.errors import require
from csrgan.run_folder import LOCK, PARAMETERS, RECORD

Row = dict[str, str | float]


@dataclass(frozen=True)
class Entry:
    """What was written at once. files: SHA-256 by the name in the folder. made: a digest of all that they were made from.
    row: what the table says of them. table: SHA-256 of the table with it."""

    files: dict[str, str]
    made: str = ""
    row: Row | None = None
    table: str = ""

    @property
    def key(self) -> str:
        return next(iter(self.files))


class Ledger:
    """The record of a folder, a line an entry, and the table that it keeps there: both grow by a line at a time, and what a killed
    process left of a line is none. overwrite: whether files that csrgan did not write may be overwritten.

    The record comes before the file: what csrgan wrote here is in it whenever the process ends.
    """

    def __init__(self, folder: Path, *, overwrite: bool) -> None:
        self.folder, self.place, self.overwrite = folder, folder / files.HIDDEN, overwrite
        self.rows: dict[str, Row] = {}
        self.columns: list[str] = []
        self._hash = hashlib.sha256()  # of the table
        self._digests: dict[tuple[str, int, int, int], str] = {}
        self.read()

    def read(self) -> None:
        """Learn what csrgan wrote here before."""
        self.entries: list[Entry] = []
        self.known: defaultdict[str, set[str]] = defaultdict(set)
        self._by_key: defaultdict[str, list[Entry]] = defaultdict(list)
        with suppress(OSError):
            for line in (self.place / RECORD).read_bytes().split(b"\n"):
                with suppress(ValueError, TypeError, AttributeError, StopIteration):
                    self._learn(Entry(**json.loads(line)))

    def _learn(self, entry: Entry) -> None:
        for name, digest in {PARAMETERS: entry.table, **entry.files}.items():
            self.known[name].add(digest)
        self._by_key[entry.key].append(entry)
        self.entries.append(entry)

    @contextmanager
    def opened(self) -> Iterator[None]:
        """The folder for this process alone, made where it is not there; without what a killed one did not finish."""
        with files.exclusive_lock(self.place, f"destination={self.folder}"):
            for left in self.place.iterdir():
                if left.is_file() and left.name not in (RECORD, LOCK):
                    left.unlink()
            self.read()
            try:
                yield
            finally:
                if not self.entries:
                    shutil.rmtree(self.place, ignore_errors=True)

    def foreign(self, name: str) -> bool:
        """Whether the folder has something of this name that is not as csrgan wrote it. A link never is."""
        file = self.folder / name
        if not os.path.lexists(file):
            return False
        if file.is_symlink() or not file.is_file():
            return True
        if self._digest(file) in self.known[name]:
            return False
        return name != PARAMETERS or self._cut_off(file) not in self.known[name]

    @staticmethod
    def _cut_off(table: Path) -> str:
        """The digest of a table without a last line that a killed process did not finish."""
        return hashlib.sha256(b"".join(table.read_bytes().rpartition(b"\n")[:2])).hexdigest()

    def _digest(self, file: Path) -> str:
        """Of a file that has not changed meanwhile it is known."""
        about = file.stat()
        sign = (str(file), about.st_ino, about.st_size, about.st_mtime_ns)
        if sign not in self._digests:
            self._digests[sign] = files.digest(file)
        return self._digests[sign]

    def standing(self, names: Sequence[str]) -> Entry | None:
        """The entry of these files, if all of them lie in the folder as they were written."""
        for entry in reversed(self._by_key[names[0]]):
            if tuple(entry.files) == tuple(names) and all(self._stands(name, digest) for name, digest in entry.files.items()):
                return entry
        return None

    @property
    def sets(self) -> bool:
        """Whether some of it lies there in pairs, as csrgan degrade writes them."""
        return any(len(entry.files) > 1 and (self.folder / entry.key).is_file() for entry in self.entries)

    def _stands(self, name: str, digest: str) -> bool:
        file = self.folder / name
        return not file.is_symlink() and file.is_file() and self._digest(file) == digest

    def begin(self, rows: Mapping[str, Row]) -> None:
        """Write record and table anew: the record without what is in the folder no more, the table with these rows, by key."""
        held = [entry for entry in self.entries if any(os.path.lexists(self.folder / name) for name in entry.files)]
        self.entries = list({(*entry.files, *entry.files.values()): entry for entry in held}.values())
        lines = [replace(entry, table="") for entry in self.entries if entry.key != PARAMETERS]
        table = self.folder / PARAMETERS
        if table.is_file() and not self.foreign(PARAMETERS):  # a last line may be cut off; as it is, it is csrgan's
            lines.append(Entry({PARAMETERS: self._digest(table)}))
        files.write(self.place / RECORD, "".join(map(_line, lines)))
        self.rows, self.columns = dict(rows), []
        if self.rows:
            self.tabulate()

    def keep(self, parts: Mapping[str, Path], made: str, row: Row) -> None:
        """Let finished files become those of these names, with a row of the table. Raises UserError where another's file came
        there."""
        self._examine(parts)
        key = next(iter(parts))
        anew = key in self.rows or not row.keys() <= set(self.columns)
        rows = {**self.rows, key: row} if anew else {}
        text = _table(list(rows.values())) if anew else _text(self.columns, [row])
        table = hashlib.sha256() if anew else self._hash.copy()
        table.update(text)
        self._record(Entry({name: files.digest(part) for name, part in parts.items()}, made, row, table.hexdigest()))
        for name, part in parts.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            files.commit(part, self.folder / name)
        self.rows[key] = row
        if anew:
            self._put(text)
        else:
            with (self.folder / PARAMETERS).open("ab") as stream:
                stream.write(text)
            self._hash = table

    def _examine(self, names: Iterable[str]) -> None:
        for name in names:
            sentence = f"destination={self.folder}: {called(Path(name))} was written or changed there meanwhile, and not by csrgan."
            require(self.overwrite or not self.foreign(name), sentence)

    def add(self, name: str, part: Path) -> None:
        """Let a finished file that has no row become that of this name. Raises UserError as `keep` does."""
        self._examine([name])
        self._record(Entry({name: files.digest(part)}))
        files.commit(part, self.folder / name)

    def remove(self, name: str) -> None:
        """Take away a file if it is csrgan's own."""
        if not self.foreign(name):
            (self.folder / name).unlink(missing_ok=True)

    def tabulate(self, order: Sequence[str] | None = None) -> None:
        """Write the whole table, in this order of the keys, or as it grew."""
        self._examine([PARAMETERS])
        text = _table([self.rows[key] for key in (self.rows if order is None else order)])
        self._record(Entry({PARAMETERS: hashlib.sha256(text).hexdigest()}))
        self._put(text)

    def _put(self, table: bytes) -> None:
        files.write(self.folder / PARAMETERS, table.decode())
        self.columns = table.decode().partition("\r\n")[0].split(",")
        self._hash = hashlib.sha256(table)

    def _record(self, entry: Entry) -> None:
        file = self.place / RECORD
        before = file.stat().st_size
        try:
            with file.open("a", encoding="ascii") as stream:
                stream.write(_line(entry))
                stream.flush()
                os.fsync(stream.fileno())
        except OSError:
            os.truncate(file, before)  # the next line is not to stand behind half of this one
            raise
        self._learn(entry)


def _line(entry: Entry) -> str:
    return json.dumps(asdict(entry)) + "\n"


def _table(rows: Sequence[Row]) -> bytes:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    return _text(columns, [dict(zip(columns, columns, strict=True)), *rows])


def _text(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> bytes:
    stream = io.StringIO(newline="")
    csv.DictWriter(stream, columns).writerows(rows)
    return stream.getvalue().encode()
