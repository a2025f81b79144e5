"""csrgan bench: images/s and memory of the degradation beside plain compositions, what a training step costs, and reading."""

from __future__ import annotations

import math
import platform
import time
from collections.abc import Callable
from itertools import pairwise, product
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
import torch
from kornia.filters import gaussian_blur2d
from lightning import Trainer, seed_everything
from omegaconf import DictConfig
from rich.progress import track
from rich.table import Table
from torch import Tensor
from torch.nn.functional import interpolate

from csrgan import files
from csrgan.cli import reading, step
from csrgan.cli.console import Console
from csrgan.cli.peak import Peak
from csrgan.cli.train import prepare, quiet
from csrgan.config.build import build, plain
from csrgan.degradation.chain import Chain
from csrgan.degradation.kernels import SUPPORT
from csrgan.degradation.operator import degrade
from csrgan.degradation.parameters import Parameters
from csrgan.degradation.prior import Prior
from csrgan.fault import Fault

Method = Callable[[Tensor, Parameters, Tensor, float], Tensor]


def run(config: DictConfig) -> int:
    """Print a table, and write every figure to a json file."""
    settings = plain(config)
    if settings["device"] == "cuda" and not torch.cuda.is_available():
        raise Fault("device=cuda: there is no GPU that torch can use here; choose cpu.")
    devices = [settings["device"]] if settings["device"] else ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    quiet()
    console = Console()
    cases = list(product(devices, settings["sizes"], settings["max_stds"]))
    rows = [
        row
        for device, size, max_std in track(cases, "timing", console=console, disable=not console.is_terminal)
        for row in measure(settings, device, size, max_std, METHODS if device == "cpu" else ON_GPU)
    ]
    steps = [training_step(settings, device) for device in devices] if settings["steps"] else []
    loops = [step.beside_a_loop(settings, device, **settings["loop"]) for device in devices] if settings["loop"]["turns"] else []
    read = reading.reading(**settings["reading"], seed=settings["seed"], console=console) if settings["reading"]["count"] else {}
    machine = {"machine": platform.machine(), "threads": torch.get_num_threads(), "torch": torch.__version__}
    file = Path(settings["file"])
    file.parent.mkdir(parents=True, exist_ok=True)
    found = {**machine, "rows": rows, "training_steps": steps, "loops": loops, "reading": read}
    files.write_json(file, found)
    for device in devices:
        console.print(table([row for row in rows if row["device"] == device], settings["batch"], device))
    for each in steps:
        whole, part = 1e3 * each["step_seconds"], 1e3 * each["degradation_seconds"]
        told = f"{each['device']}: a training step takes {whole:.0f} ms, the degradation in it {part:.1f} ms: {each['share']:.1%}"
        console.print(told, highlight=False)
    for loop in loops:
        console.print(step.told(loop), highlight=False, soft_wrap=True)
    if read:
        for line in reading.told(read).split("\n"):
            console.print(line, highlight=False, soft_wrap=True)
    console.print(str(file), highlight=False, markup=False, soft_wrap=True)
    return 0


def banded(sharp: Tensor, theta: Parameters, noise: Tensor, max_std: float) -> Tensor:
    return degrade(sharp, theta, noise=noise, chain=Chain(max_std=max_std, max_scale=3.0))


def kornia_backend(sharp: Tensor, theta: Parameters, noise: Tensor, max_std: float) -> Tensor:
    return degrade(sharp, theta, noise=noise, chain=Chain(max_std=max_std, max_scale=3.0, backend="kornia"))


def kornia(sharp: Tensor, theta: Parameters, noise: Tensor, max_std: float) -> Tensor:
    """Kornia's separable blur at the one kernel size that serves all, and torch's bicubic, picture by picture."""
    taps = 2 * math.ceil(SUPPORT * max_std) + 1
    blurred = gaussian_blur2d(sharp, taps, theta.blur_std.clamp(min=1e-3)[:, None].expand(-1, 2))
    found = torch.empty_like(sharp)
    for k, size in enumerate((sharp.shape[-1] / theta.scale).round().int().tolist()):
        low = interpolate(blurred[k : k + 1], size=(size, size), mode="bicubic", antialias=True)
        low = low + theta.noise_std[k] * noise[k : k + 1, :, :size, :size]
        found[k] = interpolate(low, size=sharp.shape[-2:], mode="bicubic", antialias=True)[0].clamp(0, 1)
    return found


