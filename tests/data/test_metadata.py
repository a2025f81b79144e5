"""Metadata are copied to the written file byte for byte, except that the picture is upright."""

from __future__ import annotations

import io
import resource
import struct
import time
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import profiles
import pytest
import torch
from PIL import Image
from PIL.ExifTags import IFD, Base
from PIL.TiffImagePlugin import IFDRational

from csrgan.data import decoding, picture
from csrgan.data.exif import Exif

RNG = np.random.default_rng(0)
COLOUR = cv2.resize(RNG.integers(0, 256, (6, 8, 3), np.uint8), (30, 20))
P3 = profiles.rgb("display-p3")
GPS = {1: "N", 2: (48.0, 7.0, 12.3)}
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a tiff:Orientation="6" b="\xc3\xa4"/></x:xmpmeta>'


def camera(orientation: int = 6) -> Image.Exif:
    """Return EXIF as a camera writes it, with nested directories and a thumbnail."""
    found = Image.Exif()
    found[Base.Make], found[Base.Artist], found[Base.Orientation] = "Maker", "J\u00f6rg", orientation
    found[IFD.Exif] = {
        Base.ExposureTime: IFDRational(1, 125), Base.ISOSpeedRatings: 200, Base.MakerNote: bytes(range(256)),
        Base.ExifImageWidth: 30, Base.ExifImageHeight: 20, Base.LensModel: "35 mm",
    }  # fmt: skip
    found[IFD.GPSInfo] = GPS | {2: tuple(IFDRational(round(10 * part), 10) for part in GPS[2])}
    return found


def said(image: Image.Image) -> dict[str, Any]:
    """Return all tags as Pillow reads them, by directory, without those of a TIFF's layout."""
    exif = image.getexif()
    layout = {IFD.Exif, IFD.GPSInfo, *range(254, 270), *range(273, 274), *range(275, 300), 317, 338, 339, 700, 34675}
    return {"first": {tag: value for tag, value in exif.items() if tag not in layout}} | {
        part.name: dict(exif.get_ifd(part)) for part in (IFD.Exif, IFD.GPSInfo)
    }


def deep(file: Path, channels: int = 3) -> Path:
    """Write a 16-bit file with all kinds of metadata."""
    like = picture.Picture(
        np.repeat(COLOUR[:, :, :1], 3, axis=2).astype(np.uint16) * 257 if channels < 3 else COLOUR.astype(np.uint16) * 257
    )
    exif = Exif.of(camera().tobytes()[6:])
    metadata = picture.Metadata(profiles.grey(1.8) if channels < 3 else P3, exif, XMP, (300.0, 200.0))
    alpha = None if channels % 2 else np.full(COLOUR.shape[:2], 40_000, np.uint16)
    picture.write(file, like.tensor(), picture.Picture(like.pixels, alpha, channels < 3, metadata))
    return file


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
def test_profile_exif_and_resolution_are_copied(tmp_path: Path, suffix: str) -> None:
    file, again = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
    Image.fromarray(COLOUR).save(file, icc_profile=P3, exif=camera().tobytes(), dpi=(300, 200), lossless=True)
    found = picture.read(file)
    picture.write(again, found.tensor(), like=found)
    with Image.open(file) as before, Image.open(again) as after:
        expected = said(before)
        assert expected["Exif"][Base.MakerNote] == bytes(range(256))
        if suffix != "tif":  # of which Pillow turns the picture and forgets how it lay
            assert expected["first"].pop(Base.Orientation) == 6
        told = said(after)
        assert told["first"].pop(Base.Orientation, 1) == 1
        assert after.size == (20, 30)
        assert (told["Exif"].pop(Base.ExifImageWidth), told["Exif"].pop(Base.ExifImageHeight)) == (20, 30)
        del expected["Exif"][Base.ExifImageWidth], expected["Exif"][Base.ExifImageHeight]
        expected["first"].pop(Base.Orientation, None)
        assert told == expected
        assert after.info["icc_profile"] == P3
        assert suffix == "webp" or after.info["dpi"] == pytest.approx((200, 300), abs=0.01)  # turned with the picture


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_16_bit_files_keep_their_metadata(tmp_path: Path, suffix: str, channels: int) -> None:
    file = deep(tmp_path / f"a.{suffix}", channels)
    found = picture.read(file)
    assert np.abs(found.eight_bits[:, :, 0].astype(int) - picture.read(file).eight_bits[:, :, 0]).max() == 0
    with Image.open(file) as image:
        grey_alpha = (channels, suffix) == (2, "tif")  # written as RGB and alpha, since nobody reads the other
        assert image.info.get("icc_profile") == (None if grey_alpha else profiles.grey(1.8) if channels < 3 else P3)
        assert image.info["dpi"] == pytest.approx((200, 300), abs=0.01)
        assert said(image)["Exif"][Base.LensModel] == "35 mm"
        assert said(image)["GPSInfo"] == GPS
        assert image.info["xmp"] == XMP.replace(b'"6"', b'"1"')
    assert found.full_scale == 65535
    assert (found.alpha is not None) == (channels in (2, 4))
    raw = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
    assert raw.dtype == np.uint16  # OpenCV, a witness, reads it


