"""A training that a Python program starts: `csrgan train` without its command line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stdout
from dataclasses import dataclass
from functools import cached_property
from io import StringIO
from pathlib import Path
from typing import Any

from csrgan import cli
from csrgan.api.model import Model, load
from csrgan.config import paths
from csrgan.config.flags import SEVERAL, split_flags
from csrgan.errors import require
from csrgan.run_folder import SUMMARY


@dataclass(frozen=True)
class Run:
    """A finished training. folder: where it left everything."""

    folder: Path

    @cached_property
    def model(self) -> Model:
        """The trained model."""
        return load(self.folder)

    @property
    def summary(self) -> dict[str, Any]:
        """The means of its last evaluation, as in summary.json; `gain_db` is S over L."""
        return dict(json.loads((self.folder / SUMMARY).read_text(encoding="utf-8")))


def train(overrides: Sequence[str] = (), *, quiet: bool = False) -> Run:
    """Train a system, as `csrgan train` does with these words, and wait for its end.

    overrides: `key=value` or `group=choice` each, as in ["trainer=smoke", "output=clamp"]; `csrgan train --help` shows them.
    quiet: print nothing.
    Raises UserError for what cannot be trained, with all that is wrong. A sweep is a matter of the command: `csrgan train -m`.

    >>> import csrgan
    >>> run = csrgan.train(["trainer=smoke", "logger=none", "trainer.images=8", "run_dir=runs/second"], quiet=True)
    >>> run.summary["images_seen"]
    8
    """
    words = [overrides] if isinstance(overrides, str) else list(overrides)
    flags, _ = split_flags(words)
    require(not flags, f"csrgan.train takes no {' '.join(flags)}: it runs one training. csrgan train {SEVERAL} runs a sweep.")
    sweeps = [word for word in words if paths.starts_sweep(word)]
    require(
        not sweeps, f"{' '.join(sweeps)} is a sweep of several trainings: csrgan train runs it, csrgan report makes one page of it."
    )
    with redirect_stdout(StringIO()) if quiet else nullcontext():
        done = cli.execute("train", words)
    return Run(done.folders[0])
