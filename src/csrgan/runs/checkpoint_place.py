"""Where a checkpoint lies, and how its training goes on. Nothing heavy is imported, so that a wrong name is told at once."""

from __future__ import annotations

from pathlib import Path

from csrgan.config import announced
from csrgan.errors import UserError, meant, require
from csrgan.files import relative
from csrgan.run_folder import CHECKPOINTS, JOB, LAST, NETWORK, NETWORK_BEFORE, PREVIOUS
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
        if saved(file):
            return file
        published = [file / name for name in (NETWORK, NETWORK_BEFORE)]
        file = next(filter(Path.is_file, published), published[0])
    if jobs := sorted(job.parent for job in Path(path).glob(f"*/{JOB}") if saved(job.parent)):
        raise UserError(f"{key}={path} holds a sweep: name one of its {len(jobs)} jobs, as in {key}={relative(jobs[0])}.")
    near = meant(file) or packaged.meant(str(path))
    require(file.is_file(), f"{key}={path} is neither a file nor a folder with {CHECKPOINTS}/{LAST} or {NETWORK}.{near}")
    return file


def saved(run: Path) -> bool:
    """Return whether the folder of a run has a checkpoint from which it can go on."""
    return any((run / CHECKPOINTS / name).is_file() for name in (LAST, PREVIOUS))


def to_continue(run: Path) -> str:
    """Return a sentence with the command that continues a run that has saved."""
    return f"To continue: {announced.command('train', f'resume={relative(run)}')}"


def earlier_save(run: Path) -> str:
    """Return what there is of a run that ended without a save, and how to go on."""
    if saved(run):
        return f"what was saved before is whole. {to_continue(run)}"
    return "nothing is saved yet: the same command begins again."
