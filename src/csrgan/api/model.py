"""A trained model, ready to restore."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator

from torch import Tensor
from torch.nn.functional import interpolate

from csrgan.api.loading import placed, trained
from csrgan.api.pictures import AnyPicture, opened
from csrgan.api.restoration import Restoration, finite
from csrgan.errors import require
from csrgan.restorers.learned import LearnedRestorer
from csrgan.restorers.restorer import Restorer
from csrgan.training.evaluated import Evaluated
from csrgan.tree import Settings


def load(source: str | os.PathLike[str], device: str = "cpu") -> Model:
    """A model from the folder of a run (its last checkpoint), from a checkpoint, or from what `csrgan publish` wrote.

    A checkpoint is read without running anything in it: it may name what csrgan's own configuration names, PyTorch's layers and
    optimizers, modules in CSRGAN_ALLOW, and nothing else.
    device: cpu, cuda, cuda:1.
    Raises UserError for what is no checkpoint of csrgan, or fits no network that it describes.

    >>> import csrgan
    >>> model = csrgan.load("runs/first")
    >>> model.predicts
    ('blur_std', 'scale', 'noise_std')
    """
    system, recipe = trained(os.fspath(source), device, "source")
    return Model(system, recipe)


class Model:
    """A system that restores. Call it with a picture; `system` is the Lightning module itself, `recipe` its whole configuration."""

    def __init__(self, system: Evaluated, recipe: Settings) -> None:
        self.system, self.recipe = system, recipe

    def __call__(self, low: AnyPicture, enlarge: float = 1.0) -> Restoration:
        """Restore.

        low: L: the path of a file; an array (H, W, 3) or (H, W), uint8, uint16 or floating point in [0,1]; or a tensor (B, 3, H, W)
        or (B, 1, H, W) in [0,1]. Colours are sRGB; those of a file are converted by its profile.
        enlarge: how many times L is enlarged, bicubically, before the network sees it; 2 makes S twice as large.

        S comes in the kind of L, cut off to [0,1]. What the model was not trained for is a warning. Raises UserError for what is no
        picture, and where what the network makes of it is not finite.

        >>> import csrgan, numpy as np
        >>> model = csrgan.load("runs/first")
        >>> result = model(np.zeros((40, 50), np.float32))
        >>> result.image.shape, result.image.dtype
        ((40, 50), dtype('float32'))
        """
        given = opened(low, "low")
        for sentence in unlike(self.system.restorer, enlarge):
            warnings.warn(sentence, stacklevel=2)
        found = self.system.restorer.restore(enlarged(given.pictures.to(self.system.device), enlarge))
        require(finite(found), "what the network makes of low is not finite, and no picture.")
        return Restoration.of(found, given)

    @property
    def predicts(self) -> tuple[str, ...]:
        """The names of the parameters that it predicts."""
        return tuple(self.system.restorer.prior.predicted)

    def to(self, device: str) -> Model:
        """The same model, on another device. Raises UserError where there is none such."""
        placed(self.system, device)
        return self

    def __repr__(self) -> str:
        return f"Model({type(self.system).__name__}, trained on {self.system.images_seen} images, on {self.system.device})"


def enlarged(low: Tensor, factor: float) -> Tensor:
    """L, bicubically enlarged. Raises UserError for a factor that is none, and where a side would be less than a pixel."""
    if factor == 1:
        return low
    require(factor > 0, f"enlarge={factor:g} is not above 0.")
    require(min(low.shape[-2:]) * factor >= 1, f"enlarge={factor:g} would make a side of low smaller than a pixel.")
    return interpolate(low, scale_factor=factor, mode="bicubic", antialias=True).clamp(0, 1)


def unlike(restorer: Restorer, factor: float) -> Iterator[str]:
    """A sentence where pictures are enlarged by what the model was not trained for."""
    learned = restorer if isinstance(restorer, LearnedRestorer) else restorer.parameter_source
    if learned is None:
        return
    low, high = learned.prior.ranges["scale"].bounds
    native = learned.degradation.spec.output == "native"
    whole = factor * (learned.enlarge if native else 1)
    if whole > 1.001 * high or (native and whole < 0.999 * low):
        by = f"enlarge={factor:g}" + (f", and the network's own {learned.enlarge}," if native else "")
        known = f"{low:g}" if low == high else f"{low:g} to {high:g}"
        yield f"{by} makes S {whole:g} times as large, and the model was trained for scales of {known}: do not trust its details."
