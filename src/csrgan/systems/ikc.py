"""IKC: a code is predicted from L and corrected by the artefacts that it leaves in S, again and again (Gu et al. 2019)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.code import Code
from csrgan.networks.generator import Restored
from csrgan.networks.sft import SFTMD, Corrector, Predictor
from csrgan.ranges import CountOr0
from csrgan.records import Batch
from csrgan.systems.base import ADAM, MakeOptimizer, UpdateRule
from csrgan.systems.player import Player
from csrgan.systems.told import Told, default_losses, objectives


class Networks(nn.Module):
    """L to S: the predicted code, then `corrections` times S and the code that it corrects. The last is the result, always:
    the best could only be found by looking at H."""

    def __init__(self, code: Code, restorer: nn.Module, predictor: nn.Module, corrector: nn.Module, corrections: int) -> None:
        super().__init__()
        self.code, self.restorer, self.predictor, self.corrector = code, restorer, predictor, corrector
        self.corrections = corrections

    def forward(self, low: Float[Tensor, "b 3 h w"]) -> Restored:
        code = self.predictor(low)
        trace = [Restored(self.restorer(low, code), code)]
        for _ in range(self.corrections):
            code = self.corrector(trace[-1].image.clamp(0, 1), code)
            trace.append(Restored(self.restorer(low, code), code))
        return trace[-1]._replace(trace=tuple(trace))


class IKC(Told):
    """First the restorer learns from true codes; then it rests, and the predictor and the corrector learn together, the corrector
    `corrections` times a batch, each time from the code before, without a gradient through it.

    first_stage: images of the first stage. losses: `image` and others of S; `parameters` of the codes.
    """

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
        networks = Networks(codes, restores, predictor(code=codes.length), corrector(code=codes.length), corrections)
        super().__init__(networks, degradation, rule, optimizer)
        self.first_stage = first_stage
        of_picture, of_code = objectives(self, losses)
        objective = {"restorer": of_picture, "predictor": of_code, "corrector": of_code}
        self.roles = {
            name: Player(self, name, network, objective[name], index)
            for index, (name, network) in enumerate(self.networks().items())
        }

    def networks(self) -> dict[str, nn.Module]:
        parts: Any = self.generator
        return {"restorer": parts.restorer, "predictor": parts.predictor, "corrector": parts.corrector}

    def learn(self, batch: Batch) -> None:
        parts: Any = self.generator
        true = parts.code.encode(batch.parameters)
        if self.images_seen < self.first_stage:
            self.roles["restorer"].turn(restored=parts.restorer(batch.low, true), sharp=batch.sharp)
        else:
            code = parts.predictor(batch.low)
            self.roles["predictor"].turn(theta=code, theta_true=true)
            for _ in range(parts.corrections):
                code = code.detach()
                with torch.no_grad():
                    restored = parts.restorer(batch.low, code).clamp(0, 1)
                code = parts.corrector(restored, code)
                self.roles["corrector"].turn(theta=code, theta_true=true)
