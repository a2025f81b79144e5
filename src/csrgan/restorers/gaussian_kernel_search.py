"""KernelGAN's game with one number: the std of the Gaussian with which a picture, made smaller, looks like itself."""

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

LADDER = (0.2, 0.28, 0.38, 0.5, 0.68, 0.9, 1.2, 1.6)  # stds between which the search begins, px of L
STEP = 0.1  # of the logarithm of the std, to see whether the judge is misled by more blur or by less
SEEN = 4096  # patches, for that
AROUND = 0.25  # of the logarithm of the std: how far the last judges' stds reach
BORDER = 8  # px of L that are left out: what is near them knows the border
SIDE = PatchDiscriminator.SIDE


@dataclass(frozen=True)
class GaussianKernelSearch:
    """The equilibrium of the game, found by a search and not by two players that learn at once, who circle it for long.

    For each std that is tried a judge begins anew and learns to tell the picture's patches from those of the picture made
    smaller. Then it is asked which way the std must move to mislead it: the slope of its mean logit over the logarithm of the
    std. The equilibrium is where that is 0: between two rungs of a ladder at first, then on a line through a few judges.

    Patches are drawn from where there is detail, and shown without colour, level and most of their contrast: a picture made
    smaller has more contrast, which is no matter of blur.

    discriminator_steps, patches, lr, width: of a judge's learning; patches of either kind a step. refine: judges on the last line.
    window: std of the local mean, px of L. contrast: below which it is kept as it is, fraction of full scale. noise: std, added
    to what the judge sees. detail: share of the places that are drawn from.
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
        """Judges, at most."""
        return 6 + self.refine

    def play(self, low: Float[Tensor, "1 3 h w"], spec: DegradationSpec, step: int, advance: Advance) -> float:
        """The std of the blur, px of the sharp picture, for down-sampling by `step`.

        Where scenes look alike at all scales, the std at the equilibrium is that of the blur times sqrt(1 - 1/step^2): the
        picture that is made smaller has been blurred before.
        """
        asked: list[float] = []

        def slope(log_std: float) -> float:
            asked.append(log_std)
            found = self._slope(low, log_std, replace(spec, max_scale=float(step), max_std=None, kernel_size=None), step)
            advance(len(asked))
            return found

        middle = self._between([math.log(step * rung) for rung in LADDER], slope)
        places = torch.linspace(-AROUND, AROUND, self.refine).tolist()
        slopes = [slope(middle + place) for place in places]
        falls = sum(place * found for place, found in zip(places, slopes, strict=True)) / sum(place**2 for place in places)
        mean = sum(slopes) / len(slopes)
        off = max(-2 * AROUND, min(2 * AROUND, -mean / falls)) if falls < 0 else 0.0
        advance(self.steps)
        return math.exp(middle + off) / math.sqrt(1 - 1 / step**2)

    def _between(self, rungs: list[float], slope: Callable[[float], float]) -> float:
        """Where the slope, which falls, is 0 by a line between the two rungs that it is 0 between."""
        low, high = 0, len(rungs) - 1
        seen: dict[int, float] = {}
        while high - low > 1:
            middle = (low + high) // 2
            seen[middle] = slope(rungs[middle])
            low, high = (middle, high) if seen[middle] > 0 else (low, middle)
        below, above = (seen[rung] if rung in seen else slope(rungs[rung]) for rung in (low, high))
        if not below > 0 > above:
            return rungs[low] if below <= 0 else rungs[high]
        return rungs[low] + (rungs[high] - rungs[low]) * below / (below - above)

    def _slope(self, low: Tensor, log_std: float, spec: DegradationSpec, step: int) -> float:
        taken, (made, softer, sharper) = (
            self._shown(low),
            [self._shown(_smaller(low, math.exp(log_std + off), spec, step)) for off in (0.0, STEP, -STEP)],
        )
        judge = PatchDiscriminator(self.width).to(low)
        optimizer = torch.optim.Adam(judge.parameters(), lr=self.lr, betas=(0.5, 0.99))
        kinds = torch.cat([low.new_ones(self.patches), low.new_zeros(self.patches)])
        for _ in range(self.discriminator_steps):
            both = torch.cat([self._noisy(_patches(*shown, _drawn(shown[1], self.patches))) for shown in (taken, made)])
            loss = functional.binary_cross_entropy_with_logits(judge.logits(both).flatten(), kinds)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
        judge.eval()
        places = _drawn(made[1], SEEN)
        noise = self.noise * torch.randn(SEEN, 1, SIDE, SIDE, device=low.device)
        with torch.no_grad():
            more, less = (judge.logits(_patches(*shown, places) + noise).mean() for shown in (softer, sharper))
        return float(more - less) / (2 * STEP)

    def _shown(self, picture: Tensor) -> tuple[Float[Tensor, "h w"], Float[Tensor, "h2 w2"]]:
        """The picture as a judge sees it, and how often a patch about each place within its border is drawn."""
        grey = picture.mean(dim=1, keepdim=True)
        taps = gaussian_taps(grey.new_tensor([self.window]))[0]
        fine = grey - _smooth(grey, taps)
        deviation = _smooth(fine.square(), taps).clamp(min=0).sqrt()
        inner = deviation[0, 0, BORDER:-BORDER, BORDER:-BORDER]
        often = inner * (inner >= inner.quantile(1 - self.detail)) + 1e-9
        return (fine / (deviation + self.contrast))[0, 0], often

    def _noisy(self, patches: Tensor) -> Tensor:
        return patches + self.noise * torch.randn(len(patches), 1, SIDE, SIDE, device=patches.device)


def _smaller(low: Tensor, std: float, spec: DegradationSpec, step: int) -> Tensor:
    theta = Parameters.unstack(low.new_tensor([[std, float(step), 0.0]]))
    with torch.no_grad():
        return linear(low, theta, spec=replace(spec, output="native"))


def _smooth(grey: Tensor, taps: Float[Tensor, " taps"]) -> Tensor:
    wide = mirrored(grey, len(taps) // 2)
    return functional.conv2d(functional.conv2d(wide, taps[None, None, :, None]), taps[None, None, None])


def _drawn(often: Float[Tensor, "h w"], count: int) -> Int[Tensor, " count"]:
    return torch.multinomial(often.flatten(), count, replacement=True)


def _patches(seen: Float[Tensor, "h w"], often: Float[Tensor, "h2 w2"], places: Int[Tensor, " count"]) -> Tensor:
    """Patches about these places, the same for the three colours."""
    reach, across = SIDE // 2, often.shape[1]
    rows, columns = places // across + BORDER - reach, places % across + BORDER - reach
    within = torch.arange(SIDE, device=seen.device)
    found: Tensor = seen[rows[:, None, None] + within[:, None], columns[:, None, None] + within]
    return found[:, None].expand(-1, 3, -1, -1)
