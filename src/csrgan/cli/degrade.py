"""csrgan degrade: a benchmark set with known parameters, the same from the same seed on every machine."""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from omegaconf import DictConfig
from torch import Tensor

from csrgan.config.build import build, checked_settings
from csrgan.data import picture
from csrgan.data.grid import centre
from csrgan.data.picture import Picture
from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.kernel_priors import rms_std
from csrgan.degradation.kernels import effective_std, moments
from csrgan.degradation.parameters import Parameters
from csrgan.errors import RunStopped, UserError, require
from csrgan.files import HIDDEN, relative, table_cell
from csrgan.picture_folders.leave import leaving
from csrgan.picture_folders.ledger import Ledger, Row
from csrgan.picture_folders.places import Places
from csrgan.picture_folders.series import Made, Series, Unit, targets
from csrgan.reports import figure
from csrgan.run_folder import KERNELS, PARAMETERS, SHEET

SHOWN = 24  # pictures on the contact sheet
FORMATS = ("png", "npy")


def run(config: DictConfig) -> int:
    """Write sharp/, low/, parameters.csv and sheet.png, and kernels.npy where they are not isotropic Gaussians. Exit status 1 where
    some pictures could not be read."""
    with leaving() as leave:
        places, settings = Places.given(config), checked_settings(config)
        if settings["format"] not in FORMATS:
            raise UserError.unknown("format", settings["format"], FORMATS)
        making = _Set(places, settings)
        ledger = Ledger(places.destination, overwrite=config.overwrite)
        places.examine(targets(making.units, SHEET, *([KERNELS] if making.has_kernels else [])), ledger)
        making.examine(ledger)
        series = Series(places, ledger, making.units, making.recipe, "degrading", "degraded", "a smaller picture or crop")
        with ledger.opened(), series.room():
            ledger.remove(KERNELS)  # of rows that may change now
            try:
                series.go(making, leave, again=making.shown, whole=False)
            except RunStopped:
                making.label(series)
                raise
            making.label(series)
            if making.sheet:
                part = ledger.place / SHEET
                figure.save(
                    figure.sheet(
                        [making.sheet[key] for key in making.shown if key in making.sheet], making.degradation.prior.units
                    ),
                    part,
                )
                ledger.add(SHEET, part)
    said = "; ".join([f"{len(series.done)} pictures degraded", *making.remarks(series)])
    series.say(f"{said}: {relative(places.destination)}")
    return 1 if series.broken else 0


