"""Errors that a user can put right, raised by csrgan, Hydra, OmegaConf or another library, each as one plain sentence."""

from __future__ import annotations

import re
import traceback
from pathlib import Path

from hydra.errors import HydraException, InstantiationException
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from csrgan.config.override import first_line
from csrgan.config.yaml_errors import yaml_message
from csrgan.errors import UserError, memory_ran_out, needed, printable

MEMORY = (
    "out of memory: lower data.batch_size (optimizer.accumulate makes up for it), data.crop, evaluation.crop or data.memory_mb, or"
    " take trainer.precision=bf16-mixed; what was saved before is whole, and csrgan train resume=RUN_FOLDER goes on with it."
)

KILLED = (
    "a process that reads photographs was killed, probably because memory ran out: lower data.workers or data.memory_mb."
    " What was saved before is whole, and csrgan train resume=RUN_FOLDER goes on with it."
)

TORCHVISION = (
    "torchvision is installed, and does not fit this torch: pip uninstall torchvision, which csrgan does not need, or install"
    " it from the same source as torch."
)

# Errors of other libraries, by a type or by words in them, with what they mean to a user.
SIGNS = {
    **dict.fromkeys(("is killed by signal", "exited unexpectedly"), KILLED),  # raised by torch's loader
    "torchvision::nms": TORCHVISION,  # lightning and torchmetrics import it if it is installed
    "BasicSweeper does not support": "interval() and tag() are for a guided search: add hydra/sweeper=optuna.",
    'Could not detect "srun"': (
        "hydra/launcher=submitit_slurm needs Slurm, and there is no srun here: start the command where Slurm is, or choose"
        " hydra/launcher=joblib."
    ),
    "No trials are completed yet": "no trial of the search is complete; job.json in each one's folder says why.",
}


def user_message(error: BaseException) -> str | None:
    """Return the sentence for an error that the user can fix, one per line for a UserError; None for a fault in csrgan."""
    sentence = str(error) if isinstance(error, UserError) else _library_message(error)
    return sentence if isinstance(error, UserError) or sentence is None else printable(sentence)


def _library_message(error: BaseException) -> str | None:
    """Return the sentence for an error that a library raised."""
    if isinstance(error, MissingMandatoryValue):
        return needed(str(error.full_key))
    if isinstance(error, InstantiationException):
        return re.sub(r"\s+", " ", str(error))
    if isinstance(error, OSError) and error.filename is not None:
        return f"{Path(str(error.filename))}: {error.strerror}."
    if sentence := sign_message(error):
        return sentence
    known = isinstance(error, HydraException | OmegaConfBaseException)
    return first_line(error) if known else yaml_message(error) or _plugin_message(error)


def sign_message(error: BaseException) -> str | None:
    """Return the sentence for an error that is known by its words, wherever it was raised."""
    text = f"{type(error).__name__}: {error}"
    return MEMORY if memory_ran_out(error) else next((sentence for sign, sentence in SIGNS.items() if sign in text), None)


def _plugin_message(error: BaseException) -> str | None:
    """Return the sentence for an error of a launcher or sweeper; None for one of a job that it ran, which is a fault in csrgan."""
    modules = [str(frame.f_globals.get("__name__")) for frame, _ in traceback.walk_tb(error.__traceback__)]
    last = max((index for index, module in enumerate(modules) if module.startswith("hydra_plugins.")), default=None)
    of_job = type(error.__cause__).__name__ == "_RemoteTraceback" or "Traceback" in str(error)  # of joblib or submitit
    if last is None or of_job or any(module.startswith("csrgan.") for module in modules[last:]):
        return None
    return f"{modules[last].split('.')[1]} cannot run this sweep: {type(error).__name__}: {first_line(error)}"
