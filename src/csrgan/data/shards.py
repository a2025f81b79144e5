"""Many photographs in few files: tar archives, which WebDataset reads too, with an index of where each picture begins.

Any picture can be read by offset and length alone, from a folder or an object store, so the order of the samples stays a pure
function of (seed, i).
"""

from __future__ import annotations

import json
import os
import re
import tarfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs
from rich.console import Console

from csrgan import files
from csrgan.data import picture
from csrgan.data.cache import Cache
from csrgan.data.pictures import Pictures, Pixels
from csrgan.data.prepared import Prepared, key_of
from csrgan.data.progress import progress
from csrgan.errors import UserError, require

INDEX, FORMAT = "index.json", "csrgan shards 1"
PLAN = f"{INDEX}.part"  # an index of the shards that are being written
# Limits in bytes of a picture's length and offset, because reading it allocates memory first.
MAX_LENGTH, MAX_OFFSET = 2**30, 2**60
SHARD = re.compile(r"[\w-][\w.-]*")  # the name of a file next to the index


class Shards:
    """A folder or URL of shards.

    url: what fsspec takes, as in s3://bucket/folder; simplecache::s3://bucket/folder keeps whole shards on disk.
    """

    def __init__(self, *, url: str) -> None:
        self.url = url
        self.wants, self.refused = tuple[str, ...](), dict[str, str]()

    def pictures(self, cache: Cache, archives: Sequence[Path], console: Console) -> Pictures:
        return Sharded(self.url)


class Sharded:
    """The photographs in the shards at `url`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._opened: tuple[int, AbstractFileSystem | None, str] = (-1, None, "")
        self._ahead: dict[int, bytes] = {}
        try:
            system, root = self._system()
            content = json.loads(system.cat_file(f"{root}/{INDEX}"))
        except (OSError, ImportError, ValueError, RecursionError) as error:
            raise UserError(f"{url} holds no shards that can be read ({INDEX}: {str(error) or type(error).__name__}).") from error
        valid = isinstance(content, dict) and content.get("format") == FORMAT
        require(valid, f"{url}/{INDEX} does not have the format {FORMAT!r}, which csrgan prepare format=shards writes.")
        self.spans: list[tuple[str, int, int]] = []  # shard, offset, length
        self.names: list[str] = []
        self.sizes: list[tuple[int, int]] = []
        self.groups: list[Sequence[int]] = []
        try:
            for shard in content["shards"]:
                self.groups.append(range(len(self.names), len(self.names) + len(shard["pictures"])))
                for row in shard["pictures"]:
                    self._add(shard["file"], *row)
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"{url}/{INDEX} is damaged ({type(error).__name__}: {error}).") from error

    def _add(self, shard: str, name: str, offset: int, length: int, height: int, width: int) -> None:
        """Add a row of the index. Raises ValueError for impossible values or a shard in another folder: the index is untrusted."""
        names = isinstance(shard, str) and SHARD.fullmatch(shard) and isinstance(name, str)
        integers = all(isinstance(number, int) for number in (offset, length, height, width))
        if not (
            names and integers and 0 <= offset < MAX_OFFSET and all(0 < number <= MAX_LENGTH for number in (length, height, width))
        ):
            raise ValueError(f"{[shard, name, offset, length, height, width]} does not describe a picture in a shard")
        require("\0" not in name, "a name holds a NUL")
        name.encode()  # raises an error for a surrogate
        self.names.append(name)
        self.spans.append((shard, offset, length))
        self.sizes.append((height, width))

    def pixels(self, index: int) -> Pixels:
        data = self._read(index)
        name = f"{self.spans[index][0]}: {self.names[index]}"
        result = np.require(picture.decode(data, name).eight_bits, requirements=["C", "W"])
        height, width = self.sizes[index]
        require(result.shape[:2] == (height, width), f"{self.url}/{name} does not have {width}x{height} pixels, as {INDEX} says.")
        return result

    def key(self, index: int) -> str:
        """Return the hash of the picture's file."""
        return key_of(self._read(index))

    def look_ahead(self, indices: Sequence[int]) -> None:
        """Read the files of these photographs at once. What fails is read again when it is asked for, and then raises its error."""
        system, root = self._system()
        spans = [self.spans[index] for index in indices]
        paths, starts = [f"{root}/{shard}" for shard, _, _ in spans], [offset for _, offset, _ in spans]
        ends = [offset + length for _, offset, length in spans]
        found = system.cat_ranges(paths, starts, ends, on_error="return") if spans else []
        self._ahead = {index: data for index, data in zip(indices, found, strict=True) if isinstance(data, bytes)}

    def _read(self, index: int) -> bytes:
        if index in self._ahead:
            return self._ahead.pop(index)
        shard, offset, length = self.spans[index]
        system, root = self._system()
        try:
            result: bytes = system.cat_file(f"{root}/{shard}", start=offset, end=offset + length)
        except OSError as error:
            raise UserError(f"{self.url}/{shard} cannot be read: {error}.") from error
        return result

    def intact(self, index: int) -> bool:
        return True  # decoded pixels are in memory

    def _system(self) -> tuple[AbstractFileSystem, str]:
        """Return the file system, opened once per process: connections do not survive a fork."""
        process, system, root = self._opened
        if system is None or process != os.getpid():
            system, root = url_to_fs(self.url, skip_instance_cache=True)
            self._opened = (os.getpid(), system, root)
        return system, root

    def __getstate__(self) -> dict[str, object]:
        return vars(self) | {"_opened": (-1, None, ""), "_ahead": {}}


