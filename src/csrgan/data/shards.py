"""Many photographs in few files: tar archives, as WebDataset reads them too, with an index that says where each picture lies.

Any picture is read by its place and length alone, from a folder or from an object store, so that the order of the samples stays a
pure function of (seed, i).
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
PLAN = f"{INDEX}.part"  # an index of what is being written
LONGEST, FARTHEST = 2**30, 2**60  # bytes of a picture's file, and where it may lie: what is read is first made room for
SHARD = re.compile(r"[\w-][\w.-]*")  # the name of a file beside the index


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
        try:
            system, root = self._system()
            content = json.loads(system.cat_file(f"{root}/{INDEX}"))
        except (OSError, ImportError, ValueError, RecursionError) as reason:
            raise UserError(
                f"{url} holds no shards that can be read ({INDEX}: {str(reason) or type(reason).__name__})."
            ) from reason
        known = isinstance(content, dict) and content.get("format") == FORMAT
        require(known, f"{url}/{INDEX} is not of the format {FORMAT!r} that csrgan prepare format=shards writes.")
        self.places: list[tuple[str, int, int]] = []  # shard, offset, length
        self.names: list[str] = []
        self.sizes: list[tuple[int, int]] = []
        self.groups: list[Sequence[int]] = []
        try:
            for shard in content["shards"]:
                self.groups.append(range(len(self.names), len(self.names) + len(shard["pictures"])))
                for row in shard["pictures"]:
                    self._add(shard["file"], *row)
        except (KeyError, TypeError, ValueError) as reason:
            raise UserError(f"{url}/{INDEX} is damaged ({type(reason).__name__}: {reason}).") from reason

    def _add(self, shard: str, name: str, offset: int, length: int, height: int, width: int) -> None:
        """A picture of the index, which may come from anywhere: it is not to lead to a file elsewhere. Raises ValueError."""
        plain = isinstance(shard, str) and SHARD.fullmatch(shard) and isinstance(name, str)
        whole = all(isinstance(number, int) for number in (offset, length, height, width))
        if not (plain and whole and 0 <= offset < FARTHEST and all(0 < number <= LONGEST for number in (length, height, width))):
            raise ValueError(f"{[shard, name, offset, length, height, width]} is no picture in a shard")
        require("\0" not in name, "a name holds a NUL")
        name.encode()  # of a surrogate, an error
        self.names.append(name)
        self.places.append((shard, offset, length))
        self.sizes.append((height, width))

    def pixels(self, index: int) -> Pixels:
        data = self._read(index)
        name = f"{self.places[index][0]}: {self.names[index]}"
        result = np.require(picture.decode(data, name).eight_bits, requirements=["C", "W"])
        height, width = self.sizes[index]
        require(result.shape[:2] == (height, width), f"{self.url}/{name} is not of {width}x{height} pixels, as {INDEX} has it.")
        return result

    def key(self, index: int) -> str:
        """The hash of the picture's file."""
        return key_of(self._read(index))

    def _read(self, index: int) -> bytes:
        shard, offset, length = self.places[index]
        system, root = self._system()
        try:
            result: bytes = system.cat_file(f"{root}/{shard}", start=offset, end=offset + length)
        except OSError as reason:
            raise UserError(f"{self.url}/{shard} cannot be read: {reason}.") from reason
        return result

    def intact(self, index: int) -> bool:
        return True  # it is in memory

    def _system(self) -> tuple[AbstractFileSystem, str]:
        """The file system, opened in each process anew: connections do not survive a fork."""
        process, system, root = self._opened
        if system is None or process != os.getpid():
            system, root = url_to_fs(self.url, skip_instance_cache=True)
            self._opened = (os.getpid(), system, root)
        return system, root

    def __getstate__(self) -> dict[str, object]:
        return vars(self) | {"_opened": (-1, None, "")}


def write(pictures: Prepared, destination: Path, megabytes: float, console: Console) -> int:
    """Write shards of about so many megabytes, and their index at last; returns their number.

    Each is whole or not there; a second start writes those that are missing. Raises UserError, before any is written, where a file
    is in the way that no earlier start has written.
    """
    destination.mkdir(parents=True, exist_ok=True)
    plan = {f"{number:06d}.tar": members for number, members in enumerate(_plan(pictures, megabytes * 2**20))}
    missing = [name for name, members in plan.items() if not _holds(destination / name, pictures, members)]
    _make_way(destination, missing)
    shards = []
    with progress(console, "writing shards", len(plan)) as advance:
        for number, (name, members) in enumerate(plan.items(), start=1):
            if name in missing:
                _write(destination / name, pictures, members)
            places = _places(destination / name)
            rows = [[pictures.names[index], *places[pictures.names[index]], *pictures.sizes[index]] for index in members]
            shards.append({"file": name, "pictures": rows})
            advance(number)
    files.write(destination / INDEX, json.dumps({"format": FORMAT, "shards": shards}))
    (destination / PLAN).unlink(missing_ok=True)
    return len(shards)


def _make_way(destination: Path, missing: Sequence[str]) -> None:
    """Note which shards are to be written, so that another start knows them for its own. The index of others is valid no more."""
    own = {file: _listed(destination / file) for file in (INDEX, PLAN)}
    written = {name for names in own.values() for name in names or ()}
    claimed = [name for name in missing if name not in written]
    beside = [files.part_path(destination / name).name for name in claimed]
    for name in (*claimed, *beside, *(file for file, names in own.items() if names is None)):
        require(
            not os.path.lexists(destination / name),
            f"destination={destination} holds {name}, which is no file that csrgan prepare has written there:"
            " choose an empty or a new folder as destination=FOLDER.",
        )
    if missing:
        names = [{"file": name, "pictures": []} for name in sorted(written | set(missing))]
        files.write(destination / PLAN, json.dumps({"format": FORMAT, "shards": names}))
        (destination / INDEX).unlink(missing_ok=True)


def _listed(index: Path) -> list[str] | None:
    """The shards that an index, or a plan of them, names; None where it is none."""
    try:
        content = json.loads(index.read_bytes())
        return [str(shard["file"]) for shard in content["shards"]] if content["format"] == FORMAT else None
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def _plan(pictures: Prepared, limit: float) -> list[list[int]]:
    """Which photographs come into which shard."""
    plan: list[list[int]] = [[]]
    filled = 0
    for index, known in enumerate(pictures.known):
        if plan[-1] and filled + known.size > limit:
            plan.append([])
            filled = 0
        plan[-1].append(index)
        filled += known.size
    return plan


def _holds(file: Path, pictures: Prepared, members: Sequence[int]) -> bool:
    """Whether a shard is there with these photographs as they are now."""
    try:
        with tarfile.open(file) as shard:
            found = [(member.name, key_of(held.read())) for member in shard if (held := shard.extractfile(member))]
    except (OSError, tarfile.TarError):
        return False
    return found == [(pictures.names[index], pictures.known[index].key) for index in members]


def _write(file: Path, pictures: Prepared, members: Sequence[int]) -> None:
    with files.atomic_write(file) as part, tarfile.open(part, "w", format=tarfile.PAX_FORMAT) as shard:
        for index in members:
            data = picture.load(pictures.files[index])
            require(key_of(data) == pictures.known[index].key, f"{pictures.files[index]} has changed meanwhile: start again.")
            member = tarfile.TarInfo(pictures.names[index])
            member.size = len(data)
            shard.addfile(member, BytesIO(data))


def _places(file: Path) -> dict[str, tuple[int, int]]:
    """Where the bytes of each member begin, and how many they are."""
    with tarfile.open(file) as shard:
        return {member.name: (member.offset_data, member.size) for member in shard}
