"""Reading and writing one picture file, whatever its bit depth, alpha channel, palette or orientation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

from csrgan.fault import Fault

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")
ORIENTATION = 0x0112  # EXIF tag


@dataclass(frozen=True)
class Picture:
    """A decoded picture, upright. pixels: (height, width, 3) uint8 or uint16; alpha: (height, width) of the same type."""

    pixels: NDArray[Any]
    alpha: NDArray[Any] | None = None
    grey: bool = False

    @property
    def full_scale(self) -> int:
        return int(np.iinfo(self.pixels.dtype).max)

    def tensor(self) -> Float[Tensor, "3 h w"]:
        """RGB float32 in [0,1]."""
        return torch.from_numpy(self.pixels.astype(np.float32) / self.full_scale).permute(2, 0, 1).contiguous()


def find(folder: str | Path) -> list[Path]:
    """The picture files below `folder`, sorted by path. Raises Fault where there is no folder, or none in it."""
    root = Path(folder)
    if not root.is_dir():
        raise Fault(f"{folder} is not a folder.")
    files = sorted(path for path in root.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not files:
        raise Fault(f"{folder} holds no picture ({', '.join(suffix[1:] for suffix in SUFFIXES)}).")
    return files


def size(path: Path) -> tuple[int, int]:
    """Height and width in pixels as shown upright, read from the file's head alone."""
    with _open(path) as image:
        turned = image.getexif().get(ORIENTATION, 1) >= 5
        return (image.width, image.height) if turned else (image.height, image.width)


def read(path: Path) -> Picture:
    """Decode a file: grey becomes RGB, a palette its colours, 16 bits stay 16 bits, and EXIF orientation is applied."""
    with _open(path) as image:
        try:
            orientation = image.getexif().get(ORIENTATION, 1)
            deep = _read_16_bits(path, orientation) if image.format in ("PNG", "TIFF") else None
            if deep is not None:
                return deep
            upright = ImageOps.exif_transpose(image)
            grey = upright.mode in ("1", "L", "LA", "I;16", "I", "F")
            alpha = None
            if upright.has_transparency_data:
                upright = upright.convert("RGBA")
                alpha = np.asarray(upright.getchannel("A"))
            return Picture(np.asarray(upright.convert("RGB")), alpha, grey)
        except Exception as reason:
            raise Fault(f"{path} cannot be decoded: {reason}.") from reason


def write(path: Path, image: Float[Tensor, "3 h w"], like: Picture | None = None) -> None:
    """Encode a picture by the name's suffix, with the bit depth, alpha channel and greyness of `like`; whole or not at all.

    JPEG is written at quality 95 without chroma subsampling, WebP without loss.
    """
    like = like or Picture(np.zeros((1, 1, 3), np.uint8))
    scaled = (image.detach().clamp(0, 1).permute(1, 2, 0).double().numpy() * like.full_scale).round()
    pixels: NDArray[Any] = scaled.astype(like.pixels.dtype)
    if like.grey:
        pixels = scaled.mean(axis=2, keepdims=True).round().astype(like.pixels.dtype)
    if like.alpha is not None:
        alpha = like.alpha
        if alpha.shape != pixels.shape[:2]:
            alpha = cv2.resize(alpha, pixels.shape[1::-1], interpolation=cv2.INTER_CUBIC)
        pixels = np.concatenate([pixels, alpha[:, :, None]], axis=2)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.part{path.suffix}")
    try:
        if like.full_scale > 255:
            order = {1: [0], 2: [0, 0, 0, 1], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[pixels.shape[2]]
            if not cv2.imwrite(str(unfinished), pixels[:, :, order]):
                raise OSError(f"cannot encode {path.name}")
        else:
            options: dict[str, dict[str, Any]] = {".webp": {"lossless": True}, ".jpg": {"quality": 95, "subsampling": 0}}
            options[".jpeg"] = options[".jpg"]
            Image.fromarray(pixels.squeeze(2) if pixels.shape[2] == 1 else pixels).save(
                unfinished, **options.get(path.suffix.lower(), {})
            )
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _open(path: Path) -> Image.Image:
    try:
        return Image.open(path)
    except Exception as reason:
        raise Fault(f"{path} is no picture that can be read: {reason}.") from reason


def _read_16_bits(path: Path, orientation: int) -> Picture | None:
    """Pillow reduces 16-bit colour to 8 bits; OpenCV does not. None where the file is not of 16 bits."""
    raw = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if raw is None or raw.dtype != np.uint16:
        return None
    raw = _upright(raw if raw.ndim == 3 else raw[:, :, None], orientation)
    alpha = raw[:, :, 3] if raw.shape[2] == 4 else None
    grey = raw.shape[2] == 1
    return Picture(np.ascontiguousarray(np.repeat(raw, 3, axis=2) if grey else raw[:, :, 2::-1]), alpha, grey)


def _upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Undo an EXIF orientation (1 to 8): 5 to 8 exchange the axes; then some axes are reversed."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels
