"""JPEG compression of a batch, each picture at its own quality, as libjpeg with its default settings decodes what it encoded.

On a CPU libjpeg itself does it. On other devices, and where gradients are asked, nothing is encoded: the lossy steps alone are
repeated, with libjpeg's whole-number arithmetic, so that hardly a pixel differs.
Sources: ITU-T T.81 (1992), annexes A (the DCT) and K (the tables); JFIF 1.02 (colours); libjpeg, whose constants these are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

import cv2
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from csrgan.degradation.factor import Factor
from csrgan.degradation.precision import full_precision
from csrgan.ranges import Share

Quality = Annotated[float, "[1,100]"]

Pictures = Float[Tensor, "batch 3 height width"]
UInt8Array = np.ndarray  # (bytes,)
Plane = Float[Tensor, "batch height width"]
Resized = Float[Tensor, "batch height2 width2"]

# ITU-T T.81, tables K.1 and K.2, row by row.
LUMA = """16 11 10 16 24 40 51 61 12 12 14 19 26 58 60 55 14 13 16 24 40 57 69 56 14 17 22 29 51 87 80 62
18 22 37 56 68 109 103 77 24 35 55 64 81 104 113 92 49 64 78 87 103 121 120 101 72 92 95 98 112 100 103 99"""
CHROMA = """17 18 24 47 99 99 99 99 18 21 26 66 99 99 99 99 24 26 56 99 99 99 99 99 47 66 99 99 99 99 99 99
99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99"""
TABLES = torch.tensor([[float(step) for step in table.split()] for table in (LUMA, CHROMA)]).reshape(2, 8, 8)

# JFIF's colours: full-range BT.601, in units of 2^-16. Float32 holds every sum of theirs exactly.
TO_YCBCR = torch.tensor([[19595.0, 38470, 7471], [-11059, -21709, 32768], [32768, -27439, -5329]])
TO_RGB = torch.tensor([[0.0, 91881], [-22554, -46802], [116130, 0]])

# The left half of the DCT's matrix, in units of 2^-13 and sqrt(8) times as large; the right half mirrors it with alternating signs.
HALF = [
    [8192, 8192, 8192, 8192],
    [11363, 9633, 6437, 2260],
    [10703, 4433, -4433, -10703],
    [9633, -2259, -11362, -6436],
    [8192, -8192, -8192, 8192],
    [6437, -11362, 2261, 9633],
    [4433, -10704, 10704, -4433],
    [2260, -6436, 9633, -11363],
]
DCT = torch.tensor(
    [[*row, *(value * (-1) ** index for value in reversed(row))] for index, row in enumerate(HALF)], dtype=torch.float32
)


class JPEG(Factor):
    """JPEG compression of L, as large as networks get it. The number is libjpeg's quality; 100 stands for a picture that was not
    compressed.

    low, high: the quality is drawn uniformly between them. absent: share of the pictures that are not compressed.
    subsampling: of the chroma, as `jpeg` takes it.

    >>> import csrgan, torch
    >>> from csrgan.degradation.factors.jpeg import JPEG
    >>> protocol = csrgan.Degradation(factors={"jpeg_quality": JPEG(low=60, high=95, absent=0.5)})
    >>> made = csrgan.degrade(torch.rand(1, 3, 32, 32), protocol, theta={"jpeg_quality": 75.0})
    >>> float(made.parameters.jpeg_quality)
    75.0
    """

    possible = (1.0, 100.0)
    neutral = 100.0

    def __init__(
        self, *, low: Quality, high: Quality, absent: Share = 0.0, subsampling: Literal["4:2:0", "4:4:4"] = "4:2:0"
    ) -> None:
        super().__init__(low=low, high=high, absent=absent)
        self.subsampling: Literal["4:2:0", "4:4:4"] = subsampling

    def change(self, images: Float[Tensor, "b c h w"], number: Float[Tensor, " b"]) -> Float[Tensor, "b c h w"]:
        soft = torch.is_grad_enabled() and images.requires_grad
        present = number < self.neutral
        if images.device.type != "cpu" or soft:  # asking a device which pictures these are would wait for it
            compressed = jpeg(images, number, subsampling=self.subsampling, soft=soft)
            return torch.where(present[:, None, None, None], compressed, images)
        result = images.clone()
        if bool(present.any()):
            result[present] = through_codec(images[present], number[present], subsampling=self.subsampling)
        return result


def jpeg(
    images: Pictures, quality: Float[Tensor, " batch"], *, subsampling: Literal["4:2:0", "4:4:4"] = "4:2:0", soft: bool = False
) -> Pictures:
    """Return the pictures after JPEG.

    images: RGB, values in [0,1]; they are rounded to 8 bits first. quality: libjpeg's, 1 to 100; it is rounded to a whole number.
    subsampling: of the chroma. soft: let gradients pass through each rounding as if it were none; the result is the same.

    >>> import torch
    >>> from csrgan.degradation.factors.jpeg import jpeg
    >>> result = jpeg(torch.full((2, 3, 16, 16), 0.5), torch.tensor([30.0, 90.0]))
    >>> result.shape, round(float(result[0, 0, 0, 0]) * 255)
    (torch.Size([2, 3, 16, 16]), 128)
    """
    with full_precision(images.device.type):
        steps = quantisation(quality)
        colours = images.float().clamp(0, 1) * 255
        rounded = colours + (colours.round() - colours).detach() if soft else colours.round()
        luma, *chroma = _to_ycbcr(rounded, soft)
        decoded = _coded(torch.cat(chroma), steps[:, 1].repeat(2, 1, 1), subsampling, soft)
        colours = torch.stack(decoded.chunk(2), 1)
        return _to_rgb(_blocks_coded(luma, steps[:, 0], soft), colours, soft).clamp(0, 255) / 255


def through_codec(
    images: Pictures, quality: Float[Tensor, " batch"], *, subsampling: Literal["4:2:0", "4:4:4"] = "4:2:0"
) -> Pictures:
    """Return what `jpeg` returns, without gradients, by encoding and decoding each picture: on a CPU a third of the time."""
    result = torch.empty_like(images, dtype=torch.float32)
    for k, data in enumerate(encoded(images, quality, subsampling)):
        result[k] = torch.from_numpy(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)).permute(2, 0, 1)
    return result.div_(255).to(images.dtype)


def encoded(images: Pictures, quality: Float[Tensor, " batch"], subsampling: Literal["4:2:0", "4:4:4"]) -> Iterator[UInt8Array]:
    """Yield the bytes of a JPEG file of each picture. For the arguments see `jpeg`."""
    factor = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420 if subsampling == "4:2:0" else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
    rounded = (images.detach().float().clamp(0, 1) * 255).round_().to(torch.uint8)
    bgr = rounded.flip(1).permute(0, 2, 3, 1).contiguous().numpy()
    for picture, whole in zip(bgr, quality.detach().round().clamp(1, 100).int().tolist(), strict=True):
        options = [cv2.IMWRITE_JPEG_QUALITY, whole, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor]
        yield cv2.imencode(".jpg", picture, options)[1]


def quantisation(quality: Float[Tensor, " batch"]) -> Float[Tensor, "batch 2 8 8"]:
    """Return the steps by which the DCT's coefficients of luma and chroma are divided, as libjpeg scales its tables."""
    whole = quality.detach().round().clamp(1, 100)
    percent = torch.where(whole < 50, (5000 / whole).floor(), 200 - 2 * whole)
    return ((TABLES.to(percent) * percent[:, None, None, None] + 50) / 100).floor().clamp(1, 255)


