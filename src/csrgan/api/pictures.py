"""Convert pictures between files, arrays or tensors and the tensors that networks take."""

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
    """A picture or a batch, as networks take it.

    pictures: RGB float32 in [0,1]. back: converts such pictures to the type of the input. single: one picture, not a batch.
    grey: the three channels are equal. file: the contents of a file.
    """

    pictures: Float[Tensor, "b 3 h w"]
    back: Callable[[Float[Tensor, "b c h2 w2"]], np.ndarray | Tensor]
    single: bool = True
    grey: bool = False
    file: picture.Picture | None = None


def opened(source: AnyPicture, name: str = "the picture") -> Opened:
    """Open the path of a file, an array of one picture or a tensor of several.

    An array is (H, W, 3) or (H, W), uint8, uint16 or floating point in [0,1]; a tensor (B, 3, H, W) or (B, 1, H, W), floating point
    in [0,1]. name: what an error message calls it. Raises UserError for anything else.
    """
    if isinstance(source, Tensor):
        return _of_tensor(source, name)
    if isinstance(source, np.ndarray):
        return _of_array(source, name)
    if isinstance(source, str | os.PathLike):
        source = picture.read(Path(source))
    if isinstance(source, picture.Picture):
        kind = source.pixels[..., 0] if source.grey else source.pixels
        return Opened(source.tensor()[None], lambda result: _array(result, kind), grey=source.grey, file=source)
    raise UserError(f"{name} is a {type(source).__name__}: give a path, a NumPy array or a torch tensor.")


def _of_tensor(tensor: Tensor, name: str) -> Opened:
    grey = tensor.ndim == 4 and tensor.shape[1] == 1
    shape = tuple(tensor.shape)
    require(
        tensor.ndim == 4 and tensor.shape[1] in (1, 3), f"{name} is a tensor of shape {shape}: give (B, 3, H, W) or (B, 1, H, W)."
    )
    require(tensor.is_floating_point(), f"{name} is a tensor of {tensor.dtype}: give floating point in [0,1].")
    _examine(tensor, shape, name)

    def back(result: Tensor) -> Tensor:
        return (result.mean(dim=1, keepdim=True) if grey else result).to(tensor)

    return Opened(tensor.detach().float().expand(-1, 3, -1, -1), back, single=False, grey=grey)


def _of_array(array: np.ndarray, name: str) -> Opened:
    grey = array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 1)
    shape = array.shape
    alpha = ": leave out its alpha channel, or give the file itself, whose alpha is kept" if shape[2:] == (4,) else ""
    wanted = f"{name} is an array of shape {shape}{alpha or ': give (H, W, 3) or (H, W)'}."
    require(grey or (array.ndim == 3 and shape[2] == 3), wanted)
    floating = np.issubdtype(array.dtype, np.floating)
    kinds = f"{name} is an array of {array.dtype}: give uint8, uint16 or floating point in [0,1]."
    require(floating or array.dtype in (np.uint8, np.uint16), kinds)
    full_scale = 1.0 if floating else float(np.iinfo(array.dtype).max)
    numbers = torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32) / np.float32(full_scale))
    _examine(numbers, shape, name)
    pictures = numbers.reshape(*shape[:2], -1).permute(2, 0, 1)[None].expand(-1, 3, -1, -1).contiguous()
    return Opened(pictures, lambda result: _array(result, array), grey=grey)


def _examine(numbers: Tensor, shape: tuple[int, ...], name: str) -> None:
    """Raise UserError for numbers that are not finite or not in [0,1], or if there are none."""
    require(numbers.numel() > 0, f"{name} is empty: its shape is {shape}.")
    low, high = (float(end) for end in torch.aminmax(numbers.detach().float()))
    require(math.isfinite(low) and math.isfinite(high), f"{name} holds numbers that are not finite.")
    scaled = ": divide by 255" if high > 1.5 else ""
    require(low >= 0 and high <= 1, f"{name} ranges from {low:g} to {high:g}, but floating point must lie in [0,1]{scaled}.")


def _array(tensor: Tensor, like: np.ndarray) -> np.ndarray:
    """Return one picture as an array like another one: grey or colour, of its dtype."""
    pixels = tensor[0].detach().cpu().clamp(0, 1).permute(1, 2, 0).numpy()
    if like.ndim == 2 or like.shape[2] == 1:
        pixels = pixels.mean(axis=2, keepdims=like.ndim == 3)
    if np.issubdtype(like.dtype, np.floating):
        return pixels.astype(like.dtype)
    return (pixels.astype(np.float64) * np.iinfo(like.dtype).max).round().astype(like.dtype)
