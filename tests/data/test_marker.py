"""csrgan deletes only in its own folder: files of the user there are neither counted nor deleted."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from csrgan.cli import main
from csrgan.data import marker
from csrgan.data.archive import unpack
from csrgan.data.cache import Cache
from csrgan.data.sources import in_folder
from csrgan.errors import UserError

QUIET = Console(quiet=True)
HASH = "ab" * 16


def photographs(folder: Path, count: int, side: int = 200) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    drawn = np.random.default_rng(len(folder.name))
    for k in range(count):
        Image.fromarray(drawn.integers(0, 256, (side, side, 3), np.uint8)).save(folder / f"{k}.png")
    return folder


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize(
    "held",
    [
        {"pictures/holiday/IMG_1.webp": b"x" * 5_000_000},
        {"pictures/ab/IMG_1.webp": b"x" * 5_000_000},
        {f"pictures/ab/{HASH}.npy": b"x" * 5_000_000},
        {"notes.txt": b"mine", "index.jsonl": b"", "lock": b""},
        {"lock": b"mine", "data/photos/a.png": b"mine"},
        {"lock": b"", "pictures/a.png": b"mine"},
        {"CACHEDIR.TAG": b"Signature: 8a477f597d28d172789f06886806bc55\n# of another program\n", "a": b"mine"},
        {"data/DIV2K_train_HR.zip": b"mine"},
    ],
)
def test_a_folder_of_the_user_is_refused_and_left_unchanged(
    held: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos, home = photographs(tmp_path / "photos", 3), tmp_path / "home"
    for name, data in held.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(data)
    before = files_in(home)
    assert main(["prepare", "data=folder", f"data.train={photos}", f"data.cache={home}", "data.cache_mb=1"]) == 2
    told = capsys.readouterr().err
    assert f"data.cache={home} is not empty and not a csrgan cache, where csrgan deletes files" in told
    assert "choose an empty or a new folder as data.cache=FOLDER" in told
    assert told.count("\n") == 1
    assert files_in(home) == before


def test_foreign_files_in_the_cache_are_not_deleted(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    old = Cache(cache, 10).prepare(in_folder(photographs(tmp_path / "old", 3)), QUIET)
    assert (cache / marker.FILE).read_text().startswith(marker.SIGNATURE)
    group = old.decoded[0].parent
    mine = [
        group / "IMG_1.webp",
        group / "x.npy",
        group / "x.part",
        group / f"{HASH}.npy.bak",
        cache / "pictures" / "trip" / "a.npy",
    ]
    elsewhere = tmp_path / "elsewhere" / f"{HASH}.npy"
    for file in (*mine, elsewhere):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x" * 200_000)
        os.utime(file, (0, 0))
    link = group / f"{'cd' * 16}.npy"
    link.symlink_to(elsewhere)
    new = Cache(cache, 3.5 * 200 * 200 * 3 / 2**20).prepare(in_folder(photographs(tmp_path / "newer", 3)), QUIET)
    assert None not in new.decoded
    assert not any(file.exists() for file in old.decoded)  # made room
    assert all(file.exists() for file in (*mine, elsewhere))


@pytest.mark.parametrize("linked", ["pictures", "pictures/ab", "data"])
def test_a_linked_folder_in_the_cache_is_refused(linked: str, tmp_path: Path) -> None:
    elsewhere, cache = tmp_path / "elsewhere", tmp_path / "cache"
    for folder in (elsewhere, elsewhere / "ab"):
        folder.mkdir()
        (folder / f"{HASH}.npy").write_bytes(b"mine" * 1000)
        os.utime(folder / f"{HASH}.npy", (0, 0))
    marker.claim(cache)
    (cache / linked).parent.mkdir(exist_ok=True)
    (cache / linked).symlink_to(elsewhere)
    before = files_in(elsewhere)
    with pytest.raises(UserError, match=f"{linked} is a link, and csrgan deletes files only in its own folder"):
        Cache(cache, 0.2).prepare(in_folder(photographs(tmp_path / "photos", 3)), QUIET)
    assert files_in(elsewhere) == before


def test_the_cache_of_an_older_csrgan_is_taken_over(tmp_path: Path) -> None:
    photos, cache = photographs(tmp_path / "photos", 2), tmp_path / "cache"
    first = Cache(cache, 10).prepare(in_folder(photos), QUIET)
    lines = [json.loads(line)[:7] for line in (cache / "index.jsonl").read_text().splitlines() if line]
    (cache / "index.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (cache / marker.FILE).unlink()
    (cache / "lock").touch()
    for name in ("DIV2K_train_HR.lock", "DIV2K_valid_HR.zip.part", "DIV2K_train_HR-9d0b9c46/0001.png"):
        (cache / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (cache / "data" / name).write_bytes(b"")
    before = {file: file.stat().st_mtime_ns for file in cache.rglob("*.npy")}
    again = Cache(cache, 10).prepare(in_folder(photos), QUIET)
    assert again.decoded == first.decoded
    assert {file: file.stat().st_mtime_ns for file in cache.rglob("*.npy")} == before
    assert (cache / marker.FILE).is_file()
    assert np.array_equal(again.pixels(1), first.pixels(1))


def test_an_empty_folder_becomes_a_cache(tmp_path: Path) -> None:
    for index, held in enumerate(((), (".DS_Store",), (f".{marker.FILE}.77.part",))):
        folder = tmp_path / str(index)
        folder.mkdir()
        for name in held:
            (folder / name).touch()
        marker.claim(folder)
        marker.claim(folder)
        assert (folder / marker.FILE).is_file()


def test_foreign_files_where_an_archive_is_unpacked_are_kept(tmp_path: Path) -> None:
    archive, place = tmp_path / "a.zip", tmp_path / "data"
    shutil.make_archive(str(tmp_path / "a"), "zip", photographs(tmp_path / "made" / "IN", 1).parent)
    (place / "out.part").mkdir(parents=True)
    (place / "out.part" / "mine.txt").write_text("mine")
    unpack(archive, place / "out", "IN", QUIET)
    assert (place / "out" / "0.png").is_file()
    assert (place / "out.part" / "mine.txt").read_text() == "mine"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (place / "two.part").symlink_to(elsewhere)
    with pytest.raises(UserError, match=r"two\.part is a link"):
        unpack(archive, place / "two", "IN", QUIET)
    assert not list(elsewhere.iterdir())
