"""Motion blur of H: each picture moves evenly along a line of its own while it is exposed."""

from __future__ import annotations

import math
from typing import TypedDict

import torch
from jaxtyping import Float
from torch import Tensor

from csrgan import rules
from csrgan.degradation.factor import Factor
from csrgan.degradation.kernels import correlate, mirrored
from csrgan.degradation.uniform import Uniform
from csrgan.errors import raise_faults
from csrgan.ranges import HalfTurn, NotNegative, Share

NODES = (0.5 - 3**-0.5 / 2, 0.5 + 3**-0.5 / 2)  # of Gauss-Legendre's rule of order 2, exact for cubics; equal weights


class Angle(TypedDict, total=False):
    """The range of the direction, degrees from the columns' direction (x) towards the rows' (y), drawn uniformly.

    low: the least draw. high: the greatest draw.
    """

    low: HalfTurn
    high: HalfTurn


ANY: Angle = {"low": 0.0, "high": 180.0}


class Motion(Factor):
    """Motion blur: H is averaged over shifts along a line, with mirror borders. Its numbers are the line's length in px of H and
    its angle in degrees; a length of 0 changes nothing.

    low, high: of the length, px, drawn uniformly. absent: share of the pictures that do not move. angle: its range, see `Angle`.
    A network predicts KEY_0 = length cos(2 angle) and KEY_45 = length sin(2 angle), px, see `Factor`.

    >>> import csrgan, torch
    >>> from csrgan.degradation.factors.motion import Motion
    >>> protocol = csrgan.Degradation(factors={"motion": Motion(low=0, high=12, absent=0.5)})
    >>> made = csrgan.degrade(torch.rand(1, 3, 32, 32), protocol, theta={"motion_length": 8.0, "motion_angle": 30.0})
    >>> float(made.parameters.motion_length), float(made.parameters.motion_angle)
    (8.0, 30.0)
    """

    unit = "px"
    place = "sharp"
    possible = (0.0, math.inf)
    neutral = 0.0
    parts = ("length", "angle")
    axial = True

    def __init__(self, *, low: NotNegative, high: NotNegative, absent: Share = 0.0, angle: Angle = ANY) -> None:
        length = self.first_range(low, high, "value", absent)
        raise_faults(rules.low_below_high(f"{type(self).__name__}.angle", angle["low"], angle["high"]))
        self.ranges = (length, Uniform(angle["low"], angle["high"], least=-math.inf, unit="deg"))

    def change(
        self, images: Float[Tensor, "b c h w"], length: Float[Tensor, " b"], angle: Float[Tensor, " b"]
    ) -> Float[Tensor, "b c h w"]:
        greatest = self.ranges[0].bounds[1] if self.bounded else float(length.detach().max())
        kernels = line_kernels(length, angle, greatest)
        traced = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in (images, length, angle))
        return _moved(images, kernels) if images.device.type == "cpu" and not traced else correlate(images, kernels)


def line_kernels(length: Float[Tensor, " b"], angle: Float[Tensor, " b"], greatest: float | None = None) -> Float[Tensor, "b k k"]:
    """Return the kernels of even motion along a line: the mean over the line of the picture shifted to each of its points, where a
    shift by a fraction of a pixel interpolates bilinearly,

        k(i, j) = integral over |u| < 1/2 of t(i - u length sin(angle)) t(j - u length cos(angle)) du with t(d) = max(1 - |d|, 0).

    Between two crossings of a row's or a column's middle the integrand is quadratic, so two nodes a piece integrate it exactly. The
    taps sum to 1; length 0 is a single 1. Differentiable in both.

    length: px. angle: degrees from x towards y. greatest: an upper bound on the lengths; None: their maximum.
    """
    reach = math.ceil((float(length.detach().max()) if greatest is None else greatest) / 2)
    taps = torch.arange(-reach, reach + 1, device=length.device, dtype=length.dtype)
    radians = torch.deg2rad(angle)
    path = torch.stack((length * radians.sin(), length * radians.cos()), dim=1)  # (b, 2): y and x from one end to the other
    apart = torch.where(path.abs() < 1e-6, 1e-6, path).detach()
    crossings = (taps / apart[..., None]).flatten(1).clamp(-0.5, 0.5).sort(dim=1).values
    half = crossings.new_full((len(length), 1), 0.5)
    ends = torch.cat((-half, crossings, half), dim=1)
    width = ends.diff(dim=1)
    nodes = torch.cat([ends[:, :-1] + node * width for node in NODES], dim=1)
    tents = (1 - (taps - nodes[:, None, :, None] * path[:, :, None, None]).abs()).clamp(min=0)  # (b, 2, nodes, k)
    weighted = tents[:, 0] * (width / 2).repeat(1, len(NODES))[..., None]
    kernels = weighted.mT @ tents[:, 1]
    return kernels / kernels.sum(dim=(1, 2), keepdim=True)


@torch.no_grad()
def _moved(images: Float[Tensor, "b c h w"], kernels: Float[Tensor, "b k k"]) -> Float[Tensor, "b c h w"]:
    """Correlate as `correlate` does, on a CPU: a line has few taps, so adding up shifted pictures is several times as fast.

    Whole pictures are shifted, borders included, because rows that follow each other in memory are added fastest.
    """
    count, _, height, width = images.shape
    reach = kernels.shape[-1] // 2
    wide = mirrored(images, reach).contiguous()
    row = wide.shape[-1]
    shifts, used = (kernels != 0).nonzero(as_tuple=False), (kernels != 0).sum(dim=(1, 2)).tolist()
    weights = kernels[kernels != 0].tolist()
    offsets = (shifts[:, 1] * row + shifts[:, 2]).tolist()
    result, flat = images.new_empty(images.shape), wide.view(count, -1)
    length = flat.shape[1] - 2 * reach * (row + 1)
    total, done = images.new_empty(flat.shape[1]), 0
    for k, taps in enumerate(used):
        own, picture = total[:length].zero_(), flat[k]
        for offset, weight in zip(offsets[done : done + taps], weights[done : done + taps], strict=True):
            own.add_(picture.narrow(0, offset, length), alpha=weight)
        done += taps
        result[k] = total.view(wide.shape[1:])[:, :height, :width]
    return result
