"""Photographs are decoded once, into files that are mapped into memory: a crop is then a copy, whatever the photograph's format.

The decoded pictures are keyed by the content of their files, so that a moved or renamed photograph is found again, and two
equal ones share one. `index.jsonl` remembers which file had which content.
"""

from __future__ import annotations

import os
import stat
import time
import zlib
from collections.abc import Container, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from pathlib import Path
from threading import Lock, get_ident

import numpy as np
import pooch
from rich.console import Console

from csrgan.data import picture
from csrgan.data.cache_entry import DECODING, CacheEntry, File, Index, state
from csrgan.data.marker import DECODED, UNFINISHED, claim, groups
from csrgan.data.pictures import Pixels
from csrgan.data.prepared import Prepared, key_of, verify
from csrgan.data.progress import progress, wait_lock
from csrgan.errors import UserError
from csrgan.files import commit

ABANDONED = 3600  # seconds after which an unfinished file is nobody's


class Cache:
    """A folder of decoded pictures of at most `megabytes`; those that were not used for longest make room for others.

    folder: None: the user's folder for caches.
    """

    def __init__(self, folder: str | Path | None, megabytes: float) -> None:
        self.folder, self.limit = Path(folder) if folder else Path(pooch.os_cache("csrgan")), megabytes * 2**20
        self.index = Index(self.folder / "index.jsonl")
        self.trouble = ""  # why it cannot be written
        self._lock = Lock()
        self._left = 0.0  # bytes
        self._wanted = set[Path]()
        self._unused: list[tuple[float, int, Path]] = []  # when last used, how many bytes, where: the most recent first

    def file(self, key: str) -> Path:
        return self.folder / "pictures" / key[:2] / f"{key}.npy"

    def holds(self, what: CacheEntry) -> bool:
        """Whether the decoded picture is there, whole."""
        try:
            return self.limit > 0 and self.file(what.key).stat().st_size == what.decoded_bytes
        except OSError:
            return False

    def claim(self) -> None:
        """Before anything is written or deleted. Raises UserError where the folder may hold something of the user's."""
        try:
            claim(self.folder)
        except OSError as reason:  # what is there can be read all the same
            self.trouble = reason.strerror or str(reason)

    def prepare(self, files: Sequence[File], console: Console) -> Prepared:
        """Decode what is not known or not there yet. It can be stopped at any moment, and goes on where it stopped.

        Raises UserError where the folder may hold something of the user's.
        """
        self.claim()
        known, missing = self._survey(files)
        if missing and self.trouble:
            known |= self._decode_all(missing, console)
        elif missing:
            try:
                with wait_lock(self.folder / "lock", console, "decoding photographs"):
                    known, missing = self._survey(files)
                    known |= self._decode_all(missing, console)
            except OSError as reason:  # not even a lock can be written
                self.trouble = reason.strerror or str(reason)
                known |= self._decode_all(missing, console)
        what = [known[file.path] for file in files]
        result = Prepared(files, what, [self.file(one.key) if self.holds(one) else None for one in what])
        self._tell(sum(place is None for place in result.decoded), len(result.files), console)
        return result

    def _tell(self, absent: int, total: int, console: Console) -> None:
        """Say that photographs will be decoded again and again, and why, unless that was asked for."""
        if absent and self.limit:
            why = f"{self.folder} cannot be written ({self.trouble})" if self.trouble else "data.cache_mb has no room for them"
            sentence = f"{absent} of {total} photographs are decoded for every crop, because {why}; data.crops_per_image=8 helps."
            console.print(sentence, highlight=False, markup=False, soft_wrap=True)

    def _survey(self, files: Sequence[File]) -> tuple[dict[Path, CacheEntry], list[Path]]:
        """What is known of the files, and those that must be decoded: unknown, or not there though there is room for them."""
        index = self.index.read()
        known = {file.path: what for file in files if (what := index.get(state(file.path)))}
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
        for file in (file for group in groups(self.folder) for file in group.iterdir()):
            decoded, unfinished = DECODED.fullmatch(file.name), UNFINISHED.fullmatch(file.name)
            with suppress(OSError):  # removed by another process
                found = file.lstat()
                if not (decoded or unfinished) or not stat.S_ISREG(found.st_mode):
                    continue
                if unfinished and time.time() - found.st_mtime > ABANDONED:
                    file.unlink()
                    continue
                self._left -= found.st_size
                if decoded and file.stem not in wanted:
                    self._unused.append((found.st_mtime, found.st_size, file))
        self._unused.sort(reverse=True)

    def _room(self, count: int) -> bool:
        """Whether there is room for so many bytes; if so it is taken."""
        with self._lock:
            while self._left < count and self._unused and not self.trouble:
                _, size, file = self._unused.pop()
                if file in self._wanted:  # it was not known to be, when the stock was taken
                    continue
                with suppress(OSError):
                    file.unlink()
                    self._left += size
            fits = count <= self._left and not self.trouble
            self._left -= count if fits else 0
            return fits

    def _decode_all(self, paths: Sequence[Path], console: Console) -> dict[Path, CacheEntry]:
        known: dict[Path, CacheEntry] = {}
        with progress(console, "decoding photographs", len(paths)) as advance, ThreadPoolExecutor(_cores()) as pool:
            work = {pool.submit(self._decode, path): path for path in paths}
            try:
                for done in as_completed(work):
                    known[work[done]] = done.result()
                    self.index.add(done.result())
                    advance(len(known))
            except BaseException:  # Ctrl-C, too
                pool.shutdown(cancel_futures=True)
                raise
        return known

    def _decode(self, path: Path) -> CacheEntry:
        here = state(path)
        try:
            data = picture.load(path)
            pixels = picture.decode(data, path).eight_bits
        except (UserError, MemoryError) as reason:
            return CacheEntry(
                *here, refused=(str(reason) or "it needs more memory than there is").removeprefix(f"{path} ").rstrip(".")
            )
        pixels = np.ascontiguousarray(pixels)
        height, width = pixels.shape[:2]
        what = CacheEntry(*here, key_of(data), height, width, "", zlib.crc32(pixels.data), picture.frames(data), DECODING)
        self._look_at(what)
        if not self.holds(what) and self._room(what.decoded_bytes):
            self._write(self.file(what.key), pixels)
        return what

    def _look_at(self, what: CacheEntry) -> None:
        """See that a decoded picture that is there is the one that it should be: of another decoding, or damaged, it is deleted."""
        with self._lock:
            self._wanted.add(self.file(what.key))
        if self.holds(what):
            try:
                verify(self.file(what.key), what)
            except ValueError:
                with self._lock:
                    self._left += what.decoded_bytes
            except OSError:  # deleted by another process, or not to be deleted by this one
                pass

    def _write(self, file: Path, pixels: Pixels) -> None:
        """Whole or not at all; where it cannot be written, no other is tried."""
        unfinished = file.with_name(f"{file.stem}.{os.getpid()}-{get_ident()}.part")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with unfinished.open("wb") as stream:
                np.save(stream, pixels)
            commit(unfinished, file)
        except OSError as reason:
            self.trouble = reason.strerror or str(reason)
            with suppress(OSError):
                unfinished.unlink()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
