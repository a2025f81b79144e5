"""What a picture file holds beside its pixels, and what is carried into another: colour profile, EXIF, XMP and resolution."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from csrgan.data.exif import HEAD, TOLD, Exif

SEGMENT = 65_000  # bytes that one segment of a JPEG takes of EXIF or XMP
TURNED = re.compile(rb'(tiff:Orientation(?:="|>))[0-9]')
XMP = "XML:com.adobe.xmp"  # its keyword in a PNG


@dataclass(frozen=True)
class Metadata:
    """profile: ICC; xmp: a packet; both empty where there is none. dpi: pixels an inch, along and down."""

    profile: bytes = b""
    exif: Exif | None = None
    xmp: bytes = b""
    dpi: tuple[float, float] | None = None

    @classmethod
    def of(cls, image: Image.Image, data: bytes) -> Metadata:
        """Of an open file; data: its bytes. What cannot be understood is left out."""
        held = {name: value for name in ("icc_profile", "xmp") if isinstance(value := image.info.get(name), bytes)}
        exif = Exif.of(data, TOLD) if image.format == "TIFF" else Exif.of(_exif(image))
        return cls(held.get("icc_profile", b""), exif, held.get("xmp", b""), _dpi(image.info.get("dpi")))

    def upright(self, width: int, height: int) -> Metadata:
        """Of the picture that has been turned upright and has so many pixels."""
        return replace(
            self,
            exif=self.exif and self.exif.upright(width, height),
            xmp=TURNED.sub(rb"\g<1>1", self.xmp),
            dpi=self.dpi[::-1] if self.dpi and self.exif and self.exif.turned else self.dpi,
        )

    def options(self, suffix: str) -> dict[str, object]:
        """For Pillow, what a file of this name can hold; of a TIFF see `encoding.tiff`."""
        exif = bytes(self.exif) if self.exif else b""
        found: dict[str, object] = {"icc_profile": self.profile, "exif": exif, "xmp": self.xmp, "dpi": self.dpi}
        if suffix in (".jpg", ".jpeg"):
            found |= {name: b"" for name, held in (("exif", exif), ("xmp", self.xmp)) if len(held) > SEGMENT}
        if suffix == ".png" and self.xmp:
            with suppress(UnicodeDecodeError):
                found["pnginfo"] = told = PngInfo()
                told.add_itxt(XMP, self.xmp.decode())
        return {name: value for name, value in found.items() if value}


def _exif(image: Image.Image) -> bytes:
    """As they stand in a TIFF. ImageMagick writes them into a PNG as text."""
    text = image.info.get("Raw profile type exif")
    with suppress(ValueError):
        found = image.info.get("exif") or (bytes.fromhex("".join(text.split("\n")[3:])) if isinstance(text, str) else b"")
        return found.removeprefix(HEAD).removeprefix(HEAD) if isinstance(found, bytes) else b""
    return b""


def _dpi(found: Any) -> tuple[float, float] | None:
    with suppress(TypeError, ValueError, ArithmeticError):
        along, down = (float(one) for one in found)
        return (along, down) if min(along, down) > 1 and max(along, down) <= 65_535 else None  # 1: Pillow's, where a TIFF has none
    return None
