"""How the laws in this folder are tried: on a few inputs, always the same, or on many with `-m long`."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import profiles
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from measured import tell
from PIL import Image
from PIL.ExifTags import IFD, Base

from csrgan.data.decoding import ORIENTATION


def counts(few: int, many: int) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("count", [few, pytest.param(many, marks=pytest.mark.long)])


def hold(name: str, count: int, law: Callable[..., None], /, *, seconds: float = 10, **drawn: st.SearchStrategy[Any]) -> None:
    """Try a law, told by its name, on `count` inputs, each of which may take so many seconds."""
    tried = 0

    def counted(**inputs: Any) -> None:
        nonlocal tried
        tried += 1
        law(**inputs)

    few = count < 100
    settings(
        max_examples=count,
        derandomize=few,
        database=None,
        deadline=1000 * seconds,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate] if few else [Phase.generate, Phase.shrink],
    )(given(**drawn)(counted))()
    if not few:
        tell(f"{name}: {tried} inputs")


# A change of a file: what is done, where (a share of its length, more often near the head), and the bytes or how many.
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["set", "insert", "remove", "cut", "repeat"]), st.floats(0, 0.999), st.binary(min_size=1, max_size=8)
    ),
    min_size=1,
    max_size=4,
)


def changed(data: bytes, changes: list[tuple[str, float, bytes]]) -> bytes:
    held = bytearray(data)
    for what, share, new in changes:
        place = int(share**2 * len(held)) if what != "cut" else int(share * len(held))
        if what == "set":
            held[place : place + len(new)] = new
        elif what == "insert":
            held[place:place] = new
        elif what == "remove":
            del held[place : place + len(new)]
        elif what == "repeat":
            held[place:place] = held[place : place + 16 * len(new)]
        else:
            del held[place:]
    return bytes(held)


def _encoded(form: str, mode: str = "RGB", **options: Any) -> bytes:
    stream = io.BytesIO()
    image = Image.fromarray(PIXELS).convert(mode)
    if options.pop("turned", False):
        options["exif"] = Image.Exif()
        options["exif"][ORIENTATION] = 6
    image.save(stream, form, **options)
    return stream.getvalue()


def _deep(suffix: str, channels: int) -> bytes:
    deep = np.dstack([PIXELS, PIXELS[:, :, :1]]).astype(np.uint16)[:, :, :channels] * 257
    return cv2.imencode(suffix, deep)[1].tobytes()


def _hidden(form: str, **options: Any) -> bytes:
    """Transparent where any red is below a half."""
    stream = io.BytesIO()
    alpha = np.where(PIXELS[:, :, 0] < 128, 0, PIXELS[:, :, 0])
    Image.fromarray(np.dstack([PIXELS, alpha]).astype(np.uint8)).save(stream, form, **options)
    return stream.getvalue()


def _camera() -> bytes:
    """EXIF with directories in it."""
    exif = Image.Exif()
    exif[Base.Make], exif[ORIENTATION] = "Maker", 6
    exif[IFD.Exif] = {Base.ISOSpeedRatings: 200, Base.MakerNote: bytes(range(64)), Base.ExifImageWidth: 37}
    exif[IFD.GPSInfo] = {1: "N", 3: "E"}
    return exif.tobytes()


PIXELS = cv2.resize(np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8), (37, 29))  # rather smooth

# A real file of each kind that people have.
FILES = {
    "a.png": _encoded("PNG"),
    "grey.png": _encoded("PNG", "L"),
    "palette.png": _encoded("PNG", "P"),
    "alpha.png": _encoded("PNG", "RGBA"),
    "bits.png": _encoded("PNG", "1"),
    "turned.png": _encoded("PNG", turned=True),
    "deep.png": _deep(".png", 3),
    "deep_grey.png": _deep(".png", 1),
    "deep_alpha.png": _deep(".png", 4),
    "a.jpg": _encoded("JPEG"),
    "progressive.jpg": _encoded("JPEG", progressive=True),
    "turned.jpg": _encoded("JPEG", turned=True),
    "grey.jpg": _encoded("JPEG", "L"),
    "cmyk.jpg": _encoded("JPEG", "CMYK"),
    "a.tif": _encoded("TIFF"),
    "deflated.tif": _encoded("TIFF", compression="tiff_deflate"),
    "lzw.tif": _encoded("TIFF", "LA", compression="tiff_lzw"),
    "jpeg.tif": _encoded("TIFF", compression="jpeg"),
    "deep.tif": _deep(".tif", 3),
    "a.webp": _encoded("WEBP"),
    "lossless.webp": _encoded("WEBP", "RGBA", lossless=True),
    "a.bmp": _encoded("BMP"),
    "grey.bmp": _encoded("BMP", "L"),
    "a.ppm": _encoded("PPM"),
    "hidden.png": _hidden("PNG"),
    "hidden.webp": _hidden("WEBP", lossless=True),
    "profile.png": _encoded("PNG", icc_profile=profiles.rgb("display-p3")),
    "profile.jpg": _encoded("JPEG", icc_profile=profiles.rgb("adobe-rgb", "table")),
    "profile_grey.tif": _encoded("TIFF", "L", icc_profile=profiles.grey(1.8)),
    "profile_cube.webp": _encoded("WEBP", icc_profile=profiles.tables()),
    "camera.png": _encoded("PNG", exif=_camera(), dpi=(300, 300)),
    "camera.jpg": _encoded("JPEG", exif=_camera(), icc_profile=profiles.srgb(), xmp=b"<tiff:Orientation>6<"),
    "camera.tif": _encoded("TIFF", exif=_camera(), dpi=(72, 72)),
    "camera.webp": _encoded("WEBP", exif=_camera()),
    "animated.png": _encoded("GIF", "P"),
}
