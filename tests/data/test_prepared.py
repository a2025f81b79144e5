"""Photographs of every kind are usable or refused, and are read whatever happens to their decoded files."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from cached_photographs import RNG, in_a_child, photographs, prepare
from forked import as_nobody
from PIL import Image, ImageOps

from csrgan.data import decoding, picture
from csrgan.data.cache import Cache
from csrgan.data.pictures import LRUImages
from csrgan.data.sources import in_folder


def png_of(width: int, height: int) -> bytes:
    """Return a PNG whose header announces this many pixels but whose data is short."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


def test_bad_pictures_are_converted_or_named(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    colour = RNG.integers(0, 256, (30, 40, 3), np.uint8)
    image = Image.fromarray(colour)
    image.convert("CMYK").save(photos / "cmyk.jpg", quality=100)
    image.convert("P").save(photos / "palette.png")
    image.convert("RGBA").save(photos / "rgba.png")
    cv2.imwrite(str(photos / "16bit.png"), (colour.astype(np.uint16) * 257)[:, :, ::-1])
    exif = Image.Exif()
    exif[decoding.ORIENTATION] = 6
    image.save(photos / "turned.jpg", exif=exif, quality=100)
    image.save(photos / "wrong_extension.jpg", "png")
    image.crop((0, 0, 1, 1)).save(photos / "one_pixel.png")
    image.save(photos / "Größe 写真.png")
    image.save(photos / ("n" * 251 + ".png"))
    image.save(photos / "case.png")
    image.save(photos / "CASE.png")
    good = {file.name for file in photos.iterdir()}
    whole = (photos / "case.png").read_bytes()
    (photos / "truncated.png").write_bytes(whole[: len(whole) // 2])
    (photos / "zero_bytes.png").touch()
    (photos / "text.png").write_text("hello")
    (photos / "bomb.png").write_bytes(png_of(50_000, 50_000))
    (photos / "broken_link.png").symlink_to(photos / "absent.png")
    (photos / "folder.png").mkdir()
    found = prepare(Cache(tmp_path / "cache", 10), in_folder(photos))
    assert set(found.names) == good
    reasons = found.refused
    assert set(reasons) == {"truncated.png", "zero_bytes.png", "text.png", "bomb.png", "broken_link.png"}
    assert "a broken link" in reasons["broken_link.png"]
    assert "decompression bomb" in reasons["bomb.png"]
    assert "its format is none of" in reasons["text.png"]
    by_name = {name: found.pixels(k) for k, name in enumerate(found.names)}
    for name in ("rgba.png", "16bit.png", "wrong_extension.jpg", "Größe 写真.png", "CASE.png", "n" * 251 + ".png"):
        assert np.array_equal(by_name[name], colour), name
    with Image.open(photos / "turned.jpg") as turned:
        assert np.array_equal(by_name["turned.jpg"], np.asarray(ImageOps.exif_transpose(turned)))
    assert by_name["one_pixel.png"].shape == (1, 1, 3)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="becomes another user in a process of its own, which needs fork")
def test_an_unreadable_file_is_named_and_tried_again(tmp_path: Path) -> None:
    files = photographs(tmp_path / "photos", 2)
    files[0].path.chmod(0)
    denied = {"000.png": "cannot be read: Permission denied"}
    assert as_nobody(lambda: prepare(Cache(None, 0), files).refused == denied, tmp_path)
    files[0].path.chmod(0o644)
    assert prepare(Cache(tmp_path / "cache", 0), files).refused == {}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="dies in a process of its own, which needs fork")
def test_a_decoded_file_that_is_cut_short_does_not_kill_the_process(tmp_path: Path) -> None:
    """Reading past the end of a mapped file is a bus error."""
    files = photographs(tmp_path / "photos", 2, side=200)
    found = prepare(Cache(tmp_path / "cache", 10), files)

    def read() -> None:
        kept = LRUImages(found, 1e9)
        for length in (50_000, 0):
            assert np.array_equal(kept[0], picture.read(files[0].path).pixels)
            os.truncate(tmp_path / "cache" / found.decoded[0], length) if found.decoded[0] else None
        assert np.array_equal(kept[0], picture.read(files[0].path).pixels)
        found.decoded[1].unlink()  # as another run does to make room
        assert np.array_equal(kept[1], picture.read(files[1].path).pixels)

    assert in_a_child(read) == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="lowers what a process may have, which needs fork")
def test_more_photographs_than_open_files_are_mapped(tmp_path: Path) -> None:
    files = photographs(tmp_path / "photos", 150, side=8)

    def read() -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
        kept = LRUImages(prepare(Cache(tmp_path / "cache", 10), files), 1e9)
        picture.decode = lambda *_: pytest.fail("decoded again")
        for k in range(150):
            assert kept[k].shape == (8, 8 + k, 3)

    assert in_a_child(read) == 0
