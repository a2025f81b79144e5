"""Find the picture files below a folder, and count what is left out there."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

from csrgan.errors import UserError, meant
from csrgan.files import is_internal

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")
# Pictures that are not read: other formats, other suffixes of the formats that are read, and what cameras and editors store.
_FORMATS = (".apng", ".avif", ".dib", ".exr", ".gif", ".hdr", ".heic", ".heif", ".hif", ".j2k", ".jfif", ".jp2", ".jpe", ".jpf")
_MORE = (".jpx", ".jxl", ".jxr", ".mpo", ".pbm", ".pcx", ".pfm", ".pgm", ".pnm", ".psb", ".psd", ".svg", ".tga", ".xcf")
_RAW = (".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".iiq", ".kdc", ".mef", ".mos", ".mrw", ".nef", ".nrw")
_RAWS = (".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f")
OTHERS = frozenset((*_FORMATS, *_MORE, *_RAW, *_RAWS))
UNREADABLE = "folders that cannot be read"


@dataclass(frozen=True)
class SearchResult:
    """files: the pictures, sorted by path. folders: those that were searched. left_out: what was left out, pictures of other
    formats and folders that cannot be read, and how often. no_pictures: how many files are no pictures, hidden ones aside."""

    files: list[Path]
    folders: list[Path]
    left_out: Counter[str]
    no_pictures: int = 0


def find_pictures(folder: str | Path, exclude: Path | None = None) -> SearchResult:
    """Search a folder as `search` does. Raises UserError if it does not exist or holds no picture."""
    root = Path(folder)
    if not root.is_dir():
        raise UserError(f"{folder} is not a folder.{meant(root)}")
    result = search(root, exclude)
    if not result.files:
        left_out = f"; {left_out_line(result.left_out)}" if result.left_out else ""
        raise UserError(f"{folder} holds no picture ({', '.join(suffix[1:] for suffix in SUFFIXES)}){left_out}.")
    return result


def search(root: Path, exclude: Path | None = None) -> SearchResult:
    """Search a folder and all below it; a folder that links lead to is searched once, however many there are.

    exclude: a folder that is not searched, such as the output of an earlier run, unless the root lies in it.
    """
    excluded = exclude.resolve() if exclude else None
    if excluded and root.resolve().is_relative_to(excluded):
        excluded = None
    files, folders, left_out, no_pictures = list[Path](), list[Path](), Counter[str](), 0
    for folder, entries in _walk(root, excluded):
        folders.append(folder)
        if entries is None:
            left_out[UNREADABLE] += 1
        for entry in entries or ():
            suffix = PurePath(entry.name).suffix.lower()
            if is_internal(PurePath(entry.name)) or not _is_file(entry):
                continue
            if suffix in SUFFIXES:
                files.append(folder / entry.name)
            elif suffix in OTHERS:
                left_out[suffix] += 1
            else:
                no_pictures += not entry.name.startswith(".")
    return SearchResult(sorted(files), folders, left_out, no_pictures)


def left_out_line(left_out: Mapping[str, int], frames: Iterable[int] = ()) -> str:
    """Say in a line what was left out; empty if nothing was. frames: how many each picture has, see `picture.frames`."""
    parts = [f"{count} {kind}" for kind, count in sorted(left_out.items())]
    further = [count - 1 for count in frames if count > 1]
    if further:
        parts.append(f"{sum(further)} further pages or frames of {len(further)} pictures (only the first is read)")
    return f"left out: {', '.join(parts)}" if parts else ""


def _walk(root: Path, excluded: Path | None) -> Iterator[tuple[Path, list[os.DirEntry[str]] | None]]:
    """Yield each folder with its entries, or None if it cannot be read. Folders in place come before linked ones, so that adding a
    link changes no name."""
    pending, linked, seen = [(root, root.resolve())], list[tuple[Path, Path]](), set[Path]()
    while pending or linked:
        folder, real = pending.pop() if pending else linked.pop(0)
        if real in seen or (excluded and real.is_relative_to(excluded)):
            continue
        seen.add(real)
        try:
            with os.scandir(folder) as iterator:
                entries = sorted(iterator, key=lambda entry: entry.name)
        except OSError:
            yield folder, None
            continue
        yield folder, entries
        for entry in entries:
            path = folder / entry.name
            if is_internal(PurePath(entry.name)):
                continue
            if entry.is_dir(follow_symlinks=False):
                pending.append((path, real / entry.name))
            elif entry.is_symlink() and path.is_dir():
                linked.append((path, path.resolve()))


def _is_file(entry: os.DirEntry[str]) -> bool:
    """Whether it is a file, a link to one, or a broken link, which is reported when it is read."""
    return entry.is_file() or (entry.is_symlink() and not Path(entry.path).exists())
