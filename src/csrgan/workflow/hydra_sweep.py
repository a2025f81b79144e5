"""The exchange between a sweep and Hydra's sweepers and launchers."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, read_write

from csrgan.run_folder import REFUSED, SUBMITIT
from csrgan.runs import watchdog
from csrgan.runs.process import locked


class SweepRecorder(Callback):
    """Records the folder of the sweep that this process started; its jobs may run in other processes."""

    folder: Path | None = None

    def on_multirun_start(self, config: DictConfig, **_: object) -> None:
        HydraConfig.instance().set_config(config)  # the default run_dir needs it for the experiment's name
        SweepRecorder.folder = Path(config.hydra.sweep.dir)
        for file in SweepRecorder.folder.glob(f"*/{REFUSED}"):  # of a sweep that was killed
            file.unlink()
        watchdog.lead(here=not str(config.hydra.launcher._target_).endswith("SlurmLauncher"))
        _set_defaults(config.hydra)
        if guided(config.hydra):
            import optuna

            optuna.logging.set_verbosity(logging.ERROR)  # its lines say less than the jobs' own
            logging.getLogger("hydra_plugins.hydra_optuna_sweeper").setLevel(logging.CRITICAL)

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **_: object) -> None:
        """Drop a job's copies of the configuration: Hydra keeps every job's return value until the last job ends."""
        job_return.cfg = job_return.hydra_cfg = None

    @classmethod
    def take_folder(cls) -> Path | None:
        """Return the folder and forget it; None if there is none."""
        folder, cls.folder = cls.folder, None
        return folder


def _set_defaults(hydra: DictConfig) -> None:
    """Replace defaults of sweepers and launchers that do not suit a training, unless the user has set them."""
    overridden = {word.partition("=")[0] for word in hydra.overrides.hydra}
    with read_write(hydra):
        if guided(hydra) and "hydra.sweeper.direction" not in overridden:
            hydra.sweeper.direction = "maximize"  # a job returns its gain
        if guided(hydra) and "seed" in hydra.sweeper.sampler and hydra.sweeper.sampler.seed is None:
            hydra.sweeper.sampler.seed = 0  # so that a second start repeats the trials and finds the complete ones
        if _at_once(hydra) and "hydra.launcher.timeout_min" not in overridden:
            hydra.launcher.timeout_min = 60 * 24 * 365  # it includes the wait for a turn


def guided(hydra: DictConfig) -> bool:
    """Return whether the sweeper searches by the results of earlier jobs, as Optuna does."""
    return "direction" in hydra.sweeper


def _at_once(hydra: DictConfig) -> bool:
    """Return whether the launcher starts all jobs at once on this machine, as submitit's local one does."""
    return str(hydra.launcher._target_).endswith("LocalLauncher")


def cores(hydra: DictConfig) -> int | None:
    """Return the cores that a job may use; None if jobs run one after another, each with all cores."""
    if "n_jobs" in hydra.launcher:  # joblib: negative numbers count back from all cores
        available, together = os.cpu_count() or 1, hydra.launcher.n_jobs
        return max(1, available // max(1, together if together > 0 else available + 1 + together))
    return (hydra.launcher.cpus_per_task or 1) if "cpus_per_task" in hydra.launcher else None


@contextmanager
def turn(hydra: DictConfig) -> Iterator[None]:
    """Wait until there are cores for this job, if all jobs are started at once."""
    if not _at_once(hydra):
        yield
        return
    together = max(1, (os.cpu_count() or 1) // (cores(hydra) or 1))
    with ExitStack() as stack:
        lock_files = [stack.enter_context((Path(hydra.sweep.dir) / SUBMITIT / f"turn{k}").open("w")) for k in range(together)]
        while not any(locked(lock_file) for lock_file in lock_files):
            time.sleep(0.5)
        yield
