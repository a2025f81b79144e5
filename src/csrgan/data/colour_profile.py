"""ICC profiles: from a file's colours to the sRGB that networks know, and back."""

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

STEPS = 65536  # at which a curve is known: every 16-bit level
ROWS = 1 << 18  # px that are converted at a time, so that a large photograph takes little more memory
# Linear sRGB to CIE XYZ, adapted to the D50 that profiles are written for (Bradford).
FROM_SRGB = np.array([[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]])


class Colours(ABC):
    """What a profile says of numbers. Colours outside sRGB become the nearest on its border, channel by channel."""

    @abstractmethod
    def to_srgb(self, pixels: UInt[np.ndarray, "h w 3"]) -> NDArray[np.float32]:
        """(height, width, 3) uint8 or uint16 to sRGB in [0,1]."""

    @abstractmethod
    def from_srgb(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        """(height, width, 3) sRGB in [0,1] to the profile's own numbers in [0,1]."""


def space(profile: bytes) -> str:
    """RGB, GRAY, CMYK or another; empty where the bytes are no profile that littleCMS can read."""
    try:
        return ImageCms.ImageCmsProfile(BytesIO(profile)).profile.xcolor_space.strip() if profile else ""
    except Exception:  # Pillow's own, and those of its parts
        return ""


@lru_cache(maxsize=8)
def colours(profile: bytes, bits: int) -> Colours | None:
    """How to convert a picture of this profile and so many bits a channel. None: it is not converted, as it has no profile that
    can be read, or one of sRGB, or 16 bits and a profile of tables in three dimensions, which littleCMS does in 8 bits here."""
    kind = space(profile)
    if kind not in ("RGB", "GRAY"):
        return None
    found: Colours
    try:
        found = _Curves(profile, kind)
    except (ValueError, struct.error, IndexError, np.linalg.LinAlgError):
        if bits > 8 or kind != "RGB":
            return None
        try:
            found = _Tables(profile)
        except ImageCms.PyCMSError:
            return None
    levels = np.arange(0, 256, 15, dtype=np.uint8)
    probe = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(len(levels), -1, 3)
    if kind == "GRAY":
        probe = probe[:, :, :1].repeat(3, axis=2)
    return found if np.abs(found.to_srgb(probe) - probe / 255).max() > 1 / 255 else None


def cmyk_to_srgb(image: Image.Image, profile: bytes) -> Image.Image | None:
    """RGB of a CMYK picture; None where the profile is none of CMYK."""
    if space(profile) != "CMYK":
        return None
    try:
        srgb = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, ImageCms.ImageCmsProfile(BytesIO(profile)), srgb, outputMode="RGB")
    except ImageCms.PyCMSError:
        return None


