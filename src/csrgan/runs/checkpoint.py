"""Reading checkpoints: tensors and plain containers only, with the configuration of their training."""

from __future__ import annotations

import sys
import zlib
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import torch

from csrgan.config import renamed
from csrgan.errors import UserError, printable, require
from csrgan.run_folder import CHECKPOINTS, DAMAGED, LAST, PREVIOUS
from csrgan.runs import network_file
from csrgan.runs.checkpoint_place import place
from csrgan.tree import Settings


def read(path: Path | str, key: str = "checkpoint") -> Settings:
    """Return the contents of a checkpoint file, of the last intact checkpoint of a run's folder, of the network in a folder that
    csrgan publish wrote, or of a network that comes with csrgan, by its name.

    `["state_dict"]` holds the weights, `["csrgan"]["recipe"]` the whole configuration, both under today's names.
    key: where the user named it. Raises UserError for anything else.
    """
    named = f"{key}={path}"
    file = place(path, key)
    if file.is_dir():
        file = newest(file)
    try:
        content = _content(file)
        renamed.upgrade_checkpoint(content)
    except Exception as reason:
        raise UserError(f"{named} is not a readable checkpoint ({type(reason).__name__}).") from reason
    own = content.get("csrgan") if isinstance(content, dict) else None
    require(isinstance(own, dict) and "recipe" in own and "state_dict" in content, f"{named} is not a checkpoint of csrgan.")
    return content


def _content(file: Path) -> Settings:
    if file.suffix == network_file.SUFFIX:
        return network_file.read(file)
    content: Settings = torch.load(file, map_location="cpu", weights_only=True)
    return content


def newest(run: Path) -> Path:
    """Return the last intact checkpoint of a run's folder, and print why another is passed over. Raises UserError if none is
    intact."""
    reasons: list[str] = []
    for name in (LAST, PREVIOUS):
        file = run / CHECKPOINTS / name
        if (reason := damage(file)) is None:
            for sentence in reasons:
                print(printable(f"csrgan: {sentence}; using {file} instead."), file=sys.stderr)
            return file
        reasons.append(reason)
    raise UserError("; ".join(reasons) + ".")


def set_damaged_aside(run: Path) -> None:
    """Rename a damaged last checkpoint, so that it does not replace the previous one, which is intact."""
    last = run / CHECKPOINTS / LAST
    if last.is_file() and damage(last):
        last.replace(last.with_name(DAMAGED))


def damage(file: Path) -> str | None:
    """Return why the file cannot be used; None if it is intact, that is, the checksums of all its parts match."""
    if not file.is_file():
        return f"{file} does not exist"
    try:
        with ZipFile(file) as archive:
            part = archive.testzip()
    except (BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, zlib.error) as reason:
        return f"{file} is damaged ({reason})"
    return f"{file} is damaged ({part} differs from what was written)" if part else None


def reopen(content: Settings) -> None:
    """Turn a checkpoint of the end of a training into one of its middle: the epoch goes on with another batch."""
    loops = content["loops"]["fit_loop"]
    for counts in loops["epoch_progress"].values():
        counts |= {"processed": 0, "completed": 0}
    loops["epoch_loop.batch_progress"]["is_last_batch"] = False
    content["epoch"] = 0
