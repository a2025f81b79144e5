"""The modules of commands: imported once the command's words hold, and run."""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

from omegaconf import DictConfig

from csrgan import ranks
from csrgan.config.build import checked_settings
from csrgan.config.combinations import brings_protocol
from csrgan.config.occupied import holds_jobs
from csrgan.console import Console
from csrgan.errors import RunStopped
from csrgan.files import relative
from csrgan.run_folder import JOB

# A module named `list` would hide the builtin in this package once it is imported.
MODULES = {"list": "list_choices"}


def run(command: str, config: DictConfig, *, several: bool) -> object:
    """Run a command. several: as one of a sweep's jobs. Raises RunStopped where Ctrl-C ends a training that is not in the middle of
    its batches."""
    name = "sweep" if several and command == "train" else MODULES.get(command, command)
    if command == "train" and not several:
        settings = checked_settings(config)  # report an impossible value before importing anything heavy
        name = "train_together" if settings["trainer"]["devices"] > ranks.own().world else name
    try:
        result: object = _ready(name, config).run(config)
        return result
    except KeyboardInterrupt:
        if name not in ("train", "train_together"):
            raise
        from csrgan.runs.checkpoint_place import earlier_save

        raise RunStopped(f"stopped; {earlier_save(Path(config.run_dir))}", 130) from None


def _ready(name: str, config: DictConfig) -> ModuleType:
    """Import the module of a command. Raises UserError before, as that takes seconds, for pictures, folders and checkpoints that it
    cannot use; a sweep leaves these to its jobs."""
    if name in ("restore", "degrade"):
        import_module("csrgan.picture_folders.places").Places.from_config(config)
    import_module("csrgan.runs.given_places").examine(name, config)
    key = "checkpoint" if "checkpoint" in config else "init_from"
    given = None if name == "sweep" or config.get("resume") else config.get(key)
    of_others = key == "checkpoint" and config.get("system") and brings_protocol({"_target_": config.system._target_})
    sweep = name == "evaluate" and Path(str(given)).is_dir()
    if sweep and holds_jobs(Path(str(given))):
        jobs = len(list(Path(str(given)).rglob(JOB)))
        first = f"scoring {jobs} {'job' if jobs == 1 else 'jobs'} of {relative(str(given))}, one after another"
        Console().print(first, highlight=False, markup=False, soft_wrap=True)
    if given is not None and not of_others and not sweep:
        import_module("csrgan.runs.checkpoint_place").place(str(given), key)
    return _imported(f"csrgan.cli.{name}")


def _imported(name: str) -> ModuleType:
    """Import a module without garbage collection: nothing it imports is garbage, and looking takes a fifth of the start-up."""
    if name in sys.modules:
        return sys.modules[name]
    gc.disable()
    try:
        return import_module(name)
    finally:
        gc.freeze()
        gc.enable()
