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
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from fsspec.core import url_to_fs
from rich.console import Console

from csrgan.data import picture
from csrgan.data.cache import Cache, File, Prepared
from csrgan.data.pictures import Pictures, Pixels
from csrgan.data.progress import progress
from csrgan.fault import Fault, check

INDEX, FORMAT = "index.json", "csrgan shards 1"
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
        self.url, self._opened = url, (-1, None, "")
        try:
            system, root = self._system()
            held = json.loads(system.cat_file(f"{root}/{INDEX}"))
        except (OSError, ImportError, ValueError, RecursionError) as reason:
            raise Fault(f"{url} holds no shards that can be read ({INDEX}: {str(reason) or type(reason).__name__}).") from reason
        known = isinstance(held, dict) and held.get("format") == FORMAT
        check(known, f"{url}/{INDEX} is not of the format {FORMAT!r} that csrgan prepare format=shards writes.")
        self.places: list[tuple[str, int, int]] = []  # shard, offset, length
        self.names: list[str] = []
        self.sizes: list[tuple[int, int]] = []
        self.groups: list[Sequence[int]] = []
        try:
            for shard in held["shards"]:
                self.groups.append(range(len(self.names), len(self.names) + len(shard["pictures"])))
                for row in shard["pictures"]:
                    self._add(shard["file"], *row)
        except (KeyError, TypeError, ValueError) as reason:
            raise Fault(f"{url}/{INDEX} is damaged ({type(reason).__name__}: {reason}).") from reason

    def _add(self, shard: str, name: str, offset: int, length: int, height: int, width: int) -> None:
        """A picture of the index, which may come from anywhere: it is not to lead to a file elsewhere. Raises ValueError."""
        plain = isinstance(shard, str) and SHARD.fullmatch(shard) and isinstance(name, str)
        whole = all(isinstance(number, int) for number in (offset, length, height, width))
        if not (plain and whole and 0 <= offset < FARTHEST and all(0 < number <= LONGEST for number in (length, height, width))):
            raise ValueError(f"{[shard, name, offset, length, height, width]} is no picture in a shard")
        check("\0" not in name, "a name holds a NUL")
        name.encode()  # of a surrogate, an error
        self.names.append(name)
        self.places.append((shard, offset, length))
        self.sizes.append((height, width))

    def pixels(self, index: int) -> Pixels:
        shard, offset, length = self.places[index]
        system, root = self._system()
        try:
            data = system.cat_file(f"{root}/{shard}", start=offset, end=offset + length)
        except OSError as reason:
            raise Fault(f"{self.url}/{shard} cannot be read: {reason}.") from reason
        name = f"{shard}: {self.names[index]}"
        found = np.require(picture.decode(data, name).eight_bits, requirements=["C", "W"])
        height, width = self.sizes[index]
        check(found.shape[:2] == (height, width), f"{self.url}/{name} is not of {width}x{height} pixels, as {INDEX} has it.")
        return found

    def _system(self) -> tuple[Any, str]:
        """The file system, opened in each process anew: connections do not survive a fork."""
        if self._opened[0] != os.getpid():
            system, root = url_to_fs(self.url, skip_instance_cache=True)
            self._opened = (os.getpid(), system, root)
        return self._opened[1:]

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_opened": (-1, None, "")}


def write(pictures: Prepared, destination: Path, megabytes: float, console: Console) -> int:
    """Write shards of about so many megabytes, and their index at last; returns their number.

    Each is whole or not there; a second start writes those that are missing.
    """
    destination.mkdir(parents=True, exist_ok=True)
    plan = _plan(pictures, megabytes * 2**20)
    shards = []
    with progress(console, "writing shards", len(plan)) as advance:
        for number, members in enumerate(plan):
            file = destination / f"{number:06d}.tar"
            files = [File(pictures.files[index], pictures.names[index]) for index in members]
            places = {}
            with suppress(FileNotFoundError, tarfile.TarError):  # another file of this name is written anew
                places = _places(file)
            if list(places) != [one.name for one in files]:
                _write(file, files)
                places = _places(file)
            rows = [[pictures.names[index], *places[pictures.names[index]], *pictures.sizes[index]] for index in members]
            shards.append({"file": file.name, "pictures": rows})
            advance(number + 1)
    unfinished = destination / f"{INDEX}.part"
    unfinished.write_text(json.dumps({"format": FORMAT, "shards": shards}), encoding="utf-8")
    unfinished.replace(destination / INDEX)
    return len(shards)


def _plan(pictures: Prepared, limit: float) -> list[list[int]]:
    """Which photographs come into which shard."""
    plan: list[list[int]] = [[]]
    filled = 0
    for index, file in enumerate(pictures.files):
        length = file.stat().st_size
        if plan[-1] and filled + length > limit:
            plan.append([])
            filled = 0
        plan[-1].append(index)
        filled += length
    return plan


def _write(file: Path, files: Sequence[File]) -> None:
    unfinished = file.with_name(f"{file.name}.part")
    with tarfile.open(unfinished, "w", format=tarfile.PAX_FORMAT) as shard:
        for one in files:
            data = picture.load(one.path)
            member = tarfile.TarInfo(one.name)
            member.size = len(data)
            shard.addfile(member, BytesIO(data))
    unfinished.replace(file)


def _places(file: Path) -> dict[str, tuple[int, int]]:
    """Where the bytes of each member begin, and how many they are."""
    with tarfile.open(file) as shard:
        return {member.name: (member.offset_data, member.size) for member in shard}
