"""csrgan degrade: a benchmark set with known parameters, the same files from the same seed on every machine."""

from __future__ import annotations

import csv
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
from csrgan.data.crops import Decoded
from csrgan.data.grid import centre
from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.kernels import effective_std, gaussian_taps
from csrgan.degradation.parameters import Parameters
from csrgan.fault import check
from csrgan.reports import figure

SHEET = 24  # pictures on the contact sheet


def run(config: DictConfig) -> int:
    """Write sharp/, low/, parameters.csv and sheet.png."""
    settings = plain(config)
    source, destination, crop, form = Path(settings["source"]), Path(settings["destination"]), settings["crop"], settings["format"]
    check(source.exists(), f"source={source} does not exist.")
    files, root = (picture.find(source), source) if source.is_dir() else ([source], source.parent)
    check(destination.resolve() != root.resolve(), f"destination={destination} is where the source lies.")
    for file in files:
        check(
            crop is None or min(picture.size(file)) >= crop,
            f"crop={crop} is larger than {file}. Lower it, or take the picture out.",
        )
    degradation: Degradation = build(settings["degradation"])
    names = [file.relative_to(root) for file in files]
    taken = Counter(name.with_suffix("") for name in names)
    photographs = Decoded(files, keep_bytes=0)
    rows: list[dict[str, str | float]] = []
    sheet: list[tuple[torch.Tensor, Parameters, str]] = []
    console = Console()
    for index, name in enumerate(track(names, "degrading", console=console, disable=not console.is_terminal)):
        sharp = torch.from_numpy(centre(photographs[index], crop).astype(np.float32) / 255).permute(2, 0, 1)[None]
        stem = name.with_suffix("") if taken[name.with_suffix("")] == 1 else name.with_name(name.name.replace(".", "_"))
        for version in range(settings["per_image"]):
            # Drawn by NumPy from the file's own name, so that neither the machine nor the other files matter.
            generator = np.random.default_rng((settings["seed"], zlib.crc32(name.as_posix().encode()), version))
            theta = degradation.prior.sample(generator).realised(*sharp.shape[2:])
            noise = torch.from_numpy(generator.standard_normal(sharp.shape, dtype=np.float32))
            low = degradation(sharp, params=degradation.recorded(theta, noise))[0]
            file = stem.with_name(f"{stem.name}_{version}.png")
            picture.write(destination / "sharp" / file, sharp[0])
            _write_low(destination / "low" / file, low, form)
            taps = gaussian_taps(theta.blur_std, kernel_size=settings["degradation"]["kernel_size"])
            rows.append(
                {
                    "file": file.with_suffix(f".{form}").as_posix(),
                    "blur_std": float(theta.blur_std),
                    "blur_std_effective": float(effective_std(taps)),
                    "scale": float(theta.scale),
                    "noise_std": float(theta.noise_std),
                }
            )
            if len(sheet) < SHEET:
                sheet.append((low, theta, file.name))
    with (destination / "parameters.csv").open("w", newline="", encoding="utf-8") as table:
        writer = csv.DictWriter(table, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    figure.save(figure.sheet(sheet), destination / "sheet.png")
    console.print(f"{len(rows)} pictures degraded: {relative(destination)}", highlight=False, soft_wrap=True)
    return 0


def _write_low(path: Path, low: torch.Tensor, form: str) -> None:
    if form == "png":
        picture.write(path, low)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path.with_suffix(".npy"), low.numpy())
