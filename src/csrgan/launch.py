"""Trainings started from Python: `csrgan train` without its command line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from csrgan import cli
from csrgan.api.model import Model, load
from csrgan.config import paths
from csrgan.config.flags import SEVERAL, split_flags
from csrgan.console import silence
from csrgan.errors import require
from csrgan.run_folder import SUMMARY
from csrgan.tree import Settings


@dataclass(frozen=True)
class Run:
    """A finished training. folder: where it wrote everything."""

    folder: Path

    @cached_property
    def model(self) -> Model:
        """The trained model."""
        return load(self.folder)

    @property
    def summary(self) -> Settings:
        """The means of its last evaluation, as in summary.json; `gain_db` is the gain of S over L."""
        return dict(json.loads((self.folder / SUMMARY).read_text(encoding="utf-8")))


def train(overrides: Sequence[str] = (), *, quiet: bool = False) -> Run:
    """Train a system as `csrgan train` does with these words, and return when the training has ended.

    overrides: `key=value` or `group=choice` each, as in ["trainer=smoke", "output=clamp"]; `csrgan train --help=all` shows them.
    quiet: print nothing.
    Raises UserError, with all faults at once, for what cannot be trained. Only the command runs a sweep: `csrgan train -m`.

    >>> import csrgan
    >>> run = csrgan.train(["trainer=smoke", "logger=none", "trainer.images=8", "run_dir=runs/second"], quiet=True)
    >>> run.summary["images_seen"]
    8
    """
    words = [overrides] if isinstance(overrides, str) else list(overrides)
    flags, _ = split_flags(words)
    require(not flags, f"csrgan.train does not take {' '.join(flags)}: it runs one training. csrgan train {SEVERAL} runs a sweep.")
    sweeps = [word for word in words if paths.starts_sweep(word)]
    require(not sweeps, f"{' '.join(sweeps)} is a sweep of several trainings: csrgan train runs it, csrgan report summarises it.")
    with silence() if quiet else nullcontext():
        outcome = cli.execute("train", words)
    return Run(outcome.folders[0])
