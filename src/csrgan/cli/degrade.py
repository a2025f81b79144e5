"""csrgan degrade: make a benchmark set with known parameters; the same seed gives the same set on every machine."""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from omegaconf import DictConfig
from torch import Tensor

from csrgan.config.build import build, checked_settings
from csrgan.data import picture
from csrgan.data.grid import centre, several
from csrgan.data.picture import Picture
from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.bounds import KEYS
from csrgan.degradation.factors.jpeg import JPEG, encoded
from csrgan.degradation.kernel_priors import rms_std
from csrgan.degradation.kernels import effective_std, moments
from csrgan.degradation.parameters import Parameters
from csrgan.errors import RunStopped, UserError, require
from csrgan.files import HIDDEN, relative, table_cell
from csrgan.picture_folders.interrupt import interruptible
from csrgan.picture_folders.ledger import Ledger, Row
from csrgan.picture_folders.places import Places
from csrgan.picture_folders.series import Made, Series, Unit, targets
from csrgan.reports import figure
from csrgan.run_folder import KERNELS, PARAMETERS, SHEET
from csrgan.tree import Settings

SHOWN = 24  # pictures on the contact sheet
FORMATS = ("png", "npy")


def run(config: DictConfig) -> int:
    """Write sharp/, low/, parameters.csv and sheet.png, and kernels.npy if the kernels are not isotropic Gaussians.

    Returns exit status 1 if some pictures could not be read.
    """
    with interruptible() as interrupt:
        places, settings = Places.from_config(config), checked_settings(config)
        if settings["format"] not in FORMATS:
            raise UserError.unknown("format", settings["format"], FORMATS)
        benchmark = _BenchmarkSet(places, settings)
        ledger = Ledger(places.destination, overwrite=config.overwrite)
        places.examine(targets(benchmark.units, SHEET, *([KERNELS] if benchmark.has_kernels else [])), ledger)
        benchmark.examine(ledger)
        series = Series(places, ledger, benchmark.units, benchmark.recipe, "degrading", "degraded", "a smaller picture or crop")
        with ledger.opened(), series.disk_full_reported():
            ledger.remove(KERNELS)  # the rows that it belongs to may change now
            try:
                series.run(benchmark, interrupt, again=benchmark.shown, keep_other_rows=False)
            except RunStopped:
                benchmark.write_kernels(series)
                raise
            benchmark.write_kernels(series)
            if benchmark.sheet:
                part = ledger.workspace / SHEET
                entries = [benchmark.sheet[key] for key in benchmark.shown if key in benchmark.sheet]
                figure.save(figure.sheet(entries, benchmark.degradation.prior.units), part)
                ledger.add(SHEET, part)
    sentence = "; ".join([f"{len(series.done)} pictures degraded{series.replaced}", *benchmark.remarks(series)])
    series.say(f"{sentence}{series.others}: {relative(places.destination)}")
    return 1 if series.broken else 0


