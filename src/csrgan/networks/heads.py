"""Parameter heads: predict the degradation from L and the body's Features, as (batch, outputs) in network units.

A head is built from the channel counts of the Features. What it reads of a picture is pooled over all positions, so that the tiles
of a large picture can be pooled one after another: `maps` returns what is pooled, and `predict` continues from the statistics.
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
    """A parameter head with the layers `read`."""

    late = False  # whether it reads the decoder's features, and so runs after decoding
    grid = 1  # px: its tiles begin at multiples of it
    read: nn.Module

    def maps(self, low: Float[Tensor, "b 3 h w"], features: Features) -> Float[Tensor, "b c h2 w2"]:
        """Return the maps that are pooled."""
        raise NotImplementedError

    def predict(self, statistics: Float[Tensor, "b twice"], context: Float[Tensor, "b k"]) -> Float[Tensor, "b p"]:
        """Return the prediction for the `PooledStatistics` of the maps. context: global features of the picture."""
        raise NotImplementedError

    @property
    def last(self) -> nn.Module:
        """Return the output layer."""
        return self.read[-1] if isinstance(self.read, nn.Sequential) else self.read


class Bottleneck(Head):
    """Pooled statistics of the bottleneck and the body's global features, then two linear layers.

    stop_gradient: the head's losses do not train the body.
    """

    def __init__(self, *, bottleneck: int, decoder: int, context: int, outputs: int, hidden: Count, stop_gradient: bool) -> None:
        super().__init__()
        self.stop_gradient = stop_gradient
        self.pool = PooledStatistics()
        self.read = nn.Sequential(nn.Linear(2 * bottleneck + context, hidden), nn.LeakyReLU(0.1), nn.Linear(hidden, outputs))

    def forward(self, low: Float[Tensor, "b 3 h w"], features: Features) -> Float[Tensor, "b p"]:
        return self.predict(self.pool(self.maps(low, features)), features.context)

    def maps(self, low: Float[Tensor, "b 3 h w"], features: Features) -> Float[Tensor, "b c h2 w2"]:
        return features.bottleneck

    def predict(self, statistics: Float[Tensor, "b twice"], context: Float[Tensor, "b k"]) -> Float[Tensor, "b p"]:
        inputs = torch.cat([statistics, context], dim=1)
        return self.read(inputs.detach() if self.stop_gradient else inputs)


class BottleneckMLP3(Bottleneck):
    """`Bottleneck` with standardised global features and one more layer; in float32 whatever the training precision.

    The rings of a spectrum differ in spread and are correlated, so a head that reads them raw still has a large error when S has
    converged, the same error in all photographs of one degradation. The bottleneck's statistics are not standardised: they change
    while the body learns, and the running average (EMA) of the networks would not follow.
    hidden: width of both hidden layers. stop_gradient: see `Bottleneck`.
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
            return super().forward(low, features._replace(bottleneck=features.bottleneck.float()))

    def predict(self, statistics: Float[Tensor, "b twice"], context: Float[Tensor, "b k"]) -> Float[Tensor, "b p"]:
        with torch.autocast(statistics.device.type, enabled=False):
            return super().predict(statistics.float(), self.standardised(context.float()))


class DecoderMean(Head):
    """One more output channel per parameter at the end of the decoder, averaged over the picture (CSRGAN's program).

    stop_gradient: the head's losses do not train the body.
    """

    late = True

    def __init__(self, *, bottleneck: int, decoder: int, context: int, outputs: int, stop_gradient: bool) -> None:
        super().__init__()
        self.stop_gradient = stop_gradient
        self.read = nn.Conv2d(decoder, outputs, 3, padding=1)

    def forward(self, low: Float[Tensor, "b 3 h w"], features: Features) -> Float[Tensor, "b p"]:
        return self.maps(low, features).mean(dim=(2, 3))

    def maps(self, low: Float[Tensor, "b 3 h w"], features: Features) -> Float[Tensor, "b c h2 w2"]:
        assert features.decoder is not None
        return self.read(features.decoder.detach() if self.stop_gradient else features.decoder)

    def predict(self, statistics: Float[Tensor, "b twice"], context: Float[Tensor, "b k"]) -> Float[Tensor, "b p"]:
        return statistics[:, : statistics.shape[1] // 2]


class Separate(Head):
    """A separate network that reads L and shares no weights with the generator.

    width: channels. unshuffle: side of the pixel block that the stem turns into channels.
    """

    read: nn.Sequential

    def __init__(self, *, bottleneck: int, decoder: int, context: int, outputs: int, width: Count, unshuffle: Count) -> None:
        super().__init__()
        self.unshuffle = self.grid = unshuffle
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
        return self.predict(self.read[4](self.maps(low, features)), features.context)

    def maps(self, low: Float[Tensor, "b 3 h w"], features: Features) -> Float[Tensor, "b c h2 w2"]:
        return self.read[:4](functional.pixel_unshuffle(pad_to_multiple(low, self.unshuffle), self.unshuffle))

    def predict(self, statistics: Float[Tensor, "b twice"], context: Float[Tensor, "b k"]) -> Float[Tensor, "b p"]:
        return self.read[5:](statistics)