class _Curves(Colours):
    """A curve for each channel and a matrix, as of displays and cameras; or the curve of a grey profile. In floating point.

    Raises ValueError where the profile is none of these, or cannot be undone.
    """

    def __init__(self, profile: bytes, kind: str) -> None:
        tags = _tags(profile)
        if profile[20:24] != b"XYZ ":
            raise ValueError("not of XYZ")
        curves = [_curve(tags.get(name, b"")) for name in ((b"rTRC", b"gTRC", b"bTRC") if kind == "RGB" else 3 * (b"kTRC",))]
        self.curves, self.inverse = curves, [_inverse(curve) for curve in curves]
        self.matrix = np.eye(3)  # linear, from the profile's to sRGB's
        if kind == "RGB":
            columns = [_numbers(tags.get(name, b""), 3, 8) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
            self.matrix = np.linalg.solve(FROM_SRGB, np.stack(columns, axis=1))
        if np.linalg.cond(self.matrix) > 1000:
            raise ValueError("its colours lie in a plane")
        self.back = np.linalg.inv(self.matrix)

    def to_srgb(self, pixels: UInt[np.ndarray, "h w 3"]) -> NDArray[np.float32]:
        found = np.empty(pixels.shape, np.float32)
        step = (STEPS - 1) // np.iinfo(pixels.dtype).max
        for rows in _strips(pixels):
            levels = pixels[rows].astype(np.intp) * step
            linear = np.stack([curve[levels[:, :, k]] for k, curve in enumerate(self.curves)], axis=-1) @ self.matrix.T
            found[rows] = _at(SRGB_INVERSE, np.sqrt(linear.clip(0, 1)))
        return found

    def from_srgb(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        found = np.empty(picture.shape, np.float32)
        for rows in _strips(picture):
            place = np.sqrt((_at(SRGB, picture[rows].astype(np.float64)) @ self.back.T).clip(0, 1))
            for k, inverse in enumerate(self.inverse):
                found[rows, :, k] = _at(inverse, place[:, :, k])
        return found


class _Tables(Colours):
    """Tables in three dimensions, as of printers and scanners, by littleCMS in 8 bits. Raises PyCMSError where it cannot."""

    def __init__(self, profile: bytes) -> None:
        own, srgb = ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB")
        self.to = ImageCms.buildTransform(own, srgb, "RGB", "RGB")
        self.back = ImageCms.buildTransform(srgb, own, "RGB", "RGB")

    def to_srgb(self, pixels: UInt[np.ndarray, "h w 3"]) -> NDArray[np.float32]:
        return self._applied(self.to, pixels)

    def from_srgb(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._applied(self.back, (picture * 255).round().astype(np.uint8))

    def _applied(self, transform: ImageCms.ImageCmsTransform, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        found = ImageCms.applyTransform(Image.fromarray(pixels), transform)
        assert found is not None
        return np.asarray(found, np.float32) / np.float32(255)


def _strips(picture: np.ndarray) -> Iterator[slice]:
    height, width = picture.shape[:2]
    step = max(1, ROWS // width)
    yield from (slice(top, top + step) for top in range(0, height, step))


def _tags(profile: bytes) -> dict[bytes, bytes]:
    """The parts of a profile by their signatures."""
    (count,) = struct.unpack(">I", profile[128:132])
    entries = (struct.unpack(">4sII", profile[index : index + 12]) for index in range(132, 132 + 12 * min(count, 100), 12))
    return {name: profile[start : start + length] for name, start, length in entries}


def _numbers(tag: bytes, count: int, start: int) -> NDArray[np.float64]:
    return np.frombuffer(tag, ">i4", count, start) / 65536  # s15Fixed16Number


def _at(table: NDArray[np.float64], place: NDArray[np.float64]) -> NDArray[np.float64]:
    """A table's values at places in [0,1], linear in between."""
    place = place * (STEPS - 1)
    below = np.minimum(place.astype(np.intp), STEPS - 2)
    return table[below] + (place - below) * (table[below + 1] - table[below])


def _inverse(curve: NDArray[np.float64]) -> NDArray[np.float64]:
    """By the root of linear light, of which all that are used are nearly linear functions."""
    x = np.linspace(0, 1, STEPS)
    return np.interp(x**2, curve, x)


def _curve(tag: bytes) -> NDArray[np.float64]:
    """Linear light of every 16-bit level, of a curve or parametric curve (ICC.1:2022, 10.6 and 10.18). Raises ValueError."""
    x = np.linspace(0, 1, STEPS)
    if tag[:4] == b"curv":
        (count,) = struct.unpack(">I", tag[8:12])
        table = np.frombuffer(tag, ">u2", count, 12) if count else np.arange(2) * 65535
        result = x ** (table[0] / 256) if count == 1 else np.interp(x, np.linspace(0, 1, len(table)), table / 65535)
    elif tag[:4] == b"para":
        (function,) = struct.unpack(">H", tag[8:10])
        given: list[float] = _numbers(tag, (1, 3, 4, 5, 7)[function], 12).tolist()
        g, a, b, c, d, e, f = given + (7 - len(given)) * [0.0]
        if function == 0:
            a = 1.0
        elif function in (1, 2):
            c, d, e, f = 0.0, -b / a if a else 0.0, c, c
        with np.errstate(all="ignore"):
            result = np.where(x >= d, np.maximum(a * x + b, 0) ** g + e, c * x + f)
    else:
        raise ValueError("no curve")
    result = result.clip(0, 1)
    if not (np.diff(result) >= 0).all() or result[-1] - result[0] < 0.5:
        raise ValueError("a curve that cannot be undone")
    return result


_LEVELS = np.linspace(0, 1, STEPS)
SRGB = np.where(_LEVELS <= 0.04045, _LEVELS / 12.92, ((_LEVELS + 0.055) / 1.055) ** 2.4)  # IEC 61966-2-1: linear light
SRGB_INVERSE = _inverse(SRGB)