def test_a_thumbnail_is_not_copied(tmp_path: Path) -> None:
    small = io.BytesIO()
    Image.fromarray(COLOUR[:8, :8]).save(small, "JPEG")
    body = bytearray(camera(1).tobytes()[6:])
    (count,) = struct.unpack_from(">H", body, 8)
    tail = 10 + 12 * count  # where the place of the next directory stands
    first = struct.pack(">HHHII", 2, 0x201, 4, 1, len(body) + 30) + struct.pack(">HHIII", 0x202, 4, 1, len(small.getvalue()), 0)
    struct.pack_into(">I", body, tail, len(body))
    Image.fromarray(COLOUR).save(tmp_path / "a.jpg", exif=b"Exif\0\0" + bytes(body) + first + small.getvalue())
    with Image.open(tmp_path / "a.jpg") as before:
        assert before.getexif().get_ifd(IFD.IFD1)[0x202] == len(small.getvalue())
    found = picture.read(tmp_path / "a.jpg")
    picture.write(tmp_path / "b.jpg", found.tensor(), like=found)
    with Image.open(tmp_path / "b.jpg") as after:
        assert not after.getexif().get_ifd(IFD.IFD1)
        assert small.getvalue()[:100] not in (tmp_path / "b.jpg").read_bytes()
        assert said(after)["GPSInfo"] == GPS


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
def test_xmp_is_copied_with_upright_orientation(tmp_path: Path, suffix: str) -> None:
    like = picture.Picture(COLOUR, metadata=picture.Metadata(xmp=XMP))
    picture.write(tmp_path / f"a.{suffix}", like.tensor(), like)
    with Image.open(tmp_path / f"a.{suffix}") as image:
        assert image.info["xmp"] == XMP.replace(b'"6"', b'"1"')
    assert picture.read(tmp_path / f"a.{suffix}").pixels.shape == COLOUR.shape


@pytest.mark.parametrize("suffix", ["bmp", "ppm"])
def test_what_a_format_cannot_hold_is_left_out(tmp_path: Path, suffix: str) -> None:
    Image.fromarray(COLOUR).save(tmp_path / "a.png", icc_profile=profiles.srgb(), exif=camera(1), dpi=(300, 300))
    found = picture.read(tmp_path / "a.png")
    picture.write(tmp_path / f"a.{suffix}", found.tensor(), like=found)
    assert np.array_equal(np.asarray(Image.open(tmp_path / f"a.{suffix}")), COLOUR)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("bits", [8, 16])
