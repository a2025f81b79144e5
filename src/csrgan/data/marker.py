"""The mark of a folder that csrgan keeps files in, and deletes them from: it is csrgan's own, and holds nothing of the user's."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from csrgan.errors import UserError
from csrgan.files import commit

FILE = "CACHEDIR.TAG"  # by which programs that make backups know what to leave out: https://bford.info/cachedir
SIGNATURE, OURS = "Signature: 8a477f597d28d172789f06886806bc55", "# csrgan's cache"
TEXT = f"{SIGNATURE}\n{OURS} of photographs: what is not used for longest is deleted. See https://bford.info/cachedir\n"

GROUP = re.compile(r"[0-9a-f]{2}")  # a folder of decoded pictures, by the first digits of their hashes
DECODED = re.compile(r"[0-9a-f]{32}\.npy")
UNFINISHED = re.compile(r"[0-9a-f]{32}\.\d+-\d+\.part")  # of a process and a thread
FETCHED = re.compile(r".+(\.lock|\.zip|\.zip\.part|-[0-9a-f]{8}(\.part)?)")  # archives, and what is unpacked from them
NOBODYS = re.compile(rf"\.DS_Store|lost\+found|\.{FILE}\.\d+\.part")  # what is in an empty folder


def claim(folder: Path) -> None:
    """Make a folder csrgan's own: one that is new, empty, or the cache of an older csrgan. Raises UserError for any other, and
    where a link in it leads elsewhere; OSError where nothing can be written."""
    folder.mkdir(parents=True, exist_ok=True)
    names = {path.name for path in folder.iterdir() if not NOBODYS.fullmatch(path.name)}
    marked = _marked(folder / FILE)
    if names and not marked and not _older(folder, names):
        raise UserError(
            f"data.cache={folder} is not empty and no cache of csrgan, which deletes what it no longer needs there:"
            " choose an empty or a new folder as data.cache=FOLDER."
        )
    for place in (folder / "data", folder / "pictures", *groups(folder, links=True)):
        if place.is_symlink():
            raise UserError(
                f"{place} is a link, and csrgan deletes in its own folder alone: name one on that disk as data.cache=FOLDER."
            )
    if not marked:
        part = folder / f".{FILE}.{os.getpid()}.part"
        part.write_text(TEXT, encoding="ascii")
        commit(part, folder / FILE)


def groups(folder: Path, *, links: bool = False) -> Iterator[Path]:
    """The folders of decoded pictures in a cache. links: those that are linked, too."""
    pictures = folder / "pictures"
    if pictures.is_dir() and not pictures.is_symlink() and os.access(pictures, os.R_OK):
        for path in sorted(pictures.iterdir()):
            if GROUP.fullmatch(path.name) and path.is_dir() and (links or not path.is_symlink()):
                yield path


def _marked(file: Path) -> bool:
    try:
        lines = file.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return False
    return lines[:1] == [SIGNATURE] and any(line.startswith(OURS) for line in lines)


def _older(folder: Path, names: set[str]) -> bool:
    """Whether an older csrgan made the folder, which left no mark: nothing else is in it than such a cache holds."""
    fetched = [path.name for path in _inside(folder / "data")]
    used = {"index.jsonl", "lock"} & names or any(name.endswith(".lock") for name in fetched)
    known = names <= {"index.jsonl", "lock", "pictures", "data"} and all(map(FETCHED.fullmatch, fetched))
    return bool(used) and known and all(_decoded(group) for group in _inside(folder / "pictures"))


def _decoded(group: Path) -> bool:
    return bool(GROUP.fullmatch(group.name)) and all(
        DECODED.fullmatch(file.name) or UNFINISHED.fullmatch(file.name) for file in _inside(group)
    )


def _inside(folder: Path) -> list[Path]:
    """What is in a folder; of what is none, itself, which is no file of a cache."""
    if not folder.is_dir():
        return [folder] if folder.exists() else []
    return [path for path in folder.iterdir() if not NOBODYS.fullmatch(path.name)]
