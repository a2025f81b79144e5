"""A run at Weights & Biases, which may fail, hang or be away: the training goes on without it."""

from __future__ import annotations

import os
import shlex
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from lightning.pytorch.utilities import rank_zero_only
from PIL import Image

from csrgan.errors import printable
from csrgan.evaluation.results import Row
from csrgan.files import relative
from csrgan.loggers.metrics_csv import read, until
from csrgan.loggers.run_logger import RunLogger
from csrgan.loggers.wandb_auth import mode, told
from csrgan.ranges import Positive
from csrgan.run_folder import METRICS
from csrgan.tree import Settings

Given = TypeVar("Given")
STEP = "images_seen"  # the axis of every chart
SPARE = 8  # seconds beyond `logger.patience`: wandb, which has the same limit, tells better what was slow


def named(folder: Path) -> tuple[str, str | None]:
    """Name and group of the wandb run of a folder. The jobs of a sweep, whose folders are numbers, make a group."""
    folder = folder.resolve()
    sweep = folder.parent.name
    return (f"{sweep}/{folder.name}", sweep) if folder.name.isdigit() else (folder.name, None)


class WandbRun(RunLogger):
    """One wandb run, against images seen. The first thing that fails is told in a sentence, and ends the tracking, not the run.

    Where no server takes the run within `patience` seconds, it is kept offline, for `wandb sync`. A training that goes on is a
    wandb run of its own, which is told first what metrics.csv holds of before: of a run that is killed wandb keeps little.
    project, entity, group, tags, notes: of it; the jobs of a sweep make a group by themselves.
    """

    def __init__(
        self,
        *,
        project: str,
        entity: str | None = None,
        group: str | None = None,
        tags: Sequence[str] = (),
        notes: str | None = None,
        patience: Positive = 20.0,
    ) -> None:
        super().__init__()
        self.project, self.entity, self.group, self.tags, self.notes = project, entity, group, list(tags), notes
        self.patience = patience
        self.settings: Settings = {}
        self.folder = Path()
        self.run: Any = None
        self.over = False
        self.pictures: dict[str, list[tuple[str, str]]] = {}

    def begin(self, settings: Settings, folder: Path) -> None:
        self.settings, self.folder = settings, folder
        self._start()

    @property
    def name(self) -> str:
        return self.project

    @property
    def version(self) -> str | None:
        return str(self.run.id) if self.run else None

    @rank_zero_only
    def _start(self) -> None:
        # wandb reports its own errors to the server too, and waits for that, half a minute and more, when the process ends.
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        try:
            import wandb  # noqa: F401  # its seconds are not those of the server

            self.run = self._within_patience(lambda: self._begin(mode()))
        except Exception as error:
            self._tell(f"started no run at its server ({told(error)}); this one is kept offline")
            self.run = self._attempt(lambda: self._begin("offline"))

    def _begin(self, where: Any) -> Any:
        import wandb

        name, group = named(self.folder)
        limits = wandb.Settings(
            console="off",  # standard output is left alone
            reinit="create_new",  # whatever else runs in this process
            init_timeout=self.patience,
            finish_timeout=self.patience,
            finish_timeout_raises=True,
        )
        run = wandb.init(
            project=self.name,
            entity=self.entity,
            name=name,
            group=self.group or group,
            tags=self.tags,
            notes=self.notes,
            dir=self.folder,
            config=dict(self.settings),
            mode=where,
            settings=limits,
        )
        run.define_metric(STEP)
        run.define_metric("*", step_metric=STEP, step_sync=True)
        return run

    def _attempt(self, action: Callable[[], Given]) -> Given | None:
        """Do it, unless the tracking is over; where it fails, the tracking is."""
        if self.over:
            return None
        try:
            return self._within_patience(action)
        except Exception as error:
            self.over = True
            self._tell(f"stopped working ({told(error)}); the run goes on without it")
            with suppress(Exception, SystemExit):  # else wandb's own hook waits, or prints a traceback, when the process ends
                _within(SPARE, _teardown)
            return None

    def _within_patience(self, action: Callable[[], Given]) -> Given:
        return _within(self.patience + SPARE, action)

    def _tell(self, what: str) -> None:
        later = f"wandb sync {shlex.quote(relative(self.folder))}/wandb/*run-*"
        print(printable(f"csrgan train: wandb {what}. What it has can be sent later: {later}"), file=sys.stderr)

    def rewind(self, images_seen: int, evaluated: int) -> None:
        """Tell what was logged before the stop, up to so many images and the evaluation after `evaluated` images."""
        for row in until(read(self.folder / METRICS), images_seen, evaluated) if self.settings.get("resume") else []:
            step = int(row.pop("step"))
            self.log_metrics({name: float(value) for name, value in row.items()}, step)

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """One row of the history. step: images seen. Pictures that were waiting go with it."""
        row = dict(metrics) if step is None else {**metrics, STEP: step}
        waiting, self.pictures = self.pictures, {}
        self._attempt(lambda: self.run.log(row | {gallery: _gallery(files) for gallery, files in waiting.items()}))

    @rank_zero_only
    def log_image(self, key: str, images: list[str]) -> None:
        """Files of pictures, to go with the next row. The key `panels/NAME` is that of a gallery, and a caption in it."""
        gallery, _, caption = key.partition("/")
        self.pictures.setdefault(gallery, []).extend((caption, image) for image in images)

    @rank_zero_only
    def conclude(self, rows: Sequence[Row], summary: Mapping[str, float]) -> None:
        """The end values, and a table of every picture and degradation: true and predicted parameters, and scores."""

        def record() -> None:
            import wandb

            table = wandb.Table(columns=list(rows[0]), data=[list(row.values()) for row in rows])
            self.run.summary.update(dict(summary))
            self.run.log({"predictions": table, STEP: summary[STEP]})

        self._attempt(record)

    @rank_zero_only
    def end(self, *, well: bool) -> None:
        self._attempt(lambda: self.run.finish(exit_code=int(not well)))
        self.over = True


def _gallery(files: list[tuple[str, str]]) -> list[object]:
    """Captioned pictures, on white sheets of one size: wandb shows no others well under one key."""
    import wandb

    pictures = [Image.open(file).convert("RGB") for _, file in files]
    size = max(picture.width for picture in pictures), max(picture.height for picture in pictures)
    sheets = [Image.new("RGB", size, "white") for _ in pictures]
    for sheet, picture in zip(sheets, pictures, strict=True):
        sheet.paste(picture)
    return [wandb.Image(sheet, caption=caption) for sheet, (caption, _) in zip(sheets, files, strict=True)]


def _teardown() -> None:
    import wandb

    wandb.teardown(exit_code=1)


def _within(seconds: float, action: Callable[[], Given]) -> Given:
    """What it gives. wandb waits without end where its service does not answer, or where that waits for a server."""
    done: Future[Given] = Future()

    def act() -> None:
        try:
            done.set_result(action())
        except BaseException as error:
            done.set_exception(error)

    threading.Thread(target=act, daemon=True).start()
    try:
        return done.result(seconds)
    except TimeoutError:
        if done.done():  # it is wandb's own
            raise
        raise TimeoutError(f"no answer for {seconds:g} s") from None
