"""Run one job with Hydra but without its command line, which would compose the configuration once more to find the mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from hydra import initialize_config_dir
from hydra._internal.callbacks import Callbacks
from hydra._internal.hydra import Hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import run_job
from hydra.types import HydraContext, RunMode
from omegaconf import DictConfig

from csrgan.config.location import conf


def run(command: str, overrides: list[str], task: Callable[[DictConfig], object]) -> bool:
    """Call the task with the configuration of these overrides, as `hydra.main` does. Do nothing and return False if they ask for a
    sweep."""
    with initialize_config_dir(str(conf()), version_base="1.3", job_name=command):
        hydra = cast(Hydra, GlobalHydra.instance().hydra)
        parser = OverridesParser.create(hydra.config_loader)
        if any(override.is_sweep_override() for override in parser.parse_overrides(overrides)):  # a yaml file may ask for the sweep
            return False
        config = hydra.compose_config(command, overrides, run_mode=RunMode.RUN, with_log_configuration=True)
        if config.hydra.mode == RunMode.MULTIRUN:
            return False
        config.hydra.mode = RunMode.RUN
        callbacks = Callbacks(config)
        callbacks.on_run_start(config=config, config_name=command)
        context = HydraContext(config_loader=hydra.config_loader, callbacks=callbacks)
        job = run_job(task, config, job_dir_key="hydra.run.dir", job_subdir_key=None, hydra_context=context)
        callbacks.on_run_end(config=config, config_name=command, job_return=job)
        _ = job.return_value  # raises what the task raised
        return True
