"""The small sets on which the field reports its numbers: Set5, Set14, BSD100, Urban100, each in a folder of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from csrgan.data import pairs, picture
from csrgan.data.cache import Cache
from csrgan.data.cache_entry import File
from csrgan.data.pictures import Pictures
from csrgan.data.search import SUFFIXES
from csrgan.data.sources import tell
from csrgan.errors import UserError, require

# Where the sharp pictures lie in the copies that are passed around; the first that is there counts.
INSIDE = ("hr", "gt", r"(gt|hr)_?mod_?\d+", "originals?", "image_srf_4", "image_srf_3", "image_srf_2")
SHOWN = "HR, GT, GTmod12, original, image_SRF_4"
COUNTS = {"set5": 5, "set14": 14, "bsd100": 100, "urban100": 100}
SAME = {"bsds100": "bsd100", "b100": "bsd100"}  # other names of a set


class Sets:
    """Pictures of several sets below one folder, named SET/PICTURE. No checksum of them is known, so nothing is downloaded.

    folder: holds a folder for each set. sets: those that are used.
    """

    def __init__(self, *, folder: str | None, sets: Sequence[str]) -> None:
        if not folder:
            raise UserError(
                "data.valid.folder is empty: it takes the folder that holds Set5, Set14, ..., as data.valid.folder=FOLDER."
            )
        self.folder, self.sets = Path(folder), sets
        self.wants, self.refused = tuple[str, ...](), dict[str, str]()

    def pictures(self, cache: Cache, archives: Sequence[Path], console: Console) -> Pictures:
        prepared = cache.prepare([file for name in self.sets for file in self._files(name)], console)
        self.refused = prepared.refused
        tell("data.valid", {}, prepared, console)
        return prepared

    def _files(self, name: str) -> list[File]:
        """The sharp pictures of a set. Raises UserError where they are not known from others, or not as many as the set has."""
        folder = self._folder(name)
        inside = folder
        within = _folders(folder)
        for pattern in INSIDE:
            if fitting := [one for one in within if re.fullmatch(pattern, one.name.casefold())]:
                inside = fitting[0]
                break
        files = _pictures(inside)
        sharp = pairs.sharp_files(files)
        if inside.name.casefold().startswith("image_srf"):
            sharp = [file for file in files if file.stem.casefold().endswith("_hr")]
        mixed = any(_pictures(one, deep=True) for one in _folders(inside))
        require(
            bool(sharp) and not mixed,
            f"{folder} does not tell which pictures are the sharp ones: they are looked for in {SHOWN}, or beside nothing else,"
            f" and there are {_listed(folder)}.",
        )
        count = COUNTS.get(_known(name), len(sharp))
        require(
            len(sharp) == count,
            f"{name} has {count} pictures, and {inside} holds {len(sharp)}: give the set as it is, or call yours by another name,"
            " as in data.valid.sets=[NAME].",
        )
        return [File(file, f"{name}/{picture.called(file.relative_to(inside))}") for file in sharp]

    def _folder(self, name: str) -> Path:
        require(self.folder.is_dir(), f"data.valid.folder={self.folder} is not a folder.")
        here = _folders(self.folder)
        for same in (str, str.casefold, _known):
            for folder in here:
                if same(folder.name) == same(name):
                    return folder
        fault = UserError.unknown(f"data.valid.folder={self.folder}", name, [folder.name for folder in here])
        within = _known(self.folder.resolve().name) == _known(name)
        raise UserError(f"{fault} Did you mean data.valid.folder={self.folder.resolve().parent}?") if within else fault


def _known(name: str) -> str:
    return SAME.get(name.casefold(), name.casefold())


def _folders(folder: Path) -> list[Path]:
    """Those in a folder, without what systems leave there, as __MACOSX."""
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith((".", "__")))


def _pictures(folder: Path, *, deep: bool = False) -> list[Path]:
    found = folder.rglob("*") if deep else folder.iterdir()
    return sorted(path for path in found if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and not path.is_dir())


def _listed(folder: Path) -> str:
    """What is in a folder, in a few words."""
    within = [f"{one.name}/ ({len(_pictures(one, deep=True))} pictures)" for one in _folders(folder)]
    beside = [file.name for file in _pictures(folder)]
    shown = [*within[:8], *beside[:4]]
    more = len(within) + len(beside) - len(shown)
    return ", ".join([*shown, *([f"{more} more"] if more else [])]) or "no pictures"
