"""All steps of a degradation in their order: the exact operator wherever its steps follow each other, and factors around it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from csrgan.degradation.factor import Factor
from csrgan.degradation.linear import adjoint, along_axes, degrade_batched, linear
from csrgan.degradation.parameters import Parameters, low_sizes
from csrgan.degradation.spec import FULL, DegradationSpec, Sizes

__all__ = ["adjoint", "along_axes", "degrade", "degrade_batched", "linear", "redegraded"]

Pictures = Float[Tensor, "batch channel height width"]


def degrade(
    sharp: Pictures,
    parameters: Parameters,
    *,
    noise: Float[Tensor, "batch draws height width"] | None = None,
    bits: int | None = None,
    spec: DegradationSpec = FULL,
    sizes: Sizes | None = None,
) -> Float[Tensor, "batch channel height2 width2"]:
    """Blur, down-sample, add noise and (unless the output is native) up-sample bicubically; clip to [0,1]. Further factors come at
    their places, or all steps as `spec.order` says.

    noise: standard normal draws, of which the low-resolution corner of each picture is used, and as many channels behind them for
    each factor that needs draws (`spec.draws`); None: no noise.
    bits: round the result to this many bits; None: leave it unrounded.
    sizes: LR heights and widths; None: round(size / scale), so the result has no gradient in the scale. If given, the pitch of
    the LR grid is `parameters.scale`, and the result is differentiable in it.
    """
    return _Chain((sharp.shape[-2], sharp.shape[-1]), parameters, spec.split(noise, sharp.shape[1]), bits, spec, sizes)(sharp)


def redegraded(image: Pictures, parameters: Parameters, *, spec: DegradationSpec) -> Float[Tensor, "batch channel height2 width2"]:
    """Degrade without noise, clipping and rounding; differentiable in the picture and in all parameters, the scale included."""
    height, width = image.shape[-2:]
    sizes = low_sizes(height, width, parameters.scale)
    return _Chain((height, width), parameters, {}, None, spec, sizes, clip=False)(image)


@dataclass(frozen=True)
class _Chain:
    """See `degrade`. size: of H, px. draws: by the name of the step. clip: after the enlargement."""

    size: tuple[int, int]
    parameters: Parameters
    draws: dict[str, Tensor]
    bits: int | None
    spec: DegradationSpec
    sizes: Sizes | None
    clip: bool = True

    def __call__(self, sharp: Tensor) -> Tensor:
        """Apply all steps. Blur, scale, noise and upsample are one product where nothing comes between them."""
        steps, native = self.spec.steps, self.spec.output == "native"
        shrunk, last = steps.index("scale"), steps.index("upsample")
        before, between, after = steps[:shrunk], steps[shrunk + 1 : last], steps[last + 1 :]
        spec, parameters, noise = self.spec, self.parameters, None
        if before[-1] == "blur":
            before = before[:-1]
        else:
            none = torch.zeros_like(parameters.blur_std)
            spec, parameters = replace(spec, max_std=0.0, kernel_size=None), replace(parameters, blur_std=none, kernel=None)
        if between[:1] == ("noise",):
            between, noise = between[1:], self.draws.get("noise")
        images = self._apply(before, sharp)

        def own_size(which: slice, low: Tensor) -> Tensor:
            return self._apply(between, low, which, native=True)

        inner = own_size if between and not native else None
        images = linear(images, parameters, noise=noise, spec=spec, sizes=self.sizes, between=inner)
        if native:
            images = self._apply(between, images, native=True)
        return self._apply(after, images.clamp_(0, 1) if self.clip else images)

    def _apply(self, steps: tuple[str, ...], images: Tensor, which: slice = slice(None), *, native: bool = False) -> Tensor:
        """Apply steps to some of the pictures. native: whether they are of L's own size; then nothing is clipped."""
        factors, parameters = dict(self.spec.factors), self.parameters if which == slice(None) else self.parameters[which]
        for step in steps:
            if step == "bits":
                images = rounded(images, self.bits)
            elif step == "blur":
                alone = replace(parameters, scale=torch.ones_like(parameters.scale))
                images = linear(images, alone, spec=replace(self.spec, output="native", max_scale=1.0))
            elif step == "noise":
                draws = self._draws("noise", which, images)
                images = images if draws is None else images + parameters.noise_std[:, None, None, None] * draws
            else:
                images = self._changed(images, step, factors[step], parameters, which, native)
        return images

    def _draws(self, step: str, which: slice, images: Tensor) -> Tensor | None:
        draws = self.draws.get(step)
        return None if draws is None else draws[which, :, : images.shape[2], : images.shape[3]]

    def _changed(self, images: Tensor, name: str, factor: Factor, parameters: Parameters, which: slice, native: bool) -> Tensor:
        numbers = [parameters.number(number) for number in factor.names(name)]
        noise = self._draws(name, which, images)
        if not native:
            changed = factor.change(images, *numbers, **_given(factor, noise))
            return changed.clamp(0, 1)
        if factor.pointwise or self.spec.output == "native" or which != slice(None):
            return factor.change(images, *numbers, **_given(factor, noise))
        parts, order = [], []
        for each, rows, columns in self._by_size():
            own = None if noise is None else noise[each, :, :rows, :columns]
            part = factor.change(images[each, :, :rows, :columns], *(number[each] for number in numbers), **_given(factor, own))
            parts.append(pad(part, (0, images.shape[3] - columns, 0, images.shape[2] - rows)))
            order += each
        return torch.cat(parts)[torch.tensor(order, device=images.device).argsort()]

    def _by_size(self) -> Iterator[tuple[list[int], int, int]]:
        """Yield the pictures of each size of L, with the size. Asking for it waits for the device."""
        low = self.sizes or low_sizes(*self.size, self.parameters.scale)
        own = list(zip(*(each.tolist() for each in low), strict=True))
        for rows, columns in dict.fromkeys(own):
            yield [k for k, size in enumerate(own) if size == (rows, columns)], rows, columns


def _given(factor: Factor, noise: Tensor | None) -> dict[str, Tensor | None]:
    return {} if factor.noise_by is None else {"noise": noise}


def rounded(images: Tensor, bits: int | None) -> Tensor:
    """Return pictures in [0,1] rounded to this many bits; None: as they are. Gradients pass as if nothing were rounded."""
    if bits is None:
        return images
    levels = images * (2**bits - 1)
    whole = levels.round()
    if torch.is_grad_enabled() and images.requires_grad:
        whole = levels + (whole - levels).detach()
    return whole / (2**bits - 1)
