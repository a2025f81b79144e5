"""The result of restoring a picture, for Python programs."""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from csrgan import records
from csrgan.api.pictures import Opened, opened
from csrgan.api.predicted_theta import Findings
from csrgan.data import picture
from csrgan.data.search import SUFFIXES
from csrgan.degradation.parameters import NAMES, Parameters
from csrgan.errors import UserError


@dataclass(frozen=True)
class Theta:
    """A degradation: each parameter is a number for one picture, or a tensor (B,) for a batch.

    blur_std: standard deviation of the Gaussian, HR px. scale: HR size / LR size, at least 1.
    noise_std: standard deviation of the noise, fraction of full scale. more: further factors by name, also as `theta.NAME`.
    """

    blur_std: float | Tensor
    scale: float | Tensor
    noise_std: float | Tensor
    more: Mapping[str, float | Tensor] = field(default_factory=dict)

    @classmethod
    def of(cls, parameters: Parameters, single: bool, known: Collection[str] | None = None) -> Theta:
        """Convert parameters. single: to numbers of one picture, with as many digits as float32 has. known: the names of those that
        are; the others are left out, or nan if they are one of the three. None: all are."""
        known = parameters.names if known is None else known
        numbers = {name: parameters.number(name) for name in parameters.names if name in (*NAMES, *known)}
        numbers |= {name: torch.full_like(value, math.nan) for name, value in numbers.items() if name not in known}
        values = {name: float(str(value[0].cpu().numpy())) if single else value for name, value in numbers.items()}
        required = {name: values.pop(name) for name in NAMES}
        return cls(**required, more=values)

    def named(self) -> dict[str, float | Tensor]:
        """Return all parameters by name."""
        return {"blur_std": self.blur_std, "scale": self.scale, "noise_std": self.noise_std, **self.more}

    def __getattr__(self, name: str) -> float | Tensor:
        if name in self.__dict__.get("more", ()):
            return self.more[name]
        raise AttributeError(f"there is no parameter {name}. The parameters: {', '.join(self.named())}")

    def __repr__(self) -> str:
        return f"Theta({', '.join(f'{name}={value}' for name, value in self.named().items())})"


@dataclass(frozen=True)
class Restoration:
    """S, and the estimated degradation.

    image: S, in the type of L: an array (H, W, 3) or (H, W) of its dtype, or a tensor (B, 3, H, W).
    parameters: the predicted degradation theta^; None if the model predicts none. Of the three parameters, one that the model does
    not predict is nan, unless it is the same in all pictures of the training; other factors are there if they are predicted.
    looks_like: the name of a degradation that L has and the model has not seen, such as "JPEG compression"; "" if there is none.
    Such a picture gets no theta^. For a batch, a name for each picture, and nan for their theta^.
    std, interval: its standard deviations, and the two ends of its 90 % intervals; None if the model predicts no uncertainty.
    findings: of each picture what `csrgan restore` says, which `print(result)` prints: theta^, what of it is not certain, how far S
    is from L, and what is not to be trusted.

    >>> import csrgan
    >>> result = csrgan.load("runs/first")("photo.png")
    >>> result.image.shape, result.image.dtype
    ((64, 96, 3), dtype('uint8'))
    >>> type(result.parameters.blur_std)
    <class 'float'>
    """

    image: np.ndarray | Tensor
    parameters: Theta | None = None
    std: Theta | None = None
    interval: tuple[Theta, Theta] | None = None
    looks_like: str | tuple[str, ...] = ""
    file: picture.Picture | None = None
    findings: Sequence[Findings] = ()

    @classmethod
    def of(
        cls,
        restored: records.Restoration,
        source: Opened,
        image: np.ndarray | Tensor,
        known: Collection[str],
        looks: tuple[str, ...] = (),
        findings: Sequence[Findings] = (),
    ) -> Restoration:
        """Convert what a system made of a picture. image: S in the type of the input. known: the parameters that theta^ says.
        looks: like what each picture looks. findings: what is said of each."""

        refused = torch.tensor([bool(name) for name in looks])
        if source.single and any(looks):
            return cls(image=image, looks_like=looks[0], file=source.file, findings=findings)

        def theta(parameters: Parameters) -> Theta:
            if any(looks):
                numbers = {name: parameters.number(name) for name in parameters.names}
                parameters = Parameters.of(
                    {name: value.masked_fill(refused.to(value.device), math.nan) for name, value in numbers.items()}
                )
            return Theta.of(parameters, source.single, known)

        return cls(
            image=image,
            parameters=theta(restored.parameters) if restored.parameters else None,
            std=theta(restored.spread) if restored.spread else None,
            interval=(theta(restored.interval[0]), theta(restored.interval[1])) if restored.interval else None,
            looks_like="" if source.single else looks or ("",) * len(image),
            file=source.file,
            findings=findings,
        )

    def __str__(self) -> str:
        several = len(self.findings) > 1
        lines = [f"{number}: {line}" if several else line for number, said in enumerate(self.findings) for line in said.lines]
        return "\n".join(lines) or repr(self)

    def __repr__(self) -> str:
        size = "x".join(map(str, self.image.shape))
        said = self.findings[0].line if len(self.findings) == 1 else f"{len(self.findings)} pictures" if self.findings else ""
        return f"Restoration(S {size} {str(self.image.dtype).removeprefix('torch.')}{said and f'; {said}'})"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write S of one picture as PNG, JPEG, WebP, TIFF, BMP or PPM, by the suffix. A picture from a file keeps its bit depth,
        alpha channel, colour profile, EXIF and resolution if the format can hold them. Raises UserError for a batch.

        >>> import csrgan
        >>> csrgan.load("runs/first")("photo.png").save("restored.png")
        """
        if isinstance(self.image, Tensor):
            raise UserError("a batch of tensors cannot be saved to a file: restore one picture at a time, from an array or a path.")
        if Path(path).suffix.lower() not in SUFFIXES:
            raise UserError(f"{path}: no picture can be written under this suffix: choose one of {', '.join(SUFFIXES)}.")
        file = self.file
        if file is None:
            dtype = np.uint16 if self.image.dtype == np.uint16 else np.uint8
            file = picture.Picture(np.zeros((1, 1, 3), dtype), grey=self.image.ndim == 2 or self.image.shape[2] == 1)
        picture.write(Path(path), opened(self.image).pictures[0], like=file)


def finite(restoration: records.Restoration) -> bool:
    """Return whether S and theta^ are finite."""
    thetas = [restoration.parameters, restoration.spread, *(restoration.interval or ())]
    return all(bool(torch.isfinite(tensor).all()) for tensor in (restoration.image, *(theta.stack() for theta in thetas if theta)))
