"""The quality at which a JPEG file was compressed, as its quantisation tables say."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import torch
from PIL import Image

from csrgan.degradation.factors.jpeg import quantisation


def quality_in(file: Path) -> int | None:
    """Return the quality from 1 to 100 at which libjpeg's tables are nearest to those of a file; None if it is no JPEG file.

    Programs with tables of their own, such as cameras, have no such quality; then it is that of tables about as coarse. Only the
    file's head is read.
    """
    try:
        with Image.open(file) as opened:
            tables: dict[int, list[int]] = getattr(opened, "quantization", {}) if opened.format in ("JPEG", "MPO") else {}
    except (OSError, SyntaxError, ValueError):
        return None
    if 0 not in tables:
        return None
    distances = (_luma_tables() - torch.tensor(tables[0], dtype=torch.float32).clamp(min=1).log()).abs().mean(dim=1)
    return 1 + int(distances.argmin())


@lru_cache(maxsize=1)
def _luma_tables() -> torch.Tensor:
    """Return the logarithms of libjpeg's tables of luma at all qualities, (100, 64)."""
    return quantisation(torch.arange(1.0, 101.0))[:, 0].flatten(1).log()
