"""The source and destination of a command: it writes into another folder, and overwrites only its own files."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from csrgan.data import picture
from csrgan.data.search import SearchResult, find_pictures
from csrgan.errors import UserError, require
from csrgan.picture_folders.ledger import Ledger

NAMED = 3  # names in a sentence

Targets = Sequence[
    tuple[str, Path | None]
]  # names in a destination, and the picture that each is made from; None: from all of them


@dataclass(frozen=True)
class Places:
    """files: the pictures, below `root`. source: that folder, or the one picture. destination: the folder of the results.
    left_out: the kinds of other files in the source, which are left out, and how many there are."""

    source: Path
    destination: Path
    root: Path
    files: tuple[Path, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)

    @staticmethod
    def from_config(config: DictConfig) -> Places:
        """Return the places that source= and destination= name. Raises UserError if they cannot be used."""
        for key in ("source", "destination"):
            require(not OmegaConf.is_missing(config, key), f"{key} is needed: give it as {key}=VALUE.")
            require(_is_path(config[key]), f"{key}={config[key]} is not a path: give it as {key}=VALUE.")
        source, destination = Path(str(config.source)), Path(str(config.destination))
        require(source.exists(), f"source={source} does not exist.")
        require(destination.is_dir() or not os.path.lexists(destination), f"destination={destination} is a file: choose a folder.")
        several = source.is_dir()
        pictures = find_pictures(source, exclude=destination) if several else SearchResult([source], [], Counter())
        root = source if several else source.parent
        require(
            destination.resolve() != root.resolve(),
            f"destination={destination} is the folder of the source, whose pictures would be overwritten: choose another folder.",
        )
        return Places(source, destination, root, tuple(pictures.files), pictures.left_out)

    @property
    def several(self) -> bool:
        return self.source.is_dir()

    def examine(self, targets: Targets, ledger: Ledger) -> None:
        """Raise UserError, with all reasons at once, if anything but csrgan's own files would be overwritten."""
        faults = list(self._faults(targets, ledger))
        if faults:
            raise UserError(*faults)

    def _faults(self, targets: Targets, ledger: Ledger) -> Iterator[str]:
        yield from clashes(targets, folded=_folds(self.destination))
        folder = f"destination={self.destination}"
        blocked = [name for name, _ in targets if self._blocked(name)]
        if blocked:
            yield f"{folder} has folders or files where {_some(blocked)} would be written: choose another folder."
        among = list(self._among([name for name, _ in targets]))
        reported = {*blocked, *among}
        others = [name for name, _ in targets if name not in reported]
        foreign = [] if ledger.overwrite else [name for name in others if ledger.foreign(name)]
        if among:
            yield f"{folder}: {_some(among)} would be written among the pictures of source={self.source}: choose another folder."
        if foreign:
            pronoun = "it" if len(foreign) == 1 else "them"
            yield (
                f"{folder} already holds {_some(foreign)}, which csrgan did not write, or which changed since: choose another"
                f" folder, or replace {pronoun} with overwrite=true."
            )

    def _among(self, names: Sequence[str]) -> Iterator[str]:
        """Yield the names that would overwrite a source picture, or add to its folder, where a later run would read the result."""
        sources = {_identity(file.stat()) for file in self.files if file.exists()}
        root, inside = self.root.resolve(), self.destination.resolve()
        real = {parent: (self.destination / parent).resolve() for parent in {Path(name).parent for name in names}}
        for name in names:
            file, parent = self.destination / name, real[Path(name).parent]
            left_out = inside.is_relative_to(root) and parent.is_relative_to(inside)  # the search for sources skips that folder
            is_source = os.path.lexists(file) and _identity(file.lstat()) in sources
            if is_source or (self.several and parent.is_relative_to(root) and not left_out):
                yield name

    def _blocked(self, name: str) -> bool:
        """Return whether a folder has the name of the file, or a file has the name of one of its folders."""
        file = self.destination / name
        above = [self.destination.joinpath(*Path(name).parts[:depth]) for depth in range(1, len(Path(name).parts))]
        return (file.is_dir() and not file.is_symlink()) or any(os.path.lexists(path) and not path.is_dir() for path in above)


def clashes(targets: Targets, *, folded: bool) -> Iterator[str]:
    """Yield a sentence for each group of pictures that would become one file. folded: whether file names ignore case."""
    makers: defaultdict[str, set[Path]] = defaultdict(set)
    for name, file in targets:
        if file is not None:
            makers[unicodedata.normalize("NFC", name).casefold() if folded else name].add(file)
    clashing = {tuple(sorted(sources)): name for name, sources in makers.items() if len(sources) > 1}
    for sources, name in clashing.items():
        yield f"{' and '.join(map(picture.called, sources))} would both become {picture.called(Path(name))}: rename one of them."


def _is_path(value: object) -> bool:
    return isinstance(value, str | int | float) and str(value) != ""  # a folder may be called 2024


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _folds(folder: Path) -> bool:
    """Return whether the file system there ignores the case of names; False where that cannot be found out."""
    existing = folder.resolve()
    while not existing.exists():
        existing = existing.parent
    for path in (existing, *existing.parents):
        other = path.with_name(path.name.swapcase()) if path.name else path
        if other != path:
            return other.exists() and other.samefile(path)
    return False


def _some(names: Sequence[str]) -> str:
    """Return the names, or the first of them and the number of the others."""
    sentence = ", ".join(picture.called(Path(name)) for name in names[:NAMED])
    return sentence + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
