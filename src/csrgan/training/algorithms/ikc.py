"""IKC: predict a code from L, then correct it repeatedly by the artefacts that it leaves in S (Gu et al. 2019)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

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
    """IKC (Gu et al. 2019): a predicted code is corrected again and again from the S that it gives.

    First the restorer learns from true codes; then it is frozen, and the predictor and the corrector learn together.

    corrections: updates of the corrector per batch, each from the previous code without a gradient through it. first_stage: images
    of the first stage. losses: `image` and other terms of S; `parameters` of the codes.
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
        losses: Mapping[str, object] | None = None,
        degradation: Degradation | None = None,
        rule: UpdateRule = UpdateRule(),
        optimizer: MakeOptimizer = ADAM,
    ) -> None:
        degradation = degradation or Degradation()
        losses = default_losses() if losses is None else losses
        self.given_as(losses=losses)
        codes = code(degradation)
        restoring = restorer(enlarge=degradation.multiple, code=codes.length)
        networks = IKCNetworks(codes, restoring, predictor(code=codes.length), corrector(code=codes.length), corrections)
        super().__init__(networks, degradation, rule)
        self.first_stage = first_stage
        image_objective, code_objective = objectives(self, losses)
        self.add_updater("restorer", networks.restorer, image_objective, optimizer)
        self.add_updater("predictor", networks.predictor, code_objective, optimizer)
        self.add_updater("corrector", networks.corrector, code_objective, optimizer)

    def learn(self, batch: Batch) -> None:
        networks = self.generator
        true_code = networks.code.encode(batch.parameters)
        if self.images_seen < self.first_stage:
            self.updaters["restorer"].update(restored=networks.restorer(batch.low, true_code), sharp=batch.sharp)
            return
        code = networks.predictor(batch.low)
        self.updaters["predictor"].update(theta=code, theta_true=true_code)
        for _ in range(networks.corrections):
            code = code.detach()
            with torch.no_grad():
                restored = networks.restorer(batch.low, code).clamp(0, 1)
            code = networks.corrector(restored, code)
            self.updaters["corrector"].update(theta=code, theta_true=true_code)
