"""SRMD: a network that takes the degradation as input (Zhang et al. 2018), and one that predicts it from L where it is unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal, cast

from torch import nn

from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.kernel_pca import Code
from csrgan.networks.papers.code_conditioned import SRMDNetworks
from csrgan.networks.papers.ikc import Predictor
from csrgan.networks.papers.srmd import SRMDNet
from csrgan.ranges import NotNegative
from csrgan.records import Batch
from csrgan.restorers.code_conditioned import SRMDRestorer
from csrgan.training.algorithms.code_conditioned import CodeConditionedSystem, default_losses, objectives
from csrgan.training.state import ADAM, MakeOptimizer, UpdateRule


class SRMD(CodeConditionedSystem):
    """SRMD (Zhang et al. 2018): a network conditioned on the degradation, and a predictor for where it is unknown.

    The restorer learns from true codes; the predictor, IKC's, learns beside it and shares no weight with it.

    oracle: what the restorer is given in an evaluation: the truth; the prediction, as in `restore`; or a mismatch, the truth with
    `mismatch` px more blur. losses: `image` and other terms of S; `parameters` of the predicted code.
    """

    generator: SRMDNetworks
    restorer: SRMDRestorer

    def __init__(
        self,
        *,
        restorer: Callable[..., nn.Module] = partial(SRMDNet, width=128, layers=12, unshuffle=4, skip=False),
        predictor: Callable[..., nn.Module] = partial(Predictor, width=64, reads="mean"),
        code: Callable[[Degradation], Code] = partial(Code, kind="units", components=15),
        oracle: Literal["truth", "prediction", "mismatch"] = "prediction",
        mismatch: NotNegative = 1.0,
        losses: Mapping[str, object] | None = None,
        degradation: Degradation | None = None,
        rule: UpdateRule = UpdateRule(),
        optimizer: MakeOptimizer = ADAM,
    ) -> None:
        degradation = degradation or Degradation()
        losses = default_losses() if losses is None else losses
        self.given_as(losses=losses)
        codes = code(degradation)
        networks = SRMDNetworks(codes, restorer(enlarge=degradation.multiple, code=codes.length), predictor(code=codes.length))
        self.mismatch = mismatch
        super().__init__(networks, degradation, rule)
        self.restorer.use_oracle(oracle)
        image_objective, code_objective = objectives(self, losses)
        self.restorer_updater = self.add_updater("restorer", networks.restorer, image_objective, optimizer)
        self.predictor_updater = self.add_updater("predictor", networks.predictor, code_objective, optimizer)

    def make_restorer(self, network: nn.Module, degradation: Degradation) -> SRMDRestorer:
        return SRMDRestorer(cast(SRMDNetworks, network), degradation, self.mismatch)

    def learn(self, batch: Batch) -> None:
        true_code = self.generator.code.encode(batch.parameters)
        self.restorer_updater.update(restored=self.restorer_updater.network(batch.low, true_code), sharp=batch.sharp)
        self.predictor_updater.update(theta=self.predictor_updater.network(batch.low), theta_true=true_code)
