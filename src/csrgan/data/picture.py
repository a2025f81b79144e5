"""Read and write one picture file of any bit depth, alpha channel, palette, orientation or colour profile."""

from __future__ import annotations

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
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from csrgan import files
from csrgan.data import colour_profile, decoding, encoding
from csrgan.data.metadata import Metadata
from csrgan.data.transparency import fill_faint, has_faint
from csrgan.errors import UserError

# Suffixes of formats that hold an alpha channel, that hold 16 bits, and that hold no colour profile.
ALPHA = (".bmp", ".png", ".tif", ".tiff", ".webp")
DEEP = (".png", ".tif", ".tiff")
NO_PROFILE = (".bmp", ".ppm")

NO_METADATA = Metadata()

called = files.called

STRIP = 2**18  # px that are converted at a time

# A file of a few bytes may declare a picture that fills the memory; up to PLAIN pixels even a blank one is accepted.
PLAIN, DENSEST = 32_000_000, 10_000  # px; px a byte

# A photograph of 100 megapixels is no attack; Pillow refuses twice as many and more.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


@dataclass(frozen=True)
class Picture:
    """A decoded, upright picture.

    pixels: (height, width, 3) uint8 or uint16 in the colours of its profile, filled where nothing is visible (see `fill_faint`).
    alpha: (height, width) of the same type. metadata: what else the file holds.
    """

    pixels: UInt[np.ndarray, "h w 3"]
    alpha: UInt[np.ndarray, "h w"] | None = None
    grey: bool = False
    metadata: Metadata = NO_METADATA

    @property
    def full_scale(self) -> int:
        return int(np.iinfo(self.pixels.dtype).max)

    @property
    def srgb(self) -> UInt[np.ndarray, "h w 3"]:
        """The pixels in sRGB, with the same number of bits."""
        if self._conversion is None:
            return self.pixels
        return (self._conversion.to_srgb(self.pixels) * np.float32(self.full_scale)).round().astype(self.pixels.dtype)

    @property
    def eight_bits(self) -> NDArray[np.uint8]:
        """The pixels as sRGB uint8; 16 bits are rounded."""
        return self.srgb if self.full_scale == 255 else _to_8_bits(self.srgb)

    @property
    def height(self) -> int:
        return self.pixels.shape[0]

    @property
    def width(self) -> int:
        return self.pixels.shape[1]

    def tensor(self) -> Float[Tensor, "3 h w"]:
        """Return sRGB float32 in [0,1]; pixels that are hardly visible take the colours around them."""
        return self.part(slice(None), slice(None))[0]

    def part(self, rows: slice, columns: slice) -> Float[Tensor, "1 3 h w"]:
        """Return these rows and columns of `tensor`."""
        return torch.from_numpy(self._visible_srgb(rows, columns)).permute(2, 0, 1).contiguous()[None]

    def from_srgb(self, restored: NDArray[np.float32], first: int = 0, height: int | None = None) -> NDArray[np.float32]:
        """Convert rows of a restoration of `tensor` to the colours of the profile, in [0,1].

        restored: (n, w, 3) sRGB in [0,1], of this size or another. first: number of the first row. height: of the whole
        restoration; None: these rows are all. What `tensor` hides is added again: the part of colours outside sRGB, and pixels that
        are hardly visible.
        """
        if self._conversion is None and not has_faint(self.alpha):
            return restored
        result = self._conversion.from_srgb(restored) if self._conversion else restored
        rows, size = slice(first, first + len(restored)), (height or len(restored), restored.shape[1])
        hidden = self._hidden(rows) if size == (self.height, self.width) else self._hidden_at(size)[rows]
        return (result + hidden).clip(0, 1).astype(np.float32)

    def _hidden(self, rows: slice) -> NDArray[np.float32]:
        """Return rows of what `tensor` hides."""
        visible = self._visible_srgb(rows)
        visible = self._conversion.from_srgb(visible) if self._conversion else visible
        shown: NDArray[np.float32] = self.pixels[rows].astype(np.float32) / np.float32(self.full_scale)
        return shown - visible

    def _hidden_at(self, size: tuple[int, int]) -> NDArray[np.float32]:
        """Return what `tensor` hides at another size, height and width."""
        if size not in self._resized:
            hidden = cv2.resize(self._hidden(slice(None)), size[::-1], interpolation=cv2.INTER_CUBIC)
            self._resized[size] = hidden.reshape(*size, 3).astype(np.float32, copy=False)
        return self._resized[size]

    @cached_property
    def _resized(self) -> dict[tuple[int, int], NDArray[np.float32]]:
        return {}

    @property
    def _conversion(self) -> colour_profile.Conversion | None:
        profile = self.metadata.profile
        return colour_profile.conversion(profile, 8 * self.pixels.itemsize) if profile else None

    def _visible_srgb(self, rows: slice = slice(None), columns: slice = slice(None)) -> NDArray[np.float32]:
        pixels = self._filled[rows, columns]
        scaled: NDArray[np.float32] = pixels.astype(np.float32) / np.float32(self.full_scale)
        return self._conversion.to_srgb(pixels) if self._conversion else scaled

    @cached_property
    def _filled(self) -> UInt[np.ndarray, "h w 3"]:
        return fill_faint(self.pixels, self.alpha) if self.alpha is not None and has_faint(self.alpha) else self.pixels


