"""Photographs are decoded once, whatever happens meanwhile."""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps
from rich.console import Console

from csrgan.data import cache_entry, decoding, picture
from csrgan.data.cache import Cache
from csrgan.data.cache_entry import File
from csrgan.data.marker import claim
from csrgan.data.pictures import LRUImages
from csrgan.data.prepared import Prepared
from csrgan.data.sources import in_folder

RNG = np.random.default_rng(0)


def photographs(folder: Path, count: int, side: int = 40) -> list[File]:
    folder.mkdir(parents=True, exist_ok=True)
    for k in range(count):
        Image.fromarray(RNG.integers(0, 256, (side, side + k, 3), np.uint8)).save(folder / f"{k:03d}.png")
    return in_folder(folder)


def prepare(cache: Cache, files: list[File], said: io.StringIO | None = None) -> Prepared:
    return cache.prepare(files, Console(file=said or io.StringIO(), width=300))


def test_pixels_come_from_the_cache_and_are_those_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = photographs(tmp_path / "photos", 5)
    prepare(Cache(tmp_path / "cache", 10), files)
    expected = [picture.read(file.path).pixels for file in files]
    monkeypatch.setattr(picture, "decode", lambda *_: pytest.fail("decoded again"))
    found = prepare(Cache(tmp_path / "cache", 10), files)
    assert all(np.array_equal(found.pixels(k), pixels) for k, pixels in enumerate(expected))
    assert found.sizes == [pixels.shape[:2] for pixels in expected]
    assert found.names == [f"{k:03d}.png" for k in range(5)]


def test_it_is_keyed_by_content(tmp_path: Path) -> None:
    files = photographs(tmp_path / "photos", 3)
    one = prepare(Cache(tmp_path / "cache", 10), files)
    (tmp_path / "photos").rename(tmp_path / "moved")
    (tmp_path / "moved" / "copy.png").write_bytes((tmp_path / "moved" / "000.png").read_bytes())
    two = prepare(Cache(tmp_path / "cache", 10), in_folder(tmp_path / "moved"))
    assert two.decoded == [*one.decoded, one.decoded[0]]
    changed = tmp_path / "moved" / "001.png"
    Image.fromarray(np.zeros((50, 60, 3), np.uint8)).save(changed)
    three = prepare(Cache(tmp_path / "cache", 10), in_folder(tmp_path / "moved"))
    assert not three.pixels(1).any()
    assert np.array_equal(three.pixels(0), one.pixels(0))


def test_the_size_is_bounded_and_the_longest_unused_goes_first(tmp_path: Path) -> None:
    old, new = photographs(tmp_path / "old", 3, side=200), photographs(tmp_path / "new", 3, side=200)
    megabytes = 4.5 * 3 * 200 * 201 / 2**20  # room for four
    said = io.StringIO()
    first = prepare(Cache(tmp_path / "cache", megabytes), old)
    for age, file in zip((30, 10, 20), first.decoded, strict=True):
        os.utime(file, (time.time() - age, time.time() - age))
    second = prepare(Cache(tmp_path / "cache", megabytes), new, said)
    assert None not in second.decoded
    assert [file.exists() for file in first.decoded] == [False, True, False]
    assert np.array_equal(first.pixels(0), picture.read(old[0].path).pixels)  # a run that goes on decodes it again
    both = [*old, *new]
    third = prepare(Cache(tmp_path / "cache", megabytes), both, said)
    assert sum(place is None for place in third.decoded) == 2
    assert "2 of 6 photographs are decoded for every crop, because data.cache_mb has no room" in said.getvalue()
    assert sum(file.stat().st_size for file in (tmp_path / "cache").rglob("*.npy")) <= megabytes * 2**20
    assert [np.array_equal(third.pixels(k), picture.read(file.path).pixels) for k, file in enumerate(both)] == [True] * 6
    assert prepare(Cache(tmp_path / "cache", 0), both).decoded == [None] * 6