def opencv(sharp: Tensor, theta: Parameters, noise: Tensor, max_std: float) -> Tensor:
    """What a loader would do. Not exact: OpenCV's bicubic has another coefficient and no antialiasing."""
    found, side = [], sharp.shape[-1]
    for k, (std, scale, noise_std) in enumerate(theta.stack().tolist()):
        picture = np.ascontiguousarray(sharp[k].permute(1, 2, 0).numpy())
        taps = 2 * math.ceil(SUPPORT * std) + 1
        if std:
            picture = cv2.GaussianBlur(picture, (taps, taps), std, borderType=cv2.BORDER_REFLECT_101)
        size = round(side / scale)
        low = cv2.resize(picture, (size, size), interpolation=cv2.INTER_CUBIC)
        low = low + noise_std * noise[k, :, :size, :size].permute(1, 2, 0).numpy()
        found.append(cv2.resize(low, (side, side), interpolation=cv2.INTER_CUBIC).clip(0, 1))
    return torch.from_numpy(np.stack(found)).permute(0, 3, 1, 2).contiguous()


KORNIA, OPENCV = "Kornia composition", "OpenCV loop"
METHODS: dict[str, Method] = {"csrgan, banded": banded, "csrgan, kornia": kornia_backend, KORNIA: kornia, OPENCV: opencv}
ON_GPU = {name: method for name, method in METHODS.items() if name != OPENCV}


def measure(settings: dict[str, Any], device: str, size: int, max_std: float, methods: dict[str, Method]) -> list[dict[str, Any]]:
    """Median images/s and peak memory of every method on the same pictures, parameters and noise.

    The methods take turns, so that whatever else the machine does meets all of them.
    """
    count = settings["batch"]
    blur, scale, noise = ({"low": low, "high": high} for low, high in ((0.0, max_std), (1.0, 3.0), (0.0, 10 / 255)))
    drawn = np.random.default_rng(settings["seed"])
    theta = Prior(blur, scale, noise).sample(drawn, count).realised(size, size).to(device)
    sharp, normal = (torch.from_numpy(drawn.random((count, 3, size, size), np.float32)).to(device) for _ in range(2))
    refused: dict[str, str] = {}
    seconds: dict[str, list[float]] = {name: [] for name in methods}
    peaks: dict[str, list[float]] = {name: [] for name in methods}
    for _ in range(settings["repeats"] + 1):
        for name in seconds.keys() - refused.keys():
            memory, began = Peak(device), time.perf_counter()
            try:
                methods[name](sharp, theta, normal, max_std)
            except RuntimeError as reason:  # Kornia refuses a border as wide as the picture
                refused[name] = str(reason).split("\n")[0]
                continue
            memory.synchronise()
            seconds[name].append(time.perf_counter() - began)
            peaks[name] += memory.megabytes()
    case = {"device": device, "size": size, "max_std": max_std}
    return [
        case | {"method": name, "images_per_second": None, "peak_mb": None, "refused": refused[name]}
        if name in refused
        else case
        | {"method": name, "images_per_second": count / median(seconds[name][1:]), "peak_mb": max(peaks[name], default=None)}
        for name in methods
    ]


def training_step(settings: dict[str, Any], device: str) -> dict[str, Any]:
    """Median time of a step of the configured training, and of the degradation in it."""
    seed_everything(settings["seed"], verbose=False)
    data, system = build(settings["data"], "data"), build(settings["system"], "system")
    prepare(system, settings["trainer"])
    degrade_batch, starts, seconds = data.on_after_batch_transfer, [], []

    def timed(batch: Any, dataloader_idx: int) -> Any:
        starts.append(time.perf_counter())
        found = degrade_batch(batch, dataloader_idx)
        if device == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - starts[-1])
        return found

    data.on_after_batch_transfer = timed
    Trainer(
        accelerator="gpu" if device == "cuda" else "cpu",
        devices=1,
        precision=settings["trainer"]["precision"],
        max_epochs=1,
        limit_train_batches=settings["steps"] + 3,
        limit_val_batches=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    ).fit(system, data)
    steps = [after - before for before, after in pairwise(starts[2:])]  # the first two warm up
    whole, degradation = median(steps), median(seconds[2:])
    return {"device": device, "step_seconds": whole, "degradation_seconds": degradation, "share": degradation / whole}


def table(rows: list[dict[str, Any]], batch: int, device: str) -> Table:
    """One line a size, strongest blur and method, with the ratio to the Kornia composition's."""
    shown = Table(title=f"Degradation of {batch} colour pictures, {device}", title_justify="left")
    for heading in ("picture", "blur std", "method", "images/s", "x Kornia", "peak MB"):
        shown.add_column(heading, justify="left" if heading == "method" else "right")
    for row in rows:
        case = (row["size"], row["max_std"])
        reference = next(r["images_per_second"] for r in rows if (r["size"], r["max_std"]) == case and r["method"] == KORNIA)
        speed, peak = row["images_per_second"], row["peak_mb"]
        shown.add_row(
            f"{case[0]}x{case[0]}",
            f"to {case[1]:.2f} px",
            row["method"],
            f"{speed:.1f}" if speed else "refused",
            f"{speed / reference:.2f}" if speed and reference else "-",
            f"{peak:.0f}" if peak is not None else "-",
        )
    return shown
