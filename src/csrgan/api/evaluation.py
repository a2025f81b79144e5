"""Score a model on photographs, degraded over a fixed grid of a protocol."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from lightning import Callback, Trainer

from csrgan import rules
from csrgan.api import own
from csrgan.api.degrading import protocol_of
from csrgan.api.loading import placed
from csrgan.api.model import Model, load
from csrgan.console import quiet_lightning
from csrgan.data.module import GRID, Photographs
from csrgan.data.sources import Source
from csrgan.degradation.augmentation import Degradation
from csrgan.errors import raise_faults
from csrgan.evaluation import results
from csrgan.evaluation.metrics import computed
from csrgan.randomness import forked
from csrgan.restorers.restorer import Restorer, examine_protocol
from csrgan.training import unknown_theta
from csrgan.training.evaluated import Evaluated
from csrgan.training.signals import PlainSignals, ctrl_c_passed_on

Paths = str | os.PathLike[str]


@dataclass(frozen=True)
class Evaluation:
    """rows: one for each picture and grid cell, with the true and predicted degradation and the scores of L (`psnr_low`) and S
    (`psnr_restored`). summary: their means, and the mean absolute error of each predicted parameter; `gain_db` is S over L."""

    rows: list[results.Row]
    summary: dict[str, float]

    def save(self, path: Paths) -> None:
        """Write the rows as a csv file: the results.csv of `csrgan evaluate`.

        >>> import csrgan
        >>> evaluation = csrgan.evaluate("runs/first", ["chelsea"], crop=32)
        >>> evaluation.save("results.csv")
        """
        results.write(Path(path), self.rows)


def evaluate(
    model: Model | Evaluated | Restorer | Paths,
    photographs: Paths | Sequence[Paths] | Source,
    protocol: str | Degradation | None = None,
    *,
    crop: int | None = 512,
    grid: Mapping[str, int] = GRID,
    repeats: int = 1,
    metrics: str | Sequence[str] = (),
    convention: Literal["exact", "eight_bits", "matlab"] = "exact",
    device: str = "cpu",
) -> Evaluation:
    """Score a model on each photograph in each cell of a grid of degradations, which is the same for every model and machine.

    model: a model, a path that `csrgan.load` takes, a system, or a restorer, such as one that needs no training.
    photographs: H: a folder, several folders, or names of photographs in scikit-image; or a `csrgan.Pairs`, which brings its own L,
    so that grid and repeats are not used. Sides are at least 32 px.
    protocol: a name of `csrgan list degradation`, or a `csrgan.Degradation`; None: the one of the model's training.
    crop: greatest side in px, cut from the centre; None: whole photographs. grid: levels of blur, scale and noise.
    repeats: noise seeds for each cell. metrics: slower ones besides the usual, lpips, lpips_vgg, dists, or one of your own.
    convention: what is scored: the values; with eight_bits, what 8-bit files hold; with matlab,
    Y rounded too. device: cpu, cuda, cuda:1.
    Raises UserError for photographs or a protocol that cannot be used. `csrgan evaluate` writes the same rows.

    >>> import csrgan
    >>> evaluation = csrgan.evaluate("runs/first", ["chelsea"], crop=32, grid={"blur": 2, "scale": 1, "noise": 1})
    >>> len(evaluation.rows), evaluation.summary["rows"]
    (2, 2)
    """
    own.register_metrics(rules.listed(metrics))
    computed(rules.listed(metrics))  # raises before anything is restored
    if isinstance(model, Restorer):
        model = Evaluated(model)
    if not isinstance(model, Evaluated):
        model = (model if isinstance(model, Model) else load(model, device)).system
    placed(model, device)
    degradation = model.restorer.degradation if protocol is None else protocol_of(protocol)
    sources: str | list[str] | Source
    if isinstance(photographs, str | os.PathLike):
        sources = os.fspath(photographs)
    else:
        sources = photographs if isinstance(photographs, Source) else [os.fspath(each) for each in photographs]
    data = Photographs(
        valid=sources,
        degradation=degradation,
        evaluation_crop=crop,
        grid=dict(grid),
        repeats=repeats,
        metrics=metrics,
        convention=convention,
    )
    try_own_metrics(data, device)
    return evaluated(model, data, device)


def try_own_metrics(data: Photographs, device: torch.device | str) -> None:
    """Compute your own metrics on the first picture of an evaluation, before anything is trained or restored.

    Raises UserError for one that gives no number, and what its function raises.
    """
    if not own.OWN:
        return
    with forked(torch.device(device)), torch.inference_mode():  # the loader and a metric draw; a training must not depend on it
        first = next(iter(data.val_dataloader())).to(torch.device(device))
        results.try_metrics(data.on_after_batch_transfer(first, 0), own.OWN)


def evaluated(system: Evaluated, data: Photographs, device: str, callbacks: Sequence[Callback] = (), **settings: Any) -> Evaluation:
    """Score a system on photographs. settings: arguments of Lightning's Trainer."""
    examine_protocol(system.restorer, data.degradation)
    raise_faults(unknown_theta.of_oracle(system.restorer, data))
    with quiet_lightning(), ctrl_c_passed_on():
        trainer = Trainer(
            accelerator="cpu" if device == "cpu" else "gpu",
            devices=1,
            callbacks=[PlainSignals(), *callbacks],
            enable_checkpointing=False,
            enable_model_summary=False,
            **{"logger": False, "enable_progress_bar": False, **settings},
        )
        trainer.validate(system, data, verbose=False)
    return Evaluation(system.rows, system.summary)
