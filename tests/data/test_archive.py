"""Download, verify and unpack a data set: a small archive served on loopback."""

from __future__ import annotations

import hashlib
import io
import multiprocessing
import os
import stat
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from archive_server import ArchiveServer
from commands import SMOKE
from PIL import Image
from rich.console import Console

from csrgan.cli import main
from csrgan.data.archive import CHUNK, Archive
from csrgan.errors import UserError

NAME = "SMALL_HR.zip"
QUIET = Console(quiet=True)


def photograph(seed: int) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (70, 80, 3), np.uint8)).save(stream, "png")
    return stream.getvalue()


def archived(members: dict[str, bytes], link: str = "") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as held:
        for name, data in members.items():
            held.writestr(name, data)
        if link:
            entry = zipfile.ZipInfo(link)
            entry.external_attr = (stat.S_IFLNK | 0o777) << 16
            held.writestr(entry, "/etc")
    return stream.getvalue()


GOOD = archived({f"SMALL_HR/{k:04d}.png": photograph(k) for k in range(6)})


@pytest.fixture
def server() -> Iterator[ArchiveServer]:
    with ArchiveServer({NAME: GOOD}) as one:
        yield one


def archive(server: ArchiveServer, data: bytes = GOOD, retries: int = 1) -> Archive:
    return Archive(
        url=f"{server.url}/{NAME}",
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        folder="SMALL_HR",
        notice="for research only",
        retries=retries,
    )


def told(console_file: io.StringIO) -> Console:
    return Console(file=console_file, width=200)


def test_it_is_downloaded_once_after_its_notice(server: ArchiveServer, tmp_path: Path) -> None:
    said = io.StringIO()
    files = archive(server).files(tmp_path, [], told(said))
    assert [file.name for file in files] == [f"{k:04d}.png" for k in range(6)]
    assert files[3].path.read_bytes() == photograph(3)
    assert said.getvalue().startswith("for research only")
    assert archive(server).files(tmp_path, [], QUIET) == files
    assert server.sent == len(GOOD)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == ["", ".lock"]  # the archive is gone when it is unpacked


def test_a_broken_download_is_resumed(server: ArchiveServer, tmp_path: Path) -> None:
    server.breaks = [30_000]
    assert len(archive(server).files(tmp_path, [], QUIET)) == 6
    assert server.ranges == [0, CHUNK]


def test_a_later_run_resumes_the_download(server: ArchiveServer, tmp_path: Path) -> None:
    server.breaks = [30_000]
    with pytest.raises(UserError, match=r"could not be downloaded, tried 1 times: .*run the same command.*data\.archive=FILE"):
        archive(server, retries=0).files(tmp_path, [], QUIET)
    assert len(archive(server, retries=0).files(tmp_path, [], QUIET)) == 6
    assert server.ranges == [0, CHUNK]


def test_corrupt_data_are_downloaded_again_and_another_file_is_refused(server: ArchiveServer, tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.part").write_bytes(b"x" * 1000)  # an earlier start has left something else
    assert len(archive(server).files(tmp_path, [], QUIET)) == 6
    assert server.ranges == [1000, 0]
    other = archived({"SMALL_HR/0.png": photograph(9)})
    with pytest.raises(UserError, match="is not the expected file: its SHA-256 is not"):
        archive(server, other).files(tmp_path / "other", [], QUIET)
    assert not list((tmp_path / "other").glob("SMALL_HR-*"))


def test_an_archive_of_the_user_is_used_and_kept(server: ArchiveServer, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(GOOD)
    assert len(archive(server).files(tmp_path, [], QUIET)) == 6
    assert server.sent == 0
    assert (tmp_path / NAME).read_bytes() == GOOD
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / NAME).write_bytes(b"another of this name")
    assert len(archive(server).files(tmp_path / "other", [], QUIET)) == 6
    assert (tmp_path / "other" / NAME).read_bytes() == b"another of this name"


def test_a_file_damaged_by_a_power_cut_is_unpacked_again(server: ArchiveServer, tmp_path: Path) -> None:
    one = archive(server)
    file = tmp_path / f"SMALL_HR-{one.sha256[:8]}.part" / "SMALL_HR" / "0003.png"
    file.parent.mkdir(parents=True)
    file.write_bytes(bytes(len(photograph(3))))
    assert one.files(tmp_path, [], QUIET)[3].path.read_bytes() == photograph(3)


def test_a_failing_server_is_reported(server: ArchiveServer, tmp_path: Path) -> None:
    server.statuses = [503]
    assert len(archive(server).files(tmp_path, [], QUIET)) == 6
    server.statuses = [404]
    with pytest.raises(UserError, match="404"):
        archive(server, retries=0).files(tmp_path / "absent", [], QUIET)
    away = archive(server, retries=0)
    away.url = "http://127.0.0.1:9/SMALL_HR.zip"
    with pytest.raises(UserError, match="Connection refused"):
        away.files(tmp_path / "away", [], QUIET)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="fills no disk without /dev/full, which is Linux's")
