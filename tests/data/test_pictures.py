"""The last used photographs stay in memory, up to a limit."""

from __future__ import annotations

from pathlib import Path

from cached_photographs import photographs, prepare

from csrgan.data.cache import Cache
from csrgan.data.pictures import LRUImages


def test_memory_stays_below_its_limit(tmp_path: Path) -> None:
    kept = LRUImages(prepare(Cache(tmp_path / "cache", 10), photographs(tmp_path / "photos", 8, side=100)), keep_bytes=100_000)
    for k in (0, 1, 2, 3, 1):
        assert kept[k].shape == (100, 100 + k, 3)
    assert list(kept._kept) == [2, 3, 1]
    assert kept._bytes == sum(found.nbytes for found in kept._kept.values()) <= 100_000
    assert not kept.__getstate__()["_kept"]
