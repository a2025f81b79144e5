"""Reading a checkpoint: tensors and plain containers only, with the configuration it was made with."""

from __future__ import annotations

import sys
import zlib
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import torch

from csrgan.config import renamed
from csrgan.errors import UserError, printable, require
from csrgan.run_folder import CHECKPOINTS, DAMAGED, LAST, PREVIOUS


def read(path: Path | str, key: str = "checkpoint") -> dict[str, Any]:
    """The contents of a checkpoint file, or of the last whole checkpoint of a run's folder.

    `["state_dict"]` holds the weights, `["csrgan"]["recipe"]` the whole configuration, both by today's names.
    key: where the user named it. Raises UserError for anything else.
    """
    named = f"{key}={path}"
    file = Path(path)
    if file.is_dir():
        there = any((file / CHECKPOINTS / name).is_file() for name in (LAST, PREVIOUS))
        require(there, f"{named} is neither a file nor the folder of a run with {CHECKPOINTS}/{LAST}.")
        file = newest(file)
    require(file.is_file(), f"{named} is neither a file nor the folder of a run with {CHECKPOINTS}/{LAST}.")
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
        renamed.upgrade_checkpoint(content)
    except Exception as reason:
        raise UserError(f"{named} is no checkpoint that can be read ({type(reason).__name__}).") from reason
    own = content.get("csrgan") if isinstance(content, dict) else None
    require(isinstance(own, dict) and "recipe" in own and "state_dict" in content, f"{named} is not a checkpoint of csrgan.")
    return content  # type: ignore[no-any-return]


def newest(run: Path) -> Path:
    """The last checkpoint of a run's folder that is whole. One that is passed over is told. Raises UserError where none is
    whole."""
    reasons: list[str] = []
    for name in (LAST, PREVIOUS):
        file = run / CHECKPOINTS / name
        if (reason := damage(file)) is None:
            for sentence in reasons:
                print(printable(f"csrgan: {sentence}; {file} is taken instead."), file=sys.stderr)
            return file
        reasons.append(reason)
    raise UserError("; ".join(reasons) + ".")


def lay_aside(run: Path) -> None:
    """Move a damaged last checkpoint out of the way, so that it does not become the previous one, which is whole."""
    last = run / CHECKPOINTS / LAST
    if last.is_file() and damage(last):
        last.replace(last.with_name(DAMAGED))


def damage(file: Path) -> str | None:
    """Why the file cannot be used; None where it is whole: the checksums of all its parts are right."""
    if not file.is_file():
        return f"{file} is not there"
    try:
        with ZipFile(file) as held:
            part = held.testzip()
    except (BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, zlib.error) as reason:
        return f"{file} is damaged ({reason})"
    return f"{file} is damaged ({part} is not what was written)" if part else None


def reopen(held: dict[str, Any]) -> None:
    """Let a checkpoint of the end of a training be one of its middle: the epoch is not over, and another batch follows."""
    loops = held["loops"]["fit_loop"]
    for counts in loops["epoch_progress"].values():
        counts |= {"processed": 0, "completed": 0}
    loops["epoch_loop.batch_progress"]["is_last_batch"] = False
    held["epoch"] = 0
