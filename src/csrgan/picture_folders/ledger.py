"""The record of what csrgan wrote into a user's folder, by content: it overwrites nothing else, and repeats no work."""

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

from csrgan import files
from csrgan.errors import require
from csrgan.files import called
from csrgan.run_folder import LOCK, PARAMETERS, RECORD

Row = dict[str, str | float]


@dataclass(frozen=True)
class Entry:
    """Files written together. files: SHA-256 by name in the folder. made: a digest of all that they were made from.
    row: their row of the table. table: SHA-256 of the table that includes it."""

    files: dict[str, str]
    made: str = ""
    row: Row | None = None
    table: str = ""

    @property
    def key(self) -> str:
        return next(iter(self.files))


class Ledger:
    """The record of a folder, one line for each entry, and the table in it. Both grow line by line; an unfinished line of a killed
    process is ignored. overwrite: whether files that csrgan did not write may be overwritten.

    The record is written before the file, so it lists all that csrgan wrote, whenever the process ends.
    """

    def __init__(self, folder: Path, *, overwrite: bool) -> None:
        self.folder, self.workspace, self.overwrite = folder, folder / files.HIDDEN, overwrite
        self.rows: dict[str, Row] = {}
        self._columns: list[str] = []
        self._hash = hashlib.sha256()  # of the table
        self._digests: dict[tuple[str, int, int, int], str] = {}
        self.read()

    def read(self) -> None:
        """Read what csrgan wrote here before."""
        self.entries: list[Entry] = []
        self._known_digests: defaultdict[str, set[str]] = defaultdict(set)
        self._by_key: defaultdict[str, list[Entry]] = defaultdict(list)
        with suppress(OSError):
            for line in (self.workspace / RECORD).read_bytes().split(b"\n"):
                with suppress(ValueError, TypeError, AttributeError, StopIteration):
                    self._add(Entry(**json.loads(line)))

    def _add(self, entry: Entry) -> None:
        for name, digest in {PARAMETERS: entry.table, **entry.files}.items():
            self._known_digests[name].add(digest)
        self._by_key[entry.key].append(entry)
        self.entries.append(entry)

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Create the folder, hold an exclusive lock on it, and remove what a killed process did not finish."""
        with files.exclusive_lock(self.workspace, f"destination={self.folder}"):
            for path in self.workspace.iterdir():
                if path.is_file() and path.name not in (RECORD, LOCK):
                    path.unlink()
            self.read()
            try:
                yield
            finally:
                if not self.entries:
                    shutil.rmtree(self.workspace, ignore_errors=True)

    def foreign(self, name: str) -> bool:
        """Return whether the folder holds something of this name that is not as csrgan wrote it. A link never is."""
        file = self.folder / name
        if not os.path.lexists(file):
            return False
        if file.is_symlink() or not file.is_file():
            return True
        if self._digest(file) in self._known_digests[name]:
            return False
        return name != PARAMETERS or self._cut_off(file) not in self._known_digests[name]

    @staticmethod
    def _cut_off(table: Path) -> str:
        """Return the digest of a table without the unfinished last line of a killed process."""
        return hashlib.sha256(b"".join(table.read_bytes().rpartition(b"\n")[:2])).hexdigest()

    def _digest(self, file: Path) -> str:
        """Return the digest of a file; computed again only after the file has changed."""
        status = file.stat()
        version = (str(file), status.st_ino, status.st_size, status.st_mtime_ns)
        if version not in self._digests:
            self._digests[version] = files.digest(file)
        return self._digests[version]

    def intact(self, names: Sequence[str]) -> Entry | None:
        """Return the entry of these files, if all of them are in the folder as they were written; None otherwise."""
        for entry in reversed(self._by_key[names[0]]):
            if tuple(entry.files) == tuple(names) and all(self._is_intact(name, digest) for name, digest in entry.files.items()):
                return entry
        return None

    @property
    def has_pairs(self) -> bool:
        """Whether some files are in the folder in pairs, as csrgan degrade writes them."""
        return any(len(entry.files) > 1 and (self.folder / entry.key).is_file() for entry in self.entries)

    def _is_intact(self, name: str, digest: str) -> bool:
        file = self.folder / name
        return not file.is_symlink() and file.is_file() and self._digest(file) == digest

    def begin(self, rows: Mapping[str, Row]) -> None:
        """Rewrite the record, without files that are gone, and the table, with these rows, by key."""
        present = [entry for entry in self.entries if any(os.path.lexists(self.folder / name) for name in entry.files)]
        self.entries = list({(*entry.files, *entry.files.values()): entry for entry in present}.values())
        lines = [replace(entry, table="") for entry in self.entries if entry.key != PARAMETERS]
        table = self.folder / PARAMETERS
        if table.is_file() and not self.foreign(PARAMETERS):  # its last line may be cut off, and it is still csrgan's
            lines.append(Entry({PARAMETERS: self._digest(table)}))
        files.write(self.workspace / RECORD, "".join(map(_line, lines)))
        self.rows, self._columns = dict(rows), []
        if self.rows:
            self.tabulate()

    def keep(self, parts: Mapping[str, Path], made: str, row: Row) -> None:
        """Move finished files to these names and add a row to the table. Raises UserError if another program wrote there."""
        self._examine(parts)
        key = next(iter(parts))
        rewrite = key in self.rows or not row.keys() <= set(self._columns)
        rows = {**self.rows, key: row} if rewrite else {}
        text = _table(list(rows.values())) if rewrite else _text(self._columns, [row])
        table = hashlib.sha256() if rewrite else self._hash.copy()
        table.update(text)
        self._record(Entry({name: files.digest(part) for name, part in parts.items()}, made, row, table.hexdigest()))
        for name, part in parts.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            files.commit(part, self.folder / name)
        self.rows[key] = row
        if rewrite:
            self._write_table(text)
        else:
            with (self.folder / PARAMETERS).open("ab") as stream:
                stream.write(text)
            self._hash = table

    def _examine(self, names: Iterable[str]) -> None:
        """Raise UserError for a name that would overwrite another program's file."""
        for name in names:
            sentence = (
                f"destination={self.folder}: {called(Path(name))} was written or changed there in the meantime, but not by csrgan."
            )
            require(self.overwrite or not self.foreign(name), sentence)

    def add(self, name: str, part: Path) -> None:
        """Move a finished file that has no row to this name. Raises UserError as `keep` does."""
        self._examine([name])
        self._record(Entry({name: files.digest(part)}))
        files.commit(part, self.folder / name)

    def remove(self, name: str) -> None:
        """Delete a file if csrgan wrote it."""
        if not self.foreign(name):
            (self.folder / name).unlink(missing_ok=True)

    def tabulate(self, order: Sequence[str] | None = None) -> None:
        """Rewrite the table, in this order of its keys, or in the order in which it grew."""
        self._examine([PARAMETERS])
        text = _table([self.rows[key] for key in (self.rows if order is None else order)])
        self._record(Entry({PARAMETERS: hashlib.sha256(text).hexdigest()}))
        self._write_table(text)

    def _write_table(self, table: bytes) -> None:
        files.write(self.folder / PARAMETERS, table.decode())
        self._columns = table.decode().partition("\r\n")[0].split(",")
        self._hash = hashlib.sha256(table)

    def _record(self, entry: Entry) -> None:
        """Append an entry to the record file and to the entries in memory."""
        file = self.workspace / RECORD
        before = file.stat().st_size
        try:
            with file.open("a", encoding="ascii") as stream:
                stream.write(_line(entry))
                stream.flush()
                os.fsync(stream.fileno())
        except OSError:
            os.truncate(file, before)  # otherwise the next line would follow half of this one
            raise
        self._add(entry)


def _line(entry: Entry) -> str:
    return json.dumps(asdict(entry)) + "\n"


def _table(rows: Sequence[Row]) -> bytes:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    return _text(columns, [dict(zip(columns, columns, strict=True)), *rows])


def _text(columns: Sequence[str], rows: Sequence[Mapping[str, str | float]]) -> bytes:
    stream = io.StringIO(newline="")
    csv.DictWriter(stream, columns).writerows(rows)
    return stream.getvalue().encode()
