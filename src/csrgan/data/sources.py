"""Where photographs come from: a folder, the scikit-image wheel, or what a yaml file names, such as an archive or shards."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Protocol, runtime_checkable

from rich.console import Console

from csrgan.data import picture
from csrgan.data.cache import Cache
from csrgan.data.known import File
from csrgan.data.pictures import Pictures
from csrgan.fault import Fault


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
    """A folder of photographs (a string), or some of those inside the scikit-image wheel (a list of their names).

    key: the config key that named them, for the error.
    """

    def __init__(self, source: str | Sequence[str] | None, key: str) -> None:
        if not source:
            raise Fault(f"{key} is empty: it takes a folder of photographs, as in {key}=FOLDER.")
        self.source, self.key = source, key
        self.wants, self.refused = tuple[str, ...](), dict[str, str]()

    def pictures(self, cache: Cache, archives: Sequence[Path], console: Console) -> Pictures:
        prepared = cache.prepare(self.files(), console)
        self.refused = prepared.refused
        return prepared

    def files(self) -> list[File]:
        if isinstance(self.source, str):
            try:
                return in_folder(Path(self.source))
            except Fault as fault:
                raise Fault(f"{self.key}={self.source}: {fault}") from None
        found = _embedded()
        for name in self.source:
            if name not in found:
                raise Fault.unknown(f"{self.key}: the scikit-image wheel", name, found)
        return [File(found[name], found[name].name) for name in self.source]


def in_folder(folder: Path) -> list[File]:
    """The picture files below a folder, each named by its path in there. Raises Fault where there are none."""
    return [File(path, picture.called(path.relative_to(folder))) for path in picture.find(folder)]


@lru_cache
def _embedded() -> dict[str, Path]:
    import skimage.data

    folder = Path(skimage.data.__file__).parent
    return {path.stem: path for path in sorted(folder.iterdir()) if path.suffix in (".png", ".jpg")}
