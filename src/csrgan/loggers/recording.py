"""Build the loggers of a run, and close them whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from lightning.pytorch.loggers import Logger

from csrgan.errors import UserError
from csrgan.evaluation.results import Row
from csrgan.loggers.run_logger import RunLogger
from csrgan.tree import Settings


@contextmanager
def recording(settings: Settings, folder: Path, build: Callable[[object, str], object]) -> Iterator[list[Logger]]:
    """Yield the loggers in the settings, and tell each at the end whether the run succeeded. build: makes an object from a node.

    Raises UserError for a logger that is not installed.
    """
    nodes = {name: node for name, node in settings["logger"].items() if isinstance(node, dict) and "_target_" in node}
    loggers = [_build(name, node, build) for name, node in nodes.items()]
    begun: list[Logger] = []
    succeeded = False
    try:
        for logger in loggers:
            begun.append(logger)
            if isinstance(logger, RunLogger):
                logger.begin(settings, folder)
            else:
                logger.log_hyperparams(dict(settings))
        yield loggers
        succeeded = True
    finally:
        for logger in begun:
            if isinstance(logger, RunLogger):
                logger.end(well=succeeded)
            else:
                logger.finalize("success" if succeeded else "failed")


def _build(name: str, node: object, build: Callable[[object, str], object]) -> Logger:
    try:
        logger = build(node, f"logger.{name}")
    except Exception as reason:
        missing = next((cause for cause in _causes(reason) if isinstance(cause, ImportError)), None)
        if missing is None:
            raise
        raise UserError(f"logger={name} needs a package that is not installed ({missing}).") from reason
    if not isinstance(logger, Logger):
        raise UserError(f"logger.{name} makes a {type(logger).__name__}, which is not a Lightning logger.")
    return logger


def _causes(reason: BaseException | None) -> Iterator[BaseException]:
    while reason is not None:
        yield reason
        reason = reason.__cause__ or reason.__context__


def log_results(loggers: Sequence[Logger], rows: Sequence[Row], summary: Mapping[str, float]) -> None:
    """Pass the final values and the rows of the last evaluation to the loggers of csrgan."""
    for logger in loggers:
        if isinstance(logger, RunLogger):
            logger.conclude(rows, summary)
