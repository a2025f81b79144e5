"""Reading and writing one picture file, whatever its bit depth, alpha channel, palette, orientation or colour profile."""

from __future__ import annotations

import os
import struct
import warnings
import zlib
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Float, UInt
from kornia_rs.io import decode_image_png_u8
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile
from torch import Tensor

from csrgan.data import colour_profile, encoding
from csrgan.data.metadata import Metadata
from csrgan.data.search import SUFFIXES, Found, search, told
from csrgan.data.transparency import faint, opaque
from csrgan.errors import UserError

# What such a file may hold, whatever its name says. Of the others that Pillow opens, some run programs (EPS starts Ghostscript).
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
ALPHA = (".bmp", ".png", ".tif", ".tiff", ".webp")  # what an alpha channel can be written to
DEEP = (".png", ".tif", ".tiff")  # and 16 bits
PLAIN_COLOURS = (".bmp", ".ppm")  # and no colour profile
ORIENTATION = 0x0112  # EXIF tag
BITS_PER_SAMPLE = 258  # TIFF tag

NOTHING = Metadata()

# A file of a few bytes may declare a picture that fills the memory; below PLAIN pixels even a blank one is taken.
PLAIN, DENSEST = 32_000_000, 10_000  # px; px a byte

# A photograph of 100 megapixels is no attack; Pillow refuses what has twice as many and more.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


@dataclass(frozen=True)
class Picture:
    """A decoded picture, upright. pixels: (height, width, 3) uint8 or uint16, in the colours of its profile, which cover also what
    is transparent (see `opaque`); alpha: (height, width) of the same type. about: what the file said of it."""

    pixels: UInt[np.ndarray, "h w 3"]
    alpha: UInt[np.ndarray, "h w"] | None = None
    grey: bool = False
    about: Metadata = NOTHING

    @property
    def full_scale(self) -> int:
        return int(np.iinfo(self.pixels.dtype).max)

    @property
    def srgb(self) -> UInt[np.ndarray, "h w 3"]:
        """The pixels in sRGB, of as many bits."""
        if self._colours is None:
            return self.pixels
        return (self._colours.to_srgb(self.pixels) * np.float32(self.full_scale)).round().astype(self.pixels.dtype)

    @property
    def eight_bits(self) -> NDArray[np.uint8]:
        """The pixels as sRGB uint8; 16 bits are rounded."""
        return self.srgb if self.full_scale == 255 else _rounded(self.srgb)

    def tensor(self) -> Float[Tensor, "3 h w"]:
        """RGB float32 in [0,1]: sRGB, and what can hardly be seen is as the colours around it."""
        return torch.from_numpy(self._shown()).permute(2, 0, 1).contiguous()

    def from_srgb(self, restored: NDArray[np.float32]) -> NDArray[np.float32]:
        """A picture made of `tensor`, (h, w, 3) sRGB in [0,1] of this size or another, in the colours of the profile, in [0,1].

        What `tensor` does not show is put back: the part of colours that lies outside sRGB, and those that can hardly be seen.
        """
        if self._colours is None and not faint(self.alpha):
            return restored
        shown, found = (self._colours.from_srgb(one) if self._colours else one for one in (self._shown(), restored))
        unseen: np.ndarray = self.pixels.astype(np.float32) / self.full_scale - shown
        if unseen.shape != found.shape:
            unseen = cv2.resize(unseen, found.shape[1::-1], interpolation=cv2.INTER_CUBIC).reshape(found.shape)
        return (found + unseen).clip(0, 1).astype(np.float32)

    @property
    def _colours(self) -> colour_profile.Colours | None:
        return colour_profile.colours(self.about.profile, 8 * self.pixels.itemsize) if self.about.profile else None

    def _shown(self) -> NDArray[np.float32]:
        pixels = self._covered
        scaled: NDArray[np.float32] = pixels.astype(np.float32) / np.float32(self.full_scale)
        return self._colours.to_srgb(pixels) if self._colours else scaled

    @cached_property
    def _covered(self) -> UInt[np.ndarray, "h w 3"]:
        return opaque(self.pixels, self.alpha) if self.alpha is not None and faint(self.alpha) else self.pixels


def look(folder: str | Path, apart_from: Path | None = None) -> Found:
    """The picture files below `folder`, and what is left out there; see `search`. Raises UserError where there is no folder, or no
    picture in it."""
    root = Path(folder)
    if not root.is_dir():
        raise UserError(f"{folder} is not a folder.")
    result = search(root, apart_from)
    if not result.files:
        left = f"; {told(result.left)}" if result.left else ""
        raise UserError(f"{folder} holds no picture ({', '.join(suffix[1:] for suffix in SUFFIXES)}){left}.")
    return result


def find(folder: str | Path, apart_from: Path | None = None) -> list[Path]:
    """The files that `look` finds."""
    return look(folder, apart_from).files


