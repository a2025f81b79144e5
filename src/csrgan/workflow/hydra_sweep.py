"""What a sweep tells Hydra's sweepers and launchers, and what it takes from them."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, read_write

from csrgan.run_folder import SUBMITIT
from csrgan.runs import watchdog
from csrgan.runs.process import locked


class SweepRecorder(Callback):
    """Keeps the folder of the sweep that this process started; the jobs may run in others."""

    folder: Path | None = None

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        HydraConfig.instance().set_config(config)  # the default run_dir names the experiment, which Hydra tells through it
        SweepRecorder.folder = Path(config.hydra.sweep.dir)
        watchdog.lead(here=not str(config.hydra.launcher._target_).endswith("SlurmLauncher"))
        _settle(config.hydra)
        if guided(config.hydra):
            import optuna

            optuna.logging.set_verbosity(logging.ERROR)  # its lines say less than the jobs' own
            logging.getLogger("hydra_plugins.hydra_optuna_sweeper").setLevel(logging.CRITICAL)

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **_: Any) -> None:
        """Hydra keeps what every job returns until the last has ended: memory is not to grow by its copies of the configuration."""
        job_return.cfg = job_return.hydra_cfg = None

    @classmethod
    def taken(cls) -> Path | None:
        """The folder, once."""
        folder, cls.folder = cls.folder, None
        return folder


def _settle(hydra: DictConfig) -> None:
    """Defaults of sweepers and launchers that would not do here, where the user has not chosen."""
    given = {word.partition("=")[0] for word in hydra.overrides.hydra}
    with read_write(hydra):
        if guided(hydra) and "hydra.sweeper.direction" not in given:
            hydra.sweeper.direction = "maximize"  # what a job returns is its gain
        if guided(hydra) and "seed" in hydra.sweeper.sampler and hydra.sweeper.sampler.seed is None:
            hydra.sweeper.sampler.seed = 0  # a second start then makes the same trials, and finds those that are complete
        if _at_once(hydra) and "hydra.launcher.timeout_min" not in given:
            hydra.launcher.timeout_min = 60 * 24 * 365  # the wait for a turn counts


def guided(hydra: DictConfig) -> bool:
    return "direction" in hydra.sweeper


def _at_once(hydra: DictConfig) -> bool:
    """Whether the launcher starts all jobs at once on this machine: submitit's local one does."""
    return str(hydra.launcher._target_).endswith("LocalLauncher")


def cores(hydra: DictConfig) -> int | None:
    """The cores that a job may use; None where jobs run one after another and each has all of them."""
    if "n_jobs" in hydra.launcher:  # joblib, which counts negative numbers back from all cores
        available, together = os.cpu_count() or 1, hydra.launcher.n_jobs
        return max(1, available // max(1, together if together > 0 else available + 1 + together))
    return (hydra.launcher.cpus_per_task or 1) if "cpus_per_task" in hydra.launcher else None


@contextmanager
def turn(hydra: DictConfig) -> Iterator[None]:
    """Where all jobs are started at once, wait until there are cores for this one."""
    if not _at_once(hydra):
        yield
        return
    together = max(1, (os.cpu_count() or 1) // (cores(hydra) or 1))
    with ExitStack() as stack:
        places = [stack.enter_context((Path(hydra.sweep.dir) / SUBMITIT / f"turn{k}").open("w")) for k in range(together)]
        while not any(locked(place) for place in places):
            time.sleep(0.5)
        yield
