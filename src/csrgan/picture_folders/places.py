"""Where a command finds a user's pictures and where it writes: into another folder, and over nothing that is not its own."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from csrgan.data import picture
from csrgan.data.search import SearchResult, find_pictures
from csrgan.errors import UserError, require
from csrgan.picture_folders.ledger import Ledger

TOLD = 3  # names in a sentence

Targets = Sequence[tuple[str, Path | None]]  # names in a destination, and the picture that each is made from; None: of all of them


@dataclass(frozen=True)
class Places:
    """files: the pictures, below `root`. source: that folder, or the one picture. destination: where results go. left: what else
    lies in the source and is left out, and how often."""

    source: Path
    destination: Path
    root: Path
    files: tuple[Path, ...]
    left: Mapping[str, int] = field(default_factory=dict)

    @staticmethod
    def given(config: DictConfig) -> Places:
        """As source= and destination= name them. Raises UserError where they cannot be used."""
        for key in ("source", "destination"):
            require(not OmegaConf.is_missing(config, key), f"{key} is needed: give it as {key}=VALUE.")
            require(_is_path(config[key]), f"{key}={config[key]} is no path: give it as {key}=VALUE.")
        source, destination = Path(str(config.source)), Path(str(config.destination))
        require(source.exists(), f"source={source} does not exist.")
        require(
            destination.is_dir() or not os.path.lexists(destination), f"destination={destination} is a file there: choose a folder."
        )
        several = source.is_dir()
        found = find_pictures(source, exclude=destination) if several else SearchResult([source], [], Counter())
        root = source if several else source.parent
        require(
            destination.resolve() != root.resolve(),
            f"destination={destination} is where the source lies: its pictures would be overwritten.",
        )
        return Places(source, destination, root, tuple(found.files), found.left_out)

    @property
    def several(self) -> bool:
        return self.source.is_dir()

    def examine(self, targets: Targets, ledger: Ledger) -> None:
        """Raise UserError where what will be written would replace anything but csrgan's own files, with all reasons at once."""
        faults = list(self._faults(targets, ledger))
        if faults:
            raise UserError(*faults)

    def _faults(self, targets: Targets, ledger: Ledger) -> Iterator[str]:
        yield from clashes(targets, folded=_folds(self.destination))
        here = f"destination={self.destination}"
        blocked = [name for name, _ in targets if self._blocked(name)]
        if blocked:
            yield f"{here} has folders or files where {_some(blocked)} would be written: choose another folder."
        among = list(self._among([name for name, _ in targets]))
        taken = {*blocked, *among}
        rest = [name for name, _ in targets if name not in taken]
        foreign = [] if ledger.overwrite else [name for name in rest if ledger.foreign(name)]
        if among:
            yield f"{here}: {_some(among)} would be written among the pictures of source={self.source}: choose another folder."
        if foreign:
            it = "it" if len(foreign) == 1 else "them"
            yield (
                f"{here} holds {_some(foreign)} already, which csrgan did not write, or which changed since: choose another folder,"
                f" or replace {it} with overwrite=true."
            )

    def _among(self, names: Sequence[str]) -> Iterator[str]:
        """The names that lead to a picture of the source, or into its folder, where a later run would find what is written."""
        sources = {_identity(file.stat()) for file in self.files if file.exists()}
        root, inside = self.root.resolve(), self.destination.resolve()
        real = {parent: (self.destination / parent).resolve() for parent in {Path(name).parent for name in names}}
        for name in names:
            file, parent = self.destination / name, real[Path(name).parent]
            left_out = inside.is_relative_to(root) and parent.is_relative_to(inside)  # nothing there is sought as a source
            itself = os.path.lexists(file) and _identity(file.lstat()) in sources
            if itself or (self.several and parent.is_relative_to(root) and not left_out):
                yield name

    def _blocked(self, name: str) -> bool:
        """Whether a folder stands where a file would, or a file where a folder would."""
        file = self.destination / name
        above = [self.destination.joinpath(*Path(name).parts[:depth]) for depth in range(1, len(Path(name).parts))]
        return (file.is_dir() and not file.is_symlink()) or any(os.path.lexists(one) and not one.is_dir() for one in above)


def clashes(targets: Targets, *, folded: bool) -> Iterator[str]:
    """A sentence for each two pictures that would become one. folded: whether names that differ in case alone are the same."""
    makers: defaultdict[str, set[Path]] = defaultdict(set)
    for name, file in targets:
        if file is not None:
            makers[unicodedata.normalize("NFC", name).casefold() if folded else name].add(file)
    told = {tuple(sorted(both)): name for name, both in makers.items() if len(both) > 1}
    for both, name in told.items():
        yield f"{' and '.join(map(picture.called, both))} would both become {picture.called(Path(name))}: rename one of them."


def _is_path(value: Any) -> bool:
    return isinstance(value, str | int | float) and str(value) != ""  # a folder may be called 2024


def _identity(of: os.stat_result) -> tuple[int, int]:
    return of.st_dev, of.st_ino


def _folds(folder: Path) -> bool:
    """Whether the file system there takes names that differ in case alone for the same; where nothing tells, it does not."""
    place = folder.resolve()
    while not place.exists():
        place = place.parent
    for here in (place, *place.parents):
        other = here.with_name(here.name.swapcase()) if here.name else here
        if other != here:
            return other.exists() and other.samefile(here)
    return False


def _some(names: Sequence[str]) -> str:
    """The names, or the first of them and how many there are besides."""
    sentence = ", ".join(picture.called(Path(name)) for name in names[:TOLD])
    return sentence + (f" and {len(names) - TOLD} more" if len(names) > TOLD else "")
