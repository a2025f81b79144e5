"""KernelGAN: a game inside each picture finds its kernel (Bell-Kligler et al. 2019); nothing is trained before."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from rich.console import Console
from torch import Tensor
from torch.nn import functional

from csrgan.data.progress import Advance, progress
from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.kernel_priors import rms_std, twice
from csrgan.degradation.parameters import Parameters
from csrgan.degradation.spec import DegradationSpec
from csrgan.errors import UserError, require
from csrgan.networks.papers.kernelgan import FreeBlur, PatchDiscriminator
from csrgan.ranges import Count, CountOr0, NotNegative, Seed
from csrgan.records import Restoration
from csrgan.restorers.bicubic import enlarged
from csrgan.restorers.gaussian_kernel_search import GaussianKernelSearch
from csrgan.restorers.restorer import Restorer
from csrgan.restorers.zssr import ZSSR

Pictures = Float[Tensor, "b 3 h w"]
EDGE = 8  # px of L that the game does not look at, for a border is no part of the scene
CLUTTER = 0.02  # of the largest tap


@dataclass(frozen=True)
class KernelGANOptimizer:
    """A blur is sought with which a picture, made smaller, looks like itself: its patches recur at another scale.

    steps: of the game. warmup: of them, in which only the judge learns. crops, crop: their count a step and their side, px.
    width: channels of the judge and of the deep linear generator. blur_lr, discriminator_lr: learning rates.
    """

    steps: Annotated[int, "[3,inf)"] = 300
    warmup: CountOr0 = 100
    crops: Count = 4
    crop: Count = 64
    width: Count = 64
    blur_lr: NotNegative = 2e-4
    discriminator_lr: NotNegative = 2e-4

    def play(self, low: Float[Tensor, "1 3 h w"], blur: FreeBlur, advance: Advance) -> Tensor:
        """The mean of the blur's value over the last two fifths of the steps: the game circles its end."""
        judge = PatchDiscriminator(self.width).to(low)
        blurs = torch.optim.Adam(blur.parameters(), lr=self.blur_lr, betas=(0.5, 0.999))
        judges = torch.optim.Adam(judge.parameters(), lr=self.discriminator_lr, betas=(0.5, 0.999))
        with torch.no_grad():
            small = blur(low[..., : self.crop, : self.crop])[0].shape[-1]
        large, alike = _places(low, self.crop), _places(low, small)
        values: list[Tensor] = []
        for step in range(self.steps):
            made, penalty = blur(_crops(low, large, self.crop, self.crops))
            taken = _crops(low, alike, small, self.crops)
            if step >= self.warmup:
                _, seen = self._judged(judge, taken, made)
                blurs.zero_grad()
                torch.autograd.backward((1 - seen).mean() + penalty, inputs=list(blur.parameters()))
                blurs.step()
            real, fake = self._judged(judge, taken, made.detach())
            loss = ((1 - real).mean() + fake.mean()) / 2
            judges.zero_grad()
            torch.autograd.backward(loss)
            judges.step()
            if step >= 0.6 * self.steps:
                values.append(blur.value().detach())
            advance(step + 1)
        return torch.stack(values).mean(dim=0)

    def _judged(self, judge: PatchDiscriminator, taken: Pictures, made: Pictures) -> tuple[Tensor, Tensor]:
        both = torch.cat([taken, made])
        found = judge(both + torch.randn_like(both) / 255)
        return found[: len(taken)], found[len(taken) :]


def _slope(pictures: Pictures) -> Float[Tensor, "b 1 h w"]:
    """The gradient's magnitude; that of the last row and column is 0 across the border."""
    grey = pictures.mean(dim=1, keepdim=True)
    down = functional.pad(grey.diff(dim=2), (0, 0, 0, 1))
    across = functional.pad(grey.diff(dim=3), (0, 1, 0, 0))
    return (down**2 + across**2).sqrt()


def _places(low: Tensor, size: int) -> Float[Tensor, "h w"]:
    """How likely a crop of this size begins at each pixel: as likely as there is much to see in it."""
    seen: Tensor = functional.avg_pool2d(_slope(low), size, 1)[0, 0]
    return seen + 1e-6


def _crops(low: Tensor, places: Float[Tensor, "h w"], size: int, count: int) -> Float[Tensor, "b 3 size size"]:
    chosen = torch.multinomial(places.flatten(), count, replacement=True).tolist()
    corners = [divmod(place, places.shape[1]) for place in chosen]
    return torch.cat([low[..., top : top + size, left : left + size] for top, left in corners])


