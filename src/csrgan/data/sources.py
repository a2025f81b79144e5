"""Where photographs come from: folders, the scikit-image wheel, or what a yaml file names, such as an archive or shards."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Protocol, runtime_checkable

from rich.console import Console

from csrgan.data import pairs, picture, search
from csrgan.data.cache import Cache
from csrgan.data.cache_entry import File
from csrgan.data.pictures import Pictures
from csrgan.data.prepared import Prepared
from csrgan.errors import UserError


@runtime_checkable
class Source(Protocol):
    """What a yaml file may name as data.train or data.valid. It fetches what it needs when it is asked for the pictures.

    wants: names of the archives that it is made from. refused: files that cannot be used, and why; known when the pictures are.
    """

    wants: tuple[str, ...]
    refused: dict[str, str]

    def pictures(self, cache: Cache, archives: Sequence[Path], console: Console) -> Pictures:
        """The photographs. archives: files that the user has already."""


class Files:
    """A folder of photographs (a string), or a list of folders and of names inside the scikit-image wheel.

    key: the config key that named them, for the error.
    """

    def __init__(self, source: str | Sequence[str] | None, key: str) -> None:
        if not source:
            raise UserError(f"{key} is empty: it takes a folder of photographs, as in {key}=FOLDER.")
        self.source, self.key = source, key
        self.wants, self.refused, self.left = tuple[str, ...](), dict[str, str](), Counter[str]()

    def pictures(self, cache: Cache, archives: Sequence[Path], console: Console) -> Pictures:
        prepared = cache.prepare(self.files(), console)
        self.refused = prepared.refused
        tell(self.key, self.left, prepared, console)
        return prepared

    def files(self) -> list[File]:
        """Of one folder, each named by its path in there; of several things, by the folder, too. None comes twice."""
        self.left.clear()
        if isinstance(self.source, str):
            return self._in_folder(self.source)
        things = [str(thing) for thing in self.source]
        folders = {thing: Path(thing) for thing in things if thing and Path(thing).is_dir()}
        held = [self._in_folder(thing) if thing in folders else [self._in_wheel(thing)] for thing in things]
        places = dict[Path, tuple[str, File]]()
        for thing, files in zip(things, held, strict=True):
            for file in files:
                places.setdefault(file.path.resolve() if thing in folders else file.path, (thing, file))
        for title in _titles(folders.values()), _titles(folders.values(), whole=True):
            titles = {thing: f"{title[folder]}/" for thing, folder in folders.items()} if len(things) > 1 else {}
            result = [File(file.path, f"{titles.get(thing, '')}{file.name}") for thing, file in places.values()]
            if len({file.name for file in result}) == len(result):
                break
        return result

    def _in_folder(self, folder: str) -> list[File]:
        try:
            found = picture.look(folder)
        except UserError as fault:
            raise UserError(f"{self.key}={folder}: {fault}") from None
        self._check_single(folder, found)
        self.left += found.left
        return [File(path, picture.called(path.relative_to(folder))) for path in found.files]

    def _check_single(self, folder: str, found: search.Found) -> None:
        """Raise UserError for a folder that holds pairs of sharp and degraded pictures: those would be degraded again."""
        sentence = f"{self.key}={folder} looks like pairs of sharp and degraded pictures"
        if both := pairs.paired_folders(place for place in found.folders if place != Path(folder)):
            (sharp, low), several = both[0], len(both) > 1
            named = [picture.called(pair[0]) for pair in both[:3]] + (["..."] if len(both) > 3 else [])
            shown = f"[{','.join(named)}]" if several else named[0]
            inside = [f"{picture.called(one.relative_to(folder))}/" for one in (sharp, low)]
            more = f", and {len(both) - 1} more" if several else ""
            raise UserError(
                f"{sentence} ({inside[0]} and {inside[1]}{more}), and what is read is degraded anew: name the sharp ones alone, as"
                f" {self.key}={shown}."
            )
        if pair := pairs.paired_files(found.files):
            names = " and ".join(picture.called(file.relative_to(folder)) for file in pair)
            raise UserError(
                f"{sentence} ({names}), and what is read is degraded anew: put the sharp ones into a folder of their own."
            )

    def _in_wheel(self, name: str) -> File:
        known = _embedded()
        if name not in known:
            fault = UserError.unknown(f"{self.key}: the scikit-image wheel", name, known)
            raise UserError(f"{fault} Nor is there a folder {name}.")
        return File(known[name], known[name].name)


def in_folder(folder: Path) -> list[File]:
    """The picture files below a folder, each named by its path in there. Raises UserError where there are none."""
    return [File(path, picture.called(path.relative_to(folder))) for path in picture.find(folder)]


def tell(key: str, left: Mapping[str, int], prepared: Prepared, console: Console) -> None:
    """Say in a line what was left out of the photographs of data.train or data.valid, if anything was."""
    line = search.told(left, (what.frames for what in prepared.known))
    if line:
        console.print(f"{key}: {line}", highlight=False, markup=False, soft_wrap=True)


def _titles(folders: Iterable[Path], *, whole: bool = False) -> dict[Path, str]:
    """A name for each folder: the end of its path, as much of it as tells it from the others, or the whole."""
    places = {folder: Path(os.path.normpath(folder.absolute())).parts[1:] for folder in folders}
    found = {}
    for folder, parts in places.items():
        count = len(parts) if whole else 1
        while any(other != parts and other[-count:] == parts[-count:] for other in places.values()):
            count += 1
        found[folder] = picture.called(Path(*parts[-count:]))
    return found


@lru_cache
def _embedded() -> dict[str, Path]:
    import skimage.data

    folder = Path(skimage.data.__file__).parent
    return {path.stem: path for path in sorted(folder.iterdir()) if path.suffix in (".png", ".jpg")}
