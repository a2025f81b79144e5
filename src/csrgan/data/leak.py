"""Photographs that are in both data.train and data.valid, which makes scores too good."""

from __future__ import annotations

from csrgan.data.paired import Paired
from csrgan.data.pictures import Pictures
from csrgan.data.prepared import Prepared
from csrgan.data.shards import Sharded


def warning(train: Pictures, valid: Pictures) -> str:
    """Name the photographs of data.valid that are also in data.train, in a sentence; empty if there are none, or if finding them
    would mean reading everything."""
    names = shared(train, valid)
    if not names:
        return ""
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return (
        f"{len(names)} of {len(valid.names)} photographs of data.valid are also in data.train ({shown}): their scores say little"
        " about photographs that the network has not seen."
    )


def shared(train: Pictures, valid: Pictures) -> list[str]:
    """Return the names of the photographs of `valid` whose file or pixels are also in `train`."""
    if not isinstance(valid, Prepared | Paired):
        return []
    if isinstance(train, Prepared | Paired):
        files = {entry.key for entry in train.known}
        pixels = {(entry.crc, entry.height, entry.width) for entry in train.known}
        entries = zip(valid.names, valid.known, strict=True)
        return [name for name, entry in entries if entry.key in files or (entry.crc, entry.height, entry.width) in pixels]
    return _in_shards(train, valid) if isinstance(train, Sharded) else []


def _in_shards(train: Sharded, valid: Prepared | Paired) -> list[str]:
    """Read only the photographs whose files are as long as one of `valid`."""
    by_length = dict[int, list[int]]()
    for index, (_, _, length) in enumerate(train.spans):
        by_length.setdefault(length, []).append(index)
    return [
        name
        for name, entry in zip(valid.names, valid.known, strict=True)
        if any(train.key(index) == entry.key for index in by_length.get(entry.size, ()))
    ]
