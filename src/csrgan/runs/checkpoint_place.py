"""Where a checkpoint lies. Nothing heavy is imported, so that a wrong name is told at once."""

from __future__ import annotations

from pathlib import Path

from csrgan.errors import meant, require
from csrgan.run_folder import CHECKPOINTS, LAST, NETWORK, NETWORK_BEFORE, PREVIOUS
from csrgan.runs import packaged


def place(path: Path | str, key: str = "checkpoint") -> Path:
    """Return the file of a checkpoint, or the folder of a run that has one.

    path: a file, the folder of a run, the folder that csrgan publish wrote, or the name of a network that comes with csrgan.
    key: where the user named it. Raises UserError for anything else.
    """
    file = Path(path)
    if not file.exists():
        file = packaged.network(str(path)) or file
    if file.is_dir():
        if any((file / CHECKPOINTS / name).is_file() for name in (LAST, PREVIOUS)):
            return file
        published = [file / name for name in (NETWORK, NETWORK_BEFORE)]
        file = next(filter(Path.is_file, published), published[0])
    require(file.is_file(), f"{key}={path} is neither a file nor a folder with {CHECKPOINTS}/{LAST} or {NETWORK}.{meant(file)}")
    return file
