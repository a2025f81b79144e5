"""Folders and files that a command reads, looked for before anything heavy is imported, so that a wrong name is told at once."""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig

from csrgan.config import announced
from csrgan.errors import meant, require
from csrgan.files import relative
from csrgan.run_folder import CHECKPOINTS, DUE, JOB, OVERRIDES, SUMMARY


def examine(command: str, config: DictConfig) -> None:
    """Raise UserError if a folder or file that csrgan compare, replay or report is given is not there."""
    if command == "report":
        with_jobs(Path(str(config.folder)))
    if command == "replay":
        file(Path(str(config.file)))
    if command == "compare":
        given = [config.folders] if isinstance(config.folders, str) else list(config.folders)
        for key, path in [*(("folders", path) for path in given), *([("sharp", config.sharp)] if config.sharp is not None else [])]:
            folder(Path(str(path)), key)


def folder(path: Path, key: str) -> None:
    """Raise UserError unless this is a folder. key: where the user named it."""
    require(path.is_dir(), f"{key}: {path} is not a folder.{meant(path)}")


def file(path: Path) -> None:
    """Raise UserError unless this is a file."""
    require(path.is_file(), f"file={path} does not exist.{meant(path)}")


def with_jobs(path: Path) -> None:
    """Raise UserError unless this is a folder that holds a sweep, runs or evaluations."""
    require(path.is_dir(), f"folder={path} is not a folder.{meant(path)}")
    single = any((summary.parent / OVERRIDES).is_file() for summary in path.rglob(SUMMARY))
    held = single or any(any(path.rglob(name)) for name in (JOB, DUE))
    unscored = None if held else min((file.parent for file in path.rglob(OVERRIDES)), default=None)
    require(unscored is None, f"folder={path}: {_unscored(unscored or path)}")
    require(held, f"folder={path} holds neither a sweep nor a run: no folder in it has a {JOB} or {OVERRIDES}.")


def _unscored(run: Path) -> str:
    """Return a sentence about a run that ended, or still runs, before its first evaluation."""
    said = f"the run in {relative(run)} has no {SUMMARY}, because it was not scored before it ended"
    if any((run / CHECKPOINTS).glob("*.ckpt")):
        return f"{said}: {announced.command('train', f'resume={relative(run)}')} goes on with it."
    return f"{said}; it has no checkpoint either: start it anew."
