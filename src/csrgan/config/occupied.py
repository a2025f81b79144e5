"""A run and a sweep never share a folder: their files would lie among each other's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from csrgan.config.resume import begun_by_training
from csrgan.files import relative
from csrgan.run_folder import CHECKPOINTS, OVERRIDES, SWEEP

WRITERS = ("train", "evaluate")  # the commands that write into run_dir


def occupied_faults(command: str, folder: Path, *, several: bool) -> Iterator[str]:
    """Yield a sentence if a sweep would begin in the folder of a run or an evaluation, or one of these in that of a sweep.

    folder: run_dir. several: whether the command is a sweep.
    """
    held = (folder / OVERRIDES).is_file() or (folder / CHECKPOINTS).is_dir()
    if command not in WRITERS or not (held if several else (folder / SWEEP).is_file()):
        return
    place = f"run_dir={relative(folder)}"
    if several:
        kind = "a run" if begun_by_training(folder) else "an evaluation"
        yield f"{place} holds {kind}, and a sweep would put its jobs among those files: give the sweep its own run_dir."
    else:
        yield f"{place} holds a sweep, whose jobs this would mix with other files: give another run_dir."
