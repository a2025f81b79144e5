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
from csrgan.networks.source import InMemory, Source, whole

AnyPicture = str | os.PathLike[str] | np.ndarray | Tensor | picture.Picture


@dataclass(frozen=True)
class Opened:
    """A picture or a batch, as networks take it.

    source: RGB float32 in [0,1], read in parts. back: converts such pictures, or rows of them, to the type of the input. single:
    one picture, not a batch. grey: the three channels are equal. file: the contents of a file.
    """

    source: Source
    back: Callable[[Float[Tensor, "b c h2 w2"]], np.ndarray | Tensor]
    single: bool = True
    grey: bool = False
    file: picture.Picture | None = None

    @property
    def pictures(self) -> Float[Tensor, "b 3 h w"]:
        return whole(self.source)


class Assembled:
    """A result in the type of the input, assembled from its rows."""

    def __init__(self, like: Opened) -> None:
        self._like = like
        self.result: np.ndarray | Tensor = np.empty(0)

    def put(self, rows: Float[Tensor, "b c n w"], first: int, height: int) -> None:
        """Take rows, from the top. first: number of the first; height: of the whole."""
        part = self._like.back(rows)
        if isinstance(part, Tensor):
            if first == 0:
                self.result = part.new_empty(*part.shape[:2], height, part.shape[3])
            self.result[:, :, first : first + part.shape[2]] = part
            return
        if first == 0:
            self.result = np.empty((height, *part.shape[1:]), part.dtype)
        assert isinstance(self.result, np.ndarray)
        self.result[first : first + len(part)] = part


class _Levels:
    """An array of whole numbers as a source."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array
        self.height, self.width = array.shape[:2]

    def part(self, rows: slice, columns: slice) -> Float[Tensor, "1 3 h w"]:
        return _picture(self.array[rows, columns])


def _picture(array: np.ndarray) -> Float[Tensor, "1 3 h w"]:
    """Return an array of one picture as a picture in [0,1]."""
    full_scale = np.iinfo(array.dtype).max if np.issubdtype(array.dtype, np.integer) else 1
    numbers = torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32) / np.float32(full_scale))
    return numbers.reshape(*array.shape[:2], -1).permute(2, 0, 1)[None].expand(-1, 3, -1, -1).contiguous()


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
        return Opened(source, lambda result: _array(result, kind), grey=source.grey, file=source)
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

    return Opened(InMemory(tensor.detach().float().expand(-1, 3, -1, -1)), back, single=False, grey=grey)


def _of_array(array: np.ndarray, name: str) -> Opened:
    grey = array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 1)
    shape = array.shape
    alpha = ": leave out its alpha channel, or give the file itself, whose alpha is kept" if shape[2:] == (4,) else ""
    wanted = f"{name} is an array of shape {shape}{alpha or ': give (H, W, 3) or (H, W)'}."
    require(grey or (array.ndim == 3 and shape[2] == 3), wanted)
    floating = np.issubdtype(array.dtype, np.floating)
    kinds = f"{name} is an array of {array.dtype}: give uint8, uint16 or floating point in [0,1]."
    require(floating or array.dtype in (np.uint8, np.uint16), kinds)
    require(array.size > 0, f"{name} is empty: its shape is {shape}.")
    source: Source = InMemory(_picture(array)) if floating else _Levels(array)
    if isinstance(source, InMemory):
        _examine(source.pictures, shape, name)
    return Opened(source, lambda result: _array(result, array), grey=grey)


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