def test_a_sideways_tiff_is_turned_only_once(tmp_path: Path, orientation: int, bits: int) -> None:
    """Pillow and OpenCV turn it themselves."""
    file = tmp_path / "a.tif"
    pixels = COLOUR if bits == 8 else COLOUR.astype(np.uint16) * 257
    picture.write(
        file,
        torch.from_numpy(COLOUR / np.float32(255)).permute(2, 0, 1),
        like=picture.Picture(pixels, metadata=picture.Metadata(exif=Exif.of(camera().tobytes()[6:]))),
    )
    data = bytearray(file.read_bytes())
    place = data.index(struct.pack(">HHIH", Base.Orientation, 3, 1, 1))
    data[place + 9] = orientation
    file.write_bytes(data)
    found = picture.read(file)
    assert np.array_equal(found.pixels, decoding.upright(pixels, orientation))
    assert picture.size(file) == found.pixels.shape[:2]


def png(kind: bytes, data: bytes) -> bytes:
    """Return a PNG that has this chunk."""
    plain = io.BytesIO()
    Image.fromarray(COLOUR).save(plain, "PNG")
    chunk = struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return plain.getvalue()[:33] + chunk + plain.getvalue()[33:]


def directory(*entries: tuple[int, int, int, int], after: int = 0, filler: int = 0) -> bytes:
    packed = b"".join(struct.pack("<HHII", *one) for one in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + packed + struct.pack("<I", after) + bytes(filler)


HOSTILE = {
    "a profile that is a bomb": png(b"iCCP", b"a\0\0" + zlib.compress(bytes(60 * 2**20))),
    "a profile that is garbage": png(b"iCCP", b"a\0\0" + zlib.compress(RNG.bytes(5000))),
    "a profile with endless tags": png(b"iCCP", b"a\0\0" + zlib.compress(P3[:128] + b"\xff" * 4 + P3[132:])),
    "directories that hold themselves": png(b"eXIf", directory((0x8769, 4, 1, 8), (0x8825, 4, 1, 8), (0xA005, 4, 1, 8), after=8)),
    "every value is all of it": png(b"eXIf", directory(*((tag, 1, 2**20, 0) for tag in range(65_000)), filler=2**20)),
    "values beyond the end": png(b"eXIf", directory((0x10F, 2, 2**31, 2**31), (0x112, 3, 1, 99))),
    "EXIF of 20 MB": png(b"eXIf", directory((0x8769, 4, 1, 30), (0x112, 3, 1, 6), filler=20 * 2**20)),
    "EXIF that is none": png(b"eXIf", b"II*\0"),
    "a resolution of nothing": png(b"pHYs", struct.pack(">IIB", 0, 2**32 - 1, 1)),
    "XMP that is no text": png(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + b"\xff\xfe" * 99),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.filterwarnings("ignore")
def test_hostile_metadata_does_no_harm(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.png").write_bytes(HOSTILE[name])
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    try:
        found = picture.read(tmp_path / "a.png")
    except picture.UserError as fault:
        assert "bomb" in name, fault  # Pillow's own answer to it
        return
    assert sorted(found.pixels.shape[:2]) == [20, 30]
    for suffix in ("png", "jpg", "tif", "webp"):
        picture.write(tmp_path / f"b.{suffix}", found.tensor(), like=found)
        assert sorted(picture.read(tmp_path / f"b.{suffix}").pixels.shape[:2]) == [20, 30]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB
    assert time.monotonic() - began < 5


def test_a_plain_photograph_is_still_read_fast(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """kornia_rs decodes it, not Pillow, whatever profile and resolution it has."""
    Image.fromarray(COLOUR).save(tmp_path / "a.png", icc_profile=profiles.srgb(), dpi=(300, 300))
    decoded = []
    monkeypatch.setattr(decoding, "decode_image_png_u8", lambda *given: decoded.append(1) or COLOUR)
    assert np.array_equal(picture.read(tmp_path / "a.png").pixels, COLOUR)
    assert decoded == [1]
