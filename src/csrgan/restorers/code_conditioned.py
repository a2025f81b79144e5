"""Restorers whose theta^ is a code of the degradation; SRMD's can also be given the code."""

from __future__ import annotations

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.parameters import Parameters
from csrgan.networks.generator import GeneratorOutput
from csrgan.networks.papers.code_conditioned import CodeConditioned, SRMDNetworks
from csrgan.records import Batch, Restoration
from csrgan.restorers.learned import LearnedRestorer


class CodeRestorer(LearnedRestorer):
    """network: its `code` defines theta^."""

    network: CodeConditioned

    def to_physical(self, theta: Float[Tensor, "b p"]) -> Parameters:
        return self.prior.possible(self.network.decode(theta))


class SRMDRestorer(CodeRestorer):
    """Takes the true parameters; the predicted ones, as in `restore`; or a mismatch, the truth with `mismatch` px more blur."""

    oracle_modes = ("truth", "prediction", "mismatch")
    network: SRMDNetworks

    def __init__(self, network: SRMDNetworks, degradation: Degradation, mismatch: float) -> None:
        super().__init__(network, degradation)
        self.mismatch = mismatch

    def restore_batch(self, batch: Batch) -> Restoration:
        if self.oracle == "mismatch":
            parameters = batch.parameters
            batch = replace(batch, parameters=replace(parameters, blur_std=parameters.blur_std + self.mismatch, kernel=None))
        return super().restore_batch(batch)

    def restore_given(self, low: Float[Tensor, "b 3 h w"], parameters: Parameters) -> Restoration:
        networks = self.network.eval()
        with torch.no_grad():
            code = networks.code.encode(parameters)
            return self.to_restoration(GeneratorOutput(networks.restorer(low, code), networks.predictor(low)))