def is_shards(source: str) -> bool:
    """Return whether a string names shards: a URL, or a folder with their index."""
    return "://" in source or (Path(source) / INDEX).is_file()


def write(pictures: Prepared, destination: Path, megabytes: float, console: Console) -> int:
    """Write shards of about `megabytes` each, then their index; return the number of shards.

    Each appears only when it is complete, and a second run writes those that are missing. Raises UserError, before it writes
    anything, if it would replace a file that no earlier run has written.
    """
    destination.mkdir(parents=True, exist_ok=True)
    plan = {f"{number:06d}.tar": members for number, members in enumerate(_plan(pictures, megabytes * 2**20))}
    missing = [name for name, members in plan.items() if not _is_complete(destination / name, pictures, members)]
    _claim(destination, missing)
    shards = []
    with progress(console, "writing shards", len(plan)) as advance:
        for number, (name, members) in enumerate(plan.items(), start=1):
            if name in missing:
                _write(destination / name, pictures, members)
            spans = _spans(destination / name)
            rows = [[pictures.names[index], *spans[pictures.names[index]], *pictures.sizes[index]] for index in members]
            shards.append({"file": name, "pictures": rows})
            advance(number)
    files.write(destination / INDEX, json.dumps({"format": FORMAT, "shards": shards}))
    (destination / PLAN).unlink(missing_ok=True)
    return len(shards)


def _claim(destination: Path, missing: Sequence[str]) -> None:
    """Record which shards will be written, so that a later run recognizes them, and delete the index, which is outdated."""
    own = {file: _indexed(destination / file) for file in (INDEX, PLAN)}
    written = {name for names in own.values() for name in names or ()}
    claimed = [name for name in missing if name not in written]
    beside = [files.part_path(destination / name).name for name in claimed]
    for name in (*claimed, *beside, *(file for file, names in own.items() if names is None)):
        require(
            not os.path.lexists(destination / name),
            f"destination={destination} holds {name}, which csrgan prepare has not written: choose an empty or a new folder as"
            " destination=FOLDER.",
        )
    if missing:
        names = [{"file": name, "pictures": []} for name in sorted(written | set(missing))]
        files.write(destination / PLAN, json.dumps({"format": FORMAT, "shards": names}))
        (destination / INDEX).unlink(missing_ok=True)


def _indexed(index: Path) -> list[str] | None:
    """Return the shards that an index or a plan names; None if the file is neither."""
    try:
        content = json.loads(index.read_bytes())
        return [str(shard["file"]) for shard in content["shards"]] if content["format"] == FORMAT else None
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def _plan(pictures: Prepared, limit: float) -> list[list[int]]:
    """Assign photographs to shards of up to `limit` bytes; a longer photograph has a shard of its own."""
    plan: list[list[int]] = [[]]
    filled = 0
    for index, entry in enumerate(pictures.known):
        if plan[-1] and filled + entry.size > limit:
            plan.append([])
            filled = 0
        plan[-1].append(index)
        filled += entry.size
    return plan


def _is_complete(file: Path, pictures: Prepared, members: Sequence[int]) -> bool:
    """Whether a shard exists and holds exactly these photographs as they are now."""
    try:
        with tarfile.open(file) as shard:
            contents = [(member.name, key_of(stream.read())) for member in shard if (stream := shard.extractfile(member))]
    except (OSError, tarfile.TarError):
        return False
    return contents == [(pictures.names[index], pictures.known[index].key) for index in members]


def _write(file: Path, pictures: Prepared, members: Sequence[int]) -> None:
    with files.atomic_write(file) as part, tarfile.open(part, "w", format=tarfile.PAX_FORMAT) as shard:
        for index in members:
            data = picture.load(pictures.files[index])
            require(
                key_of(data) == pictures.known[index].key,
                f"{pictures.files[index]} has changed since: run the command again.",
            )
            member = tarfile.TarInfo(pictures.names[index])
            member.size = len(data)
            shard.addfile(member, BytesIO(data))


def _spans(file: Path) -> dict[str, tuple[int, int]]:
    """Return offset and length of each member's bytes."""
    with tarfile.open(file) as shard:
        return {member.name: (member.offset_data, member.size) for member in shard}