def called(path: Path) -> str:
    """A path as text that can be written anywhere: bytes of its name that are no UTF-8 are told as \\xNN."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


def size(path: Path) -> tuple[int, int]:
    """Height and width in pixels as shown upright; nothing is decoded."""
    with _open(path, path) as image:
        try:
            turned = _orientation(image, path.read_bytes() if image.format == "PNG" else b"") >= 5
        except Exception as reason:
            raise UserError(f"{path} cannot be decoded: {reason}.") from reason
        return (image.width, image.height) if turned else (image.height, image.width)


def frames(source: Path | bytes) -> int:
    """How many pages or frames a file holds, of which the first is read: a TIFF, an animation. One where it cannot be told.

    A photograph of a telephone may hold a second one, of another kind; that is none.
    """
    with suppress(Exception), _open(BytesIO(source) if isinstance(source, bytes) else source, "") as image:
        return int(getattr(image, "n_frames", 1)) if image.format in ("GIF", "PNG", "TIFF", "WEBP") else 1
    return 1


def read(path: Path) -> Picture:
    """Decode a file: grey becomes RGB, a palette its colours, 16 bits stay 16 bits, and EXIF orientation is applied."""
    return decode(load(path), path)


def load(path: Path) -> bytes:
    """The bytes of a file. Raises UserError where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as reason:
        gone = path.is_symlink() and not path.exists()
        raise UserError(f"{path} cannot be read: {'a broken link' if gone else reason.strerror}.") from reason


def decode(data: bytes, name: Path | str) -> Picture:
    """The picture in the bytes of a file, as `read` gives it. name: how an error calls it."""
    with _open(BytesIO(data), name) as image:
        try:
            if image.width * image.height > max(PLAIN, DENSEST * len(data)):
                raise ValueError(f"{len(data)} bytes are too few for the {image.width}x{image.height} pixels that they declare")
            return _decoded(image, data, _orientation(image, data))
        except Exception as reason:
            raise UserError(f"{name} cannot be decoded: {reason}.") from reason


def write(path: Path, image: Float[Tensor, "3 h w"], like: Picture | None = None) -> None:
    """Encode an sRGB picture by the name's suffix, with the bit depth, alpha channel, greyness, colour profile, EXIF, XMP and
    resolution of `like`; whole or not at all.

    JPEG is written at quality 95 without chroma subsampling, WebP without loss. What the format cannot hold is left out.
    """
    suffix = path.suffix.lower()
    like = _held(like or Picture(np.zeros((1, 1, 3), np.uint8)), suffix)
    numbers = like.from_srgb(image.detach().clamp(0, 1).permute(1, 2, 0).numpy())
    scaled = (numbers.astype(np.float64) * like.full_scale).round()
    pixels: UInt[np.ndarray, "h w c"] = scaled.astype(like.pixels.dtype)
    if like.grey:
        pixels = scaled.mean(axis=2, keepdims=True).round().astype(like.pixels.dtype)
    if like.alpha is not None:
        alpha = like.alpha
        if alpha.shape != pixels.shape[:2]:
            alpha = cv2.resize(alpha, pixels.shape[1::-1], interpolation=cv2.INTER_CUBIC)
        pixels = np.concatenate([pixels, alpha[:, :, None]], axis=2)
    path.parent.mkdir(parents=True, exist_ok=True)
    # A name of its own, for that of the picture may be as long as a file system allows.
    unfinished = path.with_name(f".{zlib.crc32(path.name.encode(errors='surrogateescape')):08x}.part{path.suffix}")
    try:
        _encode(unfinished, pixels, like.about.upright(*pixels.shape[1::-1]))
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _encode(path: Path, pixels: UInt[np.ndarray, "h w c"], about: Metadata) -> None:
    suffix = path.suffix.lower()
    if suffix in (".tif", ".tiff"):
        path.write_bytes(encoding.tiff(pixels, about))
    elif pixels.itemsize > 1:
        path.write_bytes(encoding.png(pixels, about))
    else:
        options: dict[str, dict[str, int]] = {".webp": {"lossless": True}, ".jpg": {"quality": 95, "subsampling": 0}}
        options[".jpeg"] = options[".jpg"]
        image = Image.fromarray(pixels.squeeze(2) if pixels.shape[2] == 1 else pixels)
        image.save(path, None, **options.get(suffix, {}), **about.options(suffix))


def _held(like: Picture, suffix: str) -> Picture:
    """What a format can hold of a picture's kind, which the name need not tell: a PNG may be called a.jpg."""
    alpha = like.alpha if suffix in ALPHA else None
    grey = like.grey and not (suffix == ".bmp" and alpha is not None)
    pixels, about, tiff = like.pixels, like.about, suffix in (".tif", ".tiff")
    if like.full_scale > 255 and suffix not in DEEP:
        pixels, alpha = _rounded(pixels), None if alpha is None else _rounded(alpha)
    grey = grey and not (tiff and alpha is not None and like.full_scale > 255)  # which OpenCV does not read
    coloured = not grey or suffix == ".webp"
    if suffix in PLAIN_COLOURS or (coloured and like.grey and colour_profile.space(about.profile) == "GRAY"):
        pixels, about = Picture(pixels, about=about).srgb, replace(about, profile=b"")
    return Picture(pixels, alpha, grey, about)


