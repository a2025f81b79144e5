"""A size and an angle that is the same after half a turn, as two numbers without a jump.

An angle of 179 degrees is next to one of 1 degree, and where the size is 0 there is no angle at all. A loss or an interval of the
angle cannot know either. The two components size cos(2 angle) and size sin(2 angle) are continuous everywhere; they are how much
longer something is along 0 than along 90 degrees, and along 45 than along 135 degrees. Polarimetry (Stokes's Q and U) and weak
gravitational lensing (ellipticity) describe such quantities so.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

KERNEL = "ellipticity"  # the key of the components of a drawn kernel's shape
Numbers = Float[Tensor, " b"]


def names(key: str) -> tuple[str, str]:
    """Return the names of the two components."""
    return f"{key}_0", f"{key}_45"


def components(size: Numbers, angle: Numbers) -> tuple[Numbers, Numbers]:
    """Return size cos(2 angle) and size sin(2 angle), in the unit of the size. angle: degrees."""
    twice = torch.deg2rad(2 * angle)
    return size * twice.cos() + 0.0, size * twice.sin() + 0.0  # + 0.0: no -0.0 in tables


def size_and_angle(along_0: Numbers, along_45: Numbers, *, most: float) -> tuple[Numbers, Numbers]:
    """Return the size, at most `most`, and the angle in [0,180) degrees; 0 and 0 at no size, with finite gradients."""
    nowhere = (along_0 == 0) & (along_45 == 0)
    safe = along_0.masked_fill(nowhere, 1.0)
    size, angle = torch.hypot(safe, along_45), torch.rad2deg(torch.atan2(along_45, safe) / 2) % 180
    return size.masked_fill(nowhere, 0.0).clamp(max=most), angle


def spreads(along_0: Numbers, along_45: Numbers, std_0: Numbers, std_45: Numbers) -> tuple[Numbers, Numbers]:
    """Return the standard deviations of size and angle, to first order; of an angle at most that of a uniform one.

    std_0, std_45: of the components, which are taken as independent.
    """
    size, uniform = torch.hypot(along_0, along_45), 90 / 3**0.5
    nowhere, safe = size < 1e-6, size.clamp(min=1e-6)
    of_size = torch.where(nowhere, torch.hypot(std_0, std_45) / 2**0.5, torch.hypot(along_0 * std_0, along_45 * std_45) / safe)
    of_angle = torch.rad2deg(torch.hypot(along_45 * std_0, along_0 * std_45) / safe**2 / 2)
    return of_size, of_angle.masked_fill(nowhere, uniform).clamp(max=uniform)
