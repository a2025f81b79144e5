"""What is known of picture files that were looked at before, so that they need not be read again."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import astuple, dataclass
from pathlib import Path

DECODING = 2  # another number whenever `picture.decode` gives other pixels: what was decoded before is then decoded again
HEAD = 128  # bytes before the pixels of a .npy file
KEY = re.compile(r"[0-9a-f]{32}")  # of BLAKE2b with 16 bytes

State = tuple[str, int, int]


@dataclass(frozen=True)
class File:
    """A picture file, and how rows and panels call it."""

    path: Path
    name: str


@dataclass(frozen=True)
class CacheEntry:
    """What is known of a picture file. key: the hash of its content. refused: why it cannot be used; empty where it can.

    crc: CRC-32 of its decoded pixels. frames: pages or frames in it, of which the first is the picture. decoding: see DECODING.
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
    """A file with a line for each picture file that could be used. What cannot be read in it is as if it were not there."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def read(self) -> dict[State, CacheEntry]:
        try:
            lines = self.file.read_bytes().split(b"\n")
        except OSError:
            return {}
        found = {}
        for line in lines:
            with suppress(ValueError, TypeError, RecursionError):  # what a power cut has left, or another program
                what = CacheEntry(*json.loads(line))
                if _sane(what):
                    found[what.path, what.size, what.changed_ns] = what
        return found

    def add(self, what: CacheEntry) -> None:
        """What was refused is looked at again each time: its rights may change, and its file does not."""
        if not what.refused:
            with suppress(OSError), self.file.open("a", encoding="ascii") as stream:
                stream.write("\n" + json.dumps(astuple(what)))  # the line before may have been cut short


def state(path: Path) -> State:
    """Where it is, how long it is, and when it was changed, by which a file is recognised without being read."""
    try:
        found = path.stat()
    except OSError:
        return str(path.absolute()), -1, 0
    return str(path.absolute()), found.st_size, found.st_mtime_ns


def _sane(what: CacheEntry) -> bool:
    numbers = (what.size, what.changed_ns, what.height, what.width, what.crc, what.frames)
    return (
        all(isinstance(text, str) for text in (what.path, what.key, what.refused))
        and all(type(number) is int for number in numbers)
        and bool(KEY.fullmatch(what.key))
        and not what.refused
        and what.decoding == DECODING
        and min(what.height, what.width, what.frames) > 0
    )
