"""KernelGAN: a GAN on the patches of each picture estimates its kernel (Bell-Kligler et al. 2019); nothing is trained before."""

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
from csrgan.randomness import forked
from csrgan.ranges import Count, CountOr0, NotNegative, Seed
from csrgan.records import Restoration
from csrgan.restorers.bicubic import enlarged
from csrgan.restorers.gaussian_kernel_search import GaussianKernelSearch
from csrgan.restorers.restorer import Restorer
from csrgan.restorers.zssr import ZSSR

Pictures = Float[Tensor, "b 3 h w"]
EDGE = 8  # px of L at each border that the GAN leaves out: a border is not part of the scene
CLUTTER = 0.02  # share of the largest tap that is subtracted from every tap


@dataclass(frozen=True)
class KernelGANOptimizer:
    """Learns the blur with which the downscaled picture looks like the picture, because patches recur across scales.

    steps: of the training. warmup: first steps, in which only the discriminator learns. crops, crop: number per step, and side in
    px. width: channels of the discriminator and of the deep linear generator. blur_lr, discriminator_lr: learning rates.
    """

    steps: Annotated[int, "[3,inf)"] = 300
    warmup: CountOr0 = 100
    crops: Count = 4
    crop: Count = 64
    width: Count = 64
    blur_lr: NotNegative = 2e-4
    discriminator_lr: NotNegative = 2e-4

    def optimize(self, low: Float[Tensor, "1 3 h w"], blur: FreeBlur, advance: Advance) -> Tensor:
        """Return the mean kernel over the last two fifths of the steps, for the GAN circles its equilibrium."""
        discriminator = PatchDiscriminator(self.width).to(low)
        blur_optimizer = torch.optim.Adam(blur.parameters(), lr=self.blur_lr, betas=(0.5, 0.999))
        discriminator_optimizer = torch.optim.Adam(discriminator.parameters(), lr=self.discriminator_lr, betas=(0.5, 0.999))
        with torch.no_grad():
            small = blur(low[..., : self.crop, : self.crop])[0].shape[-1]
        input_probability, real_probability = _crop_probability(low, self.crop), _crop_probability(low, small)
        kernels: list[Tensor] = []
        for step in range(self.steps):
            downscaled, penalty = blur(_crops(low, input_probability, self.crop, self.crops))
            crops = _crops(low, real_probability, small, self.crops)
            if step >= self.warmup:
                _, fake = self._discriminate(discriminator, crops, downscaled)
                blur_optimizer.zero_grad()
                torch.autograd.backward((1 - fake).mean() + penalty, inputs=list(blur.parameters()))
                blur_optimizer.step()
            real, fake = self._discriminate(discriminator, crops, downscaled.detach())
            loss = ((1 - real).mean() + fake.mean()) / 2
            discriminator_optimizer.zero_grad()
            torch.autograd.backward(loss)
            discriminator_optimizer.step()
            if step >= 0.6 * self.steps:
                kernels.append(blur.value().detach())
            advance(step + 1)
        return torch.stack(kernels).mean(dim=0)

    def _discriminate(self, discriminator: PatchDiscriminator, crops: Pictures, downscaled: Pictures) -> tuple[Tensor, Tensor]:
        """Return the discriminator's outputs for real crops and for downscaled ones, in one batch with a little noise."""
        both = torch.cat([crops, downscaled])
        outputs = discriminator(both + torch.randn_like(both) / 255)
        return outputs[: len(crops)], outputs[len(crops) :]


def _gradient_magnitude(pictures: Pictures) -> Float[Tensor, "b 1 h w"]:
    """Return the magnitude of the gradient; across the last row and column the gradient is 0."""
    grey = pictures.mean(dim=1, keepdim=True)
    down = functional.pad(grey.diff(dim=2), (0, 0, 0, 1))
    across = functional.pad(grey.diff(dim=3), (0, 1, 0, 0))
    return (down**2 + across**2).sqrt()


def _crop_probability(low: Tensor, size: int) -> Float[Tensor, "h w"]:
    """Return for each pixel the weight with which a crop of this size begins there: the mean gradient magnitude of the crop."""
    detail: Tensor = functional.avg_pool2d(_gradient_magnitude(low), size, 1)[0, 0]
    return detail + 1e-6


def _crops(low: Tensor, probability: Float[Tensor, "h w"], size: int, count: int) -> Float[Tensor, "b 3 size size"]:
    chosen = torch.multinomial(probability.flatten(), count, replacement=True).tolist()
    corners = [divmod(index, probability.shape[1]) for index in chosen]
    return torch.cat([low[..., top : top + size, left : left + size] for top, left in corners])


