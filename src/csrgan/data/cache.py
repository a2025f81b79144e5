"""Decode each photograph once, into a file that is mapped into memory: cutting a crop is then a copy, whatever the format.

Decoded pictures are keyed by the content of their files, so a moved or renamed photograph is found again, and two equal ones
share one. `index.jsonl` records which file has which content.
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
from csrgan.data.cache_entry import DECODING, CacheEntry, File, Index, file_state
from csrgan.data.marker import DECODED, UNFINISHED, claim, groups
from csrgan.data.pictures import Pixels
from csrgan.data.prepared import Prepared, key_of, verify
from csrgan.data.progress import progress, wait_lock
from csrgan.errors import UserError
from csrgan.files import commit

ABANDONED = 3600  # seconds after which an unfinished file belongs to no running process


class Cache:
    """A folder of decoded pictures, `megabytes` at most; the least recently used are deleted to make room.

    folder: None: the user's cache folder.
    """

    def __init__(self, folder: str | Path | None, megabytes: float) -> None:
        self.folder, self.limit = Path(folder) if folder else Path(pooch.os_cache("csrgan")), megabytes * 2**20
        self.index = Index(self.folder / "index.jsonl")
        self.write_error = ""  # why the folder cannot be written
        self._lock = Lock()
        self._free = 0.0  # bytes
        self._wanted = set[Path]()
        self._unused: list[tuple[float, int, Path]] = []  # time of last use, bytes, file: the most recent first

    def file(self, key: str) -> Path:
        return self.folder / "pictures" / key[:2] / f"{key}.npy"

    def holds(self, entry: CacheEntry) -> bool:
        """Return whether the complete decoded picture is in the cache."""
        try:
            return self.limit > 0 and self.file(entry.key).stat().st_size == entry.decoded_bytes
        except OSError:
            return False

    def claim(self) -> None:
        """Mark the folder before anything in it is written or deleted. Raises UserError where it may hold the user's own files."""
        try:
            claim(self.folder)
        except OSError as reason:  # its contents can still be read
            self.write_error = reason.strerror or str(reason)

    def prepare(self, files: Sequence[File], console: Console) -> Prepared:
        """Decode the files that are new or not in the cache. It can be stopped at any moment and then continues from there.

        Raises UserError where the folder may hold the user's own files.
        """
        self.claim()
        entries, missing = self._survey(files)
        if missing and self.write_error:
            entries |= self._decode_all(missing, console)
        elif missing:
            try:
                with wait_lock(self.folder / "lock", console, "decoding photographs"):
                    entries, missing = self._survey(files)
                    entries |= self._decode_all(missing, console)
            except OSError as reason:  # not even a lock can be written
                self.write_error = reason.strerror or str(reason)
                entries |= self._decode_all(missing, console)
        in_order = [entries[file.path] for file in files]
        result = Prepared(files, in_order, [self.file(entry.key) if self.holds(entry) else None for entry in in_order])
        self._report_absent(sum(decoded is None for decoded in result.decoded), len(result.files), console)
        return result

    def _report_absent(self, absent: int, total: int, console: Console) -> None:
        """Print how many photographs are decoded for every crop, and why, unless the cache is switched off."""
        if absent and self.limit:
            unwritable = f"{self.folder} cannot be written ({self.write_error})"
            why = unwritable if self.write_error else "data.cache_mb has no room for them"
            sentence = f"{absent} of {total} photographs are decoded for every crop, because {why}; data.crops_per_image=8 helps."
            console.print(sentence, highlight=False, markup=False, soft_wrap=True)

    def _survey(self, files: Sequence[File]) -> tuple[dict[Path, CacheEntry], list[Path]]:
        """Return the entries of the known files, and the files to decode: unknown ones, and absent ones that there is room for."""
        index = self.index.read()
        entries = {file.path: entry for file in files if (entry := index.get(file_state(file.path)))}
        self._take_stock({entry.key for entry in entries.values()})
        room = self._free + sum(size for _, size, _ in self._unused)
        missing = [file.path for file in files if file.path not in entries]
        for path, entry in entries.items():
            if self.holds(entry):
                with suppress(OSError):
                    os.utime(self.file(entry.key))  # used now
            elif entry.decoded_bytes <= room:
                room -= entry.decoded_bytes
                missing.append(path)
        return entries, missing

    def _take_stock(self, wanted: Container[str]) -> None:
        """Measure the free room and list the pictures that may be deleted; remove the unfinished files of stopped processes."""
        self._free, self._unused = self.limit, []
        for file in (file for group in groups(self.folder) for file in group.iterdir()):
            decoded, unfinished = DECODED.fullmatch(file.name), UNFINISHED.fullmatch(file.name)
            with suppress(OSError):  # removed by another process
                status = file.lstat()
                if not (decoded or unfinished) or not stat.S_ISREG(status.st_mode):
                    continue
                if unfinished and time.time() - status.st_mtime > ABANDONED:
                    file.unlink()
                    continue
                self._free -= status.st_size
                if decoded and file.stem not in wanted:
                    self._unused.append((status.st_mtime, status.st_size, file))
        self._unused.sort(reverse=True)

    def _reserve(self, size: int) -> bool:
        """Reserve `size` bytes, deleting unused pictures to make room. Return whether there is room."""
        with self._lock:
            while self._free < size and self._unused and not self.write_error:
                _, unused_size, file = self._unused.pop()
                if file in self._wanted:  # found to be wanted since stock was taken
                    continue
                with suppress(OSError):
                    file.unlink()
                    self._free += unused_size
            fits = size <= self._free and not self.write_error
            self._free -= size if fits else 0
            return fits

    def _decode_all(self, paths: Sequence[Path], console: Console) -> dict[Path, CacheEntry]:
        entries: dict[Path, CacheEntry] = {}
        with progress(console, "decoding photographs", len(paths)) as advance, ThreadPoolExecutor(_cores()) as pool:
            futures = {pool.submit(self._decode, path): path for path in paths}
            try:
                for future in as_completed(futures):
                    entries[futures[future]] = future.result()
                    self.index.add(future.result())
                    advance(len(entries))
            except BaseException:  # Ctrl-C, too
                pool.shutdown(cancel_futures=True)
                raise
        return entries

    def _decode(self, path: Path) -> CacheEntry:
        state = file_state(path)
        try:
            data = picture.load(path)
            pixels = picture.decode(data, path).eight_bits
        except (UserError, MemoryError) as reason:
            sentence = str(reason) or "it needs more memory than there is"
            return CacheEntry(*state, refused=sentence.removeprefix(f"{path} ").rstrip("."))
        pixels = np.ascontiguousarray(pixels)
        height, width = pixels.shape[:2]
        entry = CacheEntry(*state, key_of(data), height, width, "", zlib.crc32(pixels.data), picture.frames(data), DECODING)
        self._verify(entry)
        if not self.holds(entry) and self._reserve(entry.decoded_bytes):
            self._write(self.file(entry.key), pixels)
        return entry

    def _verify(self, entry: CacheEntry) -> None:
        """Mark the decoded picture as wanted, and delete it where it is damaged or came from another version of decoding."""
        with self._lock:
            self._wanted.add(self.file(entry.key))
        if self.holds(entry):
            try:
                verify(self.file(entry.key), entry)
            except ValueError:
                with self._lock:
                    self._free += entry.decoded_bytes
            except OSError:  # deleted by another process, or this process may not delete it
                pass

    def _write(self, file: Path, pixels: Pixels) -> None:
        """Write the file completely or not at all; after a failure no other file is tried."""
        unfinished = file.with_name(f"{file.stem}.{os.getpid()}-{get_ident()}.part")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with unfinished.open("wb") as stream:
                np.save(stream, pixels)
            commit(unfinished, file)
        except OSError as reason:
            self.write_error = reason.strerror or str(reason)
            with suppress(OSError):
                unfinished.unlink()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