def test_a_full_disk_is_reported(server: ArchiveServer, tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.part").symlink_to("/dev/full")
    with pytest.raises(UserError, match=r"SMALL_HR cannot be stored: No space left on device; data\.cache=FOLDER"):
        archive(server).files(tmp_path, [], QUIET)
    huge = archive(server)
    huge.bytes = 10**18
    with pytest.raises(UserError, match=r"needs 2000000000\.0 GB in .*GB are free"):
        huge.files(tmp_path / "huge", [], QUIET)


@pytest.mark.parametrize(
    "evil", ["../evil.png", "SMALL_HR/../../evil.png", "/evil.png", "OTHER/evil.png", "SMALL_HR\\..\\evil.png"]
)
def test_nothing_is_written_outside_the_folder(server: ArchiveServer, tmp_path: Path, evil: str) -> None:
    server.files[NAME] = archived({"SMALL_HR/0.png": photograph(0), evil: photograph(1)})
    with pytest.raises(UserError, match=r"evil\.png', which does not lie in SMALL_HR/: nothing is unpacked"):
        archive(server, server.files[NAME]).files(tmp_path / "a" / "b", [], QUIET)
    assert not list(tmp_path.rglob("*.png"))


def test_a_link_and_a_broken_archive_are_refused(server: ArchiveServer, tmp_path: Path) -> None:
    server.files[NAME] = archived({"SMALL_HR/0.png": photograph(0)}, link="SMALL_HR/link")
    with pytest.raises(UserError, match="SMALL_HR/link"):
        archive(server, server.files[NAME]).files(tmp_path / "a", [], QUIET)
    server.files[NAME] = b"no archive"
    with pytest.raises(UserError, match="cannot be unpacked"):
        archive(server, server.files[NAME]).files(tmp_path / "b", [], QUIET)


def process(server: ArchiveServer, place: Path, said: Path) -> multiprocessing.Process:
    """Start a process that fetches the archive and writes its messages and the number of files to `said`."""

    def fetch() -> None:
        with said.open("w") as screen:
            print(len(archive(server, retries=0).files(place, [], Console(file=screen))), file=screen)

    one = multiprocessing.get_context("fork").Process(target=fetch)
    one.start()
    return one


@pytest.mark.skipif(not hasattr(os, "fork"), reason="starts processes by fork")
def test_two_processes_download_once_and_a_killed_download_is_resumed(server: ArchiveServer, tmp_path: Path) -> None:
    server.pause = 0.05
    killed = process(server, tmp_path, tmp_path / "killed.txt")
    part = tmp_path / f"{NAME}.part"
    end = time.monotonic() + 60
    while (not part.is_file() or server.sent < 20_000) and time.monotonic() < end:
        time.sleep(0.01)
    killed.kill()
    killed.join()
    two = [process(server, tmp_path, tmp_path / name) for name in "ab"]
    for one in two:
        one.join()
    said = [(tmp_path / name).read_text() for name in "ab"]
    assert all(text.endswith("6\n") for text in said)
    assert sum("another process is fetching SMALL_HR; waiting" in text for text in said) == 1
    assert len(server.ranges) == 2


def test_train_uses_a_local_archive_and_downloads_the_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = ("DIV2K_train_HR", "DIV2K_valid_HR")
    both = {folder: archived({f"{folder}/{k}.png": photograph(k) for k in range(2)}) for folder in folders}
    mine = tmp_path / "DIV2K_train_HR.zip"
    mine.write_bytes(both["DIV2K_train_HR"])
    with ArchiveServer({f"{folder}.zip": data for folder, data in both.items()}) as server:
        words = ["train", *SMOKE, "data=div2k", f"data.cache={tmp_path}/cache", f"data.archive={mine}"]
        for part, (folder, data) in zip(("train", "valid"), both.items(), strict=True):
            sha256 = hashlib.sha256(data).hexdigest()
            words += [
                f"data.{part}.url={server.url}/{folder}.zip",
                f"data.{part}.bytes={len(data)}",
                f"data.{part}.sha256={sha256}",
            ]
        words += ["data.crop=32", "trainer.images=8", "data.workers=0"]
        assert main([*words, f"run_dir={tmp_path}/run"]) == 0
        assert server.sent == len(both["DIV2K_valid_HR"])
    assert mine.is_file()
    assert "academic research only" in capsys.readouterr().out
    assert main([*words, f"data.archive={tmp_path}/DIV2K.zip", f"run_dir={tmp_path}/run2"]) == 2
    assert "Did you mean DIV2K_" in capsys.readouterr().err
    mine.write_bytes(GOOD)
    assert main([*words, f"data.cache={tmp_path}/elsewhere", f"run_dir={tmp_path}/run3"]) == 2
    assert "is not the expected archive: its SHA-256" in capsys.readouterr().err