def size(path: Path, name: Path | str = "") -> tuple[int, int]:
    """Return height and width in pixels of the upright picture, without decoding it. name: what an error calls it; "": its path."""
    name = name or path
    with decoding.open_image(path, name) as image:
        try:
            sideways = decoding.orientation(image, path.read_bytes() if image.format == "PNG" else b"") >= 5
        except Exception as error:
            raise UserError(f"{name} cannot be decoded: {error}.") from error
        return (image.width, image.height) if sideways else (image.height, image.width)


def frames(source: Path | bytes) -> int:
    """Return how many pages (TIFF) or frames (animation) a file holds, of which the first is read; 1 if that is unknown.

    The second picture in the photograph of a telephone does not count: it is of another kind.
    """
    with suppress(Exception), decoding.open_image(BytesIO(source) if isinstance(source, bytes) else source, "") as image:
        return int(getattr(image, "n_frames", 1)) if image.format in ("GIF", "PNG", "TIFF", "WEBP") else 1
    return 1


def read(path: Path) -> Picture:
    """Decode a file: grey becomes RGB, a palette its colours, 16 bits stay 16 bits, and EXIF orientation is applied."""
    return decode(load(path), path)


def load(path: Path) -> bytes:
    """Return the bytes of a file. Raises UserError if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        broken = path.is_symlink() and not path.exists()
        raise UserError(f"{path} cannot be read: {'a broken link' if broken else error.strerror}.") from error


def decode(data: bytes, name: Path | str) -> Picture:
    """Decode the bytes of a file, as `read` does. name: what an error calls it."""
    with decoding.open_image(BytesIO(data), name) as image:
        try:
            if image.width * image.height > max(PLAIN, DENSEST * len(data)):
                raise ValueError(f"{len(data)} bytes are too few for the {image.width}x{image.height} pixels that they declare")
            return _decode_image(image, data, decoding.orientation(image, data))
        except Exception as error:
            raise UserError(f"{name} cannot be decoded: {error}.") from error


class Canvas:
    """Takes an sRGB picture some rows at a time, and keeps it as the file of a format will hold it.

    It takes bit depth, alpha channel, greyness, colour profile, EXIF, XMP and resolution from `like`, as far as the format of
    `suffix` can hold them.
    """

    def __init__(self, suffix: str, like: Picture | None = None) -> None:
        self.like = _reduced(like or Picture(np.zeros((1, 1, 3), np.uint8)), suffix.lower())
        self.pixels: UInt[np.ndarray, "h w c"] = np.empty((0, 0, 3), np.uint8)

    def put(self, rows: Float[Tensor, "1 3 n w"], first: int, height: int) -> None:
        """Take rows, from the top. first: number of the first; height: of the whole picture."""
        like, width = self.like, rows.shape[-1]
        channels, alpha = (1 if like.grey else 3), like.alpha is not None
        if first == 0:
            self.pixels = np.empty((height, width, channels + alpha), like.pixels.dtype)
        strip = max(1, STRIP // width)
        for top in range(0, rows.shape[-2], strip):
            part = rows[0, :, top : top + strip].detach().cpu().clamp(0, 1).permute(1, 2, 0).numpy()
            scaled = like.from_srgb(part, first + top, height).astype(np.float64)
            scaled *= like.full_scale
            scaled.round(out=scaled)
            if like.grey:
                scaled = scaled.mean(axis=2, keepdims=True).round()
            self.pixels[first + top : first + top + len(part), :, :channels] = scaled.astype(like.pixels.dtype)

    def finished(self) -> UInt[np.ndarray, "h w c"]:
        """Return the pixels with the alpha channel of `like`."""
        if (alpha := self.like.alpha) is not None:
            if alpha.shape != self.pixels.shape[:2]:
                alpha = cv2.resize(alpha, self.pixels.shape[1::-1], interpolation=cv2.INTER_CUBIC)
            self.pixels[:, :, -1] = alpha
        return self.pixels

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return the shape of the picture as a tensor."""
        return 3, *self.pixels.shape[:2]