def test_a_photograph_that_was_moved_makes_no_room_for_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That the decoded picture is still wanted shows when its file is read."""
    monkeypatch.setattr("csrgan.data.cache._cores", lambda: 1)  # one after the other
    megabytes = 3.5 * 3 * 200 * 202 / 2**20
    prepare(Cache(tmp_path / "cache", megabytes), photographs(tmp_path / "photos", 3, side=200))
    (tmp_path / "photos").rename(tmp_path / "moved")
    photographs(tmp_path / "moved" / "new", 2, side=200)
    found = prepare(Cache(tmp_path / "cache", megabytes), in_folder(tmp_path / "moved"))
    assert [place is not None for place in found.decoded] == [True, True, True, False, False]


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    files, said = photographs(tmp_path / "photos", 2), io.StringIO()
    (tmp_path / "cache").write_text("in the way")
    found = prepare(Cache(tmp_path / "cache", 10), files, said)
    assert found.decoded == [None, None]
    assert np.array_equal(found.pixels(1), picture.read(files[1].path).pixels)
    assert "2 of 2 photographs are decoded for every crop, because" in said.getvalue()
    claim(tmp_path / "full")
    (tmp_path / "full" / "pictures").write_text("in the way")
    assert prepare(Cache(tmp_path / "full", 10), files, said).decoded == [None, None]


def test_what_a_power_cut_leaves_is_made_again(tmp_path: Path) -> None:
    files = photographs(tmp_path / "photos", 2)
    one = prepare(Cache(tmp_path / "cache", 10), files)
    one.decoded[0].write_bytes(one.decoded[0].read_bytes()[:500])
    with (tmp_path / "cache" / "index.jsonl").open("a") as index:
        index.write('["/half/a/li')
    abandoned = one.decoded[0].with_name(f"{'0' * 32}.99-99.part")
    abandoned.write_bytes(b"half")
    os.utime(abandoned, (0, 0))
    two = prepare(Cache(tmp_path / "cache", 10), files)
    assert np.array_equal(two.pixels(0), picture.read(files[0].path).pixels)
    assert not abandoned.exists()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="starts processes by fork")
def test_killed_half_way_it_goes_on_and_two_at_once_share_the_work(tmp_path: Path) -> None:
    files, index = photographs(tmp_path / "photos", 60, side=500), tmp_path / "cache" / "index.jsonl"

    def process() -> multiprocessing.Process:
        one = multiprocessing.get_context("fork").Process(target=prepare, args=(Cache(tmp_path / "cache", 1000), files))
        one.start()
        return one

    killed = process()
    while not (index.exists() and index.read_text().count("\n") > 3) and killed.is_alive():
        time.sleep(0.001)
    killed.kill()
    killed.join()
    assert killed.exitcode == -9
    done = [json.loads(line)[0] for line in index.read_text().split("\n") if line.endswith("]")]
    assert 3 <= len(done) < 60
    two = [process() for _ in "ab"]
    for one in two:
        one.join()
    assert [one.exitcode for one in two] == [0, 0]
    lines = [json.loads(line)[0] for line in index.read_text().split("\n") if line.endswith("]")]
    assert sorted(lines) == [str(file.path) for file in files]  # none was decoded twice
    assert len(list((tmp_path / "cache").rglob("*.npy"))) == 60


def png_of(width: int, height: int) -> bytes:
    """The head of a PNG that promises so many pixels."""

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
    for folder in (tmp_path, *tmp_path.parents[:-1]):
        if os.getuid() == 0:
            folder.chmod(folder.stat().st_mode | 0o011)
    child = os.fork()
    if not child:
        try:
            if os.getuid() == 0:
                os.setuid(65534)  # the superuser may read everything
            refused = prepare(Cache(None, 0), files).refused
            os._exit(0 if refused == {"000.png": "cannot be read: Permission denied"} else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    files[0].path.chmod(0o644)
    assert prepare(Cache(tmp_path / "cache", 0), files).refused == {}


def test_memory_is_bounded_by_what_was_given_for_it(tmp_path: Path) -> None:
    kept = LRUImages(prepare(Cache(tmp_path / "cache", 10), photographs(tmp_path / "photos", 8, side=100)), keep_bytes=100_000)
    for k in (0, 1, 2, 3, 1):
        assert kept[k].shape == (100, 100 + k, 3)
    assert list(kept._kept) == [2, 3, 1]
    assert kept._bytes == sum(found.nbytes for found in kept._kept.values()) <= 100_000
    assert not kept.__getstate__()["_kept"]


def in_a_child(what: Callable[[], object]) -> int:
    """The exit status of a process that does it."""
    child = os.fork()
    if not child:
        try:
            what()
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="dies in a process of its own, which needs fork")
def test_a_decoded_file_that_is_cut_short_ends_nothing(tmp_path: Path) -> None:
    """To read beyond the end of a mapped file is a bus error."""
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


@pytest.mark.parametrize("kept", [0, 128, 5000])
def test_a_decoded_file_of_zeros_is_seen_and_made_again(kept: int, tmp_path: Path) -> None:
    """What a power cut may leave of a file that was renamed before it was on the disk; its first bytes may be right."""
    files = photographs(tmp_path / "photos", 3)
    decoded = prepare(Cache(tmp_path / "cache", 10), files).decoded[1]
    whole = decoded.read_bytes()
    decoded.write_bytes(whole[:kept] + bytes(len(whole) - kept - 1) + b"\x01")
    found = prepare(Cache(tmp_path / "cache", 10), files)
    assert [np.array_equal(found.pixels(k), picture.read(file.path).pixels) for k, file in enumerate(files)] == [True] * 3
    prepare(Cache(tmp_path / "cache", 10), files)
    assert decoded.read_bytes() == whole


def test_what_another_csrgan_decoded_is_decoded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its pixels may be others: of the first photograph they are; the second stays where it is."""
    files = photographs(tmp_path / "photos", 2)
    monkeypatch.setattr(cache_entry, "DECODING", cache_entry.DECODING - 1)
    monkeypatch.setattr("csrgan.data.cache.DECODING", cache_entry.DECODING)
    decoded = prepare(Cache(tmp_path / "cache", 10), files).decoded
    np.save(decoded[0], np.zeros((40, 40, 3), np.uint8))
    inode, pairs = decoded[1].stat().st_ino, list(zip(decoded, files, strict=True))
    monkeypatch.undo()
    for _ in range(2):
        found = prepare(Cache(tmp_path / "cache", 10), files)
        assert all(np.array_equal(np.load(place), picture.read(file.path).pixels) for place, file in pairs)
        assert found.pixels(0).any()
        assert decoded[1].stat().st_ino == inode
        monkeypatch.setattr(picture, "decode", lambda *_: pytest.fail("decoded again"))
        assert np.array_equal(np.load(decoded[0]), found.pixels(0))
        monkeypatch.undo()