def _shifted(sums: Tensor, bits: int, soft: bool, half: float | Tensor = 0.5) -> Tensor:
    """Divide by 2^bits, add a half and round down, in place; if soft, with the gradient of a division."""
    if not soft:
        return sums.mul_(2.0**-bits).add_(half).floor_()
    value = sums * 2.0**-bits
    return value + ((value + half).floor() - value).detach()


def _to_ycbcr(colours: Pictures, soft: bool) -> Sequence[Plane]:
    mixed = (TO_YCBCR.to(colours) @ colours.flatten(2)).view_as(colours)
    half = torch.tensor([32768.0, 32767.0, 32767.0], device=colours.device)[:, None, None] / 65536  # chroma rounds halves down
    return (_shifted(mixed, 16, soft, half) + _offset(colours)).unbind(1)


def _to_rgb(luma: Plane, chroma: Float[Tensor, "batch 2 height width"], soft: bool) -> Pictures:
    mixed = TO_RGB.to(chroma) @ (chroma - 128).flatten(2)
    return luma[:, None] + _shifted(mixed.view(len(luma), 3, *luma.shape[1:]), 16, soft)


def _offset(like: Tensor) -> Tensor:
    return torch.tensor([0.0, 128.0, 128.0], device=like.device)[:, None, None]


