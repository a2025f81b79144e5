"""IKC: a code is predicted from L and corrected by the artefacts that it leaves in S, again and again (Gu et al. 2019)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import nn

from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.kernel_pca import Code
from csrgan.networks.papers.code_conditioned import IKCNetworks
from csrgan.networks.papers.ikc import SFTMD, Corrector, Predictor
from csrgan.ranges import CountOr0
from csrgan.records import Batch
from csrgan.training.algorithms.code_conditioned import CodeConditionedSystem, default_losses, objectives
from csrgan.training.state import ADAM, MakeOptimizer, UpdateRule


class IKC(CodeConditionedSystem):
    """First the restorer learns from true codes; then it rests, and the predictor and the corrector learn together, the corrector
    `corrections` times a batch, each time from the code before, without a gradient through it.

    first_stage: images of the first stage. losses: `image` and others of S; `parameters` of the codes.
    """

    generator: IKCNetworks

    def __init__(
        self,
        *,
        restorer: Callable[..., nn.Module] = partial(SFTMD, width=64, blocks=16, hidden=32, unshuffle=4, skip=False),
        predictor: Callable[..., nn.Module] = partial(Predictor, width=64, reads="mean"),
        corrector: Callable[..., nn.Module] = partial(Corrector, width=64, reads="mean"),
        code: Callable[[Degradation], Code] = partial(Code, kind="units", components=10),
        corrections: CountOr0 = 7,
        first_stage: CountOr0 = 2880,
        losses: Mapping[str, Any] | None = None,
        degradation: Degradation | None = None,
        rule: UpdateRule = UpdateRule(),
        optimizer: MakeOptimizer = ADAM,
    ) -> None:
        degradation = degradation or Degradation()
        losses = default_losses() if losses is None else losses
        self.given_as(losses=losses)
        codes = code(degradation)
        restores = restorer(enlarge=degradation.multiple, code=codes.length)
        networks = IKCNetworks(codes, restores, predictor(code=codes.length), corrector(code=codes.length), corrections)
        super().__init__(networks, degradation, rule)
        self.first_stage = first_stage
        of_picture, of_code = objectives(self, losses)
        self.add_updater("restorer", networks.restorer, of_picture, optimizer)
        self.add_updater("predictor", networks.predictor, of_code, optimizer)
        self.add_updater("corrector", networks.corrector, of_code, optimizer)

    def learn(self, batch: Batch) -> None:
        networks = self.generator
        true = networks.code.encode(batch.parameters)
        if self.images_seen < self.first_stage:
            self.updaters["restorer"].update(restored=networks.restorer(batch.low, true), sharp=batch.sharp)
            return
        code = networks.predictor(batch.low)
        self.updaters["predictor"].update(theta=code, theta_true=true)
        for _ in range(networks.corrections):
            code = code.detach()
            with torch.no_grad():
                restored = networks.restorer(batch.low, code).clamp(0, 1)
            code = networks.corrector(restored, code)
            self.updaters["corrector"].update(theta=code, theta_true=true)
