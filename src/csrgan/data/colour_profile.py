"""Convert between the colours of an ICC profile and the sRGB that networks are trained on."""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import lru_cache
from io import BytesIO

import numpy as np
from jaxtyping import UInt
from numpy.typing import NDArray
from PIL import Image, ImageCms

STEPS = 65536  # values of a tabulated curve: every 16-bit level
STRIP = 1 << 18  # px that are converted at a time, so that a large photograph needs little extra memory
# Linear sRGB to CIE XYZ, adapted to D50, the white point of profiles (Bradford).
SRGB_TO_XYZ = np.array([[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]])


class Conversion(ABC):
    """Conversion between a profile's values and sRGB. Colours outside sRGB are clipped, channel by channel."""

    @abstractmethod
    def to_srgb(self, pixels: UInt[np.ndarray, "h w 3"]) -> NDArray[np.float32]:
        """Convert (height, width, 3) uint8 or uint16 to sRGB in [0,1]."""

    @abstractmethod
    def from_srgb(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        """Convert (height, width, 3) sRGB in [0,1] to the profile's values in [0,1]."""


def space(profile: bytes) -> str:
    """Return the colour space: RGB, GRAY, CMYK or another; empty if littleCMS cannot read the profile."""
    try:
        return ImageCms.ImageCmsProfile(BytesIO(profile)).profile.xcolor_space.strip() if profile else ""
    except Exception:  # of Pillow, or of the libraries below it
        return ""


@lru_cache(maxsize=8)
def conversion(profile: bytes, bits: int) -> Conversion | None:
    """Return the conversion for pictures of this profile and so many bits a channel.

    None means no conversion: the profile cannot be read, is neither RGB nor grey, or is that of sRGB; or the picture has 16 bits
    and the profile three-dimensional tables, which littleCMS converts in 8 bits here.
    """
    kind = space(profile)
    if kind not in ("RGB", "GRAY"):
        return None
    result: Conversion
    try:
        result = _Curves(profile, kind)
    except (ValueError, struct.error, IndexError, np.linalg.LinAlgError):
        if bits > 8 or kind != "RGB":
            return None
        try:
            result = _Tables(profile)
        except ImageCms.PyCMSError:
            return None
    levels = np.arange(0, 256, 15, dtype=np.uint8)
    probe = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(len(levels), -1, 3)
    if kind == "GRAY":
        probe = probe[:, :, :1].repeat(3, axis=2)
    return result if np.abs(result.to_srgb(probe) - probe / 255).max() > 1 / 255 else None


def cmyk_to_srgb(image: Image.Image, profile: bytes) -> Image.Image | None:
    """Convert a CMYK picture to sRGB; return None if the profile is not for CMYK or cannot be applied."""
    if space(profile) != "CMYK":
        return None
    try:
        srgb = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, ImageCms.ImageCmsProfile(BytesIO(profile)), srgb, outputMode="RGB")
    except ImageCms.PyCMSError:
        return None


