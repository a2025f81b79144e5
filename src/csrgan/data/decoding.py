"""Decode what Pillow alone reads wrongly or slowly: 16 bits a channel, plain PNGs and EXIF orientation."""

from __future__ import annotations

import struct
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt
from kornia_rs.io import decode_image_png_u8
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from csrgan.errors import UserError

# The formats that are read, whatever a file's name says. Some others that Pillow opens run programs (EPS starts Ghostscript).
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
ORIENTATION = 0x0112  # EXIF tag
BITS_PER_SAMPLE = 258  # TIFF tag


def open_image(source: Path | BytesIO, name: Path | str) -> Image.Image:
    """Open a file without decoding it. Raises UserError, which calls it `name`, if its format is not one of FORMATS."""
    try:
        return Image.open(source, formats=FORMATS)
    except Exception as error:
        unknown = isinstance(error, UnidentifiedImageError)
        reason = f"its format is none of {', '.join(FORMATS)}" if unknown else error
        raise UserError(f"{name} cannot be read as a picture: {reason}.") from error


def orientation(image: Image.Image, data: bytes) -> int:
    """Return the EXIF orientation, 1 to 8, that decoded pixels will have. Pillow and OpenCV turn a TIFF upright themselves.

    data: the file, if it is a PNG. Its EXIF may come last, so Pillow would decode all of it to look for one.
    """
    marks = (b"eXIf", b"Raw profile type exif", b"tiff:Orientation")
    if image.format == "TIFF" or (image.format == "PNG" and not any(mark in data for mark in marks)):
        return 1
    with suppress(SyntaxError, struct.error):  # such as "not a TIFF file"
        value = image.getexif().get(ORIENTATION, 1)
        return value if value in range(1, 9) else 1
    return 1


def upright(pixels: UInt[np.ndarray, "h w *c"], orientation: int) -> UInt[np.ndarray, "h2 w2 *c"]:
    """Undo an EXIF orientation (1 to 8): 5 to 8 exchange the axes; then some axes are reversed."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def has_16_bits(image: Image.Image, data: bytes) -> bool:
    """Whether a channel has 16 bits. Pillow would reduce them to 8 if there are several channels."""
    if image.format == "PNG":
        return data[24] == 16  # in the header chunk, which comes first
    return isinstance(image, TiffImageFile) and 16 in np.atleast_1d(image.tag_v2.get(BITS_PER_SAMPLE, 1))


def decode_plain_png(image: Image.Image, data: bytes) -> NDArray[np.uint8] | None:
    """Decode a PNG of 8-bit RGB with kornia_rs, three times as fast as Pillow; return None for any other file."""
    if image.format == "PNG" and image.mode == "RGB" and "transparency" not in image.info and data[24] == 8:
        with suppress(Exception):  # Pillow then decides, and has the better message
            return np.asarray(decode_image_png_u8(data, (image.height, image.width), "rgb"))
    return None


def decode_16_bits(image: Image.Image, data: bytes) -> tuple[UInt[np.ndarray, "h w 3"], UInt[np.ndarray, "h w"] | None, bool]:
    """Return pixels, alpha and greyness, decoded by OpenCV: Pillow reduces 16-bit colour to 8 bits. image: the file as opened by
    Pillow. Raises ValueError if OpenCV cannot decode it, or finds another size."""
    raw = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if raw is None or raw.dtype != np.uint16:
        raise ValueError("OpenCV does not read this layout of 16-bit channels")
    if raw.shape[1::-1] != image.size:
        raise ValueError(f"its header says {image.width}x{image.height} pixels, its contents {raw.shape[1]}x{raw.shape[0]}")
    raw = raw if raw.ndim == 3 else raw[:, :, None]
    grey: bool = raw.shape[2] == 1 or (image.format == "PNG" and data[25] == 4)  # 4: grey and alpha, in the header chunk
    alpha = raw[:, :, 3] if raw.shape[2] == 4 else None
    if raw.shape[2] == 1 and isinstance(key := image.info.get("transparency"), int):
        alpha = np.where(raw[:, :, 0] == key, 0, 65535).astype(np.uint16)
    return np.repeat(raw, 3, axis=2) if raw.shape[2] == 1 else raw[:, :, 2::-1], alpha, grey
