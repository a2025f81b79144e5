"""Part of csrgan bench: the speed and memory of reading crops from large photographs."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

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
from csrgan.tree import Settings

WIDTH, HEIGHT = 2040, 1356  # px, as a photograph of DIV2K
TURNS = 5  # the methods take turns, so that other load on the machine affects all of them


def measure(count: int, crop: int, crops: int, seed: int, console: Console) -> Settings:
    """Measure crops per second and the growth of memory over few and over all photographs.

    The methods: csrgan's crops; whole samples; decoding and cutting with OpenCV; copying as many bytes out of the page cache.
    count: synthetic photographs of 2040x1356 px. crop: px. crops: in each timing; a fiftieth of that for OpenCV.
    """
    with tempfile.TemporaryDirectory() as folder, ExitStack() as opened:
        path = Path(folder)
        for k in range(count):
            _photograph(path / "photographs" / f"{k:04d}.png", seed + k)
        files = in_folder(path / "photographs")
        start = time.perf_counter()
        pictures = Cache(path / "cache", 1e6).prepare(files, console)
        prepare_seconds = time.perf_counter() - start
        handles = [opened.enter_context(file.open("rb")).fileno() for file in pictures.decoded if file]
        methods = _methods([file.path for file in files], handles, _crops(pictures, crop, seed), crop, seed)
        seconds: dict[str, list[float]] = {name: [] for name in methods}
        for _ in range(TURNS):
            for name, method in methods.items():
                seconds[name].append(_time(method, max(1, crops // 50) if name == "opencv" else crops))
        memory = {n: _memory(FirstPictures(pictures, n), crop, crops, seed) for n in (max(1, count // 4), count)}
    return {
        "photographs": count,
        "crop": crop,
        "prepare_seconds": prepare_seconds,
        **{f"{name}_per_second": 1 / median(times) for name, times in seconds.items()},
        "resident_mb": memory,
    }


def sentences(results: Settings) -> list[str]:
    """Return the results in words."""
    csrgan, opencv, copying = (results[f"{name}_per_second"] for name in ("crops", "opencv", "page_cache"))
    few, many = results["resident_mb"].items()
    return [
        f"{results['crop']} px crops of {results['photographs']} photographs: {csrgan:.0f}/s, {csrgan / opencv:.0f} times as fast"
        f" as decoding and cutting with OpenCV ({opencv:.1f}/s), {csrgan / copying:.0%} of the speed of copying as many bytes out"
        f" of the page cache ({copying:.0f}/s); whole samples: {results['samples_per_second']:.0f}/s; decoding every file once"
        f" took {results['prepare_seconds']:.1f} s.",
        f"Resident memory grows by {few[1]:.0f} MB over {few[0]} photographs and by {many[1]:.0f} MB over {many[0]}"
        " (memory_mb=64).",
    ]


class FirstPictures:
    """The first photographs of a collection."""

    def __init__(self, pictures: Pictures, count: int) -> None:
        self.names, self.sizes = pictures.names[:count], pictures.sizes[:count]
        self.groups, self.pixels, self.intact = pictures.groups[:count], pictures.pixels, pictures.intact


def _photograph(file: Path, seed: int) -> None:
    """Write an enlarged photograph with grain; its PNG is as large as one of DIV2K."""
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
    generator = np.random.default_rng(seed)
    buffer = bytearray(3 * crop**2)

    def opencv(_: int) -> object:
        top, left = (int(generator.integers(length - crop + 1)) for length in (HEIGHT, WIDTH))
        photograph = cv2.imread(str(files[int(generator.integers(len(files)))]))
        assert photograph is not None
        return np.ascontiguousarray(photograph[top : top + crop, left : left + crop])

    def page_cache(_: int) -> object:
        offset = int(generator.integers(3 * HEIGHT * WIDTH - len(buffer)))
        return os.preadv(handles[int(generator.integers(len(handles)))], [buffer], offset)

    return {
        "crops": lambda _: crops.cut(int(generator.integers(len(files))), crop, generator),
        "samples": lambda index: crops[index],
        "opencv": opencv,
        "page_cache": page_cache,
    }


def _time(method: Callable[[int], object], times: int) -> float:
    """Return the seconds per call."""
    start = time.perf_counter()
    for index in range(times):
        method(index)
    return (time.perf_counter() - start) / times


def _memory(pictures: Pictures, crop: int, crops: int, seed: int) -> float:
    """Return the growth of resident memory, mapped files included, while crops are read and 64 MB of photographs are kept; MB."""
    reader, peak = _crops(pictures, crop, seed, 64 * 2**20), Peak("cpu")
    for index in range(crops):
        reader[index]
    return max(peak.megabytes(), default=float("nan"))
