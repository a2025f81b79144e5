"""A generator: a body, the way its last layer becomes a picture, and the head that predicts the degradation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor, nn

from csrgan.networks.blocks import pad_to_multiple


class Features(NamedTuple):
    """What a body offers: the raw picture, the features of its narrowest and of its last layer, and what it knows of the
    picture as a whole (no columns where it knows nothing)."""

    image: Float[Tensor, "b 3 h w"]
    bottleneck: Float[Tensor, "b c h2 w2"]
    decoder: Float[Tensor, "b d h3 w3"]
    context: Float[Tensor, "b k"]


class Body(nn.Module):
    """A network from L to Features, for sides that are multiples of `multiple` pixels."""

    multiple: int
    bottleneck_channels: int
    decoder_channels: int
    context_features: int


Output = Callable[[Tensor, Tensor], Tensor]


class Generator(nn.Module):
    """L to S and theta^ (in network units), for pictures of any size.

    output: from the raw picture and L to S, see `networks/output.py`.
    parameter_head: makes the head from the body's channel counts, see `networks/heads.py`; None predicts nothing.
    predicted: names of the predicted parameters, one output of the head each.
    """

    def __init__(
        self,
        body: Body,
        output: Output,
        parameter_head: Callable[..., nn.Module] | None,
        predicted: Sequence[str],
    ) -> None:
        super().__init__()
        self.body, self.output = body, output
        self.head: nn.Module | None = None
        if parameter_head and predicted:
            channels = {"bottleneck": body.bottleneck_channels, "decoder": body.decoder_channels, "context": body.context_features}
            self.head = parameter_head(**channels, outputs=len(predicted))

    def forward(self, low: Float[Tensor, "b 3 h w"]) -> tuple[Float[Tensor, "b 3 h w"], Float[Tensor, "b p"] | None]:
        height, width = low.shape[-2:]
        features: Features = self.body(pad_to_multiple(low, self.body.multiple))
        theta = None if self.head is None else self.head(low, features)
        return self.output(features.image[..., :height, :width], low), theta
