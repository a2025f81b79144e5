"""Photographs are decoded once, into files that are mapped into memory: a crop is then a copy, whatever the photograph's format.

The decoded pictures are keyed by the content of their files, so that a moved or renamed photograph is found again, and two
equal ones share one. `index.jsonl` remembers which file had which content.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Container, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import astuple, dataclass
from pathlib import Path
from threading import Lock, get_ident

import numpy as np
import pooch
from rich.console import Console

from csrgan.data import picture
from csrgan.data.pictures import Pixels
from csrgan.data.progress import alone, progress
from csrgan.fault import Fault

HEAD = 128  # bytes before the pixels of a .npy file
ABANDONED = 3600  # seconds after which an unfinished file is nobody's


@dataclass(frozen=True)
class File:
    """A picture file, and how rows and panels call it."""

    path: Path
    name: str


@dataclass(frozen=True)
class Known:
    """What is known of a picture file. key: the hash of its content. refused: why it cannot be used; empty where it can."""

    path: str
    size: int
    changed_ns: int
    key: str = ""
    height: int = 0
    width: int = 0
    refused: str = ""

    @property
    def decoded_bytes(self) -> int:
        return HEAD + 3 * self.height * self.width


class Prepared:
    """Photographs on disk, of which the cache holds those that it has room for. refused: the others of the files, and why."""

    def __init__(self, files: Sequence[File], known: Sequence[Known], cache: Cache) -> None:
        good = [(file, what) for file, what in zip(files, known, strict=True) if not what.refused]
        self.files = [file.path for file, _ in good]
        self.names = [file.name for file, _ in good]
        self.sizes = [(what.height, what.width) for _, what in good]
        self.decoded = [cache.file(what.key) if cache.holds(what) else None for _, what in good]
        self.refused = {file.name: what.refused for file, what in zip(files, known, strict=True) if what.refused}

    @property
    def groups(self) -> list[Sequence[int]]:
        """Each alone, whether it is in the cache or not: the order of the samples must not depend on that."""
        return [[index] for index in range(len(self.files))]

    def pixels(self, index: int) -> Pixels:
        decoded = self.decoded[index]
        if decoded:
            with suppress(OSError, ValueError):  # another run may have made room in the cache since
                found = np.asarray(np.load(decoded, mmap_mode="c", allow_pickle=False))
                if found.dtype == np.uint8 and found.shape == (*self.sizes[index], 3):
                    return found
        return np.require(picture.read(self.files[index]).eight_bits, requirements=["C", "W"])  # as torch wants it


class Cache:
    """A folder of decoded pictures of at most `megabytes`; those that were not used for longest make room for others.

    folder: None: the user's folder for caches.
    """

    def __init__(self, folder: str | Path | None, megabytes: float) -> None:
        self.folder, self.limit = Path(folder) if folder else Path(pooch.os_cache("csrgan")), megabytes * 2**20
        self.trouble = ""  # why it cannot be written
        self._lock = Lock()
        self._left = 0.0  # bytes
        self._unused: list[tuple[float, int, Path]] = []  # when last used, how many bytes, where: the most recent first

    def file(self, key: str) -> Path:
        return self.folder / "pictures" / key[:2] / f"{key}.npy"

    def holds(self, what: Known) -> bool:
        """Whether the decoded picture is there, whole."""
        try:
            return self.limit > 0 and self.file(what.key).stat().st_size == what.decoded_bytes
        except OSError:
            return False

    def prepare(self, files: Sequence[File], console: Console) -> Prepared:
        """Decode what is not known or not there yet. It can be stopped at any moment, and goes on where it stopped."""
        known, missing = self._survey(files)
        if missing:
            try:
                with alone(self.folder / "lock", console, "decoding photographs"):
                    known, missing = self._survey(files)
                    known |= self._decode_all(missing, console)
            except OSError as reason:  # not even a lock can be written
                self.trouble = reason.strerror or str(reason)
                known |= self._decode_all(missing, console)
        found = Prepared(files, [known[file.path] for file in files], self)
        self._tell(sum(place is None for place in found.decoded), len(found.files), console)
        return found

    def _tell(self, absent: int, total: int, console: Console) -> None:
        """Say that photographs will be decoded again and again, and why, unless that was asked for."""
        if absent and self.limit:
            why = f"{self.folder} cannot be written ({self.trouble})" if self.trouble else "data.cache_mb has no room for them"
            told = f"{absent} of {total} photographs are decoded for every crop, because {why}; data.crops_each=8 makes that rarer."
            console.print(told, highlight=False, markup=False, soft_wrap=True)

    def _survey(self, files: Sequence[File]) -> tuple[dict[Path, Known], list[Path]]:
        """What is known of the files, and those that must be decoded: unknown, or not there though there is room for them."""
        index = self._index()
        known = {file.path: what for file in files if (what := index.get(_state(file.path)))}
        self._take_stock({what.key for what in known.values()})
        room = self._left + sum(size for _, size, _ in self._unused)
        missing = [file.path for file in files if file.path not in known]
        for path, what in known.items():
            if self.holds(what):
                with suppress(OSError):
                    os.utime(self.file(what.key))  # used now
            elif what.decoded_bytes <= room:
                room -= what.decoded_bytes
                missing.append(path)
        return known, missing

    def _take_stock(self, wanted: Container[str]) -> None:
        """How much room is left, and what may go to make some; removes what a stopped process has left unfinished."""
        self._left, self._unused = self.limit, []
        for file in self.folder.glob("pictures/*/*"):
            with suppress(OSError):  # removed by another process
                state = file.stat()
                if file.suffix == ".part" and time.time() - state.st_mtime > ABANDONED:
                    file.unlink()
                    continue
                self._left -= state.st_size
                if file.stem not in wanted:
                    self._unused.append((state.st_mtime, state.st_size, file))
        self._unused.sort(reverse=True)

    def _claim(self, count: int) -> bool:
        """Whether there is room for so many bytes; if so it is taken."""
        with self._lock:
            while self._left < count and self._unused and not self.trouble:
                _, size, file = self._unused.pop()
                with suppress(OSError):
                    file.unlink()
                    self._left += size
            fits = count <= self._left and not self.trouble
            self._left -= count if fits else 0
            return fits

    def _decode_all(self, paths: Sequence[Path], console: Console) -> dict[Path, Known]:
        known: dict[Path, Known] = {}
        with progress(console, "decoding photographs", len(paths)) as advance, ThreadPoolExecutor(_cores()) as pool:
            work = {pool.submit(self._decode, path): path for path in paths}
            try:
                for done in as_completed(work):
                    known[work[done]] = done.result()
                    self._remember(done.result())
                    advance(len(known))
            except BaseException:  # Ctrl-C, too
                pool.shutdown(cancel_futures=True)
                raise
        return known

    def _decode(self, path: Path) -> Known:
        state = _state(path)
        try:
            data = picture.load(path)
            pixels = picture.decode(data, path).eight_bits
        except (Fault, MemoryError) as reason:
            return Known(*state, refused=(str(reason) or "it needs more memory than there is").removeprefix(f"{path} ").rstrip("."))
        key = hashlib.blake2b(data, digest_size=16).hexdigest()
        what = Known(*state, key, *pixels.shape[:2])
        if not self.holds(what) and self._claim(what.decoded_bytes):
            self._write(self.file(key), pixels)
        return what

    def _write(self, file: Path, pixels: Pixels) -> None:
        """Whole or not at all; where it cannot be written, no other is tried."""
        unfinished = file.with_name(f"{file.stem}.{os.getpid()}-{get_ident()}.part")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with unfinished.open("wb") as stream:
                np.save(stream, pixels)
            unfinished.replace(file)
        except OSError as reason:
            self.trouble = reason.strerror or str(reason)
            with suppress(OSError):
                unfinished.unlink()

    def _index(self) -> dict[tuple[str, int, int], Known]:
        try:
            lines = (self.folder / "index.jsonl").read_text(encoding="ascii").split("\n")
        except OSError:
            return {}
        found = {}
        for line in lines:
            with suppress(ValueError, TypeError):  # the line that was being written when the power went
                what = Known(*json.loads(line))
                found[what.path, what.size, what.changed_ns] = what
        return found

    def _remember(self, what: Known) -> None:
        """Add a line to the index. What was refused is looked at again each time: its rights may change, and its file does not."""
        if not what.refused:
            with suppress(OSError), (self.folder / "index.jsonl").open("a", encoding="ascii") as stream:
                stream.write(json.dumps(astuple(what)) + "\n")


def _state(path: Path) -> tuple[str, int, int]:
    """Where it is, how long it is, and when it was changed, by which a file is recognised without being read."""
    try:
        found = path.stat()
    except OSError:
        return str(path.absolute()), -1, 0
    return str(path.absolute()), found.st_size, found.st_mtime_ns


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
