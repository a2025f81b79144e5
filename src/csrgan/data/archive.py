"""Photographs in a zip archive on the network, which is downloaded once, verified and unpacked into a folder."""

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

CHUNK = 1 << 14  # bytes; an incomplete chunk is lost when the connection breaks

# What zipfile raises for an archive that is damaged, encrypted, or compressed by an unknown method.
BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, IndexError, OverflowError, RuntimeError)


class Archive:
    """A zip archive on its owner's server.

    url: its address. bytes: its length. sha256: of the whole archive. folder: the one folder in it. notice: printed before the
    download, such as its licence. retries: further attempts after the first.
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

    def files(self, destination: Path, archives: Sequence[Path], console: Console) -> list[File]:
        """Unpack the archive below `destination` and return its files; download it if needed. Raises UserError on failure."""
        unpacked = destination / f"{self.folder}-{self.sha256[:8]}"
        if not unpacked.is_dir():
            lock = destination / f"{self.folder}.lock"
            with _storage_errors(self.folder), wait_lock(lock, console, f"fetching {self.folder}"):
                if not unpacked.is_dir():  # another process may have been faster
                    self._fetch(unpacked, archives, console)
        return in_folder(unpacked)

    def _fetch(self, unpacked: Path, archives: Sequence[Path], console: Console) -> None:
        console.print(self.notice, highlight=False, markup=False, soft_wrap=True)
        destination = unpacked.parent
        own_copies = [archive for archive in archives if archive.name == self.file]
        for archive in own_copies[:1]:
            require(archive.is_file(), f"data.archive={archive} is not a file.")
            sha256 = self._hash(archive, console)
            sentence = f"data.archive={archive} is not the expected archive: its SHA-256 is {sha256}, not {self.sha256}."
            require(sha256 == self.sha256, sentence)
            unpack(archive, unpacked, self.folder, console)
            return
        beside = destination / self.file  # put there by the user, so it is kept
        if beside.is_file() and self._hash(beside, console) == self.sha256:
            unpack(beside, unpacked, self.folder, console)
            return
        downloaded = unpacked.with_name(f"{unpacked.name}.zip")
        _check_space(destination, 2 * self.bytes - _length(destination / f"{self.file}.part"), self.folder)
        self._download(downloaded, console)
        unpack(downloaded, unpacked, self.folder, console)
        downloaded.unlink()

    def _hash(self, archive: Path, console: Console) -> str:
        console.print(f"verifying {archive.name}", highlight=False, markup=False, soft_wrap=True)
        return str(pooch.file_hash(str(archive), alg="sha256"))

    def _download(self, archive: Path, console: Console) -> None:
        """Download with pooch, which retries and compares the hash. A partial download is kept, and the next attempt resumes it."""
        part = archive.with_name(f"{self.file}.part")
        require(not (part.is_symlink() and part.is_file()), f"{part} is a link, and csrgan writes nothing through it: remove it.")
        pooch.get_logger().setLevel("ERROR")
        registry = {archive.name: f"sha256:{self.sha256}"}
        source = pooch.create(archive.parent, "", registry=registry, urls={archive.name: self.url}, retry_if_failed=self.retries)
        try:
            source.fetch(archive.name, downloader=ResumingDownloader(part, self.bytes, console))
        except requests.RequestException as error:
            raise UserError(
                f"{self.url} could not be downloaded, tried {self.retries + 1} times: {_root_cause(error)}. What has arrived is"
                f" kept: run the same command again to resume, or get {self.file} elsewhere and give it as data.archive=FILE."
            ) from error
        except ValueError as error:  # from pooch, when the hash differs
            raise UserError(f"{self.url} is not the expected file: its SHA-256 is not {self.sha256}.") from error


class ResumingDownloader:
    """A downloader for pooch that stores partial data in `part` and asks the server only for the rest."""

    def __init__(self, part: Path, total: int, console: Console) -> None:
        self.part, self.total, self.console = part, total, console
        self.finished = 0

    def __call__(self, url: str, output_file: str, _: object) -> None:
        # pooch calls again if the hash differs: once may be a transmission error, twice means that it is another file
        if self.finished == 2:
            raise ValueError(f"{url} gave another file twice")
        start = _length(self.part)
        headers = {"Range": f"bytes={start}-"} if start else {}
        with requests.get(url, headers=headers, stream=True, timeout=(10, 60)) as response:
            if response.status_code == requests.codes.requested_range_not_satisfiable:  # `part` is complete, or too long
                self._finish(output_file)
                return
            response.raise_for_status()
            resumed = response.status_code == requests.codes.partial_content
            done = start if resumed else 0
            bar = progress(self.console, f"downloading {self.part.stem}", self.total, unit="bytes")
            with bar as advance, self.part.open("ab" if resumed else "wb") as stream:
                for chunk in response.iter_content(CHUNK):
                    stream.write(chunk)
                    done += len(chunk)
                    advance(done)
        self._finish(output_file)

    def _finish(self, output_file: str) -> None:
        self.part.replace(output_file)
        self.finished += 1


def unpack(archive: Path, destination: Path, folder: str, console: Console) -> None:
    """Unpack `folder` of a zip archive as the folder `destination`, which appears only when it is complete.

    Files that an interrupted run has unpacked are kept. Raises UserError if the archive is broken or would write elsewhere.
    """
    unfinished = destination.with_name(f"{destination.name}.part")
    require(not unfinished.is_symlink(), f"{unfinished} is a link, and csrgan unpacks nothing through it: remove it.")
    try:
        with zipfile.ZipFile(archive) as contents:
            members = [member for member in contents.infolist() if not member.filename.endswith("/")]
            require(bool(members), f"{archive} holds no file.")
            for member in members:
                _check_member(member, folder, archive)
            _check_space(destination.parent, sum(member.file_size for member in members), folder)
            with progress(console, f"unpacking {archive.name}", len(members)) as advance:
                for done, member in enumerate(members, start=1):
                    if not _is_unpacked(unfinished / member.filename, member):
                        with Path(contents.extract(member, unfinished)).open("rb") as file:
                            os.fsync(file.fileno())
                    advance(done)
    except BROKEN as error:
        raise UserError(f"{archive} cannot be unpacked: {error}.") from error
    (unfinished / folder).rename(destination)
    with suppress(OSError):  # not empty: the rest of it is not csrgan's
        unfinished.rmdir()


def _is_unpacked(file: Path, member: zipfile.ZipInfo) -> bool:
    """Whether an earlier run has unpacked a member. The checksum is compared because a power cut may leave zeros."""
    return _length(file) == member.file_size and not file.is_symlink() and zlib.crc32(file.read_bytes()) == member.CRC


def _check_member(member: zipfile.ZipInfo, folder: str, archive: Path) -> None:
    path = PurePosixPath(member.filename)
    inside = len(path.parts) > 1 and path.parts[0] == folder and ".." not in path.parts and "\\" not in member.filename
    plain = not stat.S_ISLNK(member.external_attr >> 16)
    problem = f"which does not lie in {folder}/" if plain else "which is a link"
    require(inside and plain, f"{archive} holds {member.filename!r}, {problem}: nothing is unpacked.")


def _check_space(folder: Path, needed: float, name: str) -> None:
    """Raise UserError if the disk of `folder` has fewer than `needed` bytes free."""
    free = shutil.disk_usage(folder).free
    require(
        free >= needed,
        f"{name} needs {needed / 1e9:.1f} GB in {folder}, where {free / 1e9:.1f} GB are free; data.cache=FOLDER chooses another"
        " folder.",
    )


@contextmanager
def _storage_errors(name: str) -> Iterator[None]:
    """Raise UserError if the disk is full or not writable."""
    try:
        yield
    except OSError as error:
        if isinstance(error, requests.RequestException):
            raise
        path = f"{error.filename}: " if error.filename else ""
        sentence = f"{name} cannot be stored: {path}{error.strerror or error}; data.cache=FOLDER chooses another folder."
        raise UserError(sentence) from error


def _length(file: Path) -> int:
    return file.stat().st_size if file.is_file() else 0


def _root_cause(error: requests.RequestException) -> str:
    """Return the message of the innermost in a chain of library errors."""
    cause: BaseException = error
    while isinstance(inner := getattr(cause, "reason", None) or next(iter(cause.args), None), BaseException):
        cause = inner
    return str(cause).rstrip(".")
