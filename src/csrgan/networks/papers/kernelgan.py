"""The networks of KernelGAN (Bell-Kligler et al. 2019): a kernel generator and a patch discriminator, trained on one picture."""

from __future__ import annotations

from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

Pictures = Float[Tensor, "b 3 h w"]


class DeepLinear(nn.Module):
    """A kernel of 13x13 taps as the composition of six convolutions without biases or activations; 150,656 parameters for width 64.

    A stack of linear layers can express no more than one layer, but is easier to train (KernelGAN, section 4.1). The composed
    kernel is computed once per step, instead of passing a whole picture through every layer.
    """

    SIDES = (7, 5, 3, 1, 1, 1)
    TAPS = sum(SIDES) - len(SIDES) + 1

    def __init__(self, width: int) -> None:
        super().__init__()
        channels = pairwise([1, *[width] * (len(self.SIDES) - 1), 1])
        layers = [nn.Conv2d(*pair, side, bias=False) for pair, side in zip(channels, self.SIDES, strict=True)]
        self.layers = nn.Sequential(*layers)
        for layer in layers:
            nn.init.xavier_normal_(layer.weight)

    def forward(self) -> Float[Tensor, "k k"]:
        """Return the kernel for a correlation (conv2d); not normalised."""
        point = next(self.parameters()).new_zeros(1, 1, 2 * self.TAPS - 1, 2 * self.TAPS - 1)
        point[..., self.TAPS - 1, self.TAPS - 1] = 1
        return self.layers(point)[0, 0].flip(0, 1)


class PatchDiscriminator(nn.Module):
    """For each 7x7 patch, a score in (0,1) for being from the original picture; 30,977 parameters for width 64.

    Pass original and generated pictures in one batch: batch norm over one kind alone would hide how sharp it is.
    """

    SIDE = 7

    def __init__(self, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [spectral_norm(nn.Conv2d(3, width, self.SIDE))]
        for _ in range(5):
            layers += [spectral_norm(nn.Conv2d(width, width, 1)), nn.BatchNorm2d(width), nn.ReLU()]
        self.body = nn.Sequential(*layers, spectral_norm(nn.Conv2d(width, 1, 1)))

    def logits(self, picture: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 1 h2 w2"]:
        return self.body(picture)

    def forward(self, picture: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 1 h2 w2"]:
        return torch.sigmoid(self.logits(picture))


class FreeBlur(nn.Module):
    """Convolve with any kernel of 13x13 taps, then keep every s-th pixel.

    A penalty keeps the kernel plausible (KernelGAN, section 4.2): its taps sum to 1, vanish at the border and are sparse, and its
    centre lies in the middle of the s pixels that become one. The paper starts from bicubic down-sampling, and fades in the terms
    for sparsity and the centre as that term fades out. Here the kernel starts as a Gaussian of known std, fitted in a second. The
    penalty also keeps that width, and the border and sparsity terms weigh less than in the authors' program (0.5 and 5): with those
    weights and no width term, the std comes out near 1.4 px whatever the true one is.

    step: s. width: channels of the deep linear generator. std: of the Gaussian, px.
    """

    squared: Tensor
    border: Tensor

    def __init__(self, step: int, width: int, std: float) -> None:
        super().__init__()
        self.step, self.generator = step, DeepLinear(width)
        self.middle = DeepLinear.TAPS // 2 + (step - 1) / 2
        distance = torch.arange(DeepLinear.TAPS) - self.middle
        squared = distance[:, None] ** 2 + distance**2
        self.register_buffer("squared", squared)
        self.register_buffer("border", 30 * (1 - torch.exp(-squared / (2 * (DeepLinear.TAPS / 5) ** 2))))
        first = torch.exp(-squared / (2 * std**2))
        self.variance = float((first * squared).sum() / first.sum())
        self._fit(first / first.sum())

    def _fit(self, kernel: Float[Tensor, "k k"]) -> None:
        """Train the generator to give this kernel."""
        optimizer = torch.optim.Adam(self.generator.parameters(), lr=1e-3)
        for _ in range(300):
            optimizer.zero_grad()
            torch.autograd.backward((self.generator() - kernel).square().sum())
            optimizer.step()

    def forward(self, pictures: Pictures) -> tuple[Float[Tensor, "b 3 h2 w2"], Tensor]:
        """Return the smaller pictures and the penalty."""
        kernel: Tensor = self.generator()
        small = functional.conv2d(pictures.flatten(0, 1)[:, None], kernel[None, None], stride=self.step)
        return small.view(len(pictures), 3, *small.shape[2:]), self._penalty(kernel)

    def _penalty(self, kernel: Float[Tensor, "k k"]) -> Tensor:
        index, total = torch.arange(DeepLinear.TAPS).to(kernel), kernel.sum()
        offset = torch.stack([(kernel.sum(dim) * index).sum() / total - self.middle for dim in (0, 1)])
        border, sparsity = (kernel * self.border).abs().mean(), (kernel.abs() + 1e-6).pow(0.2).mean()
        width = (kernel * self.squared).sum() / total / self.variance - 1
        return 0.5 * (1 - total).abs() + 0.2 * border + offset.square().mean() + 0.5 * sparsity + width.square()

    def value(self) -> Float[Tensor, "k k"]:
        """Return the kernel."""
        return self.generator()
