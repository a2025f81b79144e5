"""Photographs on disk, most of them decoded in the cache and mapped from there."""

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

CHUNK = 1 << 20  # bytes that are read at once to see that they are right


class Prepared:
    """Photographs of which the cache holds those that it has room for. refused: the others of the files, and why.

    decoded: where the cache holds each, or None.
    """

    def __init__(self, files: Sequence[File], known: Sequence[CacheEntry], decoded: Sequence[Path | None]) -> None:
        good = [place for place, what in enumerate(known) if not what.refused]
        self.known = [known[place] for place in good]
        self.files, self.names = [files[place].path for place in good], [files[place].name for place in good]
        self.sizes = [(what.height, what.width) for what in self.known]
        self.decoded = [decoded[place] for place in good]
        self.refused = {file.name: what.refused for file, what in zip(files, known, strict=True) if what.refused}
        self._right: set[int] = set()

    @property
    def groups(self) -> list[Sequence[int]]:
        """Each alone, whether it is in the cache or not: the order of the samples must not depend on that."""
        return [[index] for index in range(len(self.files))]

    def pixels(self, index: int) -> Pixels:
        decoded = self.decoded[index]
        if decoded:
            try:
                return self._mapped(index, decoded)
            except (OSError, ValueError, RuntimeError):  # another run has made room in the cache, or the file is damaged
                self.decoded[index] = None
        return np.require(self._again(index), requirements=["C", "W"])  # as torch wants it

    def intact(self, index: int) -> bool:
        decoded = self.decoded[index]
        try:
            return decoded is None or decoded.stat().st_size >= self.known[index].decoded_bytes
        except OSError:  # deleted, and yet what is mapped stays
            return True

    def _mapped(self, index: int, decoded: Path) -> Pixels:
        """By torch, which keeps no file open: there may be more photographs than a process may have open files."""
        what = self.known[index]
        if index not in self._right:
            verify(decoded, what)
            self._right.add(index)
        held = torch.from_file(str(decoded), shared=False, size=what.decoded_bytes, dtype=torch.uint8)
        result: Pixels = held[HEAD:].view(what.height, what.width, 3).numpy()
        return result

    def _again(self, index: int) -> Pixels:
        """Decoded from its file, which must be the one that it was: another would change the samples unseen."""
        file = self.files[index]
        remedy = "put it back; a training goes on with csrgan train resume=RUN_FOLDER. With more data.cache_mb it is not needed."
        try:
            data = picture.load(file)
        except UserError as reason:
            raise UserError(
                f"{str(reason).rstrip('.')}, though it could when the photographs were looked for: {remedy}"
            ) from reason
        if key_of(data) != self.known[index].key:
            raise UserError(f"{file} is not the photograph that it was when the photographs were looked for: {remedy}")
        return picture.decode(data, file).eight_bits


def key_of(data: bytes) -> str:
    """The hash by which the content of a file is known."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def verify(decoded: Path, what: CacheEntry) -> None:
    """Raise ValueError, and delete the file, where it does not hold what was decoded: a power cut may leave zeros, and another
    csrgan other pixels. OSError where it cannot be read or deleted."""
    with decoded.open("rb") as stream:
        right = _headed(stream, what) and what.crc == _crc(stream)
    if not right:
        decoded.unlink(missing_ok=True)
        raise ValueError(f"{decoded} is damaged")


def _headed(stream: BinaryIO, what: CacheEntry) -> bool:
    """Whether an array of these pixels begins, and is as long as it should be."""
    try:
        read_magic(stream)
        header = read_array_header_1_0(stream)
    except ValueError:
        return False
    long = os.fstat(stream.fileno()).st_size
    right = (what.height, what.width, 3), False, np.dtype(np.uint8)
    return header == right and (stream.tell(), long) == (HEAD, what.decoded_bytes)


def _crc(stream: BinaryIO) -> int:
    """Of what is left in the file, read and not mapped: what is mapped counts as memory of the process."""
    result = 0
    while chunk := stream.read(CHUNK):
        result = zlib.crc32(chunk, result)
    return result
