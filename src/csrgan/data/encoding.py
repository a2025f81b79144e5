"""Encode what Pillow cannot write: PNG with 16 bits a channel, and TIFF with 8 or 16 and all its metadata."""

from __future__ import annotations

import itertools
import struct
import zlib
from collections.abc import Iterator
from fractions import Fraction
from typing import Literal

import numpy as np
from jaxtyping import UInt
from numpy.typing import NDArray
from PIL.ExifTags import Base

from csrgan.data.exif import DESCRIPTIVE_TAGS, LONG, SHORT, Directory, directory_bytes, header
from csrgan.data.metadata import XMP_KEYWORD, Metadata

LEVEL = 3  # of zlib: most of the gain in a fraction of the time
STRIP = 2**20  # bytes that are compressed at a time
BYTE, RATIONAL, UNDEFINED = 1, 5, 7  # types of TIFF tags
SAMPLES_ARE_ALPHA, SAMPLE_PREDICTOR, RESOLUTION_UNIT, XMP_PACKET, ICC_PROFILE = 338, 317, 296, 700, 34675  # tags


def png(pixels: NDArray[np.uint16], metadata: Metadata) -> bytes:
    """Return a PNG. pixels: (height, width, 1 to 4 channels): grey, grey and alpha, RGB, RGB and alpha."""
    height, width, channels = pixels.shape
    rows = pixels.astype(">u2", order="C").view(np.uint8).reshape(height, -1)
    filtered = np.empty((height, rows.shape[1] + 1), np.uint8)
    filtered[:, 0] = 2  # filter "Up": the difference from the row above; above the first row it is 0
    filtered[:, 1:] = rows
    filtered[1:, 1:] -= rows[:-1]
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, (0, 4, 2, 6)[channels - 1], 0, 0, 0)), *_chunks(metadata)]
    chunks += [(b"IDAT", zlib.compress(filtered.data, LEVEL)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def _chunks(metadata: Metadata) -> Iterator[tuple[bytes, bytes]]:
    if metadata.profile:
        yield b"iCCP", b"ICC Profile\0\0" + zlib.compress(metadata.profile)
    if metadata.dpi:
        yield b"pHYs", struct.pack(">IIB", *(round(dpi / 0.0254) for dpi in metadata.dpi), 1)
    if metadata.exif:
        yield b"eXIf", bytes(metadata.exif)[6:]
    if metadata.xmp:
        yield b"iTXt", XMP_KEYWORD.encode() + bytes(5) + metadata.xmp


def tiff(pixels: UInt[np.ndarray, "h w c"], metadata: Metadata) -> bytes:
    """Return a deflated TIFF. pixels: uint8 or uint16, (height, width, channels) as for `png`."""
    height, width, channels = pixels.shape
    order: Literal["<", ">"] = ">" if metadata.exif and metadata.exif.order == ">" else "<"

    def numbers(kind: int, *values: int) -> tuple[int, bytes]:
        return kind, struct.pack(order + {SHORT: "H", LONG: "I", RATIONAL: "I"}[kind] * len(values), *values)

    differences = pixels.copy(order="C")
    differences[:, 1:] -= pixels[:, :-1]
    ordered, rows = differences.astype(pixels.dtype.newbyteorder(order)), max(1, STRIP // differences[0].nbytes)
    strips = [zlib.compress(ordered[top : top + rows].data, LEVEL) for top in range(0, height, rows)]
    lengths = [len(strip) for strip in strips]
    data = b"".join([*strips, bytes(sum(lengths) % 2)])
    tags: Directory = {
        Base.ImageWidth: numbers(LONG, width),
        Base.ImageLength: numbers(LONG, height),
        Base.BitsPerSample: numbers(SHORT, *channels * [8 * pixels.itemsize]),
        Base.Compression: numbers(SHORT, 8),  # deflate
        Base.PhotometricInterpretation: numbers(SHORT, 2 if channels > 2 else 1),  # RGB, or black is zero
        Base.StripOffsets: numbers(LONG, *itertools.accumulate(lengths[:-1], initial=8)),
        Base.SamplesPerPixel: numbers(SHORT, channels),
        Base.RowsPerStrip: numbers(LONG, rows),
        Base.StripByteCounts: numbers(LONG, *lengths),
        SAMPLE_PREDICTOR: numbers(SHORT, 2),  # horizontal differences
    }
    if channels in (2, 4):
        tags[SAMPLES_ARE_ALPHA] = numbers(SHORT, 2)  # the colours are not multiplied by it
    if metadata.dpi:
        x, y = (Fraction(dpi).limit_denominator(10_000) for dpi in metadata.dpi)
        tags[Base.XResolution] = numbers(RATIONAL, x.numerator, x.denominator)
        tags[Base.YResolution] = numbers(RATIONAL, y.numerator, y.denominator)
        tags[RESOLUTION_UNIT] = numbers(SHORT, 2)  # inch
    if metadata.profile:
        tags[ICC_PROFILE] = (UNDEFINED, metadata.profile)
    if metadata.xmp:
        tags[XMP_PACKET] = (BYTE, metadata.xmp)
    exif_tags = metadata.exif.tags if metadata.exif else {}
    described = {tag: value for tag, value in exif_tags.items() if tag in DESCRIPTIVE_TAGS}
    return header(order, 8 + len(data)) + data + directory_bytes(described | tags, order, 8 + len(data))
