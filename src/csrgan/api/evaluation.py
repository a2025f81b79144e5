"""Scoring a model on photographs, degraded by a protocol in a way that never changes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightning import Callback, Trainer

from csrgan.api import own
from csrgan.api.degrading import protocol_of
from csrgan.api.model import Model, load
from csrgan.data.module import GRID, Photographs
from csrgan.degradation.augmentation import Degradation
from csrgan.evaluation import results
from csrgan.systems.base import System

Paths = str | os.PathLike[str]


@dataclass(frozen=True)
class Evaluation:
    """rows: a picture in a cell of the grid each, with the true and the predicted degradation, the scores of L (`psnr_low`) and of
    S (`psnr_restored`). summary: their means, and of each predicted parameter its mean absolute error; `gain_db` is S over L."""

    rows: list[results.Row]
    summary: dict[str, float]

    def save(self, path: Paths) -> None:
        """Write the rows as a csv file: the results.csv of `csrgan evaluate`.

        >>> import csrgan
        >>> found = csrgan.evaluate("runs/first", ["chelsea"], crop=32)
        >>> found.save("results.csv")
        """
        results.write(Path(path), self.rows)


def evaluate(
    model: Model | System | Paths,
    photographs: Paths | Sequence[Paths],
    protocol: str | Degradation | None = None,
    *,
    crop: int | None = 512,
    grid: Mapping[str, int] = GRID,
    repeats: int = 1,
    device: str = "cpu",
) -> Evaluation:
    """Score a model: each photograph in each cell of a grid of degradations, the same for every model and machine.

    model: what `csrgan.load` gave, or what it takes; or a system, such as one that needs no training.
    photographs: a folder, several of them, or names of photographs inside scikit-image. They are H, and at least 32 px a side.
    protocol: a name of `csrgan list degradation`, or a `csrgan.Degradation`; None: the one that the model was trained on.
    crop: greatest side in px, of which the centre is used; None: whole photographs. grid: levels of blur, scale and noise.
    repeats: noise seeds a cell. device: cpu, cuda, cuda:1.
    Raises UserError for photographs or a protocol that cannot be used. `csrgan evaluate` writes the same rows.

    >>> import csrgan
    >>> found = csrgan.evaluate("runs/first", ["chelsea"], crop=32, grid={"blur": 2, "scale": 1, "noise": 1})
    >>> len(found.rows), found.summary["rows"]
    (2, 2)
    """
    own.metrics()
    if not isinstance(model, System):
        model = (model if isinstance(model, Model) else load(model, device)).to(device).system
    degradation = model.arguments()["degradation"] if protocol is None else protocol_of(protocol)
    assert isinstance(degradation, Degradation)
    named = os.fspath(photographs) if isinstance(photographs, str | os.PathLike) else [os.fspath(each) for each in photographs]
    data = Photographs(valid=named, degradation=degradation, evaluation_crop=crop, grid=dict(grid), repeats=repeats)
    return evaluated(model, data, device)


def evaluated(system: System, data: Photographs, device: str, callbacks: Sequence[Callback] = (), **settings: Any) -> Evaluation:
    """The scores of a system on prepared photographs. settings: of Lightning's Trainer."""
    system.examine(data.degradation)
    trainer = Trainer(
        accelerator="cpu" if device == "cpu" else "gpu",
        devices=1,
        callbacks=list(callbacks),
        enable_checkpointing=False,
        enable_model_summary=False,
        **{"logger": False, "enable_progress_bar": False, **settings},
    )
    trainer.validate(system, data, verbose=False)
    return Evaluation(system.rows, system.summary)
