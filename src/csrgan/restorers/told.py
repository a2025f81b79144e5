"""The restorer of a network that makes S with theta^, and can be told theta in its place."""

from __future__ import annotations

from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.parameters import Parameters
from csrgan.networks.generator import Generator
from csrgan.records import Restoration
from csrgan.restorers.learned import LearnedRestorer


class ToldRestorer(LearnedRestorer):
    """network: takes the true parameters, or those that it predicts, where a condition or its body uses them.

    oracle: truth if it learned from the true ones; it knows no others, and restores nothing without them.
    """

    def __init__(self, network: nn.Module, degradation: Degradation, oracle: str | None = None) -> None:
        super().__init__(network, degradation, enlarges=True)
        self.needs_truth, self.oracle = oracle == "truth", oracle
        if isinstance(network, Generator) and network.takes_theta:
            self.oracle_modes = ("truth",) if self.needs_truth else ("truth", "prediction")

    def restore_given(self, low: Float[Tensor, "b 3 h w"], parameters: Parameters) -> Restoration:
        if "truth" not in self.oracle_modes:
            return super().restore_given(low, parameters)
        network = cast(Generator, self.network.eval())
        with torch.no_grad():
            return self.to_restoration(network(self.preprocess(low), self.prior.normalise(parameters)))
