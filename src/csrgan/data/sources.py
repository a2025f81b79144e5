"""Sources of photographs: folders, the scikit-image wheel, or what a yaml file names, such as an archive or shards."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Protocol, runtime_checkable

from rich.console import Console

from csrgan.data import pairs, picture
from csrgan.data.cache import Cache
from csrgan.data.cache_entry import File
from csrgan.data.pictures import Pictures
from csrgan.data.prepared import Prepared
from csrgan.data.search import SearchResult, find_pictures, left_out_line
from csrgan.errors import UserError


@runtime_checkable
class Source(Protocol):
    """What a yaml file may name as data.train or data.valid. It fetches what it needs when `pictures` is called.

    wants: names of the archives that it needs. refused: files that cannot be used, and why; filled by `pictures`.
    """

    wants: tuple[str, ...]
    refused: dict[str, str]

    def pictures(self, cache: Cache, archives: Sequence[Path], console: Console) -> Pictures:
        """Return the photographs. archives: files that the user already has."""


class Files:
    """A folder of photographs (a string), or a list of folders and of names inside the scikit-image wheel.

    key: the config key that named them, for messages.
    """

    def __init__(self, source: str | Sequence[str] | None, key: str) -> None:
        if not source:
            raise UserError(f"{key} is empty: it takes a folder of photographs, as in {key}=FOLDER.")
        self.source, self.key = source, key
        self.wants, self.refused, self.left_out = tuple[str, ...](), dict[str, str](), Counter[str]()

    def pictures(self, cache: Cache, archives: Sequence[Path], console: Console) -> Pictures:
        prepared = cache.prepare(self.files(), console)
        self.refused = prepared.refused
        print_left_out(self.key, self.left_out, prepared, console)
        return prepared

    def files(self) -> list[File]:
        """Return each file once, named by its path in its folder; if there are several sources, with a title of the folder."""
        self.left_out.clear()
        if isinstance(self.source, str):
            return self._in_folder(self.source)
        sources = [str(source) for source in self.source]
        folders = {source: Path(source) for source in sources if source and Path(source).is_dir()}
        lists = [self._in_folder(source) if source in folders else [self._in_wheel(source)] for source in sources]
        unique = dict[Path, tuple[str, File]]()  # by real path
        for source, files in zip(sources, lists, strict=True):
            for file in files:
                unique.setdefault(file.path.resolve() if source in folders else file.path, (source, file))
        for title in _titles(folders.values()), _titles(folders.values(), full=True):
            titles = {source: f"{title[folder]}/" for source, folder in folders.items()} if len(sources) > 1 else {}
            result = [File(file.path, f"{titles.get(source, '')}{file.name}") for source, file in unique.values()]
            if len({file.name for file in result}) == len(result):
                break
        return result

    def _in_folder(self, folder: str) -> list[File]:
        try:
            result = find_pictures(folder)
        except UserError as error:
            raise UserError(f"{self.key}={folder}: {error}") from None
        self._check_unpaired(folder, result)
        self.left_out += result.left_out
        return [File(path, picture.called(path.relative_to(folder))) for path in result.files]

    def _check_unpaired(self, folder: str, result: SearchResult) -> None:
        """Raise UserError for a folder that holds pairs of sharp and degraded pictures, which would be degraded again."""
        sentence = f"{self.key}={folder} looks like pairs of sharp and degraded pictures"
        if paired := pairs.paired_folders(path for path in result.folders if path != Path(folder)):
            several = len(paired) > 1
            names = [picture.called(sharp) for sharp, _ in paired[:3]] + (["..."] if len(paired) > 3 else [])
            value = f"[{','.join(names)}]" if several else names[0]
            sharp, low = (f"{picture.called(path.relative_to(folder))}/" for path in paired[0])
            more = f", and {len(paired) - 1} more" if several else ""
            raise UserError(
                f"{sentence} ({sharp} and {low}{more}), and all of them would be degraded: take the pairs as they are with"
                f" {self._as_pairs(folder)}, or name only the sharp ones, as {self.key}={value}."
            )
        if pair := pairs.paired_files(result.files):
            shown = " and ".join(picture.called(file.relative_to(folder)) for file in pair)
            remedy = f"take the pairs as they are with {self._as_pairs(folder)}, or put the sharp ones into a separate folder"
            raise UserError(f"{sentence} ({shown}), and all of them would be degraded: {remedy}.")

    def _as_pairs(self, folder: str) -> str:
        """Return the words that take this folder as pairs."""
        return f"data=pairs {self.key}={folder}" if self.key in ("data.train", "data.valid") else "data=pairs"

    def _in_wheel(self, name: str) -> File:
        photographs = _wheel_photographs()
        if name not in photographs:
            error = UserError.unknown(f"{self.key}: the scikit-image wheel", name, photographs)
            raise UserError(f"{error} There is no folder {name} either.")
        return File(photographs[name], photographs[name].name)


def in_folder(folder: Path) -> list[File]:
    """Return the picture files below a folder, each named by its path in it. Raises UserError if there are none."""
    return [File(path, picture.called(path.relative_to(folder))) for path in find_pictures(folder).files]


def print_left_out(key: str, left_out: Mapping[str, int], prepared: Prepared, console: Console) -> None:
    """Print a line about what was left out of data.train or data.valid, if anything was."""
    line = left_out_line(left_out, (entry.frames for entry in prepared.known))
    if line:
        console.print(f"{key}: {line}", highlight=False, markup=False, soft_wrap=True)


def _titles(folders: Iterable[Path], *, full: bool = False) -> dict[Path, str]:
    """Return a title for each folder: the shortest end of its path that no other shares, or its full path."""
    parts_by_folder = {folder: Path(os.path.normpath(folder.absolute())).parts[1:] for folder in folders}
    titles = {}
    for folder, parts in parts_by_folder.items():
        count = len(parts) if full else 1
        while any(other != parts and other[-count:] == parts[-count:] for other in parts_by_folder.values()):
            count += 1
        titles[folder] = picture.called(Path(*parts[-count:]))
    return titles


@lru_cache
def _wheel_photographs() -> dict[str, Path]:
    import skimage.data

    folder = Path(skimage.data.__file__).parent
    return {path.stem: path for path in sorted(folder.iterdir()) if path.suffix in (".png", ".jpg")}
