"""The sizes of pairs: what cannot belong together, and the part of L that shows the same as a part of H."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from csrgan.degradation.resample import Band, bicubic

Size = tuple[int, int]  # height and width, px
Values = NDArray[np.float32]  # (height, width, 3) in [0,1]


def fault(low: Size, sharp: Size, multiple: int | None) -> str:
    """Return why L and H of these sizes cannot be a pair; empty if they can. multiple: HR pixels of a pixel of L; None: any."""
    found = f"L has {_shown(low)} px and H {_shown(sharp)} px"
    if any(few > many for few, many in zip(low, sharp, strict=True)):
        turned = "one of them is turned" if _one_scale(low[::-1], sharp) else "H must be as large as L or larger"
        return f"{found}: {turned}."
    if not _one_scale(low, sharp):
        down, across = (many / few for few, many in zip(low, sharp, strict=True))
        turned = "; one of them is turned" if _one_scale(low[::-1], sharp) else ""
        return f"{found}, which is {across:.3g} times smaller across and {down:.3g} times down{turned}."
    if multiple and not (_within(low, sharp, multiple) and min(fitted(low, sharp, multiple)) > 0):
        return f"{found}, and L must be {multiple} times smaller than H."
    return ""


def agrees(low: Size, sharp: Size, scale: float) -> bool:
    """Return whether L of this size is H / scale, however it was rounded."""
    return _within(low, sharp, scale)


def fitted(low: Size, sharp: Size, multiple: int) -> Size:
    """Return the size of the part of H, from its upper left corner, that whole pixels of L cover, each `multiple` HR pixels."""
    height, width = (min(few, many // multiple) * multiple for few, many in zip(low, sharp, strict=True))
    return height, width


def enlarged_part(low: NDArray[np.generic], size: Size, top: int, left: int, height: int, width: int) -> Values:
    """Return a part of L enlarged to `size`, as a degradation enlarges it (bicubic, U), in [0,1].

    top, left, height, width: the part, px of the enlarged picture. Only the pixels of L that it depends on are read.
    """
    (rows, vertical), (columns, horizontal) = (
        _axis(few, many, start, length)
        for few, many, start, length in zip(low.shape[:2], size, (top, left), (height, width), strict=True)
    )
    part = torch.from_numpy(unit_values(low[rows, columns]))
    result: Values = torch.einsum("ij,jkc,lk->ilc", vertical, part, horizontal).clamp_(0, 1).numpy()
    return result


def unit_values(pixels: NDArray[np.generic]) -> Values:
    """Return 8-bit pixels as values in [0,1]; values stay as they are."""
    return pixels.astype(np.float32) / np.float32(255) if pixels.dtype == np.uint8 else pixels.astype(np.float32)


def _axis(few: int, many: int, start: int, length: int) -> tuple[slice, torch.Tensor]:
    """Return the pixels of L that a part of an axis depends on, and the matrix (length, pixels) from them to the part."""
    sizes = torch.tensor([few]), torch.tensor([many])
    band = bicubic(*sizes, sizes[0].double() / sizes[1].double(), many, 1.0, torch.float32)
    first, weight = band.first[:, start : start + length], band.weight[:, start : start + length]
    begin, end = max(int(first.min()), 0), min(int(first.max()) + weight.shape[2], few)
    return slice(begin, end), Band(first - begin, weight).matrix(slice(None), end - begin)[0]


def _one_scale(low: Size, sharp: Size) -> bool:
    """Return whether one scale explains both axes, if a side of L may be rounded up or down."""
    least = max(many / (few + 1) for few, many in zip(low, sharp, strict=True))
    most = min(many / (few - 1) if few > 1 else math.inf for few, many in zip(low, sharp, strict=True))
    return least < most


def _within(low: Size, sharp: Size, scale: float) -> bool:
    return all(abs(few - many / scale) < 1 for few, many in zip(low, sharp, strict=True))


def _shown(size: Size) -> str:
    return f"{size[1]}x{size[0]}"


def shown_scales(scales: Iterator[float]) -> str:
    """Return a range of scales as text, such as `4` or `1.5 to 3`."""
    values = sorted(f"{scale:.3g}" for scale in scales)
    ends = list(dict.fromkeys((min(values, key=float), max(values, key=float))))
    return " to ".join(ends)
