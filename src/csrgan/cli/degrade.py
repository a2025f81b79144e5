"""csrgan degrade: a benchmark set with known parameters, the same from the same seed on every machine."""

from __future__ import annotations

import csv
import os
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from omegaconf import DictConfig
from rich.console import Console
from rich.progress import track

from csrgan.cli import relative
from csrgan.config.build import build, plain
from csrgan.data import picture
from csrgan.data.grid import centre
from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.kernels import effective_std, moments
from csrgan.degradation.parameters import Parameters
from csrgan.degradation.shapes import rms_std
from csrgan.fault import Fault, check
from csrgan.reports import figure

SHEET = 24  # pictures on the contact sheet
FORMATS = ("png", "npy")


def run(config: DictConfig) -> int:
    """Write sharp/, low/, parameters.csv and sheet.png, and kernels.npy where they are not isotropic Gaussians."""
    settings = plain(config)
    source, destination, crop, form = Path(settings["source"]), Path(settings["destination"]), settings["crop"], settings["format"]
    check(source.exists(), f"source={source} does not exist.")
    if form not in FORMATS:
        raise Fault.unknown("format", form, FORMATS)
    degradation: Degradation = build(settings["degradation"], "degradation")
    files, root = (picture.find(source, apart_from=destination), source) if source.is_dir() else ([source], source.parent)
    check(destination.resolve() != root.resolve(), f"destination={destination} is where the source lies.")
    small = sum(crop is not None and min(picture.size(file)) < crop for file in files)
    names = [file.relative_to(root) for file in files]
    taken = Counter(name.with_suffix("") for name in names)
    rows: list[dict[str, str | float]] = []
    sheet: list[tuple[torch.Tensor, Parameters, str]] = []
    kernels: list[torch.Tensor] = []
    console = Console()
    for photograph, name in zip(files, track(names, "degrading", console=console, disable=not console.is_terminal), strict=True):
        sharp = torch.from_numpy(centre(picture.read(photograph).eight_bits, crop, degradation.multiple).astype(np.float32) / 255)
        sharp = sharp.permute(2, 0, 1)[None].contiguous()
        stem = name.with_suffix("") if taken[name.with_suffix("")] == 1 else name.with_name(name.name.replace(".", "_"))
        for version in range(settings["per_image"]):
            # Drawn by NumPy from the file's own name, so that neither the machine nor the other files matter.
            generator = np.random.default_rng((settings["seed"], zlib.crc32(os.fsencode(name.as_posix())), version))
            theta = degradation.prior.sample(generator).realised(*sharp.shape[2:])
            noise = torch.from_numpy(generator.standard_normal(sharp.shape, dtype=np.float32))
            low = degradation.degrade(sharp, theta, noise)[0]
            file = stem.with_name(f"{stem.name}_{version}.png")
            picture.write(destination / "sharp" / file, sharp[0])
            _write_low(destination / "low" / file, low, form)
            rows.append({"file": picture.called(file.with_suffix(f".{form}")), **_told(theta, degradation)})
            if theta.kernel is not None:
                kernels.append(theta.kernel[0])
            if len(sheet) < SHEET:
                sheet.append((low, theta, picture.called(Path(file.name))))
    with (destination / "parameters.csv").open("w", newline="", encoding="utf-8") as table:
        writer = csv.DictWriter(table, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    if kernels:
        np.save(destination / "kernels.npy", torch.stack(kernels).numpy())
    figure.save(figure.sheet(sheet), destination / "sheet.png")
    remarks = [f"{small} of {len(files)} photographs are smaller than crop={crop} and stay so"] if small else []
    remarks += [f"sides are cut to multiples of {degradation.multiple} px"] if degradation.multiple > 1 else []
    said = "; ".join([f"{len(rows)} pictures degraded", *remarks])
    console.print(f"{said}: {relative(destination)}", highlight=False, markup=False, soft_wrap=True)
    return 0


def _told(theta: Parameters, degradation: Degradation) -> dict[str, float]:
    """The parameters of one picture, with the effective std of its kernel and, where it is not isotropic, its moments."""
    kernel = theta.kernel
    taps = degradation.chain.taps(theta)
    told = {
        "blur_std": theta.blur_std,
        "blur_std_effective": effective_std(taps) if kernel is None else rms_std(kernel),
        "scale": theta.scale,
        "noise_std": theta.noise_std,
    }
    if kernel is not None:
        told |= {f"kernel_{name}": value for name, value in moments(kernel).items()}
    return {name: float(value) for name, value in told.items()}


def _write_low(path: Path, low: torch.Tensor, form: str) -> None:
    if form == "png":
        picture.write(path, low)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path.with_suffix(".npy"), low.numpy())
