"""A generator: a body, the way its last layer becomes a picture, and the head that predicts the degradation."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from csrgan import rules
from csrgan.arguments import Recorded
from csrgan.degradation.parameters import NAMES
from csrgan.errors import UserError, raise_faults
from csrgan.networks.blocks import pad_to_multiple
from csrgan.networks.output import logistic

LEAST_STD = 0.01  # predicted of a parameter, in units of its prior's range


class Features(NamedTuple):
    """What a body offers: the features of its narrowest layer, those it keeps for its decoder, and what it knows of the
    picture as a whole (no columns where it knows nothing); theta^, where it is predicted before the picture is made; after
    decoding also its last features, the raw picture, and what this is a change of, where that is not L."""

    bottleneck: Float[Tensor, "b c h2 w2"]
    skips: tuple[Tensor, ...]
    context: Float[Tensor, "b k"]
    theta: Float[Tensor, "b p"] | None = None
    decoder: Float[Tensor, "b d h3 w3"] | None = None
    image: Float[Tensor, "b 3 h w"] | None = None
    base: Float[Tensor, "b 3 h w"] | None = None


class Body(Recorded, nn.Module):
    """An encoder from L to Features and a decoder that completes them, for sides that are multiples of `multiple` pixels.

    encoder_parts: names of the modules that `encode` uses. reads_theta: whether `decode` needs theta^.
    """

    multiple: int
    bottleneck_channels: int
    decoder_channels: int
    context_features: int
    encoder_parts: tuple[str, ...]
    reads_theta = False
    isotropic = False  # whether it can only undo an isotropic Gaussian
    draws = True  # whether it gives a picture of its own, or nothing but a change of L
    single_side = 0  # px: of a picture of this side, or less, its batch norm sees a single pixel

    def encoder_weights(self) -> list[nn.Parameter]:
        """What every loss of S and of theta^ may move."""
        held = dict(self.named_modules())
        return [weight for name in self.encoder_parts if name in held for weight in held[name].parameters()]

    def encode(self, low: Float[Tensor, "b 3 h w"]) -> Features:
        raise NotImplementedError

    def decode(self, features: Features) -> Features:
        raise NotImplementedError


class GeneratorOutput(NamedTuple):
    """S, and in network units theta^ and the logarithm of its variance, where they are predicted; of a network with iterations
    what each of them gave."""

    image: Float[Tensor, "b 3 h w"]
    theta: Float[Tensor, "b p"] | None = None
    log_variance: Float[Tensor, "b p"] | None = None
    trace: tuple[GeneratorOutput, ...] = ()


Output = Callable[[Tensor, Tensor], Tensor]


class Generator(Recorded, nn.Module):
    """L to S and theta^ (in network units), for pictures of any size.

    output: from the raw picture and L to S, see `networks/output.py`; one that ignores L says so by `declares(ignores_low=True)`.
    parameter_head: makes the head from the body's channel counts, see `networks/heads.py`; None predicts nothing.
    condition: makes what restores in the light of theta^, see `networks/condition.py`; None: S does not know theta^.
    predicted: names of the predicted parameters, one output of the head each.
    variance: whether the head predicts a variance for each, too.
    """

    def __init__(
        self,
        body: Body,
        output: Output = partial(logistic, epsilon=0.004),
        parameter_head: Callable[..., nn.Module] | None = None,
        condition: Callable[..., nn.Module] | None = None,
        predicted: Sequence[str] = NAMES,
        variance: bool = False,
    ) -> None:
        super().__init__()
        self.body, self.output, self.variance = body, output, variance
        self.head: nn.Module | None = None
        if parameter_head and predicted:
            channels = {"bottleneck": body.bottleneck_channels, "decoder": body.decoder_channels, "context": body.context_features}
            self.head = parameter_head(**channels, outputs=len(predicted) * (2 if variance else 1))
        early = self.head is not None and not getattr(self.head, "late", False)
        made = output.func if isinstance(output, partial) else output
        raise_faults(
            rules.early_prediction(condition=condition is not None, reads_theta=body.reads_theta, predicts=early),
            rules.output_of_body(
                type(body).__name__, body.draws, getattr(made, "__name__", ""), getattr(made, "ignores_low", False)
            ),
        )
        self.condition = condition(channels=body.bottleneck_channels, parameters=len(predicted)) if condition else None

    def forward(self, low: Float[Tensor, "b 3 h w"]) -> GeneratorOutput:
        height, width = low.shape[-2:]
        features: Features = self.body.encode(pad_to_multiple(low, self.body.multiple))
        late = getattr(self.head, "late", False)
        found = self.head(low, features) if self.head and not late else None
        features = features._replace(theta=self._split(found)[0])
        if self.condition:
            features = features._replace(bottleneck=self.condition(features.bottleneck, features.theta))
        features = self.body.decode(features)
        found = self.head(low, features) if self.head and late else found
        assert features.image is not None
        base = low if features.base is None else features.base[..., :height, :width]
        return GeneratorOutput(self.output(features.image[..., :height, :width], base), *self._split(found))

    def predict_parameters(self, low: Float[Tensor, "b 3 h w"]) -> tuple[Tensor | None, Tensor | None]:
        """theta^ and the logarithm of its variance alone, which costs an encoder where the head needs no more."""
        if self.head is None or getattr(self.head, "late", False):
            return self(low)[1:3]
        return self._split(self.head(low, self.body.encode(pad_to_multiple(low, self.body.multiple))))

    def reexpress(self, factor: Float[Tensor, " p"], shift: Float[Tensor, " p"]) -> None:
        """Let theta^ be factor x theta^ + shift from now on, and whatever reads it see what it saw before. Raises UserError for a
        head or a condition that cannot."""
        if self.head is None:
            return
        last, count = getattr(self.head, "last", None), len(factor)
        if not isinstance(last, nn.Linear | nn.Conv2d) or last.bias is None:
            raise UserError(f"parameter_head={type(self.head).__name__} cannot be given other units: begin with the same ranges.")
        with torch.no_grad():
            last.weight[:count] *= factor.reshape(-1, *[1] * (last.weight.ndim - 1)).to(last.weight)
            last.bias[:count] = (last.bias[:count].double() * factor + shift).to(last.bias)
            if self.variance:
                last.bias[count:] += 2 * factor.clamp(min=1e-6).log().to(last.bias)
        reexpress = getattr(self.condition, "reexpress", None)
        if self.condition is not None and reexpress is None:
            raise UserError(f"condition={type(self.condition).__name__} cannot be given other units: begin with the same ranges.")
        if reexpress is not None:
            reexpress(factor, shift)

    def _split(self, found: Tensor | None) -> tuple[Tensor | None, Tensor | None]:
        if found is None or not self.variance:
            return found, None
        theta, log_variance = found.chunk(2, dim=1)
        return theta, torch.logaddexp(log_variance, torch.full_like(log_variance, 2 * math.log(LEAST_STD)))
