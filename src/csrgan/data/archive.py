"""Photographs in a zip archive on the network: downloaded once, verified, unpacked, and from then on a folder like any other."""

from __future__ import annotations

import lzma
import os
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

import pooch
import requests
from rich.console import Console

from csrgan.data.cache import Cache
from csrgan.data.cache_entry import File
from csrgan.data.pictures import Pictures
from csrgan.data.progress import progress, wait_lock
from csrgan.data.sources import in_folder
from csrgan.errors import UserError, require
from csrgan.ranges import Count, CountOr0

CHUNK = 1 << 14  # bytes; what has come of one is lost when the connection breaks

# What zipfile raises for an archive that is damaged, encrypted, or compressed in a way that it does not know.
BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, IndexError, OverflowError, RuntimeError)


class Archive:
    """A zip archive, of which only its owner's server and its hash are known.

    url: where it lies. bytes: its length. sha256: of the whole archive. folder: the one folder that is in it.
    notice: what a user must know before it is downloaded, such as its licence. retries: after the first attempt.
    """

    def __init__(self, *, url: str, bytes: Count, sha256: str, folder: str, notice: str, retries: CountOr0) -> None:
        self.url, self.bytes, self.sha256, self.folder, self.notice, self.retries = url, bytes, sha256, folder, notice, retries
        self.file = PurePosixPath(url).name
        self.wants, self.refused = (self.file,), dict[str, str]()

    def pictures(self, cache: Cache, archives: Sequence[Path], console: Console) -> Pictures:
        cache.claim()
        prepared = cache.prepare(self.files(cache.folder / "data", archives, console), console)
        self.refused = prepared.refused
        return prepared

    def files(self, place: Path, archives: Sequence[Path], console: Console) -> list[File]:
        """The files in the archive, unpacked below `place`. Raises UserError where they cannot be had."""
        unpacked = place / f"{self.folder}-{self.sha256[:8]}"
        if not unpacked.is_dir():
            with _told(self.folder), wait_lock(place / f"{self.folder}.lock", console, f"fetching {self.folder}"):
                if not unpacked.is_dir():  # another process may have been quicker
                    self._fetch(unpacked, archives, console)
        return in_folder(unpacked)

    def _fetch(self, unpacked: Path, archives: Sequence[Path], console: Console) -> None:
        console.print(self.notice, highlight=False, markup=False, soft_wrap=True)
        place = unpacked.parent
        given = [archive for archive in archives if archive.name == self.file]
        for archive in given[:1]:
            require(archive.is_file(), f"data.archive={archive} is not there.")
            found = self._hash(archive, console)
            sentence = f"data.archive={archive} is not the archive that is meant: its SHA-256 is {found}, not {self.sha256}."
            require(found == self.sha256, sentence)
            unpack(archive, unpacked, self.folder, console)
            return
        beside = place / self.file  # put there by hand, and so the user's
        if beside.is_file() and self._hash(beside, console) == self.sha256:
            unpack(beside, unpacked, self.folder, console)
            return
        downloaded = unpacked.with_name(f"{unpacked.name}.zip")
        _need(place, 2 * self.bytes - _length(place / f"{self.file}.part"), self.folder)
        self._download(downloaded, console)
        unpack(downloaded, unpacked, self.folder, console)
        downloaded.unlink()

    def _hash(self, archive: Path, console: Console) -> str:
        console.print(f"verifying {archive.name}", highlight=False, markup=False, soft_wrap=True)
        return str(pooch.file_hash(str(archive), alg="sha256"))

    def _download(self, archive: Path, console: Console) -> None:
        """pooch tries again and compares the hash; what came before a break is kept, and the rest asked for."""
        part = archive.with_name(f"{self.file}.part")
        require(not (part.is_symlink() and part.is_file()), f"{part} is a link: nothing is written to where it leads.")
        pooch.get_logger().setLevel("ERROR")
        known = {archive.name: f"sha256:{self.sha256}"}
        source = pooch.create(archive.parent, "", registry=known, urls={archive.name: self.url}, retry_if_failed=self.retries)
        try:
            source.fetch(archive.name, downloader=Resuming(part, self.bytes, console))
        except requests.RequestException as reason:
            raise UserError(
                f"{self.url} cannot be downloaded, tried {self.retries + 1} times: {_brief(reason)}. What has come is kept, and the"
                f" same command goes on; or get {self.file} elsewhere and give it as data.archive=FILE."
            ) from reason
        except ValueError as reason:  # pooch's word for another hash
            raise UserError(f"{self.url} gave a file that is not the one that is meant: its SHA-256 is another one.") from reason


