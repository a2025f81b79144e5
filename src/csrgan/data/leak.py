"""Photographs that are trained on and evaluated on, which make scores too good."""

from __future__ import annotations

from csrgan.data.pictures import Pictures
from csrgan.data.prepared import Prepared
from csrgan.data.shards import Sharded


def told(train: Pictures, valid: Pictures) -> str:
    """A sentence that names the photographs of data.valid that are in data.train, too; empty where there are none, or where it
    cannot be seen without reading all."""
    names = shared(train, valid)
    if not names:
        return ""
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return (
        f"{len(names)} of {len(valid.names)} photographs of data.valid are in data.train, too ({shown}): their scores say little of"
        " photographs that were never seen."
    )


def shared(train: Pictures, valid: Pictures) -> list[str]:
    """Names of the photographs of `valid` whose file, or whose pixels, `train` has, too."""
    if not isinstance(valid, Prepared):
        return []
    if isinstance(train, Prepared):
        files = {what.key for what in train.known}
        pixels = {(what.crc, what.height, what.width) for what in train.known}
        both = zip(valid.names, valid.known, strict=True)
        return [name for name, what in both if what.key in files or (what.crc, what.height, what.width) in pixels]
    return _in_shards(train, valid) if isinstance(train, Sharded) else []


def _in_shards(train: Sharded, valid: Prepared) -> list[str]:
    """Read are those alone that are as long as a file of `valid`."""
    lengths = dict[int, list[int]]()
    for index, (_, _, length) in enumerate(train.places):
        lengths.setdefault(length, []).append(index)
    return [
        name
        for name, what in zip(valid.names, valid.known, strict=True)
        if any(train.key(index) == what.key for index in lengths.get(what.size, ()))
    ]
