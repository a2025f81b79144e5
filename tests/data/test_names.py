"""Odd names of files and archive members: none leads outside its folder, and none ends a command."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import tarfile
import zipfile
from pathlib import Path

import checkpoints
import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from csrgan.cli import main
from csrgan.data import picture, shards
from csrgan.data.archive import unpack
from csrgan.data.cache import Cache
from csrgan.data.shards import Sharded
from csrgan.data.sources import in_folder
from csrgan.errors import UserError
from csrgan.files import table_cell

QUIET = Console(quiet=True)

# Names that people and file systems have.
ODD = [
    "[red]a.png",
    "[bold]a.png",
    "a$\\frac$b$.png",
    "<b>&amp;.png",
    "\"quoted'.png",
    "new\nline.png",
    " .png",
    "=1+1.png",
    "x" * 251 + ".png",
]
ELSEWHERE = [
    "../evil.png",
    "/evil.png",
    "//evil.png",
    "IN/../../evil.png",
    "IN/..",
    "IN\\..\\evil.png",
    "C:\\evil.png",
    "C:/evil.png",
    "\\\\host\\share\\evil.png",
    "IN2/evil.png",
    "IN",
    ".",
    "./",
    "../../" * 30 + "evil.png",
]


def photograph(seed: int = 0) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (24, 20, 3), np.uint8)).save(stream, "png")
    return stream.getvalue()


def archive(file: Path, *names: str, kind: int = stat.S_IFREG, data: bytes = b"x") -> Path:
    with zipfile.ZipFile(file, "w") as held:
        held.writestr("IN/0.png", photograph())
        for name in names:
            member = zipfile.ZipInfo("replaced")
            member.filename = member.orig_filename = name
            member.external_attr = (kind | 0o777) << 16
            held.writestr(member, data)
    return file


def everything(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() or path.is_symlink())


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_member_outside_the_folder_stops_the_unpacking(tmp_path: Path, name: str) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    file = archive(tmp_path / "a.zip", name)
    if name.endswith("/"):  # a folder, of which nothing is made
        unpack(file, tmp_path / "deep" / "er" / "out", "IN", QUIET)
        assert everything(tmp_path) == ["a.zip", "deep/er/out/0.png"]
        return
    with pytest.raises(UserError, match="which does not lie in IN/: nothing is unpacked"):
        unpack(file, tmp_path / "deep" / "er" / "out", "IN", QUIET)
    assert everything(tmp_path) == ["a.zip"]


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_only_plain_files_come_out_of_an_archive(tmp_path: Path, kind: int) -> None:
    file = archive(tmp_path / "a.zip", "IN/odd", kind=kind, data=b"/etc/passwd")
    try:
        unpack(file, tmp_path / "out", "IN", QUIET)
    except UserError as fault:
        assert "IN/odd" in str(fault)
    assert all(path.is_file() and not path.is_symlink() for path in (tmp_path / "out").rglob("*"))
    assert (tmp_path / "out").exists() == (kind != stat.S_IFLNK)


def test_a_nul_ends_a_members_name(tmp_path: Path) -> None:
    unpack(archive(tmp_path / "a.zip", "IN/1.png\0/../../../evil.png"), tmp_path / "out", "IN", QUIET)
    assert everything(tmp_path) == ["a.zip", "out/0.png", "out/1.png"]


@pytest.mark.parametrize(
    ("names", "flag"), [(["IN/" + "x" * 300], 0), (["IN/a", "IN/a/b"], 0), (["IN/0.png/b"], 0), (["IN/secret.png"], 1)]
)
def test_an_archive_that_cannot_be_unpacked_is_reported(tmp_path: Path, names: list[str], flag: int) -> None:
    """Names that are too long or collide, and an encrypted member."""
    file = archive(tmp_path / "a.zip", *names)
    data = bytearray(file.read_bytes())
    if flag:
        for mark, at in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
            data[data.rindex(mark) + at] |= flag
        file.write_bytes(data)
    with pytest.raises((UserError, OSError)) as told:
        unpack(file, tmp_path / "out", "IN", QUIET)
    assert isinstance(told.value, UserError) or told.value.filename
    assert not (tmp_path / "out").exists()


def index(folder: Path, file: object, name: object = "0.png", **change: object) -> str:
    """Make a folder of shards whose index names `file`."""
    place = {"offset": 0, "length": len(photograph()), "height": 24, "width": 20} | change
    row = [name, *place.values()]
    folder.mkdir(exist_ok=True)
    (folder / shards.INDEX).write_text(json.dumps({"format": shards.FORMAT, "shards": [{"file": file, "pictures": [row]}]}))
    return str(folder)


@pytest.mark.parametrize(
    "name", ["../secret.png", "/etc/passwd", "a/../../secret.png", "..", "", "a\\b", "a\0", "file:///a", 3, None]
)
def test_an_index_can_name_only_shards_in_its_folder(tmp_path: Path, name: object) -> None:
    (tmp_path / "secret.png").write_bytes(photograph())
    with pytest.raises(UserError, match=r"index\.json is damaged"):
        Sharded(index(tmp_path / "shards", name))


@pytest.mark.parametrize(
    "change", [{"offset": -1}, {"length": 0}, {"length": 1.5}, {"height": "24"}, {"width": None}, {"name": 3}, {"name": "a\0"}]
)
def test_an_index_with_impossible_numbers_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    with pytest.raises(UserError, match=r"index\.json is damaged"):
        Sharded(index(tmp_path, "0.tar", **change))


def test_a_picture_whose_size_differs_from_the_index_is_refused(tmp_path: Path) -> None:
    place = index(tmp_path, "0.tar")
    (tmp_path / "0.tar").write_bytes(photograph())
    assert Sharded(place).pixels(0).shape == (24, 20, 3)
    with pytest.raises(UserError, match=r"0\.tar: 0\.png does not have 21x24 pixels, as index\.json says"):
        Sharded(index(tmp_path, "0.tar", width=21)).pixels(0)


def test_a_damaged_shard_is_written_again(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_bytes(photograph())
    pictures = Cache(tmp_path / "cache", 0).prepare(in_folder(tmp_path / "photos"), QUIET)
    shards.write(pictures, tmp_path / "shards", 1.0, QUIET)
    (tmp_path / "shards" / "000000.tar").write_bytes(b"no tar")
    shards.write(pictures, tmp_path / "shards", 1.0, QUIET)
    assert np.array_equal(Sharded(str(tmp_path / "shards")).pixels(0), picture.read(tmp_path / "photos" / "a.png").pixels)


@pytest.fixture
def named(tmp_path: Path) -> Path:
    """Make pictures with odd names, one of them not UTF-8, and links that lead out of the folder."""
    folder = tmp_path / "in"
    folder.mkdir()
    for place, name in enumerate(ODD):
        (folder / name).write_bytes(photograph(place))
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.png")).write_bytes(photograph())
    (tmp_path / "elsewhere.png").write_bytes(photograph())
    (folder / "link.png").symlink_to("../elsewhere.png")
    (folder / "broken.png").symlink_to("nowhere")
    return folder


def test_restore_keeps_odd_names_inside_its_folder(named: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = checkpoints.save(tmp_path / "a.ckpt")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.png") if path.is_file()}
    assert main(["restore", f"checkpoint={file}", f"source={named}", f"destination='{tmp_path}/out/[/x]'"]) == 1
    assert "broken.png cannot be read: a broken link" in capfd.readouterr().err
    made = {path.name for path in (tmp_path / "out" / "[/x]").iterdir()}
    assert made == {path.name for path in named.iterdir() if path.name != "broken.png"} | {"parameters.csv", ".csrgan"}
    assert all(path.read_bytes() == data for path, data in before.items())
    told = {
        row["file"] for row in csv.DictReader((tmp_path / "out" / "[/x]" / "parameters.csv").open(encoding="utf-8", newline=""))
    }
    assert told == {*map(table_cell, ODD), "caf\\xe9.png", "link.png"}


def test_degrade_and_prepare_take_odd_names(named: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name in ("broken.png", ODD[-1]):  # a name of 255 bytes leaves no room for the number of a version
        (named / name).unlink()
    assert main(["degrade", f"source={named}", f"destination={tmp_path}/out"]) == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {".csrgan", "sharp", "low", "parameters.csv", "sheet.png"}
    told = {row["file"] for row in csv.DictReader((tmp_path / "out" / "parameters.csv").open(encoding="utf-8", newline=""))}
    assert len(told) == len(list(named.iterdir())) == len(list((tmp_path / "out" / "low").iterdir()))
    assert "caf\\xe9_0.png" in told
    words = ["data=folder", f"data.train={named}", f"data.cache={tmp_path}/cache"]
    assert main(["prepare", "format=shards", f"destination={tmp_path}/shards", *words]) == 0
    found = Sharded(str(tmp_path / "shards"))
    assert set(found.names) == {*ODD[:-1], "caf\\xe9.png", "link.png"}
    with tarfile.open(tmp_path / "shards" / "000000.tar") as shard:
        assert shard.getnames() == found.names
    assert "Traceback" not in capfd.readouterr().err
