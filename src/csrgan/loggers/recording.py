"""The loggers of a run, closed whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from lightning.pytorch.loggers import Logger

from csrgan.errors import UserError
from csrgan.evaluation.results import Row
from csrgan.loggers.run_logger import RunLogger
from csrgan.tree import Settings

EXTRAS = {"tensorboard": "tensorboard", "mlflow": "mlflow", "trackio": "trackio"}  # names of loggers, and of what installs them


@contextmanager
def recording(settings: Settings, folder: Path, build: Callable[[object, str], object]) -> Iterator[list[Logger]]:
    """The loggers that the settings describe, each told whether the run ended well. build: makes an object of a node.

    Raises UserError for a logger that is not installed.
    """
    nodes = {name: node for name, node in settings["logger"].items() if isinstance(node, dict) and "_target_" in node}
    made = [_made(name, node, build) for name, node in nodes.items()]
    begun: list[Logger] = []
    well = False
    try:
        for logger in made:
            begun.append(logger)
            if isinstance(logger, RunLogger):
                logger.begin(settings, folder)
            else:
                logger.log_hyperparams(dict(settings))
        yield made
        well = True
    finally:
        for logger in begun:
            if isinstance(logger, RunLogger):
                logger.end(well=well)
            else:
                logger.finalize("success" if well else "failed")


def _made(name: str, node: object, build: Callable[[object, str], object]) -> Logger:
    try:
        made = build(node, f"logger.{name}")
    except Exception as reason:
        missing = next((each for each in _causes(reason) if isinstance(each, ImportError)), None)
        if missing is None:
            raise
        extra = f": pip install 'csrgan[{EXTRAS[name]}]'" if name in EXTRAS else f" ({missing})"
        raise UserError(f"logger={name} needs a package that is not installed{extra}.") from reason
    if not isinstance(made, Logger):
        raise UserError(f"logger.{name} makes a {type(made).__name__}, and no logger of Lightning's.")
    return made


def _causes(reason: BaseException | None) -> Iterator[BaseException]:
    while reason is not None:
        yield reason
        reason = reason.__cause__ or reason.__context__


def close_with(loggers: Sequence[Logger], rows: Sequence[Row], summary: Mapping[str, float]) -> None:
    """Give the end values, and the rows of the last evaluation, to the loggers that take them."""
    for logger in loggers:
        if isinstance(logger, RunLogger):
            logger.conclude(rows, summary)
