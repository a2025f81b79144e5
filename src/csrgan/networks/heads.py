"""Parameter heads: where in the generator the degradation is read. Each gives (batch, outputs) in network units.

A head is made from the sizes of the body's Features, and reads L and the Features.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from csrgan.networks.blocks import PooledStatistics, ResidualBlock, Standardised, pad_to_multiple
from csrgan.networks.generator import Features
from csrgan.ranges import Count


class Head(nn.Module):
    """A parameter head, whose layers are `read`."""

    read: nn.Module

    @property
    def last(self) -> nn.Module:
        """The layer that gives the outputs."""
        return self.read[-1] if isinstance(self.read, nn.Sequential) else self.read


class Bottleneck(Head):
    """Pooled statistics of the narrowest layer and what the body knows of the whole picture, then two linear layers.

    stop_gradient: the head learns to read the body's features, and does not change them.
    """

    def __init__(self, *, bottleneck: int, decoder: int, context: int, outputs: int, hidden: Count, stop_gradient: bool) -> None:
        super().__init__()
        self.stop_gradient = stop_gradient
        self.pool = PooledStatistics()
        self.read = nn.Sequential(nn.Linear(2 * bottleneck + context, hidden), nn.LeakyReLU(0.1), nn.Linear(hidden, outputs))

    def forward(self, low: Float[Tensor, "b 3 h w"], features: Features) -> Float[Tensor, "b p"]:
        known = torch.cat([self.pool(features.bottleneck), features.context], dim=1)
        return self.read(known.detach() if self.stop_gradient else known)


class BottleneckMLP3(Bottleneck):
    """What `Bottleneck` reads, with what the body knows of the whole picture standardised, through one more layer; in float32
    whatever the training precision.

    The rings of a spectrum differ in their spread and move together, so that a head which is given them as they are is far from
    done when the picture is: its errors are then alike in all photographs of one degradation. The narrowest layer's statistics are
    left as they are, for they move while the body learns, and the running average of the networks would not follow.
    hidden: width of both layers. stop_gradient: see `Bottleneck`.
    """

    def __init__(self, *, bottleneck: int, decoder: int, context: int, outputs: int, hidden: Count, stop_gradient: bool) -> None:
        super().__init__(
            bottleneck=bottleneck, decoder=decoder, context=context, outputs=outputs, hidden=hidden, stop_gradient=stop_gradient
        )
        self.standardised = Standardised(context)
        self.read = nn.Sequential(
            nn.Linear(2 * bottleneck + context, hidden),
            nn.LeakyReLU(0.1),
            nn.Linear(hidden, hidden),
            nn.LeakyReLU(0.1),
            nn.Linear(hidden, outputs),
        )

    def forward(self, low: Float[Tensor, "b 3 h w"], features: Features) -> Float[Tensor, "b p"]:
        with torch.autocast(low.device.type, enabled=False):
            context = self.standardised(features.context.float())
            return super().forward(low, features._replace(bottleneck=features.bottleneck.float(), context=context))


class DecoderMean(Head):
    """One more output channel a parameter at the decoder's end, averaged over the picture (CSRGAN's program).

    stop_gradient: the head learns to read the body's features, and does not change them.
    """

    late = True  # reads what is known when the picture is made

    def __init__(self, *, bottleneck: int, decoder: int, context: int, outputs: int, stop_gradient: bool) -> None:
        super().__init__()
        self.stop_gradient = stop_gradient
        self.read = nn.Conv2d(decoder, outputs, 3, padding=1)

    def forward(self, low: Float[Tensor, "b 3 h w"], features: Features) -> Float[Tensor, "b p"]:
        assert features.decoder is not None
        return self.read(features.decoder.detach() if self.stop_gradient else features.decoder).mean(dim=(2, 3))


class Separate(Head):
    """A network of its own that reads L and shares nothing with the generator.

    width: its channels. unshuffle: side of the pixel block that its stem turns into channels.
    """

    def __init__(self, *, bottleneck: int, decoder: int, context: int, outputs: int, width: Count, unshuffle: Count) -> None:
        super().__init__()
        self.unshuffle = unshuffle
        self.read = nn.Sequential(
            nn.Conv2d(3 * unshuffle**2, width, 3, padding=1),
            ResidualBlock(width),
            nn.LeakyReLU(0.1),
            nn.Conv2d(width, width, 3, padding=1),
            PooledStatistics(),
            nn.Linear(2 * width, width),
            nn.LeakyReLU(0.1),
            nn.Linear(width, outputs),
        )

    def forward(self, low: Float[Tensor, "b 3 h w"], features: Features) -> Float[Tensor, "b p"]:
        return self.read(functional.pixel_unshuffle(pad_to_multiple(low, self.unshuffle), self.unshuffle))
