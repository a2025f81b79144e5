"""The picture reader, given anything: a picture of the size that the file declares, or one sentence."""

from __future__ import annotations

import io
import resource
import struct
import time
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from fuzzing import CHANGES, FILES, changed, counts, hold
from hypothesis import strategies as st
from PIL import Image, ImageOps

from csrgan.data import picture
from csrgan.errors import UserError

pytestmark = pytest.mark.filterwarnings("ignore")  # Pillow's own remarks on odd metadata


def read(data: bytes) -> picture.Picture | None:
    """Decode these bytes; return None if they are refused as no picture."""
    try:
        result = picture.decode(data, "NAME")
    except UserError as fault:
        assert str(fault).startswith("NAME ")
        assert str(fault).endswith(".")
        return None
    with warnings.catch_warnings(), Image.open(io.BytesIO(data)) as image:
        warnings.simplefilter("ignore")
        assert sorted(result.pixels.shape) == sorted((*image.size, 3))
    assert result.pixels.dtype in (np.uint8, np.uint16)
    assert result.alpha is None or (result.alpha.shape, result.alpha.dtype) == (result.pixels.shape[:2], result.pixels.dtype)
    if result.pixels.size < 1e6:
        tensor = result.tensor()
        assert bool((tensor >= 0).all())
        assert bool((tensor <= 1).all())
    return result


@counts(40, 1500)
def test_random_bytes_are_no_picture(count: int) -> None:
    heads = [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0",
        b"II*\0",
        b"MM\0*",
        b"RIFF\0\0\0\0WEBP",
        b"BM",
        b"P6 ",
        b"GIF89a",
        b"%!PS-Adobe ",
    ]
    hold(
        "picture from random bytes",
        count,
        lambda head, data: read(head + data),
        head=st.sampled_from(heads),
        data=st.binary(max_size=400),
    )


@counts(40, 4500)
def test_a_damaged_file_is_a_picture_or_one_sentence(count: int) -> None:
    def law(name: str, changes: list[tuple[str, float, bytes]], other: str, splice: float | None) -> None:
        data = changed(FILES[name], changes)
        if splice is not None:
            data = data[: int(splice * len(data))] + FILES[other][int(splice * len(FILES[other])) :]
        read(data)

    names = st.sampled_from(sorted(FILES))
    hold("damaged picture", count, law, name=names, changes=CHANGES, other=names, splice=st.none() | st.floats(0, 1))


@counts(30, 2000)
def test_a_truncated_file_is_refused_or_decoded_completely(count: int) -> None:
    """Missing pixels are never invented: if a picture is returned, it is the complete one."""

    def law(name: str, share: float) -> None:
        found = read(FILES[name][: int(share * len(FILES[name]))])
        if found:
            whole = picture.decode(FILES[name], name)
            assert np.array_equal(found.pixels, whole.pixels)

    hold("picture cut off", count, law, name=st.sampled_from(sorted(FILES)), share=st.floats(0, 1, exclude_max=True))


@pytest.mark.parametrize("name", sorted(FILES))
def test_an_undamaged_file_is_read_as_pillow_reads_it(name: str, tmp_path: Path) -> None:
    found = picture.decode(FILES[name], name)
    with Image.open(io.BytesIO(FILES[name])) as image:
        upright = ImageOps.exif_transpose(image)
        if not name.startswith("deep"):
            seen = ... if found.alpha is None else found.alpha > 0
            assert np.array_equal(found.pixels[seen], np.asarray(upright.convert("RGB"))[seen])
        elif name == "deep_grey.png":
            assert np.array_equal(found.pixels[:, :, 0], np.asarray(upright))
        else:
            assert np.array_equal(found.eight_bits, np.asarray(upright.convert("RGB")))
    (tmp_path / name).write_bytes(FILES[name])
    assert picture.size(tmp_path / name) == found.pixels.shape[:2]


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(10**6))) + chunk(b"IEND", b"")


BOMBS = {
    "png": png(60_000, 60_000),
    "bmp": FILES["a.bmp"][:18] + struct.pack("<ii", 60_000, 60_000) + FILES["a.bmp"][26:],
    "ppm": b"P6 60000 60000 255\n" + bytes(1000),
    "gif": b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + FILES["animated.png"][10:],
    "jpeg": FILES["a.jpg"].replace(struct.pack(">HH", 29, 37), struct.pack(">HH", 65_500, 65_500)),
    "tiff": FILES["a.tif"].replace(struct.pack("<HHIHH", 257, 3, 1, 29, 0), struct.pack("<HHII", 257, 4, 1, 10**8))
    .replace(struct.pack("<HHII", 257, 4, 1, 29), struct.pack("<HHII", 257, 4, 1, 10**8)),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(BOMBS))
def test_a_small_file_that_declares_a_huge_picture_is_refused_at_once(name: str, tmp_path: Path) -> None:
    (tmp_path / "bomb").write_bytes(BOMBS[name])
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    for function in (picture.size, picture.read):
        with pytest.raises(UserError, match=r"bomb cannot be read as a picture: .*decompression bomb"):
            function(tmp_path / "bomb")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB
    assert time.monotonic() - began < 5


def test_a_blank_picture_may_be_short_and_a_huge_one_may_not(tmp_path: Path) -> None:
    Image.new("RGB", (5000, 4000), "white").save(tmp_path / "a.webp", lossless=True)
    assert (tmp_path / "a.webp").stat().st_size < 2000
    assert picture.read(tmp_path / "a.webp").pixels.shape == (4000, 5000, 3)
    (tmp_path / "b.png").write_bytes(png(13_000, 13_000))
    with pytest.raises(UserError, match="bytes are too few for the 13000x13000 pixels that they declare"):
        picture.read(tmp_path / "b.png")


def test_a_program_in_the_name_of_a_picture_is_not_run(tmp_path: Path) -> None:
    """Pillow would pass PostScript to Ghostscript."""
    (tmp_path / "a.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 20 20\n%%EndComments\nshowpage\n")
    with pytest.raises(UserError, match=r"its format is none of BMP, GIF, JPEG, PNG, PPM, TIFF, WEBP"):
        picture.read(tmp_path / "a.png")


@pytest.mark.parametrize("mode", ["I", "F"])
def test_numbers_without_a_full_scale_are_not_guessed_at(mode: str, tmp_path: Path) -> None:
    Image.fromarray(np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)).convert(mode).save(tmp_path / "a.tif")
    with pytest.raises(UserError, match=r"the full scale of its values .* is unknown"):
        picture.read(tmp_path / "a.tif")
