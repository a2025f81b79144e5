"""Photographs on disk, decoded in the cache as far as there is room and mapped from there."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from numpy.lib.format import read_array_header_1_0, read_magic

from csrgan.data import picture
from csrgan.data.cache_entry import HEAD, CacheEntry, File
from csrgan.data.pictures import Pixels
from csrgan.errors import UserError

CHUNK = 1 << 20  # bytes read at once for a checksum


class Prepared:
    """The usable files, decoded in the cache as far as there is room. refused: the others, each with the reason.

    known: the entry of each file. decoded: its decoded picture in the cache, or None.
    """

    def __init__(self, files: Sequence[File], known: Sequence[CacheEntry], decoded: Sequence[Path | None]) -> None:
        usable = [index for index, entry in enumerate(known) if not entry.refused]
        self.known = [known[index] for index in usable]
        self.files, self.names = [files[index].path for index in usable], [files[index].name for index in usable]
        self.sizes = [(entry.height, entry.width) for entry in self.known]
        self.decoded = [decoded[index] for index in usable]
        self.refused = {file.name: entry.refused for file, entry in zip(files, known, strict=True) if entry.refused}
        self._verified: set[int] = set()

    @property
    def groups(self) -> list[Sequence[int]]:
        """One group per photograph, cached or not, because the order of the samples must not depend on the cache."""
        return [[index] for index in range(len(self.files))]

    def pixels(self, index: int) -> Pixels:
        decoded = self.decoded[index]
        if decoded:
            try:
                return self._mapped(index, decoded)
            except (OSError, ValueError, RuntimeError):  # deleted by another run to make room, or damaged
                self.decoded[index] = None
        return np.require(self._decode_again(index), requirements=["C", "W"])  # torch needs both

    def intact(self, index: int) -> bool:
        decoded = self.decoded[index]
        try:
            return decoded is None or decoded.stat().st_size >= self.known[index].decoded_bytes
        except OSError:  # deleted, but the mapping stays valid
            return True

    def _mapped(self, index: int, decoded: Path) -> Pixels:
        """Map the file with torch, which does not keep it open: there may be more photographs than allowed open files."""
        entry = self.known[index]
        if index not in self._verified:
            verify(decoded, entry)
            self._verified.add(index)
        mapped = torch.from_file(str(decoded), shared=False, size=entry.decoded_bytes, dtype=torch.uint8)
        pixels: Pixels = mapped[HEAD:].view(entry.height, entry.width, 3).numpy()
        return pixels

    def _decode_again(self, index: int) -> Pixels:
        """Decode the photograph from its file, which must be unchanged: another would silently change the samples."""
        file = self.files[index]
        remedy = "put it back; csrgan train resume=RUN_FOLDER then continues a training. A larger data.cache_mb avoids this."
        try:
            data = picture.load(file)
        except UserError as reason:
            raise UserError(f"{str(reason).rstrip('.')}, although it could be read before: {remedy}") from reason
        if key_of(data) != self.known[index].key:
            raise UserError(f"{file} has changed since it was first read: {remedy}")
        return picture.decode(data, file).eight_bits


def key_of(data: bytes) -> str:
    """Return the hash that identifies the content of a file."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def verify(decoded: Path, entry: CacheEntry) -> None:
    """Delete a decoded file that does not match its entry: a power failure may leave zeros, another csrgan other pixels.

    Raises ValueError if it was deleted, OSError where it cannot be read or deleted.
    """
    with decoded.open("rb") as stream:
        matches = _header_matches(stream, entry) and entry.crc == _crc(stream)
    if not matches:
        decoded.unlink(missing_ok=True)
        raise ValueError(f"{decoded} is damaged")


def _header_matches(stream: BinaryIO, entry: CacheEntry) -> bool:
    """Return whether the file begins an array of this shape and type, and has the right length."""
    try:
        read_magic(stream)
        header = read_array_header_1_0(stream)
    except ValueError:
        return False
    length = os.fstat(stream.fileno()).st_size
    expected = (entry.height, entry.width, 3), False, np.dtype(np.uint8)
    return header == expected and (stream.tell(), length) == (HEAD, entry.decoded_bytes)


def _crc(stream: BinaryIO) -> int:
    """Return the CRC-32 of the rest of the file. It is read, not mapped: mapped pages count as memory of the process."""
    checksum = 0
    while chunk := stream.read(CHUNK):
        checksum = zlib.crc32(chunk, checksum)
    return checksum