def _rounded(deep: NDArray[np.uint16]) -> NDArray[np.uint8]:
    return (deep / 257).round().astype(np.uint8)


def _open(source: Path | BytesIO, name: Path | str) -> Image.Image:
    try:
        return Image.open(source, formats=FORMATS)
    except Exception as reason:
        said = (
            f"it holds no picture of a format that is read ({', '.join(FORMATS)})"
            if isinstance(reason, UnidentifiedImageError)
            else reason
        )
        raise UserError(f"{name} is no picture that can be read: {said}.") from reason


def _decoded(image: Image.Image, data: bytes, orientation: int) -> Picture:
    pixels: UInt[np.ndarray, "h w 3"]
    about, alpha, plain = Metadata.of(image, data), None, _plain_png(image, data)
    if _is_deep(image, data):
        pixels, alpha, grey = _read_16_bits(image, data)
    elif plain is not None:
        pixels, grey = plain, False
    elif image.mode in ("I", "F"):
        raise ValueError("its numbers have no full scale that is known")
    else:
        grey = image.mode in ("1", "L", "LA")
        if image.mode == "CMYK" and (srgb := colour_profile.cmyk_to_srgb(image, about.profile)):
            image, about = srgb, replace(about, profile=b"")
        if image.has_transparency_data:
            image = image.convert("RGBA")
            alpha = np.asarray(image.getchannel("A"))
        pixels = np.asarray(image.convert("RGB"))
    if about.profile and colour_profile.space(about.profile) not in (("RGB", "GRAY") if grey else ("RGB",)):
        about = replace(about, profile=b"")  # of other colours, or broken: nobody could make use of it
    pixels, alpha = _upright(pixels, orientation), None if alpha is None else _upright(alpha, orientation)
    if alpha is not None and alpha.min() == 0:
        pixels = np.where(alpha[:, :, None] == 0, opaque(pixels, alpha), pixels)  # a file may hold anything there
    return Picture(pixels, alpha, grey, about)


def _orientation(image: Image.Image, data: bytes) -> int:
    """1 to 8, see EXIF: how it will lie when decoded. Pillow and OpenCV turn a TIFF upright by themselves.

    data: of a PNG, the file. To look for EXIF Pillow would decode all of it, since they may come last.
    """
    marks = (b"eXIf", b"Raw profile type exif", b"tiff:Orientation")
    if image.format == "TIFF" or (image.format == "PNG" and not any(mark in data for mark in marks)):
        return 1
    with suppress(SyntaxError, struct.error):  # such as "not a TIFF file"
        found = image.getexif().get(ORIENTATION, 1)
        return found if found in range(1, 9) else 1
    return 1


def _is_deep(image: Image.Image, data: bytes) -> bool:
    """Whether a channel has 16 bits, which Pillow would reduce to 8 where there are several channels."""
    if image.format == "PNG":
        return data[24] == 16  # of the header chunk, which comes first
    return isinstance(image, TiffImageFile) and 16 in np.atleast_1d(image.tag_v2.get(BITS_PER_SAMPLE, 1))


def _plain_png(image: Image.Image, data: bytes) -> NDArray[np.uint8] | None:
    """The pixels of a PNG of 8-bit RGB, which kornia_rs decodes three times as fast as Pillow; None for any other file."""
    if image.format == "PNG" and image.mode == "RGB" and "transparency" not in image.info and data[24] == 8:
        with suppress(Exception):  # Pillow then has the last word, and the better sentence
            return np.asarray(decode_image_png_u8(data, (image.height, image.width), "rgb"))
    return None


def _read_16_bits(image: Image.Image, data: bytes) -> tuple[UInt[np.ndarray, "h w 3"], UInt[np.ndarray, "h w"] | None, bool]:
    """Pixels, alpha and greyness. Pillow reduces 16-bit colour to 8 bits; OpenCV does not. image: as Pillow has found it."""
    raw = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if raw is None or raw.dtype != np.uint16:
        raise ValueError("its 16 bits a channel are packed in a way that OpenCV does not read")
    if raw.shape[1::-1] != image.size:
        raise ValueError(f"it is {image.width}x{image.height} by its header, and {raw.shape[1]}x{raw.shape[0]} by its contents")
    raw = raw if raw.ndim == 3 else raw[:, :, None]
    grey: bool = raw.shape[2] == 1 or (image.format == "PNG" and data[25] == 4)  # 4: grey and alpha, by the header chunk
    alpha = raw[:, :, 3] if raw.shape[2] == 4 else None
    if raw.shape[2] == 1 and isinstance(key := image.info.get("transparency"), int):
        alpha = np.where(raw[:, :, 0] == key, 0, 65535).astype(np.uint16)
    return np.repeat(raw, 3, axis=2) if raw.shape[2] == 1 else raw[:, :, 2::-1], alpha, grey


def _upright(pixels: UInt[np.ndarray, "h w *c"], orientation: int) -> UInt[np.ndarray, "h2 w2 *c"]:
    """Undo an EXIF orientation (1 to 8): 5 to 8 exchange the axes; then some axes are reversed."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)
