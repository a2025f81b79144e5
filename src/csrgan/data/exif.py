"""EXIF: a camera's notes on its picture, stored as tags of a TIFF. They are copied byte for byte and changed only where needed."""

from __future__ import annotations

import struct
from collections.abc import Container
from contextlib import suppress
from dataclasses import dataclass

from PIL.ExifTags import IFD, Base

PREFIX = b"Exif\0\0"  # of EXIF in a JPEG
LARGEST = 2**22  # bytes of one directory's values; a camera writes 64 kB
SHORT, LONG = 3, 4
BYTES = {1: 1, 2: 1, SHORT: 2, LONG: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}  # of each type
INNER = (IFD.Exif, IFD.GPSInfo, IFD.Interop)  # tags that are directories
# The tags of a TIFF that describe the picture, not the layout of the file.
DESCRIPTIVE_TAGS = frozenset(
    (
        *(Base.ImageDescription, Base.Make, Base.Model, Base.Orientation, Base.Software, Base.DateTime, Base.Artist),
        *(Base.Copyright, Base.HostComputer, Base.Rating, Base.XPTitle, Base.XPComment, Base.XPAuthor, Base.XPKeywords),
        *(Base.XPSubject, IFD.Exif, IFD.GPSInfo),
    )
)

Directory = dict[int, "tuple[int, bytes] | Directory"]  # by tag: its type and value, or an inner directory


@dataclass(frozen=True)
class Exif:
    """order: byte order, < or >. A thumbnail's directory is left out, because it shows the unrestored picture."""

    order: str
    tags: Directory

    @classmethod
    def of(cls, data: bytes, keep: Container[int] | None = None) -> Exif | None:
        """Parse the bytes of EXIF or of a TIFF file; return None if they are neither, empty, or more than a camera would write.

        keep: the tags of the first directory that are kept; None: all.
        """
        order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4], "")
        with suppress(struct.error, ValueError):
            (offset,) = struct.unpack_from(f"{order}I", data, 4)
            tags = _parse_directory(data, order, offset, keep) if order else {}
            return cls(order, tags) if tags else None
        return None

    @property
    def sideways(self) -> bool:
        """Whether the picture is stored on its side."""
        tag = self.tags.get(Base.Orientation)
        return isinstance(tag, tuple) and tag[0] == SHORT and struct.unpack_from(f"{self.order}H", tag[1])[0] in range(5, 9)

    def upright(self, width: int, height: int) -> Exif:
        """Return the EXIF for the picture turned upright, now width x height px."""

        def updated(tags: Directory, values: dict[int, int]) -> Directory:
            return tags | {tag: (LONG, struct.pack(f"{self.order}I", value)) for tag, value in values.items() if tag in tags}

        tags, inner = self.tags, self.tags.get(IFD.Exif)
        if isinstance(inner, dict):
            tags = tags | {IFD.Exif: updated(inner, {Base.ExifImageWidth: width, Base.ExifImageHeight: height})}
        if Base.Orientation in tags:
            tags = tags | {Base.Orientation: (SHORT, struct.pack(f"{self.order}H", 1))}
        return Exif(self.order, tags)

    def __bytes__(self) -> bytes:
        """Return the EXIF as a JPEG holds it."""
        return PREFIX + header(self.order, 8) + directory_bytes(self.tags, self.order, 8)


def header(order: str, offset: int) -> bytes:
    """Return the first bytes of a TIFF whose first directory begins at byte `offset`."""
    return (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", offset)


def directory_bytes(tags: Directory, order: str, offset: int) -> bytes:
    """Return a directory that begins at byte `offset` of a file, followed by all its values."""
    entries, values = [struct.pack(f"{order}H", len(tags))], bytearray()
    end = offset + 6 + 12 * len(tags)
    for tag, content in sorted(tags.items()):
        position = end + len(values)
        if isinstance(content, dict):
            entries.append(struct.pack(f"{order}HHII", tag, LONG, 1, position))
            values += directory_bytes(content, order, position)
            continue
        kind, value = content
        short = len(value) <= 4
        entries.append(struct.pack(f"{order}HHI", tag, kind, len(value) // BYTES[kind]))
        entries.append(value.ljust(4, b"\0") if short else struct.pack(f"{order}I", position))
        values += b"" if short else value + bytes(len(value) % 2)
    return b"".join(entries) + bytes(4) + values


def _parse_directory(data: bytes, order: str, offset: int, keep: Container[int] | None = None, depth: int = 0) -> Directory:
    """Parse the directory at byte `offset`, without tags whose values are missing. Raises struct.error if it is cut short, and
    ValueError if it is too large."""
    (count,) = struct.unpack_from(f"{order}H", data, offset)
    tags: Directory = {}
    total = 0
    for entry in range(offset + 2, offset + 2 + 12 * count, 12):
        tag, kind, number, start = struct.unpack_from(f"{order}HHII", data, entry)
        length = BYTES.get(kind, 0) * number
        if tag in tags or not length or (keep is not None and tag not in keep):
            continue
        if tag in INNER:
            if depth < 2 and kind in (LONG, 13):
                with suppress(struct.error):
                    tags[tag] = _parse_directory(data, order, start, depth=depth + 1)
            continue
        total += length
        if total > LARGEST:
            raise ValueError("more than a camera would write")
        value = data[entry + 8 : entry + 8 + length] if length <= 4 else data[start : start + length]
        if len(value) == length:
            tags[tag] = (kind, value)
    return tags
