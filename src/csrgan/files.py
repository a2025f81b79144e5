"""Atomic writes of files, exclusive locks on folders, and text that is safe in tables."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath

from filelock import FileLock, Timeout

from csrgan.errors import UserError
from csrgan.run_folder import LOCK

HIDDEN = ".csrgan"  # subfolder of a destination of pictures: records and unfinished files
PART = re.compile(r"\.[0-9a-f]{8}\.part\.\w+")  # a picture that is being written
NUMBER = re.compile(r"[-+]?[\d.,]+(e[-+]?\d+)?%?( \[[-+\d.e]+, [-+\d.e]+\])?")  # optionally with its interval
FORMULA = tuple("=+-@＝＋－＠")  # first characters of cells that a spreadsheet would run


def exists(path: Path | str) -> bool:
    """Return whether there is a file or folder of this name. A text that is too long for a name is none."""
    try:
        return Path(path).exists()
    except OSError:
        return False


@contextmanager
def atomic_write(file: Path) -> Iterator[Path]:
    """Yield a path to write to, which replaces `file` when the block ends. If the block fails or the power goes, `file` is as
    before."""
    part = part_path(file)
    try:
        yield part
        commit(part, file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write(file: Path, text: str) -> None:
    """Write a text file atomically."""
    with atomic_write(file) as part:
        part.write_text(text, encoding="utf-8", newline="")


def write_json(file: Path, value: object) -> None:
    """Write a JSON file atomically. nan and inf, for which JSON has no number, become null."""
    write(file, json.dumps(_finite(value), indent=1, allow_nan=False) + "\n")


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def table_cell(text: str) -> str:
    """Return text from outside as the cell of a table: one line, and nothing that a spreadsheet would run as a formula."""
    if NUMBER.fullmatch(text):
        return text
    escaped = "".join(f"\\x{ord(sign):02x}" if unicodedata.category(sign) in ("Cc", "Zl", "Zp") else sign for sign in text)
    return f"'{escaped}" if escaped.startswith(FORMULA) else escaped


def digest(file: Path) -> str:
    """Return the SHA-256 of the file's contents."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def is_internal(path: PurePath) -> bool:
    """Return whether a path is one of csrgan's own hidden files, such as an unfinished picture."""
    return HIDDEN in path.parts or PART.fullmatch(path.name) is not None


def part_path(file: Path) -> Path:
    """Return the path beside `file` to which it is written until it is complete."""
    return file.with_name(f".{file.name}.part")


def commit(part: Path, file: Path) -> None:
    """Synchronise `part` to the disk, then rename it to `file`."""
    with part.open("rb") as written:
        os.fsync(written.fileno())
    part.replace(file)
    with suppress(OSError):  # some systems cannot synchronise a folder
        folder = os.open(file.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


@contextmanager
def exclusive_lock(folder: Path, named: str) -> Iterator[None]:
    """Create `folder` if needed and hold an exclusive lock on it; the lock ends with the process, however that ends.

    A block that fails before it has written anything leaves nothing behind, see `new_folder`.
    named: the folder as the user gave it. Raises UserError if another process holds the lock.
    """
    with new_folder(folder):
        before, lock = {file.name for file in folder.iterdir()}, FileLock(folder / LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            sentence = f"{named} is in use by another run, which goes on; wait for its end, or choose another folder."
            raise UserError(sentence) from None
        try:
            yield
        except BaseException:
            if folder.is_dir() and LOCK not in before and {file.name for file in folder.iterdir()} == before | {LOCK}:
                (folder / LOCK).unlink()
            raise
        finally:
            lock.release()


@contextmanager
def new_folder(folder: Path) -> Iterator[None]:
    """Create `folder` if needed. If the block fails, remove the folders that were created for it and are still empty."""
    created = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        remove_empty(created)
        raise


def remove_empty(folders: Iterable[Path]) -> None:
    """Remove those of these folders that exist and are empty, the inner ones first."""
    for folder in folders:
        with suppress(OSError):  # not empty, or not there
            folder.rmdir()


def called(path: PurePath) -> str:
    """Return a path as text that can be written anywhere; bytes that are not UTF-8 become \\xNN."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


def relative(path: Path | str) -> str:
    """Return the path relative to the current folder if it lies there, else unchanged."""
    path = Path(path)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
