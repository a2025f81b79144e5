"""The exchange between a sweep and Hydra's sweepers and launchers."""

from __future__ import annotations

import logging
import os
import shlex
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType

from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, read_write

from csrgan.errors import Terminated, require
from csrgan.files import relative, remove_empty
from csrgan.run_folder import DUE, JOB, REFUSED, SUBMITIT, SWEEP
from csrgan.runs import record, watchdog
from csrgan.runs.process import locked
from csrgan.workflow import sweep_plan


class SweepRecorder(Callback):
    """Records the folder of the sweep that this process started; its jobs may run in other processes."""

    folder: Path | None = None
    created: tuple[Path, ...] = ()  # folders that did not exist before
    before: frozenset[str] = frozenset()  # what the sweep's folder held
    ended_with: bool | None = None  # whether its jobs end with it; None: each does after a save
    again = ""  # how to name the command that runs what this sweep leaves

    def on_multirun_start(self, config: DictConfig, **_: object) -> None:
        HydraConfig.instance().set_config(config)  # the default run_dir needs it for the experiment's name
        folder = SweepRecorder.folder = Path(config.hydra.sweep.dir)
        SweepRecorder.again = _again(config, folder)
        SweepRecorder.created = tuple(path for path in (folder, *folder.parents) if not path.exists())
        SweepRecorder.before = frozenset(file.name for file in folder.iterdir()) if folder.is_dir() else frozenset()
        try:
            _prepare(folder, config.hydra)
        except Exception as error:  # of which Hydra would only warn
            raise Refused(error) from error
        launcher = str(config.hydra.launcher._target_)
        here = not launcher.endswith("SlurmLauncher")
        SweepRecorder.ended_with = None if launcher.endswith(".BasicLauncher") else here
        watchdog.lead(here)
        if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, _terminate)
        _set_defaults(config.hydra)
        if guided(config.hydra):
            import optuna

            optuna.logging.set_verbosity(logging.ERROR)  # its lines say less than the jobs' own
            logging.getLogger("hydra_plugins.hydra_optuna_sweeper").setLevel(logging.CRITICAL)

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **_: object) -> None:
        """Drop a job's copies of the configuration: Hydra keeps every job's return value until the last job ends."""
        job_return.cfg = job_return.hydra_cfg = None

    @classmethod
    def leave_nothing(cls) -> None:
        """After an error, remove the folders and the first files of a sweep that has not begun a job."""
        if cls.folder and cls.folder.is_dir():
            new = {file.name for file in cls.folder.iterdir()} - cls.before
            if new <= {DUE, SWEEP}:
                for name in new:
                    (cls.folder / name).unlink()
            remove_empty(cls.created)

    @classmethod
    def end_jobs(cls) -> str:
        """After Ctrl-C, write down the end of jobs whose processes the launcher has killed. Return what became of those that ran
        together; empty where none did, or each could save."""
        if cls.folder is None or cls.ended_with is False:
            return " Jobs that the cluster has already go on." if cls.folder else ""
        since = sweep_plan.published().began
        ended = [record.stop_gone(file.parent, since) for file in cls.folder.glob(f"*/{JOB}")]
        return " Jobs that ran together ended without a save; each goes on from its last one." if any(ended) else ""

    @classmethod
    def take(cls) -> tuple[Path, str] | None:
        """Return the folder, and how to name the command that runs what is missing there, once; None if there is none."""
        taken = (cls.folder, cls.again) if cls.folder else None
        cls.folder, cls.created, cls.before, cls.ended_with, cls.again = None, (), frozenset(), None, ""
        if signal.getsignal(signal.SIGTERM) is _terminate:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        return taken


def _terminate(number: int, frame: FrameType | None) -> None:
    """Let SIGTERM end a sweep as Ctrl-C does."""
    raise Terminated


class Refused(BaseException):
    """A sweep cannot begin. error: why. It is no Exception, because of those that a callback raises Hydra only warns."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


def _again(config: DictConfig, folder: Path) -> str:
    """Return how to name the command that goes on with a sweep. A run_dir with the time in its name is another at each start, so
    the folder of this one must be given."""
    timed = "${now:" in str(config._get_node("run_dir"))
    return f"the same command with {shlex.quote(f'run_dir={relative(folder)}')}" if timed else "the same command"


def _prepare(folder: Path, hydra: DictConfig) -> None:
    """Publish the plan of a sweep, and write it down. Raises UserError if its folder holds the jobs of another."""
    for file in folder.glob(f"*/{REFUSED}"):  # of a sweep that was killed
        file.unlink()
    together = "hydra.launcher.n_jobs=0 runs no job: give how many run at a time, or -1 for as many as there are cores."
    require(hydra.launcher.get("n_jobs") != 0, together)
    known, jobs = sweep_plan.plan(hydra)
    numbered = "subdir" not in {word.partition("=")[0].rpartition(".")[2] for word in hydra.overrides.hydra}
    plan = replace(known, folders=sweep_plan.folders(folder, jobs) if numbered else [])
    plan.publish()
    plan.record(folder, jobs)


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


def together(hydra: DictConfig) -> int | None:
    """Return how many jobs run at a time; None if that is a cluster's choice."""
    launched = _launched_together(hydra)
    batch = hydra.sweeper.get("n_jobs") if guided(hydra) else hydra.sweeper.get("max_batch_size")
    return min(launched, batch) if launched and batch else launched


def _launched_together(hydra: DictConfig) -> int | None:
    """Return how many jobs the launcher runs at a time, if the sweeper hands it enough; None if that is a cluster's choice."""
    if "n_jobs" in hydra.launcher:
        return (
            int(hydra.launcher.n_jobs) if hydra.launcher.n_jobs > 0 else max(1, (os.cpu_count() or 1) + 1 + hydra.launcher.n_jobs)
        )
    if _at_once(hydra):
        return max(1, (os.cpu_count() or 1) // (cores(hydra) or 1))
    if str(hydra.launcher._target_).endswith(".RayLauncher") and not hydra.launcher.ray.init.get("address"):
        available = hydra.launcher.ray.init.get("num_cpus") or os.cpu_count() or 1
        return max(1, int(available / (hydra.launcher.ray.remote.get("num_cpus") or 1)))
    return 1 if str(hydra.launcher._target_).endswith(".BasicLauncher") else None


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
    with ExitStack() as stack:
        turns = range(together(hydra) or 1)
        lock_files = [stack.enter_context((Path(hydra.sweep.dir) / SUBMITIT / f"turn{k}").open("w")) for k in turns]
        while not any(locked(lock_file) for lock_file in lock_files):
            time.sleep(0.5)
        yield