def test_what_an_index_cannot_hold_is_passed_over(tmp_path: Path) -> None:
    files = photographs(tmp_path / "photos", 3)
    prepare(Cache(tmp_path / "cache", 10), files)
    index = tmp_path / "cache" / "index.jsonl"
    good = [line for line in index.read_bytes().split(b"\n") if line]
    odd = [good[0][:-20], b"\xff\xfe", good[1].replace(b"001", b"\xe9\xe9"), bytes(300), b"[" * 100_000, b"3", b"null", b"{}"]
    row = json.loads(good[0])
    wrong = (3, "../../../x"), (3, ""), (3, None), (4, "40"), (4, -1), (5, 0), (1, True), (6, "no"), (7, 1.5), (8, None)
    for place, value in wrong:
        odd.append(json.dumps([*row[:place], value, *row[place + 1 :]]).encode())
    index.write_bytes(b"\n".join([*odd, good[2], good[1][:-3]]))
    for _ in range(2):
        found = prepare(Cache(tmp_path / "cache", 10), files)
        assert [np.array_equal(found.pixels(k), picture.read(file.path).pixels) for k, file in enumerate(files)] == [True] * 3
    lines = [line for line in index.read_bytes().split(b"\n") if line in good]
    assert sorted(lines) == sorted(good)  # the first two were added once, and the third was read


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
