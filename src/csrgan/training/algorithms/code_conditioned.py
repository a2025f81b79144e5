"""The base class of systems whose restorer takes a code of the degradation: SRMD, IKC and DAN."""

from __future__ import annotations

from collections.abc import Mapping

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
    """theta^ is a code. generator: its part `code` defines the code (see `Code`)."""

    outputs = ("native", "upsampled")
    loss_inputs: tuple[str, ...] = ("restored", "sharp")
    code_loss_inputs: tuple[str, ...] = ("theta", "theta_true")
    coded = True
    teaching: tuple[str, ...] = ("image", "perceptual")

    generator: CodeConditioned

    def make_restorer(self, network: nn.Module, degradation: Degradation) -> CodeRestorer:
        return CodeRestorer(network, degradation)

    def convert_units(self, prior: Prior) -> None:
        """Raise UserError for another range of a parameter in the code, which many layers read and which cannot be converted."""
        ranges = self.restorer.prior.ranges
        differing = [name for name in self.generator.code.names if ranges[name] != prior.ranges[name]]
        require(
            not differing,
            f"{type(self).__name__} takes {' and '.join(differing)} in units of the prior, and the network of init_from was trained"
            " with another prior: choose the same ranges of degradation.",
        )


def objectives(system: CodeConditionedSystem, losses: Mapping[str, object]) -> tuple[Objective, Objective]:
    """Return the objective of the restorer, every loss but `parameters`, and that of the code, `parameters` alone.

    Raises UserError where one of them has no loss.
    """
    examine(system, losses)
    image_objective = Objective({name: term for name, term in losses.items() if name != "parameters"}, system.loss_inputs)
    return image_objective, Objective({"parameters": losses.get("parameters")}, system.code_loss_inputs)


def default_losses(code_distance: Term.Function = parameters.mse) -> dict[str, Term]:
    """Return the mean absolute error of S, and a distance between the predicted and the true code."""
    return {"image": Term(image.l1), "parameters": ParameterTerm(code_distance)}