def _coded(plane: Plane, steps: Float[Tensor, "batch 8 8"], subsampling: str, soft: bool) -> Plane:
    """Return a plane of chroma after coding, at half its size if the chroma is subsampled."""
    height, width = plane.shape[-2:]
    if subsampling == "4:4:4":
        return _blocks_coded(plane, steps, soft)
    half = _blocks_coded(_halved(plane, soft), steps, soft)[..., : (width + 1) // 2]
    return _doubled(half, soft)[:, :height, :width]


def _padded(plane: Plane, rows: int, columns: int) -> Resized:
    """Repeat the last row and column until the sides are multiples of `rows` and `columns`."""
    height, width = plane.shape[-2:]
    return pad(plane[:, None], (0, -width % columns, 0, -height % rows), mode="replicate")[:, 0]


def _blocks_coded(plane: Plane, steps: Float[Tensor, "batch 8 8"], soft: bool) -> Plane:
    """Return a plane after its blocks' DCT, quantisation and inverse DCT, in whole numbers from 0 to 255.

    Each pass of libjpeg's transforms is a product of whole numbers and one shift, which rounds halves up.
    """
    batch, height, width = plane.shape
    padded = _padded(plane, 8, 8)
    rows, columns = padded.shape[-2] // 8, padded.shape[-1] // 8
    dct, tables = DCT.to(plane), steps.mT[:, None]  # of the transposed coefficients
    blocks = (padded - 128).reshape(batch, rows, 8, columns, 8).transpose(2, 3).reshape(-1, 8, 8)
    coefficients = _pass(_pass(blocks, dct.T, 11, soft).mT, dct.T, 15, soft).view(batch, rows * columns, 8, 8)
    levels = coefficients.sign() * _shifted(coefficients.abs() / tables, 3, soft)
    result = _pass(_pass((levels * tables).view(-1, 8, 8), dct, 11, soft).mT, dct, 18, soft)
    result = (result + 128).clamp(0, 255).view(batch, rows, columns, 8, 8)
    return result.transpose(2, 3).reshape(batch, 8 * rows, 8 * columns)[:, :height, :width]


def _pass(blocks: Float[Tensor, "n 8 8"], matrix: Float[Tensor, "8 8"], bits: int, soft: bool) -> Float[Tensor, "n 8 8"]:
    """Multiply the rows of all blocks by a matrix, and shift."""
    return _shifted((blocks.reshape(-1, 8) @ matrix).view(-1, 8, 8), bits, soft)


def _halved(plane: Plane, soft: bool) -> Resized:
    """Return the means of 2 x 2 pixels; libjpeg rounds halves down in even columns and up in odd ones.

    The last column is repeated to whole blocks before, the last row to an even number.
    """
    padded = _padded(plane, 2, 16)
    pairs = padded[:, ::2] + padded[:, 1::2]
    sums = pairs[..., ::2] + pairs[..., 1::2]
    bias = torch.tensor([1.0, 2.0], device=plane.device).repeat(sums.shape[-1] // 2)
    return _shifted(sums + bias, 2, soft, 0.0)


def _doubled(plane: Plane, soft: bool) -> Resized:
    """Enlarge to twice the size by a triangle filter: each pixel is 9/16 of the nearest, 3/16 of two and 1/16 of one.

    libjpeg rounds halves up in even columns and down in odd ones, and repeats the pixels of a plane of one or two columns.
    """
    if plane.shape[-1] <= 2:
        return plane.repeat_interleave(2, 1).repeat_interleave(2, 2)
    near = pad(plane[:, None], (1, 1, 1, 1), mode="replicate")[:, 0]
    rows = torch.stack((3 * near[:, 1:-1] + near[:, :-2], 3 * near[:, 1:-1] + near[:, 2:]), 2).flatten(1, 2)
    left, right = 3 * rows[..., 1:-1] + rows[..., :-2], 3 * rows[..., 1:-1] + rows[..., 2:]
    return torch.stack((_shifted(left, 4, soft), _shifted(right, 4, soft, 7 / 16)), 3).flatten(2, 3)
