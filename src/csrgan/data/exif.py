"""EXIF: what a camera says of its picture, as the tags of a TIFF, which are copied byte for byte and changed where they must be."""

from __future__ import annotations

import struct
from collections.abc import Container
from contextlib import suppress
from dataclasses import dataclass

from PIL.ExifTags import IFD, Base

HEAD = b"Exif\0\0"
LARGEST = 2**22  # bytes of one directory's values; a camera writes 64 kB
SHORT, LONG = 3, 4
BYTES = {1: 1, 2: 1, SHORT: 2, LONG: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}  # of each type
INNER = (IFD.Exif, IFD.GPSInfo, IFD.Interop)  # tags that are directories
# Of a TIFF's own tags, those that tell of the picture and not how the file is laid out.
TOLD = frozenset(
    (
        *(Base.ImageDescription, Base.Make, Base.Model, Base.Orientation, Base.Software, Base.DateTime, Base.Artist),
        *(Base.Copyright, Base.HostComputer, Base.Rating, Base.XPTitle, Base.XPComment, Base.XPAuthor, Base.XPKeywords),
        *(Base.XPSubject, IFD.Exif, IFD.GPSInfo),
    )
)

Directory = dict[int, "tuple[int, bytes] | Directory"]  # by tag: its type and value; or, where it is one, a directory


@dataclass(frozen=True)
class Exif:
    """order: < or >, of its bytes. The directory of a thumbnail is left behind, since it shows the picture as it was."""

    order: str
    tags: Directory

    @classmethod
    def of(cls, data: bytes, kept: Container[int] | None = None) -> Exif | None:
        """From the bytes of EXIF or of a TIFF file; None where they are neither, say nothing, or more than a camera would write.

        kept: the tags of the first directory that are taken; None: all.
        """
        order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4], "")
        with suppress(struct.error, ValueError):
            (place,) = struct.unpack_from(f"{order}I", data, 4)
            tags = _read(data, order, place, kept) if order else {}
            return cls(order, tags) if tags else None
        return None

    @property
    def turned(self) -> bool:
        """Whether the picture lies on its side."""
        found = self.tags.get(Base.Orientation)
        return isinstance(found, tuple) and found[0] == SHORT and struct.unpack_from(f"{self.order}H", found[1])[0] in range(5, 9)

    def upright(self, width: int, height: int) -> Exif:
        """Of the picture that has been turned upright and has so many pixels."""

        def with_numbers(tags: Directory, numbers: dict[int, int]) -> Directory:
            return tags | {tag: (LONG, struct.pack(f"{self.order}I", one)) for tag, one in numbers.items() if tag in tags}

        tags, inner = self.tags, self.tags.get(IFD.Exif)
        if isinstance(inner, dict):
            tags = tags | {IFD.Exif: with_numbers(inner, {Base.ExifImageWidth: width, Base.ExifImageHeight: height})}
        if Base.Orientation in tags:
            tags = tags | {Base.Orientation: (SHORT, struct.pack(f"{self.order}H", 1))}
        return Exif(self.order, tags)

    def __bytes__(self) -> bytes:
        """As it stands in a JPEG."""
        return HEAD + head(self.order, 8) + written(self.tags, self.order, 8)


def head(order: str, place: int) -> bytes:
    """The first bytes of a TIFF whose first directory stands at `place`."""
    return (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", place)


def written(tags: Directory, order: str, place: int) -> bytes:
    """A directory as it stands at `place` of a file, with all its values behind it."""
    entries, values = [struct.pack(f"{order}H", len(tags))], bytearray()
    end = place + 6 + 12 * len(tags)
    for tag, found in sorted(tags.items()):
        here = end + len(values)
        if isinstance(found, dict):
            entries.append(struct.pack(f"{order}HHII", tag, LONG, 1, here))
            values += written(found, order, here)
            continue
        kind, value = found
        short = len(value) <= 4
        entries.append(struct.pack(f"{order}HHI", tag, kind, len(value) // BYTES[kind]))
        entries.append(value.ljust(4, b"\0") if short else struct.pack(f"{order}I", here))
        values += b"" if short else value + bytes(len(value) % 2)
    return b"".join(entries) + bytes(4) + values


def _read(data: bytes, order: str, place: int, kept: Container[int] | None = None, depth: int = 0) -> Directory:
    """A directory; tags whose values are not there are left out. Raises struct.error where it is not there, and ValueError."""
    (count,) = struct.unpack_from(f"{order}H", data, place)
    found: Directory = {}
    total = 0
    for entry in range(place + 2, place + 2 + 12 * count, 12):
        tag, kind, number, start = struct.unpack_from(f"{order}HHII", data, entry)
        length = BYTES.get(kind, 0) * number
        if tag in found or not length or (kept is not None and tag not in kept):
            continue
        if tag in INNER:
            if depth < 2 and kind in (LONG, 13):
                with suppress(struct.error):
                    found[tag] = _read(data, order, start, depth=depth + 1)
            continue
        total += length
        if total > LARGEST:
            raise ValueError("more than a camera would write")
        value = data[entry + 8 : entry + 8 + length] if length <= 4 else data[start : start + length]
        if len(value) == length:
            found[tag] = (kind, value)
    return found
