"""SRMD: a network that is told the degradation (Zhang et al. 2018), and one that finds it in L where nobody can tell it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.code import Code
from csrgan.degradation.parameters import Parameters
from csrgan.networks.generator import Restored
from csrgan.networks.sft import Predictor
from csrgan.networks.srmd import SRMDNet
from csrgan.ranges import NotNegative
from csrgan.records import Batch, Restoration
from csrgan.systems.base import ADAM, MakeOptimizer, UpdateRule
from csrgan.systems.player import Player
from csrgan.systems.told import Told, default_losses, objectives


class Networks(nn.Module):
    """L to S by way of a predicted code."""

    def __init__(self, code: Code, restorer: nn.Module, predictor: nn.Module) -> None:
        super().__init__()
        self.code, self.restorer, self.predictor = code, restorer, predictor

    def forward(self, low: Float[Tensor, "b 3 h w"]) -> Restored:
        code = self.predictor(low)
        return Restored(self.restorer(low, code), code)


class SRMD(Told):
    """The restorer learns from true codes; the predictor, IKC's, learns beside it, and shares no weight with it.

    told: what the restorer is told in an evaluation: the truth; the prediction, as in `restore`; or a mismatch, the truth with
    `mismatch` px more blur. losses: `image` and others of S; `parameters` of the predicted code.
    """

    tells = ("truth", "prediction", "mismatch")

    def __init__(
        self,
        *,
        restorer: Callable[..., nn.Module] = partial(SRMDNet, width=128, layers=12, unshuffle=4, skip=False),
        predictor: Callable[..., nn.Module] = partial(Predictor, width=64, reads="mean"),
        code: Callable[[Degradation], Code] = partial(Code, kind="units", components=15),
        told: Literal["truth", "prediction", "mismatch"] = "prediction",
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
        networks = Networks(codes, restorer(enlarge=degradation.multiple, code=codes.length), predictor(code=codes.length))
        super().__init__(networks, degradation, rule, optimizer)
        self.tell(told)
        self.mismatch = mismatch
        of_picture, of_code = objectives(self, losses)
        self.restorer = Player(self, "restorer", networks.restorer, of_picture, index=0)
        self.predictor = Player(self, "predictor", networks.predictor, of_code, index=1)

    def networks(self) -> dict[str, nn.Module]:
        return {"restorer": self.generator.restorer, "predictor": self.generator.predictor}  # type: ignore[dict-item]

    def learn(self, batch: Batch) -> None:
        code: Any = self.generator.code
        true = code.encode(batch.parameters)
        self.restorer.turn(restored=self.restorer.network(batch.low, true), sharp=batch.sharp)
        self.predictor.turn(theta=self.predictor.network(batch.low), theta_true=true)

    def validation_step(self, batch: Batch, batch_idx: int) -> Restoration:  # type: ignore[override]
        if self.told_by == "prediction":
            return self.restore(batch.low, batch.names)
        parameters = batch.parameters
        if self.told_by == "mismatch":
            parameters = replace(parameters, blur_std=parameters.blur_std + self.mismatch, kernel=None)
        return self.restore_told(batch.low, parameters)

    def restore_told(self, low: Float[Tensor, "b 3 h w"], parameters: Parameters) -> Restoration:
        networks: Any = self.average.eval()
        with torch.no_grad():
            code = networks.code.encode(parameters)
            return self.told(Restored(networks.restorer(low, code), networks.predictor(low)))
