"""Pictures as people have them (files, arrays, tensors) and as networks take them."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from csrgan.data import picture
from csrgan.errors import UserError, require

AnyPicture = str | os.PathLike[str] | np.ndarray | Tensor | picture.Picture


@dataclass(frozen=True)
class Opened:
    """A picture, or a batch of them, as networks take it.

    pictures: RGB float32 in [0,1]. back: gives such pictures in the kind of what was opened. single: one picture, and no batch.
    grey: its three channels are one. file: what a file held.
    """

    pictures: Float[Tensor, "b 3 h w"]
    back: Callable[[Float[Tensor, "b c h2 w2"]], np.ndarray | Tensor]
    single: bool = True
    grey: bool = False
    file: picture.Picture | None = None


def opened(given: AnyPicture, name: str = "the picture") -> Opened:
    """Take a file's path, an array of one picture or a tensor of several.

    An array is (H, W, 3) or (H, W), uint8, uint16 or floating point in [0,1]; a tensor (B, 3, H, W) or (B, 1, H, W), floating point
    in [0,1]. name: how an error calls it. Raises UserError for anything else.
    """
    if isinstance(given, Tensor):
        return _of_tensor(given, name)
    if isinstance(given, np.ndarray):
        return _of_array(given, name)
    if isinstance(given, str | os.PathLike):
        given = picture.read(Path(given))
    if isinstance(given, picture.Picture):
        kind = given.pixels[..., 0] if given.grey else given.pixels
        return Opened(given.tensor()[None], lambda found: _array(found, kind), grey=given.grey, file=given)
    raise UserError(f"{name} is of type {type(given).__name__}: give a path, a NumPy array or a torch tensor.")


def _of_tensor(given: Tensor, name: str) -> Opened:
    grey = given.ndim == 4 and given.shape[1] == 1
    shape = tuple(given.shape)
    require(
        given.ndim == 4 and given.shape[1] in (1, 3), f"{name} is a tensor of shape {shape}: give (B, 3, H, W) or (B, 1, H, W)."
    )
    require(given.is_floating_point(), f"{name} is a tensor of {given.dtype}: give floating point in [0,1].")
    _examine(given, shape, name)

    def back(found: Tensor) -> Tensor:
        return (found.mean(dim=1, keepdim=True) if grey else found).to(given)

    return Opened(given.detach().float().expand(-1, 3, -1, -1), back, single=False, grey=grey)


def _of_array(given: np.ndarray, name: str) -> Opened:
    grey = given.ndim == 2 or (given.ndim == 3 and given.shape[2] == 1)
    shape = given.shape
    alpha = ": leave out its alpha channel, or give the file itself, whose alpha is kept" if shape[2:] == (4,) else ""
    wanted = f"{name} is an array of shape {shape}{alpha or ': give (H, W, 3) or (H, W)'}."
    require(grey or (given.ndim == 3 and shape[2] == 3), wanted)
    floating = np.issubdtype(given.dtype, np.floating)
    kinds = f"{name} is an array of {given.dtype}: give uint8, uint16 or floating point in [0,1]."
    require(floating or given.dtype in (np.uint8, np.uint16), kinds)
    full_scale = 1.0 if floating else float(np.iinfo(given.dtype).max)
    numbers = torch.from_numpy(np.ascontiguousarray(given, dtype=np.float32) / np.float32(full_scale))
    _examine(numbers, shape, name)
    pictures = numbers.reshape(*shape[:2], -1).permute(2, 0, 1)[None].expand(-1, 3, -1, -1).contiguous()
    return Opened(pictures, lambda found: _array(found, given), grey=grey)


def _examine(numbers: Tensor, shape: tuple[int, ...], name: str) -> None:
    """Raise UserError for what is empty, not finite or not in [0,1]."""
    require(numbers.numel() > 0, f"{name} is empty: its shape is {shape}.")
    low, high = (float(end) for end in torch.aminmax(numbers.detach().float()))
    require(math.isfinite(low) and math.isfinite(high), f"{name} holds numbers that are not finite.")
    scaled = ": divide by 255" if high > 1.5 else ""
    require(low >= 0 and high <= 1, f"{name} goes from {low:g} to {high:g}, and floating point must lie in [0,1]{scaled}.")


def _array(found: Tensor, like: np.ndarray) -> np.ndarray:
    """One picture as an array of the kind of another one: grey or colour, of its type."""
    pixels = found[0].detach().cpu().clamp(0, 1).permute(1, 2, 0).numpy()
    if like.ndim == 2 or like.shape[2] == 1:
        pixels = pixels.mean(axis=2, keepdims=like.ndim == 3)
    if np.issubdtype(like.dtype, np.floating):
        return pixels.astype(like.dtype)
    return (pixels.astype(np.float64) * np.iinfo(like.dtype).max).round().astype(like.dtype)
