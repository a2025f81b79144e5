"""Part of csrgan bench: images/s and memory of the degradation, compared with plain compositions."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from statistics import median

import cv2
import numpy as np
import torch
from kornia.filters import gaussian_blur2d
from rich.table import Table
from torch import Tensor
from torch.nn.functional import interpolate

from csrgan.benchmarks.memory import Peak
from csrgan.degradation.kernels import SUPPORT
from csrgan.degradation.operator import degrade
from csrgan.degradation.parameters import Parameters
from csrgan.degradation.prior import Prior
from csrgan.degradation.spec import DegradationSpec
from csrgan.tree import Settings

Method = Callable[[Tensor, Parameters, Tensor, float], Tensor]


def banded(sharp: Tensor, theta: Parameters, noise: Tensor, max_std: float) -> Tensor:
    """Degrade with csrgan's banded matrices."""
    return degrade(sharp, theta, noise=noise, spec=DegradationSpec(max_std=max_std, max_scale=3.0))


def kornia_backend(sharp: Tensor, theta: Parameters, noise: Tensor, max_std: float) -> Tensor:
    """Degrade with csrgan's Kornia backend."""
    return degrade(sharp, theta, noise=noise, spec=DegradationSpec(max_std=max_std, max_scale=3.0, backend="kornia"))


def kornia(sharp: Tensor, theta: Parameters, noise: Tensor, max_std: float) -> Tensor:
    """Degrade with Kornia's separable blur, at one kernel size for all, and torch's bicubic, picture by picture."""
    taps = 2 * math.ceil(SUPPORT * max_std) + 1
    blurred = gaussian_blur2d(sharp, taps, theta.blur_std.clamp(min=1e-3)[:, None].expand(-1, 2))
    result = torch.empty_like(sharp)
    for k, size in enumerate((sharp.shape[-1] / theta.scale).round().int().tolist()):
        low = interpolate(blurred[k : k + 1], size=(size, size), mode="bicubic", antialias=True)
        low = low + theta.noise_std[k] * noise[k : k + 1, :, :size, :size]
        result[k] = interpolate(low, size=sharp.shape[-2:], mode="bicubic", antialias=True)[0].clamp(0, 1)
    return result


def opencv(sharp: Tensor, theta: Parameters, noise: Tensor, max_std: float) -> Tensor:
    """Degrade with OpenCV, as a data loader would. Not exact: its bicubic has another coefficient and no antialiasing."""
    pictures, side = [], sharp.shape[-1]
    for k, (std, scale, noise_std) in enumerate(theta.stack().tolist()):
        picture = np.ascontiguousarray(sharp[k].permute(1, 2, 0).numpy())
        taps = 2 * math.ceil(SUPPORT * std) + 1
        if std:
            picture = cv2.GaussianBlur(picture, (taps, taps), std, borderType=cv2.BORDER_REFLECT_101)
        size = round(side / scale)
        low = cv2.resize(picture, (size, size), interpolation=cv2.INTER_CUBIC)
        low = low + noise_std * noise[k, :, :size, :size].permute(1, 2, 0).numpy()
        pictures.append(cv2.resize(low, (side, side), interpolation=cv2.INTER_CUBIC).clip(0, 1))
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()


KORNIA, OPENCV = "Kornia composition", "OpenCV loop"
METHODS: dict[str, Method] = {"csrgan, banded": banded, "csrgan, kornia": kornia_backend, KORNIA: kornia, OPENCV: opencv}
ON_GPU = {name: method for name, method in METHODS.items() if name != OPENCV}


def measure(settings: Settings, device: str, size: int, max_std: float) -> list[Settings]:
    """Return median images/s and peak memory of every method on the same pictures, parameters and noise.

    The methods take turns, so that other load on the machine affects all of them.
    """
    count, methods = settings["batch"], METHODS if device == "cpu" else ON_GPU
    generator = np.random.default_rng(settings["seed"])
    theta = (
        Prior({"low": 0.0, "high": max_std}, {"low": 1.0, "high": 3.0}, {"low": 0.0, "high": 10 / 255})
        .sample(generator, count)
        .realised(size, size)
        .to(device)
    )
    sharp, normal = (torch.from_numpy(generator.random((count, 3, size, size), np.float32)).to(device) for _ in range(2))
    refused: dict[str, str] = {}
    seconds: dict[str, list[float]] = {name: [] for name in methods}
    peaks: dict[str, list[float]] = {name: [] for name in methods}
    for _ in range(settings["repeats"] + 1):
        for name in seconds.keys() - refused.keys():
            memory, start = Peak(device), time.perf_counter()
            try:
                methods[name](sharp, theta, normal, max_std)
            except RuntimeError as reason:  # Kornia refuses a border as wide as the picture
                refused[name] = str(reason).split("\n")[0]
                continue
            memory.synchronise()
            seconds[name].append(time.perf_counter() - start)
            peaks[name] += memory.megabytes()
    case = {"device": device, "size": size, "max_std": max_std}
    return [
        case | {"method": name, "images_per_second": None, "peak_mb": None, "refused": refused[name]}
        if name in refused
        else case
        | {"method": name, "images_per_second": count / median(seconds[name][1:]), "peak_mb": max(peaks[name], default=None)}
        for name in methods
    ]


def table(rows: list[Settings], batch: int, device: str) -> Table:
    """Return one line for each size, strongest blur and method, with the speed relative to the Kornia composition."""
    result = Table(title=f"Degradation of {batch} colour pictures, {device}", title_justify="left")
    for heading in ("picture", "blur std", "method", "images/s", "x Kornia", "peak MB"):
        result.add_column(heading, justify="left" if heading == "method" else "right")
    for row in rows:
        case = (row["size"], row["max_std"])
        reference = next(r["images_per_second"] for r in rows if (r["size"], r["max_std"]) == case and r["method"] == KORNIA)
        speed, peak = row["images_per_second"], row["peak_mb"]
        result.add_row(
            f"{case[0]}x{case[0]}",
            f"to {case[1]:.2f} px",
            row["method"],
            f"{speed:.1f}" if speed else "refused",
            f"{speed / reference:.2f}" if speed and reference else "-",
            f"{peak:.0f}" if peak is not None else "-",
        )
    return result
