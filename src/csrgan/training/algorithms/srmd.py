"""SRMD: a network that is told the degradation (Zhang et al. 2018), and one that finds it in L where nobody can tell it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal, cast

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
    """The restorer learns from true codes; the predictor, IKC's, learns beside it, and shares no weight with it.

    oracle: what the restorer is told in an evaluation: the truth; the prediction, as in `restore`; or a mismatch, the truth with
    `mismatch` px more blur. losses: `image` and others of S; `parameters` of the predicted code.
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
        losses: Mapping[str, Any] | None = None,
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
        of_picture, of_code = objectives(self, losses)
        self.restorer_updater = self.add_updater("restorer", networks.restorer, of_picture, optimizer)
        self.predictor_updater = self.add_updater("predictor", networks.predictor, of_code, optimizer)

    def make_restorer(self, network: nn.Module, degradation: Degradation) -> SRMDRestorer:
        return SRMDRestorer(cast(SRMDNetworks, network), degradation, self.mismatch)

    def learn(self, batch: Batch) -> None:
        true = self.generator.code.encode(batch.parameters)
        self.restorer_updater.update(restored=self.restorer_updater.network(batch.low, true), sharp=batch.sharp)
        self.predictor_updater.update(theta=self.predictor_updater.network(batch.low), theta_true=true)
