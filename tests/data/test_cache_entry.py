"""The index of the cache, whatever its file holds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from cached_photographs import photographs, prepare

from csrgan.data import picture
from csrgan.data.cache import Cache


def test_invalid_lines_of_the_index_are_ignored(tmp_path: Path) -> None:
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
