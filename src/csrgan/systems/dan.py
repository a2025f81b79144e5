"""DAN: a restorer and an estimator take turns, each given what the other found (Luo et al. 2020; second version 2021)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from csrgan import rules
from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.code import Code
from csrgan.degradation.parameters import Parameters
from csrgan.fault import refuse
from csrgan.losses import parameters
from csrgan.losses.objective import Objective, examine
from csrgan.networks.dan import EstimatorV1, RestorerV1
from csrgan.networks.generator import Restored
from csrgan.ranges import Count
from csrgan.records import Batch
from csrgan.systems.base import ADAM, MakeOptimizer, UpdateRule
from csrgan.systems.player import Player
from csrgan.systems.told import Told, default_losses


class Networks(nn.Module):
    """L to S in `loops` turns, beginning with the code of the prior's mean. No gradient passes from one network to the other, as
    in the authors' program: each turn is learned by itself.

    kernel: the estimator gives the taps of a kernel, of which the code is made; otherwise the code.
    """

    def __init__(self, code: Code, restorer: nn.Module, estimator: nn.Module, loops: int, kernel: bool) -> None:
        super().__init__()
        self.code, self.restorer, self.estimator, self.loops, self.kernel = code, restorer, estimator, loops, kernel

    def forward(self, low: Float[Tensor, "b 3 h w"]) -> Restored:
        code = self.code.beginning(len(low)).to(low)
        trace = []
        for _ in range(self.loops):
            image = self.restorer(low, code.detach())
            theta = self.estimator(low, image.detach())
            theta = functional.softmax(theta, dim=1) if self.kernel else theta
            code = self.code.of_taps(theta) if self.kernel else theta
            trace.append(Restored(image, theta))
        return trace[-1]._replace(trace=tuple(trace))


class DAN(Told):
    """Both networks learn at once.

    loops: turns. estimates: what the estimator gives, a code or (second version) a kernel.
    supervise_all: every turn is supervised, and not the last alone; it made the authors' training unstable.
    losses: `image` and others of S; `parameters` of the code.
    """

    teaching = ("image",)
    offers = ("restored", "sharp", "theta", "theta_true")
    offers_codes = ()

    def __init__(
        self,
        *,
        restorer: Callable[..., nn.Module] = partial(RestorerV1, width=64, blocks=40, unshuffle=4, skip=False),
        estimator: Callable[..., nn.Module] = partial(EstimatorV1, width=32, blocks=5, unshuffle=4, reads="mean"),
        code: Callable[[Degradation], Code] = partial(Code, kind="units", components=10),
        loops: Count = 4,
        estimates: Literal["code", "kernel"] = "code",
        supervise_all: bool = False,
        losses: Mapping[str, Any] | None = None,
        degradation: Degradation | None = None,
        rule: UpdateRule = UpdateRule(),
        optimizer: MakeOptimizer = ADAM,
    ) -> None:
        degradation = degradation or Degradation()
        losses = default_losses(parameters.l1) if losses is None else losses
        self.given_as(losses=losses)
        codes = code(degradation)
        kernel = estimates == "kernel"
        refuse(rules.kernel_estimated(estimates, "kernel" if codes.kernels else "units", codes.names))
        sees = estimator(enlarge=degradation.multiple, outputs=codes.taps if kernel else codes.length)
        restores = restorer(enlarge=degradation.multiple, code=codes.length)
        super().__init__(Networks(codes, restores, sees, loops, kernel), degradation, rule, optimizer)
        self.supervise_all = supervise_all
        examine(self, losses)
        self.player = Player(self, "generator", self.generator, Objective(losses, self.offers), index=0)

    def learn(self, batch: Batch) -> None:
        parts: Any = self.generator
        found: Restored = parts(batch.low)
        turns = found.trace if self.supervise_all else found.trace[-1:]
        self.player.turn(
            restored=torch.cat([turn.image for turn in turns]),
            sharp=batch.sharp.repeat(len(turns), 1, 1, 1),
            theta=torch.cat([turn.theta for turn in turns if turn.theta is not None]),
            theta_true=self.sought(batch.parameters).repeat(len(turns), 1),
        )

    def sought(self, parameters: Parameters) -> Float[Tensor, "b p"]:
        """What the estimator should give."""
        code: Any = self.generator.code
        return code.taps_of(parameters) if self.generator.kernel else code.encode(parameters)  # type: ignore[no-any-return]

    def physical(self, theta: Float[Tensor, "b p"]) -> Parameters:
        code: Any = self.average.code
        return code.decode(code.of_taps(theta) if self.average.kernel else theta)  # type: ignore[no-any-return]
