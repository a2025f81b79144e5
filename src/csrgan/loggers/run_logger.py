"""A logger that a run of csrgan begins, tells of its end, and may take back to where it goes on."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path

from lightning.pytorch.loggers import Logger

from csrgan.arguments import Recorded
from csrgan.evaluation.results import Row
from csrgan.tree import Settings


class RunLogger(Recorded, Logger):
    """What csrgan's own loggers have beside Lightning's."""

    @abstractmethod
    def begin(self, settings: Settings, folder: Path) -> None:
        """Begin. settings: of the run. folder: where it writes everything."""

    def log_hyperparams(self, *args: object, **kwargs: object) -> None:
        """Lightning's own way. All settings came with the beginning."""

    def end(self, *, well: bool) -> None:
        """The run has ended, well or not. Lightning's own `finalize` comes earlier, before the end values."""

    def rewind(self, images_seen: int, evaluated: int) -> None:
        """Forget what was logged after so many images, and evaluations after `evaluated` images."""

    def log_image(self, key: str, images: list[str]) -> None:
        """Files of pictures, to go with the next row."""

    def conclude(self, rows: Sequence[Row], summary: Mapping[str, float]) -> None:
        """The rows of the last evaluation, and the end values."""
