"""The field's benchmark sets: Set5, Set14, BSD100 and Urban100, each in a folder of its own."""

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
from csrgan.data.sources import print_left_out
from csrgan.errors import UserError, meant, require

# Folders of the sharp pictures in the copies in circulation, the preferred first.
SHARP_FOLDERS = ("hr", "gt", r"(gt|hr)_?mod_?\d+", "originals?", "image_srf_4", "image_srf_3", "image_srf_2")
EXAMPLES = "HR, GT, GTmod12, original, image_SRF_4"  # of such folders, for messages
COUNTS = {"set5": 5, "set14": 14, "bsd100": 100, "urban100": 100}
ALIASES = {"bsds100": "bsd100", "b100": "bsd100"}


class Sets:
    """Pictures of several sets below one folder, named SET/PICTURE. They have no published checksums, so nothing is downloaded.

    folder: holds a folder for each set. sets: the names of those that are used.
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
        print_left_out("data.valid", {}, prepared, console)
        return prepared

    def _files(self, name: str) -> list[File]:
        """Return the sharp pictures of a set. Raises UserError if it is unclear which they are, or if their number is wrong."""
        folder = self._folder(name)
        sharp_folder = folder
        inner = _folders(folder)
        for pattern in SHARP_FOLDERS:
            if matching := [path for path in inner if re.fullmatch(pattern, path.name.casefold())]:
                sharp_folder = matching[0]
                break
        files = _pictures(sharp_folder)
        sharp = pairs.sharp_files(files)
        if sharp_folder.name.casefold().startswith("image_srf"):
            sharp = [file for file in files if file.stem.casefold().endswith("_hr")]
        mixed = any(_pictures(path, deep=True) for path in _folders(sharp_folder))
        require(
            bool(sharp) and not mixed,
            f"csrgan cannot tell which pictures in {folder} are the sharp ones: it looks in folders named {EXAMPLES} there, or in"
            f" {folder} if that holds nothing else, and found {_summary(folder)}.",
        )
        count = COUNTS.get(_canonical(name), len(sharp))
        require(
            len(sharp) == count,
            f"{name} has {count} pictures, and {sharp_folder} holds {len(sharp)}: give the complete set, or call yours by another"
            " name, as in data.valid.sets=[NAME].",
        )
        return [File(file, f"{name}/{picture.called(file.relative_to(sharp_folder))}") for file in sharp]

    def _folder(self, name: str) -> Path:
        """Return the folder of a set: an exact match first, then one of another case, then one of an alias."""
        require(self.folder.is_dir(), f"data.valid.folder={self.folder} is not a folder.{meant(self.folder)}")
        folders = _folders(self.folder)
        for normalise in (str, str.casefold, _canonical):
            for folder in folders:
                if normalise(folder.name) == normalise(name):
                    return folder
        error = UserError.unknown(f"data.valid.folder={self.folder}", name, [folder.name for folder in folders])
        is_set = _canonical(self.folder.resolve().name) == _canonical(name)
        raise UserError(f"{error} Did you mean data.valid.folder={self.folder.resolve().parent}?") if is_set else error


def _canonical(name: str) -> str:
    return ALIASES.get(name.casefold(), name.casefold())


def _folders(folder: Path) -> list[Path]:
    """Return the folders in a folder, without those that systems leave, such as __MACOSX."""
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith((".", "__")))


def _pictures(folder: Path, *, deep: bool = False) -> list[Path]:
    paths = folder.rglob("*") if deep else folder.iterdir()
    return sorted(path for path in paths if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and not path.is_dir())


def _summary(folder: Path) -> str:
    """Return a short list of what a folder holds."""
    folders = [f"{path.name}/ ({len(_pictures(path, deep=True))} pictures)" for path in _folders(folder)]
    files = [file.name for file in _pictures(folder)]
    shown = [*folders[:8], *files[:4]]
    more = len(folders) + len(files) - len(shown)
    return ", ".join([*shown, *([f"{more} more"] if more else [])]) or "no pictures"
