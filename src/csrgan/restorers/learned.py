"""A trained network as a restorer: S, theta^ in physical units, and calibrated intervals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from csrgan.calibration import Calibration, Distances
from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.operator import rounded
from csrgan.degradation.parameters import Parameters
from csrgan.networks.generator import Generator, GeneratorOutput
from csrgan.networks.source import Changed, Source
from csrgan.networks.tiles import Rows, Shown, TiledGenerator, can_tile, stated, unshown
from csrgan.records import Batch, Looks, Restoration
from csrgan.restorers.bicubic import enlarged
from csrgan.restorers.enlarged import Enlarged
from csrgan.restorers.ood import OODTest
from csrgan.restorers.restorer import Restorer, finite_image


class LearnedRestorer(Restorer):
    """network: returns S and, where it predicts them, theta^ and its variance in network units (`GeneratorOutput`).

    enlarges: whether L is enlarged bicubically before it enters the network. calibration: of the predicted standard deviations.
    ood: tells pictures unlike those of the training; None: nothing is told.
    """

    outputs: tuple[str, ...] = ("upsampled", "native")

    def __init__(self, network: nn.Module, degradation: Degradation, *, enlarges: bool = False) -> None:
        super().__init__(degradation)
        self.network, self.enlarges = network, enlarges
        self.calibration = Calibration()
        self.ood: OODTest | None = None

    def restore(self, low: Float[Tensor, "b 3 h w"], names: Sequence[str] = ()) -> Restoration:
        self.require_blind()
        self.network.eval()
        with torch.no_grad():
            output: GeneratorOutput = self.network(self.preprocess(low))
        return self.to_restoration(output, names)

    def restore_parts(self, picture: Source, put: Rows, *, tile: int, shown: Shown = unshown) -> Restoration:
        self.require_blind()
        bits = self.degradation.flags["bits"]
        large = self._large(Changed(picture, partial(rounded, bits=bits)) if bits else picture)
        if large.height * large.width <= tile**2 or not self.tiles:
            return super().restore_parts(picture, put, tile=tile, shown=shown)
        self.network.eval()

        def finite(rows: Tensor, first: int, height: int) -> None:
            put(finite_image(rows), first, height)

        with torch.no_grad():
            generator = TiledGenerator(cast(Generator, self.network), large, tile, shown)
            theta, log_variance = generator.restore(finite)
            nothing = generator.context.new_zeros(len(generator.context), 3, 0, large.width)
        return self.to_restoration(GeneratorOutput(nothing, theta, log_variance), pixels=large.height * large.width)

    def _large(self, picture: Source) -> Source:
        """Return L at the size at which the network takes it."""
        return Enlarged(picture, self.enlarge) if self.enlarges and self.enlarge > 1 else picture

    def looks(self, picture: Source) -> Looks:
        return self.ood.looks(self._large(picture)) if self.ood else Looks()

    @property
    def tiles(self) -> bool:
        """Whether it can restore a large picture in tiles."""
        return stated(self, "restore_parts", "restore", "preprocess") and can_tile(self.network)

    @property
    def uncertain(self) -> bool:
        """Whether it predicts the variance of its theta^."""
        return isinstance(self.network, Generator) and self.network.variance and not self.needs_truth

    def preprocess(self, low: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h2 w2"]:
        """Return L as the network takes it: rounded to the bits of its training, then enlarged if it asks for that."""
        low = rounded(low, self.degradation.flags["bits"])
        return enlarged(low, self.enlarge) if self.enlarges else low

    def to_physical(self, theta: Float[Tensor, "b p"]) -> Parameters:
        """Convert theta^ of the network to physical units."""
        return self.prior.denormalise(theta)

    def to_restoration(self, output: GeneratorOutput, names: Sequence[str] = (), pixels: int | None = None) -> Restoration:
        """Convert the output of the network to a picture in [0,1] and to physical units. pixels: of S; None: of the output."""
        theta, log_variance = output.theta, output.log_variance
        parameters = None if theta is None else self.to_physical(theta.float())
        spread = interval = None
        if theta is not None and log_variance is not None:
            std = (0.5 * log_variance.float()).exp()
            std = std * self.calibration.factors(pixels or output.image.shape[-2] * output.image.shape[-1], std, names)
            spread, interval = self.prior.spread(theta.float(), std), self.prior.interval(theta.float(), std)
        trace = tuple(self.to_restoration(step, names) for step in output.trace)
        return Restoration(finite_image(output.image), parameters, spread, interval, trace)

    def calibrate(self, *sizes: Iterable[Batch]) -> None:
        """Choose the factors on the predicted standard deviations by pictures of each size, of which there is a series each."""
        self.calibration = Calibration.fit([Distances.concatenate(self._distances(batches)) for batches in sizes])

    def _distances(self, batches: Iterable[Batch]) -> Iterator[Distances]:
        network = cast(Generator, self.network.eval())
        for batch in batches:
            with torch.no_grad():
                theta, log_variance = network.predict_parameters(self.preprocess(batch.low))
            assert theta is not None and log_variance is not None
            std = (0.5 * log_variance).exp().float()
            distances = (theta - self.prior.normalise(batch.parameters)).abs().float() / std
            yield Distances(batch.sharp.shape[-2] * batch.sharp.shape[-1], list(batch.names), distances, std)
