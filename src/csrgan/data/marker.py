"""Mark the folder where csrgan stores and deletes files as its own, so that it never deletes files of the user."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from csrgan.errors import UserError
from csrgan.files import commit

FILE = "CACHEDIR.TAG"  # tells backup programs to skip the folder: https://bford.info/cachedir
SIGNATURE, OWNER = "Signature: 8a477f597d28d172789f06886806bc55", "# csrgan's cache"
TEXT = f"{SIGNATURE}\n{OWNER} of photographs: the least recently used are deleted. See https://bford.info/cachedir\n"

GROUP = re.compile(r"[0-9a-f]{2}")  # a folder of decoded pictures, named by the first digits of their hashes
DECODED = re.compile(r"[0-9a-f]{32}\.npy")
UNFINISHED = re.compile(r"[0-9a-f]{32}\.\d+-\d+\.part")  # with the numbers of process and thread
FETCHED = re.compile(r".+(\.lock|\.zip|\.zip\.part|-[0-9a-f]{8}(\.part)?)")  # archives, and folders unpacked from them
IGNORED = re.compile(rf"\.DS_Store|lost\+found|\.{FILE}\.\d+\.part")  # files that a folder counted as empty may hold


def claim(folder: Path) -> None:
    """Mark `folder` as csrgan's own if it is new, empty, or the cache of an older csrgan.

    Raises UserError for any other folder, and where it contains a link; OSError where it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = {path.name for path in folder.iterdir() if not IGNORED.fullmatch(path.name)}
    marked = _marked(folder / FILE)
    if names and not marked and not _is_unmarked_cache(folder, names):
        raise UserError(
            f"data.cache={folder} is not empty and not a csrgan cache, where csrgan deletes files that it no longer needs:"
            " choose an empty or a new folder as data.cache=FOLDER."
        )
    for path in (folder / "data", folder / "pictures", *groups(folder, links=True)):
        if path.is_symlink():
            raise UserError(
                f"{path} is a link, and csrgan deletes files only in its own folder: name one on that disk as data.cache=FOLDER."
            )
    if not marked:
        part = folder / f".{FILE}.{os.getpid()}.part"
        part.write_text(TEXT, encoding="ascii")
        commit(part, folder / FILE)


def groups(folder: Path, *, links: bool = False) -> Iterator[Path]:
    """Yield the folders of decoded pictures in a cache. links: include linked folders."""
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
    return lines[:1] == [SIGNATURE] and any(line.startswith(OWNER) for line in lines)


def _is_unmarked_cache(folder: Path, names: set[str]) -> bool:
    """Return whether an older csrgan, which wrote no mark, made the folder: it holds only files of such a cache."""
    fetched = [path.name for path in _contents(folder / "data")]
    has_traces = {"index.jsonl", "lock"} & names or any(name.endswith(".lock") for name in fetched)
    only_cache_files = names <= {"index.jsonl", "lock", "pictures", "data"} and all(map(FETCHED.fullmatch, fetched))
    return bool(has_traces) and only_cache_files and all(_holds_pictures(group) for group in _contents(folder / "pictures"))


def _holds_pictures(group: Path) -> bool:
    return bool(GROUP.fullmatch(group.name)) and all(
        DECODED.fullmatch(file.name) or UNFINISHED.fullmatch(file.name) for file in _contents(group)
    )


def _contents(folder: Path) -> list[Path]:
    """Return the paths in a folder; for a file, the file itself, which does not belong to a cache."""
    if not folder.is_dir():
        return [folder] if folder.exists() else []
    return [path for path in folder.iterdir() if not IGNORED.fullmatch(path.name)]