def write(path: Path, image: Float[Tensor, "3 h w"] | Canvas, like: Picture | None = None) -> None:
    """Write an sRGB picture, completely or not at all, in the format of the suffix. For `like` see `Canvas`; a canvas has its own.

    JPEG is written at quality 95 without chroma subsampling, WebP without loss.
    """
    if isinstance(image, Tensor):
        canvas = Canvas(path.suffix, like)
        canvas.put(image[None], 0, image.shape[-2])
    else:
        canvas = image
    pixels = canvas.finished()
    path.parent.mkdir(parents=True, exist_ok=True)
    # A hash, because the picture's own name may already be as long as the file system allows.
    unfinished = path.with_name(f".{zlib.crc32(path.name.encode(errors='surrogateescape')):08x}.part{path.suffix}")
    try:
        _encode(unfinished, pixels, canvas.like.metadata.upright(*pixels.shape[1::-1]))
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _encode(path: Path, pixels: UInt[np.ndarray, "h w c"], metadata: Metadata) -> None:
    suffix = path.suffix.lower()
    if suffix in (".tif", ".tiff"):
        path.write_bytes(encoding.tiff(pixels, metadata))
    elif pixels.itemsize > 1:
        path.write_bytes(encoding.png(pixels, metadata))
    else:
        options: dict[str, dict[str, int]] = {".webp": {"lossless": True}, ".jpg": {"quality": 95, "subsampling": 0}}
        options[".jpeg"] = options[".jpg"]
        image = Image.fromarray(pixels.squeeze(2) if pixels.shape[2] == 1 else pixels)
        image.save(path, None, **options.get(suffix, {}), **metadata.options(suffix))


def _reduced(like: Picture, suffix: str) -> Picture:
    """Reduce a picture to what the format of `suffix` can hold. It may come from another format: a PNG may be named a.jpg."""
    alpha = like.alpha if suffix in ALPHA else None
    grey = like.grey and not (suffix == ".bmp" and alpha is not None)
    pixels, metadata, tiff = like.pixels, like.metadata, suffix in (".tif", ".tiff")
    if like.full_scale > 255 and suffix not in DEEP:
        pixels, alpha = _to_8_bits(pixels), None if alpha is None else _to_8_bits(alpha)
    grey = grey and not (tiff and alpha is not None and like.full_scale > 255)  # OpenCV does not read 16-bit grey with alpha
    rgb = not grey or suffix == ".webp"
    if suffix in NO_PROFILE or (rgb and like.grey and colour_profile.space(metadata.profile) == "GRAY"):
        pixels, metadata = Picture(pixels, metadata=metadata).srgb, replace(metadata, profile=b"")
    return Picture(pixels, alpha, grey, metadata)


def _to_8_bits(deep: NDArray[np.uint16]) -> NDArray[np.uint8]:
    return (deep / 257).round().astype(np.uint8)


def _decode_image(image: Image.Image, data: bytes, orientation: int) -> Picture:
    pixels: UInt[np.ndarray, "h w 3"]
    metadata, alpha, plain = Metadata.of(image, data), None, decoding.decode_plain_png(image, data)
    if decoding.has_16_bits(image, data):
        pixels, alpha, grey = decoding.decode_16_bits(image, data)
    elif plain is not None:
        pixels, grey = plain, False
    elif image.mode in ("I", "F"):
        raise ValueError(f"the full scale of its values (Pillow's mode {image.mode}) is unknown")
    else:
        grey = image.mode in ("1", "L", "LA")
        if image.mode == "CMYK" and (srgb := colour_profile.cmyk_to_srgb(image, metadata.profile)):
            image, metadata = srgb, replace(metadata, profile=b"")
        if image.has_transparency_data:
            image = image.convert("RGBA")
            alpha = np.asarray(image.getchannel("A"))
        pixels = np.asarray(image.convert("RGB"))
    if metadata.profile and colour_profile.space(metadata.profile) not in (("RGB", "GRAY") if grey else ("RGB",)):
        metadata = replace(metadata, profile=b"")  # for other colours, or broken: useless here
    pixels, alpha = decoding.upright(pixels, orientation), None if alpha is None else decoding.upright(alpha, orientation)
    if alpha is not None and alpha.min() == 0:
        pixels = np.where(alpha[:, :, None] == 0, fill_faint(pixels, alpha), pixels)  # a file may hold anything there
    return Picture(pixels, alpha, grey, metadata)
