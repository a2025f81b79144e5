"""DAN: a restorer and an estimator alternate, each taking the output of the other (Luo et al. 2020; second version 2021)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Literal, cast

import torch
from torch import nn

from csrgan import rules
from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.kernel_pca import Code
from csrgan.errors import raise_faults
from csrgan.losses import parameters
from csrgan.losses.objective import Objective, examine
from csrgan.networks.generator import GeneratorOutput
from csrgan.networks.papers.code_conditioned import DANNetworks
from csrgan.networks.papers.dan import EstimatorV1, RestorerV1
from csrgan.ranges import Count, CountOr0
from csrgan.records import Batch
from csrgan.training.algorithms.code_conditioned import CodeConditionedSystem, default_losses
from csrgan.training.state import ADAM, MakeOptimizer, UpdateRule


class DAN(CodeConditionedSystem):
    """DAN (Luo et al. 2020, 2021): a restorer and an estimator of the degradation alternate. Both networks learn at once.

    loops: iterations. estimates: the output of the estimator, a code or (second version) a kernel.
    supervise_all: supervise every iteration, not only the last; it made the authors' training unstable.
    first_stage: images for which the restorer is given the true code, as IKC's is at first. Codes that are wrong at the beginning
    teach it to ignore codes, and a short training does not undo that. Not in the papers.
    losses: `image` and other terms of S; `parameters` of the code.
    """

    teaching = ("image",)
    loss_inputs = ("restored", "sharp", "theta", "theta_true")
    code_loss_inputs = ()
    generator: DANNetworks

    def __init__(
        self,
        *,
        restorer: Callable[..., nn.Module] = partial(RestorerV1, width=64, blocks=40, unshuffle=4, skip=False),
        estimator: Callable[..., nn.Module] = partial(EstimatorV1, width=32, blocks=5, unshuffle=4, reads="mean"),
        code: Callable[[Degradation], Code] = partial(Code, kind="units", components=10),
        loops: Count = 4,
        estimates: Literal["code", "kernel"] = "code",
        supervise_all: bool = False,
        first_stage: CountOr0 = 0,
        losses: Mapping[str, object] | None = None,
        degradation: Degradation | None = None,
        rule: UpdateRule = UpdateRule(),
        optimizer: MakeOptimizer = ADAM,
    ) -> None:
        degradation = degradation or Degradation()
        losses = default_losses(parameters.l1) if losses is None else losses
        self.given_as(losses=losses)
        codes = code(degradation)
        kernel = estimates == "kernel"
        raise_faults(rules.kernel_estimation(estimates, "kernel" if codes.kernels else "units", codes.names))
        estimating = estimator(enlarge=degradation.multiple, outputs=codes.taps if kernel else codes.length)
        restoring = restorer(enlarge=degradation.multiple, code=codes.length)
        super().__init__(DANNetworks(codes, restoring, estimating, loops, kernel), degradation, rule)
        self.supervise_all, self.first_stage = supervise_all, first_stage
        examine(self, losses)
        self.updater = self.add_updater("generator", self.generator, Objective(losses, self.loss_inputs), optimizer)

    def learn(self, batch: Batch) -> None:
        iterations = self._iterations(batch)
        self.updater.update(
            restored=torch.cat([step.image for step in iterations]),
            sharp=batch.sharp.repeat(len(iterations), 1, 1, 1),
            theta=torch.cat([step.theta for step in iterations if step.theta is not None]),
            theta_true=self.generator.target(batch.parameters).repeat(len(iterations), 1),
        )

    def _iterations(self, batch: Batch) -> Sequence[GeneratorOutput]:
        """Return the iterations that the networks learn from."""
        if self.images_seen < self.first_stage:
            return [GeneratorOutput(*self.generator.iterate(batch.low, self.generator.code.encode(batch.parameters)))]
        trace = cast(GeneratorOutput, self.generator(batch.low)).trace
        return trace if self.supervise_all else trace[-1:]
