"""Each photograph is decoded once, whatever happens in between."""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import time
from pathlib import Path

import numpy as np
import pytest
from cached_photographs import photographs, prepare
from PIL import Image

from csrgan.data import cache_entry, picture
from csrgan.data.cache import Cache
from csrgan.data.marker import claim
from csrgan.data.sources import in_folder


def test_pixels_come_from_the_cache_and_are_those_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = photographs(tmp_path / "photos", 5)
    prepare(Cache(tmp_path / "cache", 10), files)
    expected = [picture.read(file.path).pixels for file in files]
    monkeypatch.setattr(picture, "decode", lambda *_: pytest.fail("decoded again"))
    found = prepare(Cache(tmp_path / "cache", 10), files)
    assert all(np.array_equal(found.pixels(k), pixels) for k, pixels in enumerate(expected))
    assert found.sizes == [pixels.shape[:2] for pixels in expected]
    assert found.names == [f"{k:03d}.png" for k in range(5)]


def test_decoded_pictures_are_keyed_by_content(tmp_path: Path) -> None:
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


def test_the_size_is_limited_and_the_least_recently_used_is_deleted_first(tmp_path: Path) -> None:
    old, new = photographs(tmp_path / "old", 3, side=200), photographs(tmp_path / "new", 3, side=200)
    megabytes = 4.5 * 3 * 200 * 201 / 2**20  # room for four
    output = io.StringIO()
    first = prepare(Cache(tmp_path / "cache", megabytes), old)
    for age, file in zip((30, 10, 20), first.decoded, strict=True):
        os.utime(file, (time.time() - age, time.time() - age))
    second = prepare(Cache(tmp_path / "cache", megabytes), new, output)
    assert None not in second.decoded
    assert [file.exists() for file in first.decoded] == [False, True, False]
    assert np.array_equal(first.pixels(0), picture.read(old[0].path).pixels)  # a run that is under way decodes it again
    both = [*old, *new]
    third = prepare(Cache(tmp_path / "cache", megabytes), both, output)
    assert sum(place is None for place in third.decoded) == 2
    assert "2 of 6 photographs are decoded for every crop, because data.cache_mb has no room" in output.getvalue()
    assert sum(file.stat().st_size for file in (tmp_path / "cache").rglob("*.npy")) <= megabytes * 2**20
    assert [np.array_equal(third.pixels(k), picture.read(file.path).pixels) for k, file in enumerate(both)] == [True] * 6
    assert prepare(Cache(tmp_path / "cache", 0), both).decoded == [None] * 6


def test_the_decoded_picture_of_a_moved_photograph_is_not_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only reading its file shows that the decoded picture is still wanted."""
    monkeypatch.setattr("csrgan.data.cache._cores", lambda: 1)  # one after the other
    megabytes = 3.5 * 3 * 200 * 202 / 2**20
    prepare(Cache(tmp_path / "cache", megabytes), photographs(tmp_path / "photos", 3, side=200))
    (tmp_path / "photos").rename(tmp_path / "moved")
    photographs(tmp_path / "moved" / "new", 2, side=200)
    found = prepare(Cache(tmp_path / "cache", megabytes), in_folder(tmp_path / "moved"))
    assert [place is not None for place in found.decoded] == [True, True, True, False, False]


def test_a_cache_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    files, output = photographs(tmp_path / "photos", 2), io.StringIO()
    (tmp_path / "cache").write_text("in the way")
    found = prepare(Cache(tmp_path / "cache", 10), files, output)
    assert found.decoded == [None, None]
    assert np.array_equal(found.pixels(1), picture.read(files[1].path).pixels)
    assert "2 of 2 photographs are decoded for every crop, because" in output.getvalue()
    claim(tmp_path / "full")
    (tmp_path / "full" / "pictures").write_text("in the way")
    assert prepare(Cache(tmp_path / "full", 10), files, output).decoded == [None, None]


def test_files_damaged_by_a_power_failure_are_made_again(tmp_path: Path) -> None:
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
def test_a_killed_process_leaves_its_work_and_two_at_once_share_theirs(tmp_path: Path) -> None:
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


@pytest.mark.parametrize("kept", [0, 128, 5000])
def test_a_decoded_file_of_zeros_is_detected_and_made_again(kept: int, tmp_path: Path) -> None:
    """A power failure may leave zeros in a file that was renamed before it was written to disk; its first bytes may be right."""
    files = photographs(tmp_path / "photos", 3)
    decoded = prepare(Cache(tmp_path / "cache", 10), files).decoded[1]
    whole = decoded.read_bytes()
    decoded.write_bytes(whole[:kept] + bytes(len(whole) - kept - 1) + b"\x01")
    found = prepare(Cache(tmp_path / "cache", 10), files)
    assert [np.array_equal(found.pixels(k), picture.read(file.path).pixels) for k, file in enumerate(files)] == [True] * 3
    prepare(Cache(tmp_path / "cache", 10), files)
    assert decoded.read_bytes() == whole


def test_pictures_decoded_by_another_version_are_decoded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pixels of the first photograph differ; the second is kept."""
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