class _BenchmarkSet:
    """The degraded versions of each picture, and the names of their files."""

    def __init__(self, places: Places, settings: Settings) -> None:
        self._settings, self._crop, self.workspace = settings, settings["crop"], places.destination / HIDDEN
        self._form, self._per_image, self._seed = settings["format"], settings["per_image"], settings["seed"]
        self.degradation: Degradation = build(settings["degradation"], "degradation")
        self._cells = _cells(self.degradation, settings["grid"])
        versions = self._per_image * (len(self._cells) if self._cells else 1)
        self._names = places.names
        stems = Counter(name.with_suffix("") for name in self._names.values())
        self._origins: dict[str, tuple[Path, int]] = {}  # the picture and version of each result, by the result's key
        self.units: list[Unit] = []
        for file, name in self._names.items():
            unique = stems[name.with_suffix("")] == 1
            stem = name.with_suffix("") if unique else name.with_name(name.name.replace(".", "_"))
            files = [stem.with_name(f"{stem.name}_{version}.png") for version in range(versions)]
            self._origins |= {str("sharp" / path): (name, version) for version, path in enumerate(files)}
            self.units.append(Unit(file, tuple((str("sharp" / path), self._low_name(path)) for path in files)))
        self.shown = list(self._origins)[:SHOWN]
        self.sheet: dict[str, tuple[Tensor, Parameters, str]] = {}

    def _low_name(self, path: Path) -> str:
        """Return the name of L: a JPEG file where the last step of the degradation compresses it."""
        compressed = self._form == "png" and self._quality(self._draw(str("sharp" / path))[0]) is not None
        return str("low" / path.with_suffix(".jpg" if compressed else f".{self._form}"))

    def _quality(self, theta: Parameters) -> Tensor | None:
        """Return the quality at which a picture is compressed last; None if it is not."""
        codec = self.degradation.codec
        quality = theta.number(codec[0]) if codec else None
        return None if quality is None or float(quality) >= JPEG.neutral else quality

    @property
    def recipe(self) -> str:
        """A digest of all that a degraded picture depends on, apart from the picture and its name."""
        inputs = [self._settings[key] for key in ("degradation", "seed", "crop")]
        inputs += [self._settings[key] for key in ("grid", "per_image") if self._cells]
        return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()

    @property
    def has_kernels(self) -> bool:
        return self.degradation.prior.kernel is not None

    def examine(self, ledger: Ledger) -> None:
        """Raise UserError if the folder holds results of another set: they would lose their rows of the table."""
        keys = set(self._origins)
        others = [entry.key for entry in ledger.entries if entry.row is not None and entry.key not in keys]
        others = [key for key in others if (ledger.folder / key).is_file()]
        sentence = f"destination={ledger.folder} holds another set (with {others[0] if others else ''}): choose another folder"
        require(
            ledger.overwrite or not others,
            f"{sentence}, or go on with overwrite=true, which leaves only the new set in {PARAMETERS}.",
        )

    def __call__(self, unit: Unit, source: Picture, done: Collection[str]) -> Iterator[Made]:
        sharp = torch.from_numpy(centre(source.eight_bits, self._crop, self.degradation.multiple).astype(np.float32) / 255)
        sharp = sharp.permute(2, 0, 1)[None].contiguous()
        for names in unit.results:
            key = names[0]
            if key in done and key not in self.shown:
                continue
            theta, noise = self._theta_and_noise(key, tuple(sharp.shape))
            low = self.degradation.degrade(sharp, theta, noise)[0]
            if key not in done:
                parts = [self.workspace / f"{kind}{Path(name).suffix}" for kind, name in zip(("sharp", "low"), names, strict=True)]
                picture.write(parts[0], sharp[0])
                self._write_low(parts[1], sharp, low, theta, noise)
                yield Made(dict(zip(names, parts, strict=True)), self._row(names[1], theta))
            if key in self.shown:
                self.sheet[key] = (low, theta, picture.called(Path(Path(names[1]).name)))

    def _write_low(self, path: Path, sharp: Tensor, low: Tensor, theta: Parameters, noise: Tensor) -> None:
        """Write L. A JPEG file is encoded from what L was before its last step, so it decodes to L."""
        quality, codec = self._quality(theta), self.degradation.codec
        if path.suffix == ".npy":
            np.save(path, low.numpy())
        elif path.suffix == ".jpg" and codec and quality is not None:
            name, factor = codec
            before = replace(theta, more={**theta.more, name: torch.full_like(quality, JPEG.neutral)})
            images = self.degradation.degrade(sharp, before, noise)
            path.write_bytes(next(encoded(images, quality, factor.subsampling)).tobytes())
        else:
            picture.write(path, low)

    def _draw(self, key: str) -> tuple[Parameters, np.random.Generator]:
        """Draw theta from the file's own name, with NumPy, so that neither the machine nor the other files matter; or take it from
        the grid, and leave the noise to be drawn."""
        name, version = self._origins[key]
        generator = np.random.default_rng((self._seed, zlib.crc32(os.fsencode(name.as_posix())), version))
        if self._cells:
            cell = version // self._per_image
            return self._cells[cell : cell + 1], generator
        return self.degradation.prior.sample(generator), generator

    def _theta_and_noise(self, key: str, shape: tuple[int, ...]) -> tuple[Parameters, Float[Tensor, "1 3 h w"]]:
        theta, generator = self._draw(key)
        theta = theta.realised(*shape[2:])
        return theta, torch.from_numpy(generator.standard_normal(several(shape, self.degradation.draws), np.float32))

    def _row(self, low: str, theta: Parameters) -> Row:
        path = Path(*Path(low).parts[1:])
        return {"file": table_cell(picture.called(path)), **_values(theta, self.degradation)}

    def write_kernels(self, series: Series) -> None:
        """Write kernels.npy, with the kernel of each row of the table."""
        if self.has_kernels and series.ledger.rows:
            kernels = [self._draw(key)[0].kernel for key in series.ledger.rows]
            part = series.ledger.workspace / KERNELS
            np.save(part, torch.cat([kernel for kernel in kernels if kernel is not None]).numpy())
            series.ledger.add(KERNELS, part)

    def remarks(self, series: Series) -> Iterator[str]:
        """Yield what to say about pictures that were skipped, are small or were cut."""
        if series.broken:
            yield f"{series.broken} skipped"
        small = sum(self._is_small(file) for file in self._names)
        if small:
            yield f"{small} of {len(self.units)} photographs are smaller than crop={self._crop} and keep their size"
        if self.degradation.multiple > 1:
            yield f"sides were cut to multiples of {self.degradation.multiple} px"

    def _is_small(self, file: Path) -> bool:
        with suppress(UserError):  # a picture that was skipped
            return self._crop is not None and min(picture.size(file)) < self._crop
        return False


def _cells(degradation: Degradation, grid: Settings | None) -> Parameters | None:
    """Return the cells of an evaluation grid; a parameter without a number of levels has one."""
    levels = dict.fromkeys(KEYS, 1)
    for unknown in (grid or {}).keys() - levels.keys():
        raise UserError.unknown("grid", str(unknown), levels)
    return degradation.prior.grid(**{**levels, **grid}) if grid else None


def _values(theta: Parameters, degradation: Degradation) -> dict[str, float]:
    """Return the parameters of one picture, the effective std of its kernel and, if that is not isotropic, its moments."""
    kernel = theta.kernel
    taps = degradation.spec.taps(theta)
    values = {
        "blur_std": theta.blur_std,
        "blur_std_effective": effective_std(taps) if kernel is None else rms_std(kernel),
        "scale": theta.scale,
        "noise_std": theta.noise_std,
        **theta.more,
    }
    if kernel is not None:
        values |= {f"kernel_{name}": value for name, value in moments(kernel).items()}
    return {name: float(value) for name, value in values.items()}
