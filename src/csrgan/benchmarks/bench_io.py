"""A part of csrgan bench: how fast crops are read from large photographs, and how much memory that takes."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
from rich.console import Console

from csrgan.benchmarks.memory import Peak
from csrgan.data import picture
from csrgan.data.cache import Cache
from csrgan.data.crops import Crops, CropSchedule
from csrgan.data.pictures import Pictures
from csrgan.data.sample_order import SampleOrder
from csrgan.data.sources import Files, in_folder
from csrgan.degradation.prior import Prior

WIDTH, HEIGHT = 2040, 1356  # px, of a photograph in DIV2K
TURNS = 5  # of all methods, one after the other, so that whatever else the machine does meets all of them


def reading(count: int, crop: int, crops: int, seed: int, console: Console) -> dict[str, Any]:
    """Crops a second: of csrgan; with everything else that makes a sample; of OpenCV's decode and cut; of as many bytes out of the
    page cache; and the growth of memory over few and over all photographs.

    count: synthetic photographs of 2040x1356 px. crop: px. crops: in each timing, of OpenCV a fiftieth.
    """
    with tempfile.TemporaryDirectory() as folder, ExitStack() as opened:
        path = Path(folder)
        for k in range(count):
            _photograph(path / "photographs" / f"{k:04d}.png", seed + k)
        files = in_folder(path / "photographs")
        began = time.perf_counter()
        pictures = Cache(path / "cache", 1e6).prepare(files, console)
        prepared = time.perf_counter() - began
        handles = [opened.enter_context(file.open("rb")).fileno() for file in pictures.decoded if file]
        methods = _methods([file.path for file in files], handles, _crops(pictures, crop, seed), crop, seed)
        seconds: dict[str, list[float]] = {name: [] for name in methods}
        for _ in range(TURNS):
            for name, method in methods.items():
                seconds[name].append(_time(method, max(1, crops // 50) if name == "opencv" else crops))
        memory = {n: _memory(Some(pictures, n), crop, crops, seed) for n in (max(1, count // 4), count)}
    return {
        "photographs": count,
        "crop": crop,
        "prepare_seconds": prepared,
        **{f"{name}_per_second": 1 / median(times) for name, times in seconds.items()},
        "resident_mb": memory,
    }


def told(found: dict[str, Any]) -> str:
    """The figures in words."""
    mine, opencv, copied = (found[f"{name}_per_second"] for name in ("crops", "opencv", "page_cache"))
    few, many = found["resident_mb"].items()
    return (
        f"{found['crop']} px crops of {found['photographs']} photographs: {mine:.0f}/s, {mine / opencv:.0f} x OpenCV's decode"
        f" and cut ({opencv:.1f}/s), {mine / copied:.0%} of copying as many bytes out of the page cache ({copied:.0f}/s);"
        f" whole samples {found['samples_per_second']:.0f}/s; decoded once in {found['prepare_seconds']:.1f} s.\n"
        f"Resident memory with memory_mb=64 over {few[0]} photographs {few[1]:+.0f} MB, over {many[0]} {many[1]:+.0f} MB."
    )


class Some:
    """The first photographs of several."""

    def __init__(self, pictures: Pictures, count: int) -> None:
        self.names, self.sizes = pictures.names[:count], pictures.sizes[:count]
        self.groups, self.pixels, self.intact = pictures.groups[:count], pictures.pixels, pictures.intact


def _photograph(file: Path, seed: int) -> None:
    """An enlarged photograph with grain, which takes a PNG as many bytes as one of DIV2K."""
    file.parent.mkdir(parents=True, exist_ok=True)
    (photograph,) = Files(["astronaut"], "photograph").files()
    large = cv2.resize(picture.read(photograph.path).pixels, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(seed).integers(-6, 7, large.shape, np.int16)
    cv2.imwrite(str(file), (large + grain).clip(0, 255).astype(np.uint8))


def _crops(pictures: Pictures, crop: int, seed: int, keep_bytes: float = 1e12) -> Crops:
    prior = Prior({"low": 0, "high": 50, "uniform_in": "variance"}, {"low": 1, "high": 3}, {"low": 0, "high": 10 / 255})
    order = SampleOrder(pictures.groups, window=1, crops_per_image=1, seed=seed)
    return Crops(pictures, keep_bytes, order, prior, sides=CropSchedule(crop, crop, 0), min_detail=0, seed=seed)


def _methods(
    files: Sequence[Path], handles: Sequence[int], crops: Crops, crop: int, seed: int
) -> dict[str, Callable[[int], object]]:
    drawn = np.random.default_rng(seed)
    buffer = bytearray(3 * crop**2)

    def opencv(_: int) -> object:
        top, left = (int(drawn.integers(length - crop + 1)) for length in (HEIGHT, WIDTH))
        whole: Any = cv2.imread(str(files[int(drawn.integers(len(files)))]))
        return np.ascontiguousarray(whole[top : top + crop, left : left + crop])

    def page_cache(_: int) -> object:
        at = int(drawn.integers(3 * HEIGHT * WIDTH - len(buffer)))
        return os.preadv(handles[int(drawn.integers(len(handles)))], [buffer], at)

    return {
        "crops": lambda _: crops.cut(int(drawn.integers(len(files))), crop, drawn),
        "samples": lambda index: crops[index],
        "opencv": opencv,
        "page_cache": page_cache,
    }


def _time(method: Callable[[int], object], times: int) -> float:
    """Seconds a call."""
    began = time.perf_counter()
    for index in range(times):
        method(index)
    return (time.perf_counter() - began) / times


def _memory(pictures: Pictures, crop: int, crops: int, seed: int) -> float:
    """Growth of resident memory, mapped files included, while crops are read from photographs of which 64 MB are kept; MB."""
    reader, peak = _crops(pictures, crop, seed, 64 * 2**20), Peak("cpu")
    for index in range(crops):
        reader[index]
    return max(peak.megabytes(), default=float("nan"))