class KernelGAN(Restorer):
    """theta^ by a game inside L, then S by a network that learns from L and theta^ alone (ZSSR), or by a system that is told it.

    kernel: `gaussian`, whose width is found first; or `free`, for which a second game begins there.
    restorer: `zssr`; `checkpoint`, the system that csrgan was given beside this one and that can be told a degradation; or `none`,
    L enlarged. seed: of all this; every picture begins anew.
    Raises UserError for a degradation with noise, of which it has no model, or with a scale other than 2, 3 or 4.
    """

    outputs = ("native",)
    noise_free = True
    per_picture = True

    def __init__(
        self,
        *,
        degradation: Degradation,
        kernel: Literal["free", "gaussian"] = "free",
        restorer: Literal["zssr", "checkpoint", "none"] = "zssr",
        gaussian: GaussianKernelSearch = GaussianKernelSearch(),
        gan: KernelGANOptimizer = KernelGANOptimizer(),
        zssr: ZSSR = ZSSR(),
        seed: Seed = 0,
    ) -> None:
        super().__init__(degradation)
        self.kernel, self.restorer, self.seed = kernel, restorer, seed
        self.gaussian, self.gan, self.zssr = gaussian, gan, zssr

    def restore(self, low: Pictures, names: Sequence[str] = ()) -> Restoration:
        """Minutes a picture. Raises UserError for an L too small for the game."""
        with torch.inference_mode(False), torch.enable_grad(), torch.random.fork_rng():
            parts = []
            for index in range(len(low)):
                torch.manual_seed(self.seed)
                parts.append(self._restored(low[index : index + 1].clone()))
        found = [part.parameters for part in parts if part.parameters]
        return Restoration(torch.cat([part.image for part in parts]), Parameters.concatenate(found))

    def _restored(self, low: Float[Tensor, "1 3 h w"]) -> Restoration:
        found, spec = self.find(low)
        # Only where every s-th pixel is taken is the kernel that was found the one that the protocol speaks of.
        parameters = found if spec == self.degradation.spec else replace(found, kernel=None)
        if self.restorer == "none":
            image = enlarged(low, self.enlarge)
        elif self.restorer == "zssr":
            with self._progress("learning to restore", self.zssr.steps) as advance:
                image = self.zssr.restore(low, found, spec, self.enlarge, advance)
        else:
            image = self._by_other(low, parameters)
        return Restoration(image, parameters)

    def find(self, low: Float[Tensor, "1 3 h w"]) -> tuple[Parameters, DegradationSpec]:
        """theta^, and the chain that it is of: a free kernel is the one before every s-th pixel is taken, whatever the protocol
        does; a Gaussian is the protocol's. At x4 the game is for x2, and its blur is applied twice (section 4.3)."""
        least = self.gan.crop + 2 * EDGE
        height, width = low.shape[-2:]
        require(
            min(height, width) >= least, f"L of {width}x{height} px is too small for KernelGAN, whose game needs {least} px a side."
        )
        inner = low[..., EDGE:-EDGE, EDGE:-EDGE]
        step, again = (2, True) if self.enlarge == 4 else (self.enlarge, False)
        with self._progress("finding the width of the kernel", self.gaussian.steps) as advance:
            width_px = self.gaussian.play(inner, self.degradation.spec, step, advance)
        if self.kernel == "gaussian":
            std = low.new_tensor([width_px]) * (5**0.5 if again else 1)
            return self._theta(std, None), self.degradation.spec
        blur = FreeBlur(step, self.gan.width, width_px).to(low)
        with self._progress("finding the kernel", self.gan.steps) as advance:
            kernel = cleaned(self.gan.play(inner, blur, advance))[None]
        kernel = twice(kernel) if again else kernel
        return self._theta(rms_std(kernel), kernel), replace(self.degradation.spec, downsampling="direct")

    def _theta(self, std: Float[Tensor, " 1"], kernel: Float[Tensor, "1 k k"] | None) -> Parameters:
        return Parameters(std, torch.full_like(std, float(self.enlarge)), torch.zeros_like(std), kernel)

    def _by_other(self, low: Float[Tensor, "1 3 h w"], parameters: Parameters) -> Tensor:
        if self.parameter_source is None:
            raise UserError(
                "system.restorer=checkpoint needs a system that can be told the degradation: name its run as checkpoint=RUN."
            )
        require(
            self.parameter_source.enlarge == self.enlarge,
            f"the system in checkpoint enlarges by {self.parameter_source.enlarge}, and this degradation needs {self.enlarge}.",
        )
        return self.parameter_source.restore_given(low, parameters).image

    def _progress(self, what: str, steps: int) -> AbstractContextManager[Advance]:
        return progress(self.console or Console(quiet=True), what, steps)


def cleaned(kernel: Float[Tensor, "k k"]) -> Float[Tensor, "k k"]:
    """Without what the game left around it: taps below a share of the largest are none; sum 1."""
    kept = (kernel - CLUTTER * kernel.max()).clamp(min=0)
    return kept / kept.sum()
