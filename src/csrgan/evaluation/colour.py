"""Perceptual colour difference."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from kornia.color import rgb_to_lab
from torch import Tensor

Picture = Float[Tensor, "b 3 h w"]
Plane = Float[Tensor, "b h w"]
SEVENTH = 25.0**7


def ciede2000(image: Picture, other: Picture) -> Float[Tensor, "b h w"]:
    """Return the CIEDE2000 difference of each pixel of two sRGB pictures under D65; 0 is equal, 1 is about just noticeable.

    Equation numbers are of Sharma, Wu and Dalal 2005. scikit-image's version is ten times slower; the tests compare with it.
    """
    (l1, a1, b1), (l2, a2, b2) = (rgb_to_lab(picture.float()).unbind(dim=1) for picture in (image, other))
    mean_seventh = ((torch.hypot(a1, b1) + torch.hypot(a2, b2)) / 2) ** 7
    stretch = 1.5 - 0.5 * (mean_seventh / (mean_seventh + SEVENTH)).sqrt()  # eq. 4
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = torch.hypot(a1, b1), torch.hypot(a2, b2)
    h1, h2 = torch.atan2(b1, a1), torch.atan2(b2, a2)
    turn = torch.remainder(h2 - h1 + math.pi, 2 * math.pi) - math.pi  # eq. 10: the short way round
    lightness, chroma, hue = (l1 + l2) / 2, (c1 + c2) / 2, h1 + turn / 2  # eq. 12 to 14
    by_hue = 2 * (c1 * c2).sqrt() * torch.sin(turn / 2)  # eq. 11
    # A grey has no hue: the mean hue is that of the other colour.
    hue = torch.where(c1 * c2 == 0, h1 + h2, hue)
    return _combined(l2 - l1, c2 - c1, by_hue, lightness, chroma, hue)


def _combined(by_lightness: Plane, by_chroma: Plane, by_hue: Plane, lightness: Plane, chroma: Plane, hue: Plane) -> Plane:
    """Combine the differences, each weighted by its visibility at this colour, and the chroma-hue interaction in the blues."""
    degree = math.pi / 180
    t = (
        1
        - 0.17 * torch.cos(hue - 30 * degree)
        + 0.24 * torch.cos(2 * hue)
        + 0.32 * torch.cos(3 * hue + 6 * degree)
        - 0.20 * torch.cos(4 * hue - 63 * degree)
    )  # eq. 15
    off = (lightness - 50).square()
    bluish = torch.remainder(hue / degree, 360) - 275
    rotation = 60 * degree * torch.exp(-(bluish / 25).square())  # twice eq. 16
    seventh = chroma**7
    interaction = -2 * (seventh / (seventh + SEVENTH)).sqrt() * torch.sin(rotation)  # eq. 17 and 21
    x = by_lightness / (1 + 0.015 * off / (20 + off).sqrt())  # eq. 18
    y = by_chroma / (1 + 0.045 * chroma)  # eq. 19
    z = by_hue / (1 + 0.015 * chroma * t)  # eq. 20
    return (x * x + y * y + z * z + interaction * y * z).clamp(min=0).sqrt()  # eq. 22
