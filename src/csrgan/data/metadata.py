"""Metadata that are copied from one picture file to another: colour profile, EXIF, XMP and resolution."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from csrgan.data.exif import DESCRIPTIVE_TAGS, PREFIX, Exif

SEGMENT = 65_000  # bytes of EXIF or XMP that fit into one segment of a JPEG
XMP_ORIENTATION = re.compile(rb'(tiff:Orientation(?:="|>))[0-9]')
XMP_KEYWORD = "XML:com.adobe.xmp"  # in a PNG


@dataclass(frozen=True)
class Metadata:
    """profile: ICC; xmp: a packet; both empty if there is none. dpi: pixels an inch, horizontal and vertical."""

    profile: bytes = b""
    exif: Exif | None = None
    xmp: bytes = b""
    dpi: tuple[float, float] | None = None

    @classmethod
    def of(cls, image: Image.Image, data: bytes) -> Metadata:
        """Read the metadata of an open file; data: its bytes. What cannot be parsed is left out."""
        info = {name: value for name in ("icc_profile", "xmp") if isinstance(value := image.info.get(name), bytes)}
        exif = Exif.of(data, DESCRIPTIVE_TAGS) if image.format == "TIFF" else Exif.of(_exif(image))
        return cls(info.get("icc_profile", b""), exif, info.get("xmp", b""), _dpi(image.info.get("dpi")))

    def upright(self, width: int, height: int) -> Metadata:
        """Return the metadata for the picture turned upright, now width x height px."""
        return replace(
            self,
            exif=self.exif and self.exif.upright(width, height),
            xmp=XMP_ORIENTATION.sub(rb"\g<1>1", self.xmp),
            dpi=self.dpi[::-1] if self.dpi and self.exif and self.exif.sideways else self.dpi,
        )

    def options(self, suffix: str) -> dict[str, object]:
        """Return the options of Pillow's `save` for what the format of `suffix` can hold. For a TIFF see `encoding.tiff`."""
        exif = bytes(self.exif) if self.exif else b""
        result: dict[str, object] = {"icc_profile": self.profile, "exif": exif, "xmp": self.xmp, "dpi": self.dpi}
        if suffix in (".jpg", ".jpeg"):
            result |= {name: b"" for name, data in (("exif", exif), ("xmp", self.xmp)) if len(data) > SEGMENT}
        if suffix == ".png" and self.xmp:
            with suppress(UnicodeDecodeError):
                result["pnginfo"] = chunks = PngInfo()
                chunks.add_itxt(XMP_KEYWORD, self.xmp.decode())
        return {name: value for name, value in result.items() if value}


def _exif(image: Image.Image) -> bytes:
    """Return EXIF as a TIFF holds it. ImageMagick writes it into a PNG as text."""
    text = image.info.get("Raw profile type exif")
    with suppress(ValueError):
        data = image.info.get("exif") or (bytes.fromhex("".join(text.split("\n")[3:])) if isinstance(text, str) else b"")
        return data.removeprefix(PREFIX).removeprefix(PREFIX) if isinstance(data, bytes) else b""
    return b""


def _dpi(value: object) -> tuple[float, float] | None:
    """Return pixels an inch. None if there are none, or 1: Pillow's value for a TIFF without any."""
    if not isinstance(value, Iterable):
        return None
    with suppress(TypeError, ValueError, ArithmeticError):
        x, y = (float(number) for number in value)
        return (x, y) if min(x, y) > 1 and max(x, y) <= 65_535 else None
    return None