class _Curves(Conversion):
    """A curve per channel and a matrix, as for displays and cameras; or the curve of a grey profile. In floating point.

    Raises ValueError if the profile is neither, or cannot be inverted.
    """

    def __init__(self, profile: bytes, kind: str) -> None:
        tags = _tags(profile)
        if profile[20:24] != b"XYZ ":
            raise ValueError("its connection space is not XYZ")
        curves = [_curve(tags.get(name, b"")) for name in ((b"rTRC", b"gTRC", b"bTRC") if kind == "RGB" else 3 * (b"kTRC",))]
        self.curves, self.inverse_curves = curves, [_inverse(curve) for curve in curves]
        self.matrix = np.eye(3)  # linear light: from the profile's primaries to sRGB's
        if kind == "RGB":
            columns = [_fixed_point(tags.get(name, b""), 3, 8) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
            self.matrix = np.linalg.solve(SRGB_TO_XYZ, np.stack(columns, axis=1))
        if np.linalg.cond(self.matrix) > 1000:
            raise ValueError("its primaries lie nearly in a plane")
        self.inverse_matrix = np.linalg.inv(self.matrix)

    def to_srgb(self, pixels: UInt[np.ndarray, "h w 3"]) -> NDArray[np.float32]:
        result = np.empty(pixels.shape, np.float32)
        step = (STEPS - 1) // np.iinfo(pixels.dtype).max
        for rows in _strips(pixels):
            levels = pixels[rows].astype(np.intp) * step
            linear = np.stack([curve[levels[:, :, k]] for k, curve in enumerate(self.curves)], axis=-1) @ self.matrix.T
            result[rows] = _interpolate(SRGB_INVERSE, np.sqrt(linear.clip(0, 1)))
        return result

    def from_srgb(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        result = np.empty(picture.shape, np.float32)
        for rows in _strips(picture):
            linear = (_interpolate(SRGB, picture[rows].astype(np.float64)) @ self.inverse_matrix.T).clip(0, 1)
            roots = np.sqrt(linear)
            for k, inverse in enumerate(self.inverse_curves):
                result[rows, :, k] = _interpolate(inverse, roots[:, :, k])
        return result


class _Tables(Conversion):
    """Three-dimensional tables, as for printers and scanners, applied by littleCMS in 8 bits. Raises PyCMSError if it cannot."""

    def __init__(self, profile: bytes) -> None:
        own, srgb = ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB")
        self.forward = ImageCms.buildTransform(own, srgb, "RGB", "RGB")
        self.backward = ImageCms.buildTransform(srgb, own, "RGB", "RGB")

    def to_srgb(self, pixels: UInt[np.ndarray, "h w 3"]) -> NDArray[np.float32]:
        return self._apply(self.forward, pixels)

    def from_srgb(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._apply(self.backward, (picture * 255).round().astype(np.uint8))

    def _apply(self, transform: ImageCms.ImageCmsTransform, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        result = ImageCms.applyTransform(Image.fromarray(pixels), transform)
        assert result is not None
        return np.asarray(result, np.float32) / np.float32(255)


def _strips(picture: np.ndarray) -> Iterator[slice]:
    """Yield slices of rows of about STRIP px."""
    height, width = picture.shape[:2]
    step = max(1, STRIP // width)
    yield from (slice(top, top + step) for top in range(0, height, step))


def _tags(profile: bytes) -> dict[bytes, bytes]:
    """Return the parts of a profile by their signatures."""
    (count,) = struct.unpack(">I", profile[128:132])
    entries = (struct.unpack(">4sII", profile[index : index + 12]) for index in range(132, 132 + 12 * min(count, 100), 12))
    return {name: profile[start : start + length] for name, start, length in entries}


def _fixed_point(tag: bytes, count: int, start: int) -> NDArray[np.float64]:
    return np.frombuffer(tag, ">i4", count, start) / 65536  # s15Fixed16Number


def _interpolate(table: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Interpolate a table of values over [0,1] linearly at x."""
    position = x * (STEPS - 1)
    below = np.minimum(position.astype(np.intp), STEPS - 2)
    return table[below] + (position - below) * (table[below + 1] - table[below])


def _inverse(curve: NDArray[np.float64]) -> NDArray[np.float64]:
    """Tabulate the inverse over the square root of linear light, in which the curves in use are nearly linear."""
    x = np.linspace(0, 1, STEPS)
    return np.interp(x**2, curve, x)


def _curve(tag: bytes) -> NDArray[np.float64]:
    """Return the linear light of every 16-bit level, from a curve or parametric curve (ICC.1:2022, 10.6 and 10.18).

    Raises ValueError if the tag is neither, or the curve cannot be inverted.
    """
    x = np.linspace(0, 1, STEPS)
    if tag[:4] == b"curv":
        (count,) = struct.unpack(">I", tag[8:12])
        table = np.frombuffer(tag, ">u2", count, 12) if count else np.arange(2) * 65535
        result = x ** (table[0] / 256) if count == 1 else np.interp(x, np.linspace(0, 1, len(table)), table / 65535)
    elif tag[:4] == b"para":
        (function,) = struct.unpack(">H", tag[8:10])
        coefficients: list[float] = _fixed_point(tag, (1, 3, 4, 5, 7)[function], 12).tolist()
        g, a, b, c, d, e, f = coefficients + (7 - len(coefficients)) * [0.0]
        if function == 0:
            a = 1.0
        elif function in (1, 2):
            c, d, e, f = 0.0, -b / a if a else 0.0, c, c
        with np.errstate(all="ignore"):
            result = np.where(x >= d, np.maximum(a * x + b, 0) ** g + e, c * x + f)
    else:
        raise ValueError("it is not a curve")
    result = result.clip(0, 1)
    if not (np.diff(result) >= 0).all() or result[-1] - result[0] < 0.5:
        raise ValueError("its curve cannot be inverted")
    return result


_LEVELS = np.linspace(0, 1, STEPS)
SRGB = np.where(_LEVELS <= 0.04045, _LEVELS / 12.92, ((_LEVELS + 0.055) / 1.055) ** 2.4)  # IEC 61966-2-1: linear light
SRGB_INVERSE = _inverse(SRGB)