class KernelGAN(Restorer):
    """Estimates theta^ by a GAN on L, then S by a network trained on L and theta^ alone (ZSSR), or by a system that takes theta^.

    kernel: `gaussian`, whose width is searched; or `free`, for which a second GAN begins at that Gaussian. restorer: `zssr`;
    `checkpoint`, a trained system that takes the degradation (`parameter_source`); or `none`, L enlarged. seed: of every picture.
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
        """Return S and theta^; takes minutes a picture. Raises UserError for an L that is too small."""
        with torch.inference_mode(False), torch.enable_grad(), forked(low.device):
            parts = []
            for index in range(len(low)):
                torch.manual_seed(self.seed)
                parts.append(self._restore_one(low[index : index + 1].clone()))
        parameters = [part.parameters for part in parts if part.parameters]
        return Restoration(torch.cat([part.image for part in parts]), Parameters.concatenate(parameters))

    def _restore_one(self, low: Float[Tensor, "1 3 h w"]) -> Restoration:
        estimate, spec = self.estimate(low)
        # The estimated kernel is that of the protocol only where the protocol takes every s-th pixel.
        parameters = estimate if spec == self.degradation.spec else replace(estimate, kernel=None)
        if self.restorer == "none":
            image = enlarged(low, self.enlarge)
        elif self.restorer == "zssr":
            with self._progress("learning to restore", self.zssr.steps) as advance:
                image = self.zssr.restore(low, estimate, spec, self.enlarge, advance)
        else:
            image = self._restore_by_source(low, parameters)
        return Restoration(image, parameters)

    def estimate(self, low: Float[Tensor, "1 3 h w"]) -> tuple[Parameters, DegradationSpec]:
        """Return theta^ and the degradation that it belongs to.

        A free kernel is applied before every s-th pixel is taken, whatever the protocol does; a Gaussian is the protocol's. At x4
        the blur is estimated for x2 and applied twice (section 4.3).
        """
        least = self.gan.crop + 2 * EDGE
        height, width = low.shape[-2:]
        require(min(height, width) >= least, f"L of {width}x{height} px is too small for KernelGAN, which needs {least} px a side.")
        inner = low[..., EDGE:-EDGE, EDGE:-EDGE]
        step, doubled = (2, True) if self.enlarge == 4 else (self.enlarge, False)
        with self._progress("finding the width of the kernel", self.gaussian.steps) as advance:
            width_px = self.gaussian.search(inner, self.degradation.spec, step, advance)
        if self.kernel == "gaussian":
            std = low.new_tensor([width_px]) * (5**0.5 if doubled else 1)
            return self._theta(std, None), self.degradation.spec
        blur = FreeBlur(step, self.gan.width, width_px).to(low)
        with self._progress("finding the kernel", self.gan.steps) as advance:
            kernel = cleaned(self.gan.optimize(inner, blur, advance))[None]
        kernel = twice(kernel) if doubled else kernel
        return self._theta(rms_std(kernel), kernel), replace(self.degradation.spec, downsampling="direct")

    def _theta(self, std: Float[Tensor, " 1"], kernel: Float[Tensor, "1 k k"] | None) -> Parameters:
        return Parameters(std, torch.full_like(std, float(self.enlarge)), torch.zeros_like(std), kernel)

    def _restore_by_source(self, low: Float[Tensor, "1 3 h w"], parameters: Parameters) -> Tensor:
        if self.parameter_source is None:
            raise UserError("system.restorer=checkpoint needs a system that takes the degradation: name its run as checkpoint=RUN.")
        require(
            self.parameter_source.enlarge == self.enlarge,
            f"the system in checkpoint enlarges by {self.parameter_source.enlarge}, and this degradation needs {self.enlarge}.",
        )
        return self.parameter_source.restore_given(low, parameters).image

    def _progress(self, what: str, steps: int) -> AbstractContextManager[Advance]:
        return progress(self.console or Console(quiet=True), what, steps)


def cleaned(kernel: Float[Tensor, "k k"]) -> Float[Tensor, "k k"]:
    """Subtract a share of the largest tap, set negative taps to 0 and scale the sum to 1: this removes noise of the GAN."""
    remaining = (kernel - CLUTTER * kernel.max()).clamp(min=0)
    return remaining / remaining.sum()
