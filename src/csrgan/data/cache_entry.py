"""What is known about picture files from before, so that they need not be read again."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import astuple, dataclass
from pathlib import Path

DECODING = 2  # increase it whenever `picture.decode` gives other pixels: pictures decoded before are then decoded again
HEAD = 128  # bytes before the pixels of a .npy file
KEY = re.compile(r"[0-9a-f]{32}")  # BLAKE2b, 16 bytes

State = tuple[str, int, int]  # path, size in bytes, time of the last change in nanoseconds


@dataclass(frozen=True)
class File:
    """A picture file, and its name in rows and panels."""

    path: Path
    name: str


@dataclass(frozen=True)
class CacheEntry:
    """What is known about a picture file. key: the hash of its content. refused: why it cannot be used; empty where it can.

    crc: CRC-32 of its decoded pixels. frames: pages or frames in the file; the first is the picture. decoding: see DECODING.
    """

    path: str
    size: int
    changed_ns: int
    key: str = ""
    height: int = 0
    width: int = 0
    refused: str = ""
    crc: int = 0
    frames: int = 1
    decoding: int = 0

    @property
    def decoded_bytes(self) -> int:
        return HEAD + 3 * self.height * self.width


class Index:
    """A file with one line for each usable picture file. Lines that cannot be read are ignored."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def read(self) -> dict[State, CacheEntry]:
        try:
            lines = self.file.read_bytes().split(b"\n")
        except OSError:
            return {}
        entries = {}
        for line in lines:
            with suppress(ValueError, TypeError, RecursionError):  # cut off by a power failure, or written by another program
                entry = CacheEntry(*json.loads(line))
                if _valid(entry):
                    entries[entry.path, entry.size, entry.changed_ns] = entry
        return entries

    def add(self, entry: CacheEntry) -> None:
        """Append the entry, unless the file was refused: its permissions may change although its content does not."""
        if not entry.refused:
            with suppress(OSError), self.file.open("a", encoding="ascii") as stream:
                stream.write("\n" + json.dumps(astuple(entry)))  # the line before may have been cut short


def file_state(path: Path) -> State:
    """Return path, size and time of the last change, which identify a file without reading it."""
    try:
        status = path.stat()
    except OSError:
        return str(path.absolute()), -1, 0
    return str(path.absolute()), status.st_size, status.st_mtime_ns


def _valid(entry: CacheEntry) -> bool:
    numbers = (entry.size, entry.changed_ns, entry.height, entry.width, entry.crc, entry.frames)
    return (
        all(isinstance(text, str) for text in (entry.path, entry.key, entry.refused))
        and all(type(number) is int for number in numbers)
        and bool(KEY.fullmatch(entry.key))
        and not entry.refused
        and entry.decoding == DECODING
        and min(entry.height, entry.width, entry.frames) > 0
    )
