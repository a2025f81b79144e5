"""What systems have in common whose restorer is told a code of the degradation: SRMD, IKC and DAN."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jaxtyping import Float
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn

from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.parameters import Parameters
from csrgan.degradation.prior import Prior
from csrgan.fault import check
from csrgan.losses import image, parameters
from csrgan.losses.objective import Objective, Term, examine
from csrgan.losses.parameters import ParameterTerm
from csrgan.systems.base import MakeOptimizer, System, UpdateRule


class Told(System):
    """One optimiser a network, and theta^ is a code. networks: with the `code` (see `Code`) as one of its parts."""

    outputs = ("native", "upsampled")
    offers: tuple[str, ...] = ("restored", "sharp")
    offers_codes: tuple[str, ...] = ("theta", "theta_true")
    coded = True
    teaching: tuple[str, ...] = ("image", "perceptual")

    def __init__(self, networks: nn.Module, degradation: Degradation, rule: UpdateRule, optimizer: MakeOptimizer) -> None:
        super().__init__(networks, degradation, rule)
        self.make_optimizer = optimizer

    def physical(self, theta: Float[Tensor, "b p"]) -> Parameters:
        code: Any = self.average.code
        return code.decode(theta)  # type: ignore[no-any-return]

    def keep_meaning(self, prior: Prior) -> None:
        """Its code goes into many layers: a network that is told another range is another network."""
        code: Any = self.average.code
        differing = [name for name in code.names if self.prior.ranges[name] != prior.ranges[name]]
        check(
            not differing,
            f"{type(self).__name__} is told {' and '.join(differing)} in units of the prior, and the network that is begun from had"
            " another: begin with the same ranges of degradation.",
        )

    def configure_optimizers(self) -> OptimizerLRScheduler:
        return self.optimizers_of(*((self.make_optimizer, network) for network in self.networks().values()))


def objectives(system: Told, losses: Mapping[str, Any]) -> tuple[Objective, Objective]:
    """Of those who restore: every loss but `parameters`; of those who find a code: that one. Raises Fault where one has none."""
    examine(system, losses)
    of_picture = Objective({name: term for name, term in losses.items() if name != "parameters"}, system.offers)
    return of_picture, Objective({"parameters": losses.get("parameters")}, system.offers_codes)


def default_losses(of_code: Term.Function = parameters.mse) -> dict[str, Any]:
    """The mean absolute error of S, and a distance of the code."""
    return {"image": Term(image.l1), "parameters": ParameterTerm(of_code)}
