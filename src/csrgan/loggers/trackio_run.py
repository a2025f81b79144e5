"""A Trackio run, stored on this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from lightning.pytorch.utilities import rank_zero_only

from csrgan.evaluation.results import Row
from csrgan.loggers.run_logger import RunLogger
from csrgan.tree import Settings


class Run(Protocol):
    """What is used of a run object of Trackio."""

    def log(self, metrics: dict[str, float], *, step: int | None = None) -> None: ...

    def finish(self) -> None: ...


class TrackioRun(RunLogger):
    """One Trackio run, against images seen. project, group: of the run. Needs the extra `trackio`."""

    def __init__(self, *, project: str, group: str | None = None) -> None:
        super().__init__()
        import trackio

        self.trackio, self.project, self.group = trackio, project, group
        self.run: Run | None = None

    @property
    def name(self) -> str:
        return self.project

    @property
    def version(self) -> str:
        return ""

    @rank_zero_only
    def begin(self, settings: Settings, folder: Path) -> None:
        name, config = folder.resolve().name, dict(settings)
        init = self.trackio.init
        self.run = init(self.project, name=name, group=self.group, config=config, embed=False, auto_log_gpu=False)

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        assert self.run
        self.run.log(dict(metrics), step=step)

    @rank_zero_only
    def conclude(self, rows: Sequence[Row], summary: Mapping[str, float]) -> None:
        assert self.run
        self.run.log({f"end/{name}": value for name, value in summary.items()}, step=int(summary["images_seen"]))

    @rank_zero_only
    def end(self, *, well: bool) -> None:
        if self.run:
            self.run.finish()
