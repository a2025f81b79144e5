"""ICC profiles of each kind, made here, for tests."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache

import numpy as np
from PIL import ImageCms

# Red, green, blue and white as CIE xy, and the curve: a gamma, or sRGB's own.
GAMUTS = {
    "display-p3": ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06), (0.3127, 0.329), "srgb"),
    "adobe-rgb": ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06), (0.3127, 0.329), 2.19921875),
    "prophoto": ((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001), (0.34567, 0.3585), 1.80078125),
    "gamma-2.2": ((0.64, 0.33), (0.3, 0.6), (0.15, 0.06), (0.3127, 0.329), 2.19921875),
}
D50 = np.array([0.9642, 1.0, 0.8249])
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def _profile(kind: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    body, entries = b"", b""
    tags = {b"desc": b"desc\0\0\0\0" + struct.pack(">I", 2) + b"a\0" + bytes(78), b"wtpt": _xyz(D50)} | tags
    for name, data in tags.items():
        entries += struct.pack(">4sII", name, 132 + 12 * len(tags) + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(">I4sI4s4s4s12x4s28x12s48x", 132 + len(entries + body), b"test", 0x02100000, kind, space, connection,
                       b"acsp", _xyz(D50)[8:])  # fmt: skip
    assert len(head) == 128
    return head + struct.pack(">I", len(tags)) + entries + body


def _xyz(values: np.ndarray) -> bytes:
    return b"XYZ \0\0\0\0" + np.round(values * 65536).astype(">i4").tobytes()


def curve(shape: str | float) -> bytes:
    if shape == "srgb":
        return (
            b"para\0\0\0\0\0\3\0\0"
            + np.round(np.array([2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045]) * 65536).astype(">i4").tobytes()
        )
    if shape == "table":
        return b"curv\0\0\0\0" + struct.pack(">I", 33) + np.round(np.linspace(0, 1, 33) ** 1.9 * 65535).astype(">u2").tobytes()
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(float(shape) * 256))


def rgb(name: str, shape: str | float | None = None) -> bytes:
    """One of GAMUTS, with another curve where one is given."""
    *corners, (x, y), own = GAMUTS[name]
    primaries = np.array([[x / y, 1, (1 - x - y) / y] for x, y in corners]).T
    white = np.array([x / y, 1, (1 - x - y) / y])
    adapted = np.linalg.inv(BRADFORD) @ np.diag(BRADFORD @ D50 / (BRADFORD @ white)) @ BRADFORD
    columns = adapted @ (primaries * np.linalg.solve(primaries, white))
    channels = {b"%cXYZ" % letter: _xyz(column) for letter, column in zip(b"rgb", columns.T, strict=True)}
    curves = {b"%cTRC" % letter: curve(own if shape is None else shape) for letter in b"rgb"}
    return _profile(b"mntr", b"RGB ", b"XYZ ", channels | curves)


def grey(shape: str | float) -> bytes:
    return _profile(b"mntr", b"GRAY", b"XYZ ", {b"kTRC": curve(shape)})


def _table(inputs: int, outputs: Callable[[np.ndarray], np.ndarray]) -> bytes:
    """lut8Type with two points an axis. outputs: three numbers in [0,1] of the inputs' at a corner."""
    corners = np.stack(np.meshgrid(*inputs * [[0, 1]], indexing="ij"), axis=-1).reshape(-1, inputs)
    entries = np.array([outputs(corner) for corner in corners]).round().astype(np.uint8)
    straight = bytes(range(256))
    return (
        b"mft1\0\0\0\0"
        + struct.pack(">BBBx9i", inputs, 3, 2, 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
        + inputs * straight
        + entries.tobytes()
        + 3 * straight
    )


def tables() -> bytes:
    """RGB whose numbers are those of CIE Lab: a table in three dimensions each way."""
    same = _table(3, lambda corner: 255 * corner)
    return _profile(b"spac", b"RGB ", b"Lab ", {b"A2B0": same, b"B2A0": same})


def cmyk() -> bytes:
    """An ink for each of cyan, magenta, yellow and black; only lightness and a little colour is told."""

    def lab(inks: np.ndarray) -> np.ndarray:
        cyan, magenta, yellow, black = inks
        lightness = 255 * (1 - 0.3 * cyan - 0.4 * magenta - 0.1 * yellow)
        return np.array([(1 - black) * lightness, 128 + 60 * (1 - black) * (magenta - cyan / 2), 128 + 70 * (1 - black) * yellow])

    return _profile(b"prtr", b"CMYK", b"Lab ", {b"A2B0": _table(4, lab)})


@cache
def srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
