"""A run at Weights & Biases. If it fails, hangs or is unreachable, training continues without it."""

from __future__ import annotations

import os
import shlex
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar, cast

from lightning.pytorch.utilities import rank_zero_only
from PIL import Image

from csrgan.errors import printable
from csrgan.evaluation.results import Row
from csrgan.files import relative
from csrgan.loggers.metrics_csv import read, rows_until
from csrgan.loggers.run_logger import RunLogger
from csrgan.loggers.wandb_auth import mode, reason
from csrgan.ranges import Positive
from csrgan.run_folder import METRICS
from csrgan.tree import Settings

if TYPE_CHECKING:
    from wandb import Run

Result = TypeVar("Result")
Mode = Literal["online", "offline", "disabled", "shared"]
STEP = "images_seen"  # the axis of every chart
SPARE = 8  # seconds beyond `logger.patience`: wandb has the same limit, and its error names what was slow


def run_name(folder: Path) -> tuple[str, str | None]:
    """Return name and group of the wandb run of a folder. The jobs of a sweep, in numbered folders, form a group."""
    folder = folder.resolve()
    sweep = folder.parent.name
    return (f"{sweep}/{folder.name}", sweep) if folder.name.isdigit() else (folder.name, None)


class WandbRun(RunLogger):
    """One wandb run, against images seen. The first failure is reported in a sentence and ends the tracking, not the training.

    If no server accepts the run within `patience` seconds, it is kept offline, for `wandb sync`. A resumed training is a new
    wandb run, which first logs the earlier rows of metrics.csv, because wandb keeps little of a run that was killed.
    project, entity, group, tags, notes: of the wandb run; the jobs of a sweep form a group by default.
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
        self._project, self._entity, self._group, self._tags, self._notes = project, entity, group, list(tags), notes
        self._patience = patience
        self.settings: Settings = {}
        self._folder = Path()
        self.run: Run | None = None
        self.over = False
        self._pictures: dict[str, list[tuple[str, str]]] = {}

    def begin(self, settings: Settings, folder: Path) -> None:
        self.settings, self._folder = settings, folder
        self._start()

    @property
    def name(self) -> str:
        return self._project

    @property
    def version(self) -> str | None:
        return str(self.run.id) if self.run else None

    @rank_zero_only
    def _start(self) -> None:
        # wandb also reports its own errors to the server, and waits half a minute or more for that when the process ends.
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        try:
            import wandb  # noqa: F401  # importing takes seconds that do not count as the server's

            self.run = self._within_patience(lambda: self._init_run(mode()))
        except Exception as error:
            self._report(f"could not start a run at its server ({reason(error)}); this run is kept offline")
            self.run = self._attempt(lambda: self._init_run("offline"))

    def _init_run(self, wandb_mode: str) -> Run:
        import wandb

        name, group = run_name(self._folder)
        limits = wandb.Settings(
            console="off",  # do not capture standard output
            reinit="create_new",  # even if other runs exist in this process
            init_timeout=self._patience,
            finish_timeout=self._patience,
            finish_timeout_raises=True,
        )
        run = wandb.init(
            project=self.name,
            entity=self._entity,
            name=name,
            group=self._group or group,
            tags=self._tags,
            notes=self._notes,
            dir=self._folder,
            config=dict(self.settings),
            mode=cast("Mode", wandb_mode),  # wandb checks it
            settings=limits,
        )
        run.define_metric(STEP)
        run.define_metric("*", step_metric=STEP, step_sync=True)
        return run

    def _active_run(self) -> Run:
        assert self.run
        return self.run

    def _attempt(self, action: Callable[[], Result]) -> Result | None:
        """Run the action and return its result; None if the tracking is over. A failure ends the tracking."""
        if self.over:
            return None
        try:
            return self._within_patience(action)
        except Exception as error:
            self.over = True
            self._report(f"stopped working ({reason(error)}); the run continues without it")
            with suppress(Exception, SystemExit):  # otherwise wandb's exit hook waits or prints a traceback
                _within(SPARE, _teardown)
            return None

    def _within_patience(self, action: Callable[[], Result]) -> Result:
        return _within(self._patience + SPARE, action)

    def _report(self, event: str) -> None:
        command = f"wandb sync {shlex.quote(relative(self._folder))}/wandb/*run-*"
        print(printable(f"csrgan train: wandb {event}. To send what it recorded later: {command}"), file=sys.stderr)

    def rewind(self, images_seen: int, evaluated: int) -> None:
        """Log the rows from before the stop: training up to `images_seen` images, evaluations up to `evaluated` images."""
        for row in rows_until(read(self._folder / METRICS), images_seen, evaluated) if self.settings.get("resume") else []:
            step = int(row.pop("step"))
            self.log_metrics({name: float(value) for name, value in row.items()}, step)

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Log one row of the history, with the pictures that wait for it. step: images seen."""
        row = dict(metrics) if step is None else {**metrics, STEP: step}
        waiting, self._pictures = self._pictures, {}
        self._attempt(lambda: self._active_run().log(row | {gallery: _gallery(files) for gallery, files in waiting.items()}))

    @rank_zero_only
    def log_image(self, key: str, images: list[str]) -> None:
        """Log picture files with the next row. The key `panels/NAME` names a gallery and a caption in it."""
        gallery, _, caption = key.partition("/")
        self._pictures.setdefault(gallery, []).extend((caption, image) for image in images)

    @rank_zero_only
    def conclude(self, rows: Sequence[Row], summary: Mapping[str, float]) -> None:
        """Log the final values and a table of every picture and degradation: true and predicted parameters, and scores."""

        def record() -> None:
            import wandb

            table = wandb.Table(columns=list(rows[0]), data=[list(row.values()) for row in rows])
            run = self._active_run()
            run.summary.update(dict(summary))
            run.log({"predictions": table, STEP: summary[STEP]})

        self._attempt(record)

    @rank_zero_only
    def end(self, *, well: bool) -> None:
        if self.run:  # else it was interrupted before there was one
            self._attempt(lambda: self._active_run().finish(exit_code=int(not well)))
        self.over = True


def _gallery(files: list[tuple[str, str]]) -> list[object]:
    """Return captioned pictures on white sheets of one size, because wandb shows mixed sizes under one key badly."""
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


def _within(seconds: float, action: Callable[[], Result]) -> Result:
    """Return the result of the action, or raise TimeoutError: wandb can wait forever for its service or for a server."""
    done: Future[Result] = Future()

    def act() -> None:
        try:
            done.set_result(action())
        except BaseException as error:
            done.set_exception(error)

    threading.Thread(target=act, daemon=True).start()
    try:
        return done.result(seconds)
    except TimeoutError:
        if done.done():  # raised by wandb itself
            raise
        raise TimeoutError(f"no answer for {seconds:g} s") from None
