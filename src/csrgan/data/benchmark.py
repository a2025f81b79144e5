"""The small sets on which the field reports its numbers: Set5, Set14, BSD100, Urban100, each in a folder of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from csrgan.data.cache import Cache
from csrgan.data.known import File
from csrgan.data.pictures import Pictures
from csrgan.data.sources import in_folder
from csrgan.fault import Fault, check

# Where the sharp pictures lie in the copies that are passed around; the first that is there counts.
INSIDE = ("HR", "GTmod12", "original", "image_SRF_4", ".")


class Sets:
    """Pictures of several sets below one folder, named SET/PICTURE. No checksum of them is known, so nothing is downloaded.

    folder: holds a folder for each set. sets: those that are used.
    """

    def __init__(self, *, folder: str | None, sets: Sequence[str]) -> None:
        if not folder:
            raise Fault("data.valid.folder is empty: it takes the folder that holds Set5, Set14, ..., as data.valid.folder=FOLDER.")
        self.folder, self.sets = Path(folder), sets
        self.wants, self.refused = tuple[str, ...](), dict[str, str]()

    def pictures(self, cache: Cache, archives: Sequence[Path], console: Console) -> Pictures:
        prepared = cache.prepare([file for name in self.sets for file in self._files(name)], console)
        self.refused = prepared.refused
        return prepared

    def _files(self, name: str) -> list[File]:
        check(self.folder.is_dir(), f"data.valid.folder={self.folder} is not a folder.")
        here = sorted(path.name for path in self.folder.iterdir() if path.is_dir())
        if name not in here:
            raise Fault.unknown(f"data.valid.folder={self.folder}", name, here)
        inside = next(self.folder / name / place for place in INSIDE if (self.folder / name / place).is_dir())
        found = [file for file in in_folder(inside) if not file.path.stem.endswith("_LR")]
        return [File(file.path, f"{name}/{file.name}") for file in found]
