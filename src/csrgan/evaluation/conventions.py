"""Conventions of scoring: the values themselves, or what papers score, which is what 8-bit files hold.

exact        S and the enlarged L as they are
eight_bits   both rounded to 8 bits first: the scores of PNG files, as DAN's and BasicSR's programs take them
matlab       the same, and Y rounded to 8 bits too, as MATLAB's rgb2ycbcr returns that of an 8-bit picture
"""

from __future__ import annotations

from dataclasses import replace

from csrgan.degradation.operator import rounded
from csrgan.records import Picture, Restoration

BITS = {"exact": None, "eight_bits": 8, "matlab": 8}  # of the pictures
LUMA_BITS = {"exact": None, "eight_bits": None, "matlab": 8}


def picture(image: Picture, convention: str) -> Picture:
    """Return a picture as it is scored."""
    return rounded(image, BITS[convention])


def scored(restored: Restoration, convention: str) -> Restoration:
    """Return S, and S after each iteration, as they are scored."""
    if BITS[convention] is None:
        return restored
    trace = tuple(scored(step, convention) for step in restored.trace)
    return replace(restored, image=picture(restored.image, convention), trace=trace)
