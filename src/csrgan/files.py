"""Files that are whole or not at all, whatever ends the program, and folders that one program has to itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from csrgan.fault import Fault


@contextmanager
def whole(file: Path) -> Iterator[Path]:
    """A path to write to. It becomes `file` when the block ends, even where the power goes; where the block fails, `file` stays
    what it was."""
    part = unfinished(file)
    try:
        yield part
        settle(part, file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write(file: Path, text: str) -> None:
    """A text file, whole or not at all."""
    with whole(file) as part:
        part.write_text(text, encoding="utf-8", newline="")


def unfinished(file: Path) -> Path:
    """Where `file` is written before it is whole: beside it."""
    return file.with_name(f".{file.name}.part")


def settle(part: Path, file: Path) -> None:
    """Let what was written to `part` become `file`, once it is on the disk."""
    with part.open("rb") as written:
        os.fsync(written.fileno())
    part.replace(file)
    with suppress(OSError):  # of systems that cannot synchronise a folder
        folder = os.open(file.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


@contextmanager
def sole(folder: Path, named: str) -> Iterator[None]:
    """The folder, made where it is not, for this process alone; the lock ends with the process, however that ends.

    named: how a user knows the folder. Raises Fault where another process has it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise Fault(f"{named} is in use by another run, which goes on; wait for its end, or choose another folder.") from None
    try:
        yield
    finally:
        lock.release()
