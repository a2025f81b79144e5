"""What systems have in common whose restorer is given a code of the degradation: SRMD, IKC and DAN."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.prior import Prior
from csrgan.errors import require
from csrgan.losses import image, parameters
from csrgan.losses.objective import Objective, Term, examine
from csrgan.losses.parameters import ParameterTerm
from csrgan.networks.papers.code_conditioned import CodeConditioned
from csrgan.restorers.code_conditioned import CodeRestorer
from csrgan.training.system import System


class CodeConditionedSystem(System):
    """theta^ is a code. generator: with the `code` (see `Code`) as one of its parts."""

    outputs = ("native", "upsampled")
    loss_inputs: tuple[str, ...] = ("restored", "sharp")
    code_loss_inputs: tuple[str, ...] = ("theta", "theta_true")
    coded = True
    teaching: tuple[str, ...] = ("image", "perceptual")

    generator: CodeConditioned

    def make_restorer(self, network: nn.Module, degradation: Degradation) -> CodeRestorer:
        return CodeRestorer(network, degradation)

    def convert_units(self, prior: Prior) -> None:
        """Its code goes into many layers: a network that is told another range is another network."""
        mine = self.restorer.prior
        differing = [name for name in self.generator.code.names if mine.ranges[name] != prior.ranges[name]]
        require(
            not differing,
            f"{type(self).__name__} is told {' and '.join(differing)} in units of the prior, and the network that is begun from had"
            " another: begin with the same ranges of degradation.",
        )


def objectives(system: CodeConditionedSystem, losses: Mapping[str, Any]) -> tuple[Objective, Objective]:
    """Of those who restore: every loss but `parameters`; of those who find a code: that one. Raises UserError where one has
    none."""
    examine(system, losses)
    of_picture = Objective({name: term for name, term in losses.items() if name != "parameters"}, system.loss_inputs)
    return of_picture, Objective({"parameters": losses.get("parameters")}, system.code_loss_inputs)


def default_losses(of_code: Term.Function = parameters.mse) -> dict[str, Any]:
    """The mean absolute error of S, and a distance of the code."""
    return {"image": Term(image.l1), "parameters": ParameterTerm(of_code)}
