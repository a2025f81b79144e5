"""The spectrum and the filter in operations that ONNX has for pictures of any size: a Fourier transform is a product of matrices.

onnxruntime's own transform is slow and inexact where a side is no power of two. Every size here is a tensor, so that a traced graph
computes it anew for each picture. The functions repeat `RadialLogSpectrum.read` and `spectral.apply_gains`, which state why.
"""

from __future__ import annotations

import math
from typing import cast

import torch
from jaxtyping import Float, Int
from torch import Tensor

from csrgan.degradation.resample import cubic

LONGEST = 2**17  # px of a side, mirrored border included


def size(x: Tensor, axis: int) -> Int[Tensor, ""]:
    """Return a side as a tensor."""
    return torch._shape_as_tensor(x)[axis]


def _range(count: Tensor) -> Int[Tensor, " n"]:
    """Return 0 to count - 1; a traced graph computes count anew."""
    return torch.arange(cast(int, count))


def apply_gains(
    image: Float[Tensor, "b c h w"], gains: Float[Tensor, "b k"], border: int, highest: float
) -> Float[Tensor, "b c h w"]:
    """Return what `spectral.apply_gains` returns. border: least mirrored border, px. highest: frequency of the last gain."""
    height, width = image.shape[-2:]
    rows, columns = (_mirror_indices(size(image, axis), border) for axis in (2, 3))
    periodic = image.index_select(2, rows).index_select(3, columns)
    mean = periodic.mean(dim=(2, 3), keepdim=True)
    down, across = size(periodic, 2), size(periodic, 3)
    whole, half = _range(down), _range(across // 2 + 1)
    cos_y, sin_y = _waves(whole, whole, down)
    cos_x, sin_x = _waves(_range(across), half, across)
    a, b = (periodic - mean) @ cos_x, (periodic - mean) @ sin_x
    real, imaginary = cos_y @ a - sin_y @ b, -(sin_y @ a + cos_y @ b)
    gain = _at(gains, _radius(whole, down, half, across), highest)[:, None]
    real, imaginary = real * gain, imaginary * gain
    even, odd = cos_y @ real - sin_y @ imaginary, sin_y @ real + cos_y @ imaginary
    twice = torch.where((half == 0) | (2 * half == across), 1.0, 2.0) / (down * across)  # the other half is its conjugate
    filtered = even @ (cos_x * twice).T - odd @ (sin_x * twice).T
    return (filtered + mean * gains[:, :1, None, None])[..., :height, :width]


def enlarged(image: Float[Tensor, "b c h w"], factor: int) -> Float[Tensor, "b c h2 w2"]:
    """Return what `torch.nn.functional.interpolate`, bicubic and antialiased, makes of a picture for a whole factor."""
    for axis in (2, 3):
        side = size(image, axis)
        centre = (_range(side * factor).double() + 0.5) / factor - 0.5
        result, total = torch.zeros(()), torch.zeros(())
        for tap in range(-1, 3):
            position = centre.floor().long() + tap
            weight = cubic((position - centre).float()) * ((position >= 0) & (position < side))
            shaped = weight[:, None] if axis == 2 else weight
            result = result + shaped * image.index_select(axis, torch.minimum(position.clamp(min=0), side - 1))
            total = total + shaped
        image = result / total
    return image


def power(image: Float[Tensor, "b 3 h w"], tile: int) -> Float[Tensor, "b n"]:
    """Return the mean power spectrum of the tiles, summed over colours, as `RadialLogSpectrum` computes it."""
    (rows, height), (columns, width) = (_tiles(size(image, axis), tile) for axis in (2, 3))
    tiles = image.index_select(2, rows.reshape(-1)).index_select(3, columns.reshape(-1))
    tiles = tiles.reshape(image.shape[0], 3, rows.shape[0], rows.shape[1], columns.shape[0], columns.shape[1])
    tiles = tiles.permute(0, 1, 2, 4, 3, 5)
    window = _hann(height)[:, None] * _hann(width)
    window = window / window.square().sum().sqrt().clamp(min=1e-6)
    tiles = (tiles - tiles.mean(dim=(4, 5), keepdim=True)) * window
    whole, half = _range(height), _range(width // 2 + 1)
    cos_y, sin_y = _waves(whole, whole, height)
    cos_x, sin_x = _waves(_range(width), half, width)
    a, b = tiles @ cos_x, tiles @ sin_x
    real, imaginary = cos_y @ a - sin_y @ b, sin_y @ a + cos_y @ b
    return (real.square() + imaginary.square()).mean(dim=(1, 2, 3)).reshape(image.shape[0], -1)


def frequencies(image: Float[Tensor, "b 3 h w"], tile: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the frequencies of `power` along the columns and the rows, and their radii, cycles/px, as `fftfreq` rounds them."""
    height, width = (size(image, axis).clamp(max=tile) for axis in (2, 3))
    rows, columns = _range(height), _range(width // 2 + 1)
    down = torch.where(2 * rows < height, rows, rows - height).float() * (1 / height.float())
    across = columns.float() * (1 / width.float())
    square = torch.zeros_like(down)[:, None] + torch.zeros_like(across)
    return (square + down[:, None]).reshape(-1), (square + across).reshape(-1), _radius(rows, height, columns, width).reshape(-1)


def _waves(positions: Int[Tensor, " n"], frequencies: Int[Tensor, " k"], period: Tensor) -> tuple[Tensor, Tensor]:
    """Return cosine and sine of 2 pi position frequency / period; exact products first, so that a large picture loses nothing."""
    angle = (positions[:, None] * frequencies % period).float() * (2 * math.pi / period.float())
    return torch.cos(angle), torch.sin(angle)


def _radius(rows: Int[Tensor, " n"], height: Tensor, columns: Int[Tensor, " k"], width: Tensor) -> Float[Tensor, "n k"]:
    """Return radial frequencies, cycles/px, rounded as `fftfreq` and `hypot` round them: some lie on the edge between two rings."""
    down = torch.minimum(rows, height - rows).float() * (1 / height.float())
    across = columns.float() * (1 / width.float())
    return (down[:, None].double().square() + across.double().square()).sqrt().float()


def _at(gains: Float[Tensor, "b k"], frequency: Float[Tensor, "n k2"], highest: float) -> Float[Tensor, "b n k2"]:
    position = (frequency * ((gains.shape[1] - 1) / highest)).reshape(-1)
    below = position.long().clamp(max=gains.shape[1] - 2)
    low, high = gains.index_select(1, below), gains.index_select(1, below + 1)
    between = low + (position - below.float()) * (high - low)
    return between.reshape(gains.shape[0], frequency.shape[0], frequency.shape[1])


def _mirror_indices(side: Tensor, border: int) -> Int[Tensor, " n"]:
    lengths = torch.tensor(_fast_lengths())
    length = torch.where(lengths >= side + 2 * border, lengths, LONGEST).min()
    index = _range(length)
    index = torch.where(index < side + (length - side + 1) // 2, index, index - length)
    period = (2 * (side - 1)).clamp(min=1)
    index = index % period
    return torch.where(index < side, index, period - index)


def _fast_lengths() -> list[int]:
    """Return the lengths that `scipy.fft.next_fast_len` gives real transforms: products of 2, 3 and 5."""
    powers = [[base**k for k in range(18) if base**k <= LONGEST] for base in (2, 3, 5)]
    return sorted(product for a in powers[0] for b in powers[1] for c in powers[2] if (product := a * b * c) <= LONGEST)


def _tiles(side: Tensor, tile: int) -> tuple[Int[Tensor, "n length"], Tensor]:
    """Return the pixels of each tile along an axis, and how many a tile has."""
    length = side.clamp(max=tile)
    steps = ((2 * (side - length) + tile - 1) // tile).clamp(min=1)
    count = torch.where(side > tile, steps + 1, 1)
    starts = (_range(count).double() * (side - length).double() / steps.double()).round().long()
    return starts[:, None] + _range(length), length


def _hann(side: Tensor) -> Float[Tensor, " n"]:
    angle = (_range(side) + 1).float() * (2 * math.pi / (side + 1).float())
    return 0.5 - 0.5 * torch.cos(angle)
