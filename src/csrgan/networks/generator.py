"""The generator: a body, an output function that makes the picture S, and a head that predicts the degradation."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from operator import attrgetter
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from csrgan import rules
from csrgan.arguments import Recorded
from csrgan.degradation.parameters import NAMES
from csrgan.errors import UserError, found, raise_faults
from csrgan.networks.blocks import pad_to_multiple
from csrgan.networks.output import logistic
from csrgan.networks.results import full_name, require_shape
from csrgan.networks.source import InMemory, Source

PADDING = "let its layers keep the size, as padding=1 does for a convolution 3x3"
MIN_STD = 0.01  # smallest predicted standard deviation of a parameter, in units of its prior's range


class Place(NamedTuple):
    """Where a tile is, with its border, in a large picture that is padded as the body needs it."""

    rows: slice
    columns: slice
    picture: Source


class Features(NamedTuple):
    """What a body computes.

    bottleneck: features of the bottleneck. skips: features kept for the decoder. context: global features of the picture
    (no columns if the body has none). theta: theta^, if it is predicted before decoding. After decoding also decoder, the last
    features; image, the raw picture; and base, the picture that image changes, if that is not L.
    Of a tile of a large picture also place, where it is; and measured, what `Body.measure` found in all tiles together.
    """

    bottleneck: Float[Tensor, "b c h2 w2"]
    skips: tuple[Tensor, ...]
    context: Float[Tensor, "b k"]
    theta: Float[Tensor, "b p"] | None = None
    place: Place | None = None
    measured: tuple[Tensor, ...] = ()
    decoder: Float[Tensor, "b d h3 w3"] | None = None
    image: Float[Tensor, "b 3 h w"] | None = None
    base: Float[Tensor, "b 3 h w"] | None = None


class Body(Recorded, nn.Module):
    """An encoder from L to Features and a decoder that completes them, for sides that are multiples of `multiple` pixels.

    context_features: columns of `Features.context`. encoder_parts: names of the modules that `encode` uses. reads_theta: whether
    `decode` needs theta^.

    A body can restore a large picture in tiles if it states its `border` and defines `survey` and `encode_part`. Without a border
    it gets whole pictures, whatever their size.
    """

    multiple: int
    bottleneck_channels: int
    decoder_channels: int
    context_features: int
    encoder_parts: tuple[str, ...]
    reads_theta = False
    isotropic = False  # whether it can only undo an isotropic Gaussian
    draws = True  # whether it adds a picture of its own; False: it only filters L
    single_side = 0  # px: at this side or below, its batch norm sees a single pixel
    border: int | None = None  # px around a tile in which L changes what the body makes of the tile
    reach = 0  # px around a tile in which L changes its bottleneck features at all, where that is more than the border
    grid = 1  # px: tiles begin at multiples of it
    measurements = 0  # how often it measures all tiles of a picture before it decodes them

    def encoder_weights(self) -> list[nn.Parameter]:
        """Return the weights that the losses of both S and theta^ train; a part that is None has none.

        Raises UserError for a part that the body does not have.
        """
        weights: list[nn.Parameter] = []
        for name in self.encoder_parts:
            try:
                part: nn.Module | None = attrgetter(name)(self)
            except AttributeError:
                raise UserError(f"{type(self).__name__}.encoder_parts names {name}, which is none of its modules.") from None
            weights += part.parameters() if part is not None else ()
        return weights

    def encode(self, low: Float[Tensor, "b 3 h w"]) -> Features:
        """Return the features of L, in [0,1] and with sides that are multiples of `multiple` px."""
        return self.encode_part(low, self.survey(InMemory(low)))

    def survey(self, picture: Source) -> Float[Tensor, "b k"]:
        """Return the global features of a picture, which is read in parts."""
        raise NotImplementedError

    def encode_part(self, low: Float[Tensor, "b 3 h w"], context: Float[Tensor, "b k"]) -> Features:
        """Return the features of a tile. context: global features of the whole picture."""
        raise NotImplementedError

    def measure(self, features: Features, inside: tuple[slice, slice]) -> Tensor:
        """Return sums over the pixels of a tile without its border; `Features.measured` gets their totals over all tiles.

        inside: rows and columns of these pixels in the tile.
        """
        raise NotImplementedError

    def decode(self, features: Features) -> Features:
        """Return the features with those of the decoder, (B, decoder_channels, H, W), from which S is made."""
        raise NotImplementedError


class GeneratorOutput(NamedTuple):
    """S, and theta^ and the logarithm of its variance in network units, if they are predicted. trace: the output of each iteration
    of an iterative network."""

    image: Float[Tensor, "b 3 h w"]
    theta: Float[Tensor, "b p"] | None = None
    log_variance: Float[Tensor, "b p"] | None = None
    trace: tuple[GeneratorOutput, ...] = ()


@runtime_checkable
class TimedHead(Protocol):
    """A parameter head that says when it runs. late: after decoding, because it reads the decoder's features. A head that does not
    say so runs before decoding."""

    late: bool


@runtime_checkable
class Reexpressible(Protocol):
    """A condition that can adapt to new units of theta^; with other conditions, `Generator.reexpress` raises UserError."""

    def reexpress(self, factor: Float[Tensor, " p"], shift: Float[Tensor, " p"]) -> None:
        """Expect factor x theta^ + shift in place of theta^."""


Output = Callable[[Tensor, Tensor], Tensor]


class Generator(Recorded, nn.Module):
    """L to S and theta^ (in network units), for pictures of any size.

    output: from the raw picture and L to S, see `networks/output.py`; one that ignores L declares it: `declares(ignores_low=True)`.
    parameter_head: makes the head from the body's channel counts, see `networks/heads.py`; None predicts nothing.
    condition: makes the module that conditions the features on theta^, see `networks/condition.py`; None: S does not use theta^.
    predicted: names of the predicted parameters, one output of the head each.
    variance: whether the head also predicts a variance for each parameter.
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
        self.outputs = len(predicted) * (2 if variance else 1)  # of the head
        if parameter_head and predicted:
            channels = {"bottleneck": body.bottleneck_channels, "decoder": body.decoder_channels, "context": body.context_features}
            self.head = parameter_head(**channels, outputs=self.outputs)
        early = self.head is not None and not self.head_is_late
        function = output.func if isinstance(output, partial) else output
        raise_faults(
            rules.early_prediction(condition=condition is not None, reads_theta=body.reads_theta, predicts=early),
            rules.output_of_body(
                type(body).__name__, body.draws, getattr(function, "__name__", ""), getattr(function, "ignores_low", False)
            ),
        )
        self.condition = condition(channels=body.bottleneck_channels, parameters=len(predicted)) if condition else None

    @property
    def head_is_late(self) -> bool:
        """Whether the head runs after decoding; False without a head."""
        return isinstance(self.head, TimedHead) and self.head.late

    @property
    def takes_theta(self) -> bool:
        """Whether S is made with theta^, so that it can be made with the true theta."""
        return self.condition is not None or self.body.reads_theta

    def forward(self, low: Float[Tensor, "b 3 h w"], theta: Float[Tensor, "b p"] | None = None) -> GeneratorOutput:
        """Return S and theta^. theta: is used in place of theta^, and then nothing is predicted."""
        padded = pad_to_multiple(low, self.body.multiple)
        features = self._encoded(padded)
        head, late = self.head if theta is None else None, self.head_is_late
        prediction = self._predicted(low, features) if head and not late else None
        features = features._replace(theta=self.split(prediction)[0] if theta is None else theta)
        if self.condition:
            features = features._replace(bottleneck=self.condition(features.bottleneck, features.theta))
        features = self.body.decode(features)
        self._examine_decoded(features, padded)
        prediction = self._predicted(low, features) if head and late else prediction
        return GeneratorOutput(self.picture(low, features), *self.split(prediction))

    def _encoded(self, padded: Tensor) -> Features:
        """Return what the body makes of L. Raises UserError unless it is what the body announces."""
        features, place = self.body.encode(padded), f"generator: encode of {full_name(self.body)}"
        if not isinstance(features, Features):
            raise UserError(f"{place} gives {found(features)}, and {full_name(Features)} is needed.")
        if self.head or self.condition:
            self._require_channels(f"{place} gives as bottleneck", features.bottleneck, "bottleneck_channels")
            self._require_channels(f"{place} gives as context", features.context, "context_features")
        return features

    def _examine_decoded(self, features: object, padded: Tensor) -> None:
        """Raise UserError unless decoded features have what the body announces, and a picture as large as the padded L."""
        place = f"generator: decode of {full_name(self.body)}"
        if not isinstance(features, Features):
            raise UserError(f"{place} gives {found(features)}, and {full_name(Features)} is needed.")
        size = f"the size of L in multiples of {self.body.multiple} px: {PADDING}"
        require_shape(f"{place}, for image,", features.image, (len(padded), 3, *padded.shape[-2:]), size)
        if self.head_is_late:
            self._require_channels(f"{place} gives as decoder", features.decoder, "decoder_channels")

    def _require_channels(self, gives: str, features: object, announced: str) -> None:
        """Raise UserError unless features have as many channels as the body announces to heads and conditions."""
        if torch.onnx.is_in_onnx_export():
            return
        count = getattr(self.body, announced)
        if not (
            isinstance(features, Tensor) and features.dim() > 1 and features.shape[1] == count
        ):  # a sentence costs a compilation
            raise UserError(f"{gives} {found(features)}, and its {announced}={count} promises {count} channels: let both agree.")

    def _predicted(self, low: Tensor, features: Features) -> Tensor:
        """Return what the head makes of the features. Raises UserError unless it is a number for each of its outputs."""
        assert self.head is not None
        prediction: Tensor = self.head(low, features)
        require_shape(f"parameter_head: {full_name(self.head)}", prediction, (len(low), self.outputs), "pictures x outputs")
        return prediction

    def picture(self, low: Float[Tensor, "b 3 h w"], features: Features) -> Float[Tensor, "b 3 h w"]:
        """Return S from the features of the decoder."""
        assert features.image is not None
        height, width = low.shape[-2:]
        base = low if features.base is None else features.base[..., :height, :width]
        image = self.output(features.image[..., :height, :width], base)
        require_shape(f"output: {full_name(self.output)}", image, low.shape, "the shape of L")
        return image

    def predict_parameters(self, low: Float[Tensor, "b 3 h w"]) -> tuple[Tensor | None, Tensor | None]:
        """Return theta^ and the logarithm of its variance without S; unless the head is late, only the encoder runs."""
        if self.head is None or self.head_is_late:
            return self(low)[1:3]
        return self.split(self._predicted(low, self._encoded(pad_to_multiple(low, self.body.multiple))))

    def reexpress(self, factor: Float[Tensor, " p"], shift: Float[Tensor, " p"]) -> None:
        """Predict factor x theta^ + shift from now on, and leave S as it is: the condition adapts too. Raises UserError for a head
        or a condition that cannot adapt."""
        if self.head is None:
            return
        last, count = _output_layer(self.head), len(factor)
        if not isinstance(last, nn.Linear | nn.Conv2d) or last.bias is None:
            raise UserError(_fixed_units("parameter_head", self.head))
        with torch.no_grad():
            last.weight[:count] *= factor.reshape(-1, *[1] * (last.weight.ndim - 1)).to(last.weight)
            last.bias[:count] = (last.bias[:count].double() * factor + shift).to(last.bias)
            if self.variance:
                last.bias[count:] += 2 * factor.clamp(min=1e-6).log().to(last.bias)
        if self.condition is None:
            return
        if not isinstance(self.condition, Reexpressible):
            raise UserError(_fixed_units("condition", self.condition))
        self.condition.reexpress(factor, shift)

    def split(self, prediction: Tensor | None) -> tuple[Tensor | None, Tensor | None]:
        """Split the head's output into theta^ and the logarithm of its variance, which is at least that of MIN_STD."""
        if prediction is None or not self.variance:
            return prediction, None
        theta, log_variance = prediction.chunk(2, dim=1)
        least = torch.full_like(log_variance, 2 * math.log(MIN_STD))
        if torch.onnx.is_in_onnx_export():  # ONNX has no logaddexp
            return theta, torch.maximum(log_variance, least) + torch.log1p(torch.exp(-(log_variance - least).abs()))
        return theta, torch.logaddexp(log_variance, least)


def _output_layer(head: nn.Module) -> nn.Module | None:
    """Return the module `last` of a head, None if it has none. A protocol misses a registered submodule from Python 3.12 on."""
    try:
        return head.get_submodule("last")
    except AttributeError:
        return None


def _fixed_units(key: str, module: nn.Module) -> str:
    return f"{key}={type(module).__name__} cannot adapt to other ranges of degradation: use those that init_from was trained with."
