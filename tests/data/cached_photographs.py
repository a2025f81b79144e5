"""Photographs on disk and their preparation in a cache, for the tests of both."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console

from csrgan.data.cache import Cache
from csrgan.data.cache_entry import File
from csrgan.data.prepared import Prepared
from csrgan.data.sources import in_folder

RNG = np.random.default_rng(0)


def photographs(folder: Path, count: int, side: int = 40) -> list[File]:
    folder.mkdir(parents=True, exist_ok=True)
    for k in range(count):
        Image.fromarray(RNG.integers(0, 256, (side, side + k, 3), np.uint8)).save(folder / f"{k:03d}.png")
    return in_folder(folder)


def prepare(cache: Cache, files: list[File], output: io.StringIO | None = None) -> Prepared:
    return cache.prepare(files, Console(file=output or io.StringIO(), width=300))


def in_a_child(action: Callable[[], object]) -> int:
    """Run the action in a forked process and return its exit status."""
    child = os.fork()
    if not child:
        try:
            action()
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
