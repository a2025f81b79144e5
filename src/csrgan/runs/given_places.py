"""Folders and files that a command reads or writes, examined before anything heavy is imported: a wrong one is told at once."""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig

from csrgan import ranks
from csrgan.config import announced
from csrgan.errors import meant, require
from csrgan.files import relative
from csrgan.run_folder import CHECKPOINTS, DUE, JOB, OVERRIDES, SUMMARY
from csrgan.runs.checkpoint_place import saved


def examine(command: str, config: DictConfig) -> None:
    """Raise UserError if a folder or file that csrgan compare, replay or report reads is not there, or if one into which csrgan
    train, evaluate or publish would write is taken."""
    if command == "report":
        with_jobs(Path(str(config.folder)))
    if command == "replay":
        file(Path(str(config.file)))
    if command == "compare":
        given = [config.folders] if isinstance(config.folders, str) else list(config.folders)
        for key, path in [*(("folders", path) for path in given), *([("sharp", config.sharp)] if config.sharp is not None else [])]:
            folder(Path(str(path)), key)
    if command == "publish":
        empty(Path(str(config.destination)))
    if command == "evaluate":
        trained = (Path(str(config.run_dir)) / CHECKPOINTS).is_dir()
        require(
            not trained,
            f"run_dir={config.run_dir} holds a training run, whose results would be overwritten: choose another run_dir.",
        )
    if command in ("train", "train_together") and not config.resume and ranks.own().leads:
        free(Path(str(config.run_dir)))


def empty(path: Path) -> None:
    """Raise UserError if this is a folder with something in it."""
    require(not path.exists() or not any(path.iterdir()), f"destination={path} is not empty: choose a new folder.")


def free(path: Path) -> None:
    """Raise UserError if this folder holds a run already."""
    place = relative(path)
    require(not saved(path), f"run_dir={place} already holds a run: resume={place} continues it; another run_dir starts a new one.")


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