class Resuming:
    """A downloader for pooch that keeps what has come in `part`, and asks the server for the rest."""

    def __init__(self, part: Path, total: int, console: Console) -> None:
        self.part, self.total, self.console = part, total, console
        self.finished = 0

    def __call__(self, url: str, output_file: str, _: object) -> None:
        # pooch comes back when the hash is another one: once is an accident on the way, twice is another file
        if self.finished == 2:
            raise ValueError(f"{url} gave another file twice")
        have = _length(self.part)
        asked = {"Range": f"bytes={have}-"} if have else {}
        with requests.get(url, headers=asked, stream=True, timeout=(10, 60)) as answer:
            if answer.status_code == requests.codes.requested_range_not_satisfiable:  # more than there is, or all of it
                self._finish(output_file)
                return
            answer.raise_for_status()
            goes_on = answer.status_code == requests.codes.partial_content
            done = have if goes_on else 0
            shown = progress(self.console, f"downloading {self.part.stem}", self.total, unit="bytes")
            with shown as advance, self.part.open("ab" if goes_on else "wb") as stream:
                for chunk in answer.iter_content(CHUNK):
                    stream.write(chunk)
                    done += len(chunk)
                    advance(done)
        self._finish(output_file)

    def _finish(self, output_file: str) -> None:
        self.part.replace(output_file)
        self.finished += 1


def unpack(archive: Path, destination: Path, folder: str, console: Console) -> None:
    """The pictures in `folder` of a zip archive, as the folder `destination`: all of them, or none that anybody would find.

    What an interrupted start has unpacked is kept. Raises UserError for an archive that is broken, or that would write elsewhere.
    """
    unfinished = destination.with_name(f"{destination.name}.part")
    require(not unfinished.is_symlink(), f"{unfinished} is a link: nothing is unpacked to where it leads.")
    try:
        with zipfile.ZipFile(archive) as held:
            members = [member for member in held.infolist() if not member.filename.endswith("/")]
            require(bool(members), f"{archive} holds no file.")
            for member in members:
                _check_member(member, folder, archive)
            _need(destination.parent, sum(member.file_size for member in members), folder)
            with progress(console, f"unpacking {archive.name}", len(members)) as advance:
                for done, member in enumerate(members, start=1):
                    if not _is_there(unfinished / member.filename, member):
                        with Path(held.extract(member, unfinished)).open("rb") as written:
                            os.fsync(written.fileno())
                    advance(done)
    except BROKEN as reason:
        raise UserError(f"{archive} is no archive that can be unpacked: {reason}.") from reason
    (unfinished / folder).rename(destination)
    with suppress(OSError):  # it is not empty: what else is in it was put there by another
        unfinished.rmdir()


def _is_there(file: Path, member: zipfile.ZipInfo) -> bool:
    """Whether a start before has unpacked a file: a power cut may have left zeros."""
    return _length(file) == member.file_size and not file.is_symlink() and zlib.crc32(file.read_bytes()) == member.CRC


def _check_member(member: zipfile.ZipInfo, folder: str, archive: Path) -> None:
    path = PurePosixPath(member.filename)
    inside = len(path.parts) > 1 and path.parts[0] == folder and ".." not in path.parts and "\\" not in member.filename
    plain = not stat.S_ISLNK(member.external_attr >> 16)
    require(inside and plain, f"{archive} holds {member.filename!r}, which does not lie in {folder}/: nothing is unpacked.")


def _need(place: Path, count: float, what: str) -> None:
    """Raise UserError where the disk has no room for so many bytes."""
    free = shutil.disk_usage(place).free
    require(
        free >= count,
        f"{what} needs {count / 1e9:.1f} GB in {place}, where {free / 1e9:.1f} GB are free; data.cache=FOLDER is elsewhere.",
    )


@contextmanager
def _told(what: str) -> Iterator[None]:
    """A disk that is full or cannot be written is a fault of the place and told as such."""
    try:
        yield
    except OSError as reason:
        if isinstance(reason, requests.RequestException):
            raise
        place = f"{reason.filename}: " if reason.filename else ""
        raise UserError(f"{what} cannot be stored: {place}{reason.strerror or reason}; data.cache=FOLDER is elsewhere.") from reason


def _length(file: Path) -> int:
    return file.stat().st_size if file.is_file() else 0


def _brief(reason: requests.RequestException) -> str:
    """The last cause of a chain of library errors, which is what happened."""
    cause: BaseException = reason
    while isinstance(inner := getattr(cause, "reason", None) or next(iter(cause.args), None), BaseException):
        cause = inner
    return str(cause).rstrip(".")
