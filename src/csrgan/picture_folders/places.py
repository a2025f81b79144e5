"""The source and destination of a command: it writes into another folder, and overwrites only its own files."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from omegaconf import DictConfig, ListConfig, OmegaConf

from csrgan.data.search import SearchResult, find_pictures
from csrgan.errors import UserError, meant, needed, raise_faults, require
from csrgan.files import called
from csrgan.picture_folders.ledger import Ledger

NAMED = 3  # names in a sentence

Targets = Sequence[
    tuple[str, Path | None]
]  # names in a destination, and the picture that each is made from; None: from all of them


@dataclass(frozen=True)
class Places:
    """sources: pictures and folders of pictures. destination: the folder of the results. names: each picture, and its name below
    the source that it was found in. left_out: the kinds of other files in the sources, which are left out, and how many there are;
    no_pictures: how many of another kind."""

    sources: tuple[Path, ...]
    destination: Path
    names: Mapping[Path, Path]
    left_out: Mapping[str, int] = field(default_factory=dict)
    no_pictures: int = 0

    @staticmethod
    def from_config(config: DictConfig) -> Places:
        """Return the places that source= and destination= name. Raises UserError if they cannot be used."""
        for key in ("source", "destination"):
            require(not OmegaConf.is_missing(config, key), needed(key))
        given = list(config.source) if isinstance(config.source, list | ListConfig) else [config.source]
        for key, values in {"source": given, "destination": [config.destination]}.items():
            faults = [f"{key}={value} is not a path: give it as {key}=VALUE." for value in values or [[]] if not _is_path(value)]
            raise_faults(faults)
        sources, destination = [Path(str(source)) for source in given], Path(str(config.destination))
        missing = [str(source) for source in sources if not source.exists()]
        near = meant(Path(missing[0])) if missing else ""
        require(not missing, f"source={_some(missing)} {'does' if len(missing) == 1 else 'do'} not exist.{near}")
        require(destination.is_dir() or not os.path.lexists(destination), f"destination={destination} is a file: choose a folder.")
        require(
            destination.resolve() not in {_root(source).resolve() for source in sources},
            f"destination={destination} is the folder of the source, whose pictures would be overwritten: choose another folder.",
        )
        names, real, left_out, no_pictures = dict[Path, Path](), set[Path](), Counter[str](), 0
        for source in sources:
            found = find_pictures(source, exclude=destination) if source.is_dir() else SearchResult([source], [], Counter())
            left_out, no_pictures = left_out + found.left_out, no_pictures + found.no_pictures
            for file in found.files:
                place = file.parent.resolve() / file.name  # a picture that is named twice is read once
                if place not in real:
                    names[file] = file.relative_to(_root(source))
                real.add(place)
        return Places(tuple(sources), destination, names, left_out, no_pictures)

    @property
    def files(self) -> tuple[Path, ...]:
        return tuple(self.names)

    @property
    def several(self) -> bool:
        """Whether a picture that cannot be used does not end the command."""
        return len(self.sources) > 1 or self.sources[0].is_dir()

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
            pictures = f"the pictures of source={', '.join(map(str, self.sources[:NAMED]))}"
            yield f"{folder}: {_some(among)} would be written among {pictures}: choose another folder."
        if foreign:
            pronoun = "it" if len(foreign) == 1 else "them"
            yield (
                f"{folder} already holds {_some(foreign)}, which csrgan did not write, or which changed since: choose another"
                f" folder, or replace {pronoun} with overwrite=true."
            )

    def _among(self, names: Sequence[str]) -> Iterator[str]:
        """Yield the names that would overwrite a source picture, or add to its folder, where a later run would read the result."""
        sources = {_identity(file.stat()) for file in self.files if file.exists()}
        inside = self.destination.resolve()
        roots = [source.resolve() for source in self.sources if source.is_dir()]
        real = {parent: (self.destination / parent).resolve() for parent in {Path(name).parent for name in names}}
        for name in names:
            file, parent = self.destination / name, real[Path(name).parent]
            is_source = os.path.lexists(file) and _identity(file.lstat()) in sources
            if is_source or any(parent.is_relative_to(root) and not _skipped(parent, inside, root) for root in roots):
                yield name

    def _blocked(self, name: str) -> bool:
        """Return whether a folder has the name of the file, or a file has the name of one of its folders."""
        file = self.destination / name
        above = [self.destination.joinpath(*Path(name).parts[:depth]) for depth in range(1, len(Path(name).parts))]
        return (file.is_dir() and not file.is_symlink()) or any(os.path.lexists(path) and not path.is_dir() for path in above)


def clashes(targets: Targets, *, folded: bool) -> Iterator[str]:
    """Yield a sentence if several pictures would become one file. folded: whether file names ignore case."""
    makers: defaultdict[str, set[Path]] = defaultdict(set)
    for name, file in targets:
        if file is not None:
            makers[unicodedata.normalize("NFC", name).casefold() if folded else name].add(file)
    clashing = {tuple(sorted(sources)): name for name, sources in makers.items() if len(sources) > 1}
    for sources, name in list(clashing.items())[:1]:
        they, both = _listed(sources), "both" if len(sources) == 2 else "all"
        more = f", and {len(clashing) - 1} more names clash" if len(clashing) > 1 else ""
        remedy = "rename one of them" if not more and both == "both" else "rename them, or choose a destination for each folder"
        yield f"{they} would {both} become {called(Path(name))}{more}: {remedy}."


def _root(source: Path) -> Path:
    return source if source.is_dir() else source.parent


def _skipped(folder: Path, destination: Path, root: Path) -> bool:
    """Return whether the search for the pictures of `root` skips a folder, because it lies in the destination."""
    return destination.is_relative_to(root) and folder.is_relative_to(destination)


def _listed(files: Sequence[Path]) -> str:
    names = [called(file) for file in files[:NAMED]]
    rest = f" and {len(files) - NAMED} more" if len(files) > NAMED else ""
    return ", ".join(names) + rest if rest else f"{', '.join(names[:-1])} and {names[-1]}"


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
    sentence = ", ".join(called(Path(name)) for name in names[:NAMED])
    return sentence + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
