"""KernelGAN with one parameter: the std of the Gaussian with which a downscaled picture looks like the picture."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from csrgan.data.progress import Advance
from csrgan.degradation.kernels import gaussian_taps, mirrored
from csrgan.degradation.operator import linear
from csrgan.degradation.parameters import Parameters
from csrgan.degradation.spec import DegradationSpec
from csrgan.networks.papers.kernelgan import PatchDiscriminator
from csrgan.ranges import Count, NotNegative, Positive, Share

LADDER = (0.2, 0.28, 0.38, 0.5, 0.68, 0.9, 1.2, 1.6)  # stds that bracket the search, px of L
STEP = 0.1  # in log std, of the finite difference: does more blur or less mislead the discriminator
SLOPE_PATCHES = 4096  # patches for the finite difference
REFINE_RANGE = 0.25  # in log std: the refinement reaches this far either way
BORDER = 8  # px of L at each border that are left out: filtered pixels near it depend on the border
SIDE = PatchDiscriminator.SIDE


@dataclass(frozen=True)
class GaussianKernelSearch:
    """Searches the equilibrium of the GAN; two networks that learn at once circle it for long.

    For each std a new discriminator learns to tell the picture's patches from those of the downscaled picture. The slope of its
    mean logit over log std says which way the std must move to mislead it. At the equilibrium the slope is 0: first bracketed by
    two stds of a ladder, then found on a line fitted to a few more slopes.

    Patches are drawn where there is detail, without colour, mean and most of their contrast: a downscaled picture has more
    contrast, whatever its blur.

    discriminator_steps, patches, lr, width: of a discriminator's training; patches of either kind per step. refine: slopes for the
    line. window: std of the local mean, px of L. contrast: local contrast below which it is left as it is, fraction of full scale.
    noise: std of the noise on the discriminator's input. detail: share of the pixels from which patches are drawn.
    """

    discriminator_steps: Count = 120
    patches: Count = 384
    lr: NotNegative = 1e-3
    width: Count = 64
    refine: Count = 6
    window: Positive = 1.5
    contrast: Annotated[float, "(0,1]"] = 0.1
    noise: Share = 0.025
    detail: Annotated[float, "(0,1]"] = 0.3

    @property
    def steps(self) -> int:
        """The greatest number of discriminators."""
        return 6 + self.refine

    def search(self, low: Float[Tensor, "1 3 h w"], spec: DegradationSpec, step: int, advance: Advance) -> float:
        """Return the std of the blur, px of the sharp picture, for down-sampling by `step`.

        Where scenes look alike at all scales, the std at the equilibrium is that of the blur times sqrt(1 - 1/step^2), for the
        picture is blurred already before it is downscaled.
        """
        tried: list[float] = []

        def slope(log_std: float) -> float:
            tried.append(log_std)
            value = self._slope(low, log_std, replace(spec, max_scale=float(step), max_std=None, kernel_size=None), step)
            advance(len(tried))
            return value

        centre = self._bracketed_zero([math.log(step * std) for std in LADDER], slope)
        offsets = torch.linspace(-REFINE_RANGE, REFINE_RANGE, self.refine).tolist()
        slopes = [slope(centre + offset) for offset in offsets]
        gradient = sum(offset * value for offset, value in zip(offsets, slopes, strict=True)) / sum(offset**2 for offset in offsets)
        mean = sum(slopes) / len(slopes)
        shift = max(-2 * REFINE_RANGE, min(2 * REFINE_RANGE, -mean / gradient)) if gradient < 0 else 0.0
        advance(self.steps)
        return math.exp(centre + shift) / math.sqrt(1 - 1 / step**2)

    def _bracketed_zero(self, log_stds: list[float], slope: Callable[[float], float]) -> float:
        """Bisect for two neighbours between which the slope falls through 0, and interpolate linearly between them."""
        low, high = 0, len(log_stds) - 1
        slopes: dict[int, float] = {}
        while high - low > 1:
            middle = (low + high) // 2
            slopes[middle] = slope(log_stds[middle])
            low, high = (middle, high) if slopes[middle] > 0 else (low, middle)
        below, above = (slopes[index] if index in slopes else slope(log_stds[index]) for index in (low, high))
        if not below > 0 > above:
            return log_stds[low] if below <= 0 else log_stds[high]
        return log_stds[low] + (log_stds[high] - log_stds[low]) * below / (below - above)

    def _slope(self, low: Tensor, log_std: float, spec: DegradationSpec, step: int) -> float:
        """Return the slope of the mean logit for downscaled patches over log std, of a discriminator trained at this std."""
        original, (downscaled, softer, sharper) = (
            self._normalised(low),
            [self._normalised(_downscaled(low, math.exp(log_std + offset), spec, step)) for offset in (0.0, STEP, -STEP)],
        )
        discriminator = PatchDiscriminator(self.width).to(low)
        optimizer = torch.optim.Adam(discriminator.parameters(), lr=self.lr, betas=(0.5, 0.99))
        labels = torch.cat([low.new_ones(self.patches), low.new_zeros(self.patches)])
        for _ in range(self.discriminator_steps):
            pictures = (original, downscaled)
            both = torch.cat([self._noisy(_patches(*picture, _draw(picture[1], self.patches))) for picture in pictures])
            loss = functional.binary_cross_entropy_with_logits(discriminator.logits(both).flatten(), labels)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
        discriminator.eval()
        indices = _draw(downscaled[1], SLOPE_PATCHES)
        noise = self.noise * torch.randn(SLOPE_PATCHES, 1, SIDE, SIDE, device=low.device)
        with torch.no_grad():
            more, less = (discriminator.logits(_patches(*picture, indices) + noise).mean() for picture in (softer, sharper))
        return float(more - less) / (2 * STEP)

    def _normalised(self, picture: Tensor) -> tuple[Float[Tensor, "h w"], Float[Tensor, "h2 w2"]]:
        """Return the picture as input of a discriminator, and for each pixel within its border the weight to draw a patch there."""
        grey = picture.mean(dim=1, keepdim=True)
        taps = gaussian_taps(grey.new_tensor([self.window]))[0]
        fine = grey - _smooth(grey, taps)
        deviation = _smooth(fine.square(), taps).clamp(min=0).sqrt()
        inner = deviation[0, 0, BORDER:-BORDER, BORDER:-BORDER]
        weights = inner * (inner >= inner.quantile(1 - self.detail)) + 1e-9
        return (fine / (deviation + self.contrast))[0, 0], weights

    def _noisy(self, patches: Tensor) -> Tensor:
        return patches + self.noise * torch.randn(len(patches), 1, SIDE, SIDE, device=patches.device)


def _downscaled(low: Tensor, std: float, spec: DegradationSpec, step: int) -> Tensor:
    theta = Parameters.unstack(low.new_tensor([[std, float(step), 0.0]]))
    with torch.no_grad():
        return linear(low, theta, spec=replace(spec, output="native"))


def _smooth(grey: Tensor, taps: Float[Tensor, " taps"]) -> Tensor:
    wide = mirrored(grey, len(taps) // 2)
    return functional.conv2d(functional.conv2d(wide, taps[None, None, :, None]), taps[None, None, None])


def _draw(weights: Float[Tensor, "h w"], count: int) -> Int[Tensor, " count"]:
    return torch.multinomial(weights.flatten(), count, replacement=True)


def _patches(picture: Float[Tensor, "h w"], weights: Float[Tensor, "h2 w2"], indices: Int[Tensor, " count"]) -> Tensor:
    """Return the patches around the pixels with these flat indices into `weights`, the same for the three colours."""
    reach, width = SIDE // 2, weights.shape[1]
    rows, columns = indices // width + BORDER - reach, indices % width + BORDER - reach
    within = torch.arange(SIDE, device=picture.device)
    patches: Tensor = picture[rows[:, None, None] + within[:, None], columns[:, None, None] + within]
    return patches[:, None].expand(-1, 3, -1, -1)
