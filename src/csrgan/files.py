"""Files that are whole or not at all, whatever ends the program, folders that one program has to itself, and text for others."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath

from filelock import FileLock, Timeout

from csrgan.errors import UserError
from csrgan.run_folder import LOCK

HIDDEN = ".csrgan"  # the folder, in one that csrgan writes pictures into, of what it knows and has not finished
PART = re.compile(r"\.[0-9a-f]{8}\.part\.\w+")  # a picture that is being written
NUMBER = re.compile(r"[-+]?[\d.,]+(e[-+]?\d+)?%?( \[[-+\d.e]+, [-+\d.e]+\])?")  # with its interval
FORMULA = tuple("=+-@＝＋－＠")  # how a cell begins that a spreadsheet would run


@contextmanager
def atomic_write(file: Path) -> Iterator[Path]:
    """A path to write to. It becomes `file` when the block ends, even where the power goes; where the block fails, `file` stays
    what it was."""
    part = part_path(file)
    try:
        yield part
        commit(part, file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write(file: Path, text: str) -> None:
    """A text file, whole or not at all."""
    with atomic_write(file) as part:
        part.write_text(text, encoding="utf-8", newline="")


def write_json(file: Path, value: object) -> None:
    """A JSON file, whole or not at all. What JSON has no number for (nan, inf) is null in it."""
    write(file, json.dumps(_finite(value), indent=1, allow_nan=False) + "\n")


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def table_cell(text: str) -> str:
    """Text from elsewhere as the cell of a table: in one line, and nothing that a spreadsheet would take for a formula."""
    if NUMBER.fullmatch(text):
        return text
    plain = "".join(f"\\x{ord(one):02x}" if unicodedata.category(one) in ("Cc", "Zl", "Zp") else one for one in text)
    return f"'{plain}" if plain.startswith(FORMULA) else plain


def digest(file: Path) -> str:
    """SHA-256 of its contents."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def is_internal(path: PurePath) -> bool:
    """Whether a path is of csrgan's own hidden files, such as a picture that is not finished."""
    return HIDDEN in path.parts or PART.fullmatch(path.name) is not None


def part_path(file: Path) -> Path:
    """Where `file` is written before it is whole: beside it."""
    return file.with_name(f".{file.name}.part")


def commit(part: Path, file: Path) -> None:
    """Let what was written to `part` become `file`, once it is on the disk."""
    with part.open("rb") as written:
        os.fsync(written.fileno())
    part.replace(file)
    with suppress(OSError):  # of systems that cannot synchronise a folder
        folder = os.open(file.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


@contextmanager
def exclusive_lock(folder: Path, named: str) -> Iterator[None]:
    """The folder, made where it is not, for this process alone; the lock ends with the process, however that ends.

    named: how a user knows the folder. Raises UserError where another process has it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise UserError(f"{named} is in use by another run, which goes on; wait for its end, or choose another folder.") from None
    try:
        yield
    finally:
        lock.release()


def relative(path: Path | str) -> str:
    """A path as a person in the current folder would write it."""
    path = Path(path)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