class _Set:
    """What comes of each picture."""

    def __init__(self, places: Places, settings: dict[str, Any]) -> None:
        self.settings, self.crop, self.place = settings, settings["crop"], places.destination / HIDDEN
        self.form, self.per_image, self.seed = settings["format"], settings["per_image"], settings["seed"]
        self.degradation: Degradation = build(settings["degradation"], "degradation")
        self.names = {file: file.relative_to(places.root) for file in places.files}
        taken = Counter(name.with_suffix("") for name in self.names.values())
        self.of: dict[str, tuple[Path, int]] = {}  # each result's picture and version, by its key
        self.units: list[Unit] = []
        for file, name in self.names.items():
            alone = taken[name.with_suffix("")] == 1
            stem = name.with_suffix("") if alone else name.with_name(name.name.replace(".", "_"))
            made = [stem.with_name(f"{stem.name}_{version}.png") for version in range(self.per_image)]
            results = tuple((str("sharp" / one), str("low" / one.with_suffix(f".{self.form}"))) for one in made)
            self.units.append(Unit(file, results))
            self.of |= {names[0]: (name, version) for version, names in enumerate(results)}
        self.shown = list(self.of)[:SHOWN]
        self.sheet: dict[str, tuple[Tensor, Parameters, str]] = {}

    @property
    def recipe(self) -> str:
        """A digest of what a degraded picture depends on, beside the picture and its name."""
        about = [self.settings[key] for key in ("degradation", "seed", "crop")]
        return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()

    @property
    def has_kernels(self) -> bool:
        return self.degradation.prior.kernel is not None

    def examine(self, ledger: Ledger) -> None:
        """Raise UserError for a folder that holds results of another set, which would lose their rows of the table."""
        mine = set(self.of)
        others = [entry.key for entry in ledger.entries if entry.row is not None and entry.key not in mine]
        others = [key for key in others if (ledger.folder / key).is_file()]
        sentence = f"destination={ledger.folder} holds another set, with {others[0] if others else ''}: choose another folder"
        require(
            ledger.overwrite or not others, f"{sentence}; overwrite=true goes on, and {PARAMETERS} then tells of the new set alone."
        )

    def __call__(self, unit: Unit, found: Picture, done: Collection[str]) -> Iterator[Made]:
        sharp = torch.from_numpy(centre(found.eight_bits, self.crop, self.degradation.multiple).astype(np.float32) / 255)
        sharp = sharp.permute(2, 0, 1)[None].contiguous()
        for names in unit.results:
            key = names[0]
            if key in done and key not in self.shown:
                continue
            theta, noise = self._drawn(key, tuple(sharp.shape))
            low = self.degradation.degrade(sharp, theta, noise)[0]
            if key not in done:
                parts = [self.place / f"{kind}{Path(name).suffix}" for kind, name in zip(("sharp", "low"), names, strict=True)]
                picture.write(parts[0], sharp[0])
                _write_low(parts[1], low)
                yield Made(dict(zip(names, parts, strict=True)), self._row(names[1], theta))
            if key in self.shown:
                self.sheet[key] = (low, theta, picture.called(Path(Path(key).name)))

    def _draw(self, key: str) -> tuple[Parameters, np.random.Generator]:
        """From the file's own name and by NumPy, so that neither the machine nor the other files matter."""
        name, version = self.of[key]
        generator = np.random.default_rng((self.seed, zlib.crc32(os.fsencode(name.as_posix())), version))
        return self.degradation.prior.sample(generator), generator

    def _drawn(self, key: str, shape: tuple[int, ...]) -> tuple[Parameters, Float[Tensor, "1 3 h w"]]:
        theta, generator = self._draw(key)
        theta = theta.realised(*shape[2:])
        return theta, torch.from_numpy(generator.standard_normal(shape, dtype=np.float32))

    def _row(self, low: str, theta: Parameters) -> Row:
        file = Path(*Path(low).parts[1:])
        return {"file": table_cell(picture.called(file)), **_told(theta, self.degradation)}

    def label(self, series: Series) -> None:
        """Write kernels.npy: the kernel of each row of the table."""
        if self.has_kernels and series.ledger.rows:
            kernels = [self._draw(key)[0].kernel for key in series.ledger.rows]
            part = series.ledger.place / KERNELS
            np.save(part, torch.cat([kernel for kernel in kernels if kernel is not None]).numpy())
            series.ledger.add(KERNELS, part)

    def remarks(self, series: Series) -> Iterator[str]:
        if series.broken:
            yield f"{series.broken} skipped"
        small = sum(self._is_small(file) for file in self.names)
        if small:
            yield f"{small} of {len(self.units)} photographs are smaller than crop={self.crop} and stay so"
        if self.degradation.multiple > 1:
            yield f"sides are cut to multiples of {self.degradation.multiple} px"

    def _is_small(self, file: Path) -> bool:
        with suppress(UserError):  # it was skipped
            return self.crop is not None and min(picture.size(file)) < self.crop
        return False


def _told(theta: Parameters, degradation: Degradation) -> dict[str, float]:
    """The parameters of one picture, with the effective std of its kernel and, where it is not isotropic, its moments."""
    kernel = theta.kernel
    taps = degradation.spec.taps(theta)
    told = {
        "blur_std": theta.blur_std,
        "blur_std_effective": effective_std(taps) if kernel is None else rms_std(kernel),
        "scale": theta.scale,
        "noise_std": theta.noise_std,
        **theta.more,
    }
    if kernel is not None:
        told |= {f"kernel_{name}": value for name, value in moments(kernel).items()}
    return {name: float(value) for name, value in told.items()}


def _write_low(path: Path, low: Tensor) -> None:
    if path.suffix == ".png":
        picture.write(path, low)
    else:
        np.save(path, low.numpy())
