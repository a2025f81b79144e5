"""The picture files below a folder, and what is left out there."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

from csrgan.files import is_internal

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")
# What holds pictures, too, and is not read: other formats, other names of those that are read, and what cameras and programs keep.
_FORMATS = (".apng", ".avif", ".dib", ".exr", ".gif", ".hdr", ".heic", ".heif", ".hif", ".j2k", ".jfif", ".jp2", ".jpe", ".jpf")
_MORE = (".jpx", ".jxl", ".jxr", ".mpo", ".pbm", ".pcx", ".pfm", ".pgm", ".pnm", ".psb", ".psd", ".svg", ".tga", ".xcf")
_RAW = (".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".iiq", ".kdc", ".mef", ".mos", ".mrw", ".nef", ".nrw")
_RAWS = (".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f")
OTHERS = frozenset((*_FORMATS, *_MORE, *_RAW, *_RAWS))
UNREAD = "folders that cannot be read"


@dataclass(frozen=True)
class Found:
    """files: the pictures, sorted by path. folders: where they were looked for. left: what was left out, and how often."""

    files: list[Path]
    folders: list[Path]
    left: Counter[str]


def search(root: Path, apart_from: Path | None = None) -> Found:
    """Look through a folder and all below it; a folder that links lead to is looked through once, whatever leads there.

    apart_from: a folder that is left alone, such as where an earlier run wrote, unless the root lies in it.
    """
    apart = apart_from.resolve() if apart_from else None
    if apart and root.resolve().is_relative_to(apart):
        apart = None
    result = Found([], [], Counter())
    for folder, entries in _walk(root, apart):
        result.folders.append(folder)
        if entries is None:
            result.left[UNREAD] += 1
        for entry in entries or ():
            suffix = PurePath(entry.name).suffix.lower() if not is_internal(PurePath(entry.name)) else ""
            if suffix in SUFFIXES and _is_file(entry):
                result.files.append(folder / entry.name)
            elif suffix in OTHERS and _is_file(entry):
                result.left[suffix] += 1
    result.files.sort()
    return result


def told(left: Mapping[str, int], frames: Iterable[int] = ()) -> str:
    """What was left out, in a line; empty where nothing was. frames: how many each of the pictures has, see `picture.frames`."""
    parts = [f"{count} {what}" for what, count in sorted(left.items())]
    further = [count - 1 for count in frames if count > 1]
    if further:
        parts.append(f"{sum(further)} further pages or frames of {len(further)} pictures, of which the first is read")
    return f"left out: {', '.join(parts)}" if parts else ""


def _walk(root: Path, apart: Path | None) -> Iterator[tuple[Path, list[os.DirEntry[str]] | None]]:
    """Each folder with what is in it, or None where that cannot be read. What is in place comes before what links lead to, so that
    a link changes no name."""
    waiting, linked, seen = [(root, root.resolve())], list[tuple[Path, Path]](), set[Path]()
    while waiting or linked:
        folder, place = waiting.pop() if waiting else linked.pop(0)
        if place in seen or (apart and place.is_relative_to(apart)):
            continue
        seen.add(place)
        try:
            with os.scandir(folder) as held:
                entries = sorted(held, key=lambda entry: entry.name)
        except OSError:
            yield folder, None
            continue
        yield folder, entries
        for entry in entries:
            here = folder / entry.name
            if is_internal(PurePath(entry.name)):
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append((here, place / entry.name))
            elif entry.is_symlink() and here.is_dir():
                linked.append((here, here.resolve()))


def _is_file(entry: os.DirEntry[str]) -> bool:
    """A file, or a link that leads to one or nowhere, which is told when it is read."""
    return entry.is_file() or (entry.is_symlink() and not Path(entry.path).exists())
