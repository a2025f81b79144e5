"""The interface of csrgan's own loggers: Lightning's, with a beginning, an end and a rewind on resume."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path

from lightning.pytorch.loggers import Logger

from csrgan.arguments import Recorded
from csrgan.evaluation.results import Row
from csrgan.tree import Settings


class RunLogger(Recorded, Logger):
    """A logger with csrgan's hooks beside Lightning's."""

    @abstractmethod
    def begin(self, settings: Settings, folder: Path) -> None:
        """Start logging. settings: of the run. folder: the run folder."""

    def log_hyperparams(self, *args: object, **kwargs: object) -> None:
        """No-op: `begin` was given all settings."""

    def end(self, *, well: bool) -> None:
        """Close the logger. well: whether the run succeeded. Lightning's `finalize` comes earlier, before the final values."""

    def rewind(self, images_seen: int, evaluated: int) -> None:
        """Drop training rows after `images_seen` images, and evaluations after `evaluated` images."""

    def log_image(self, key: str, images: list[str]) -> None:
        """Log picture files with the next row."""

    def conclude(self, rows: Sequence[Row], summary: Mapping[str, float]) -> None:
        """Log the rows of the last evaluation and the final values."""
