"""A trained model, ready to restore."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from csrgan import records
from csrgan.api.loading import placed, trained
from csrgan.api.pictures import AnyPicture, Assembled, opened
from csrgan.api.predicted_theta import Findings, theta_values, witness_of
from csrgan.api.restoration import Restoration, finite
from csrgan.errors import require
from csrgan.files import called
from csrgan.networks.source import OnDevice, Source
from csrgan.networks.tiles import LEAST_TILE, TILE, Rows, Shown, unshown
from csrgan.restorers.enlarged import Enlarged
from csrgan.restorers.learned import LearnedRestorer
from csrgan.restorers.restorer import Restorer
from csrgan.runs import packaged
from csrgan.training.evaluated import Evaluated
from csrgan.tree import Settings

STRIP = 2**16  # px of S and L that are compared at a time
NOT_FINITE = "the network's output for low is not finite, so it is not a picture."


def load(source: str | os.PathLike[str] = packaged.PHOTO, device: str = "cpu") -> Model:
    """Load a model from the folder of a run (its last checkpoint), a checkpoint, or the network that `csrgan publish` wrote.
    `photo` is the network that comes with csrgan, for photographs of any origin.

    Reading a checkpoint runs no code in it: it may name only what csrgan's own configuration names, PyTorch's layers and
    optimizers, and modules in CSRGAN_ALLOW.
    device: cpu, cuda, cuda:1.
    Raises UserError for a file that is not a csrgan checkpoint, or does not fit the network that it describes.

    >>> import csrgan
    >>> model = csrgan.load("runs/first")
    >>> model.predicts
    ('blur_std', 'scale', 'noise_std')
    """
    system, recipe = trained(os.fspath(source), device, "source")
    return Model(system, recipe)


class Model:
    """A trained system. Call it with a picture. system: the Lightning module. recipe: the whole configuration of its training."""

    def __init__(self, system: Evaluated, recipe: Settings) -> None:
        self.system, self.recipe = system, recipe

    def __call__(self, low: AnyPicture, enlarge: float = 1.0, *, tile: int = TILE) -> Restoration:
        """Restore a picture or a batch.

        low: L: the path of a file; an array (H, W, 3) or (H, W), uint8, uint16 or floating point in [0,1]; or a tensor (B, 3, H, W)
        or (B, 1, H, W) in [0,1]. Colours are sRGB; those of a file are converted with its profile.
        enlarge: the factor of the bicubic enlargement before the network; 2 makes S twice as large as without.
        tile: pictures of more than tile x tile px are restored in tiles of at most this side, px, which bounds the memory. Networks
        whose parts do not say that they can be tiled restore the whole picture at once.

        A picture unlike those of the training gets no theta^, and S is blended back towards L, as far as the training found it
        harmless (`Restoration.looks_like`).

        S has the type of L, clipped to [0,1]. An enlargement that the model was not trained for gives a warning. Raises UserError
        for what is not a picture, and if the network's output is not finite.

        >>> import csrgan, numpy as np
        >>> model = csrgan.load("runs/first")
        >>> result = model(np.zeros((40, 50), np.float32))
        >>> result.image.shape, result.image.dtype
        ((40, 50), dtype('float32'))
        """
        source = opened(low, "low")
        for sentence in untrained_scale(self.system.restorer, enlarge):
            warnings.warn(sentence, stacklevel=2)
        image = Assembled(source)
        parts = restored_parts(self.system, source.source, image.put, NOT_FINITE, enlarge=enlarge, tile=tile)
        file = Path(low) if isinstance(low, str | os.PathLike) else None
        found = [parts.findings(self.system, number, enlarge, file) for number in range(1 if source.single else len(image.result))]
        return Restoration.of(parts.restored, source, image.result, self.system.restorer.prior.determined, parts.looks.names, found)

    @property
    def predicts(self) -> tuple[str, ...]:
        """The names of the parameters that the model predicts."""
        return tuple(self.system.restorer.prior.predicted)

    def to(self, device: str) -> Model:
        """Move this model to another device and return it. Raises UserError if torch does not find the device."""
        placed(self.system, device)
        return self

    def __repr__(self) -> str:
        return f"Model({type(self.system).__name__}, trained on {self.system.images_seen} images, on {self.system.device})"


class Parts(NamedTuple):
    """What comes with S. restored: theta^; its image has no rows. looks: how L looks beside the training's pictures.
    difference: mean of |S - L| of each picture, fraction of full scale; None if S has another size than L."""

    restored: records.Restoration
    looks: records.Looks
    difference: Tensor | None

    def findings(self, system: Evaluated, number: int, factor: float, file: Path | None, name: str | None = None) -> Findings:
        """Return what is said of the picture with this number. factor: how many times it was enlarged before the network.
        file: that it was read from. name: what it is called; None: by its file."""
        prior, foreign = system.restorer.prior, self.looks.foreign and bool(self.looks.names[number])
        return Findings(
            {} if foreign else theta_values(self.restored, prior.predicted, number),
            prior,
            self.looks.sentences[number] if foreign else "",
            witness_of(file, prior, factor) if file else None,
            None if self.difference is None else float(self.difference[number]),
            name if name is not None else called(Path(file.name)) if file else "",
        )


def restored_parts(
    system: Evaluated, low: Source, put: Rows, not_finite: str, *, enlarge: float, tile: int, shown: Shown = unshown
) -> Parts:
    """Enlarge L bicubically, hand S to `put`, from the top, and return the rest.

    S of a picture unlike those of the training is blended towards L, as far as the training found it harmless.

    not_finite: what the error says if S or theta^ is not finite.
    Raises UserError for that, if `enlarge` is not positive, if a side would be less than a pixel, or if `tile` is too small.
    """
    require(enlarge > 0, f"enlarge={enlarge:g} is not above 0.")
    require(min(low.height, low.width) * enlarge >= 1, f"enlarge={enlarge:g} would make a side of low smaller than one pixel.")
    require(tile >= LEAST_TILE, f"tile={tile} is below {LEAST_TILE}, the least that it can be.")
    restorer, large = system.restorer, OnDevice(low, system.device)
    picture = large if enlarge == 1 else Enlarged(large, enlarge)
    looks = restorer.looks(picture)
    upsampled = Enlarged(picture, restorer.enlarge) if restorer.enlarge > 1 else picture
    distances: list[Float[Tensor, " b"]] = []  # of rows of S from L, if both have one size

    def checked(rows: Tensor, first: int, height: int) -> None:
        require(bool(torch.isfinite(rows).all()), not_finite)
        if looks.foreign:
            shares = rows.new_tensor(looks.shares)[:, None, None, None]
            rows = torch.lerp(upsampled.part(slice(first, first + rows.shape[-2]), slice(0, rows.shape[-1])), rows, shares)
        if (height, rows.shape[-1]) == (large.height, large.width):
            distances.append(_distance(rows, large, first))
        put(rows, first, height)

    restored = restorer.restore_parts(picture, checked, tile=tile, shown=shown)
    require(finite(restored), not_finite)
    return Parts(restored, looks, torch.stack(distances).sum(dim=0) / (large.height * large.width) if distances else None)


def _distance(rows: Float[Tensor, "b c n w"], low: Source, first: int) -> Float[Tensor, " b"]:
    """Return the sum over the pixels of rows of S, clipped to [0,1], of their distance from L, averaged over the channels.

    first: number of the first row.
    """
    strip = max(1, STRIP // rows.shape[-1])
    total = torch.zeros(len(rows), dtype=torch.float64)
    for top in range(0, rows.shape[-2], strip):
        part = rows[..., top : top + strip, :].detach()
        there = low.part(slice(first + top, first + top + part.shape[-2]), slice(0, part.shape[-1]))
        total += (part.clamp(0, 1) - there).abs().mean(dim=1).sum(dim=(1, 2)).double().cpu()
    return total


def untrained_scale(restorer: Restorer, factor: float) -> Iterator[str]:
    """Yield a sentence if pictures are enlarged by a factor that the model was not trained for."""
    learned = restorer if isinstance(restorer, LearnedRestorer) else restorer.parameter_source
    if learned is None:
        return
    low, high = learned.prior.ranges["scale"].bounds
    native = learned.degradation.spec.output == "native"
    total = factor * (learned.enlarge if native else 1)
    if total > 1.001 * high or (native and total < 0.999 * low):
        cause = f"enlarge={factor:g}" + (f" times the network's own {learned.enlarge}" if native else "")
        scales = f"{low:g}" if low == high else f"{low:g} to {high:g}"
        size = f"S {total:g} times as large, but the model was trained for scales of {scales}"
        yield f"{cause} makes {size}: do not trust its details."
