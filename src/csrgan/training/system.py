"""The base class of trained systems: a network that restores, its running average, and how it learns from batches of L and H."""

from __future__ import annotations

import copy

from torch import nn

from csrgan.data.module import Photographs
from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.prior import Prior
from csrgan.restorers.learned import LearnedRestorer
from csrgan.restorers.restorer import examine_degradation, kind_of
from csrgan.training import unknown_theta
from csrgan.training.ema import RunningAverage
from csrgan.training.module import TrainingModule
from csrgan.training.state import UpdateRule


class System(TrainingModule):
    """Derive from it, create the updaters of your networks with `add_updater`, and call their `update` in `learn`.

    generator: the network that restores; its running average `ema` is evaluated and used in its place.
    degradation: the system is trained to undo it; its prior gives the network units their meaning.
    Raises UserError for a degradation that does not suit the system.
    """

    # Read from the source without an import, to check a command (see `declared.constant`): literals only.
    outputs: tuple[str, ...] = ("upsampled",)  # the kinds of L that the system takes
    loss_inputs: tuple[str, ...] | None = None  # inputs that it offers its losses (see `losses.objective`); None: undeclared
    code_loss_inputs: tuple[str, ...] | None = None  # the only inputs of the loss `parameters`; None: those of the other losses
    coded = False  # whether its networks take a code of the degradation, and learn to predict it
    teaching: tuple[str, ...] = ()  # of such a system: the terms that train its restorer, at least one of which it needs

    def __init__(self, generator: nn.Module, degradation: Degradation, rule: UpdateRule) -> None:
        kind = kind_of(type(self))
        examine_degradation(kind, degradation)
        ema = copy.deepcopy(generator).requires_grad_(False)
        restorer = self.make_restorer(ema, degradation)
        restorer.kind = kind
        super().__init__(restorer, rule)
        self.given_as(degradation=degradation)
        self.generator, self.ema = generator, ema

    def make_restorer(self, network: nn.Module, degradation: Degradation) -> LearnedRestorer:
        """Return a restorer that uses the averaged generator."""
        return LearnedRestorer(network, degradation)

    def end_step(self) -> None:
        self._average.follow(self.state.rule.ema, self.state.batches_seen)

    def on_fit_start(self) -> None:
        super().on_fit_start()
        if isinstance(data := getattr(self.trainer, "datamodule", None), Photographs):
            unknown_theta.examine(self, data)

    def on_train_start(self) -> None:
        super().on_train_start()
        self._average = RunningAverage(self.ema, self.generator)

    def init_from(self, other: System) -> bool:
        """Copy the averaged network of another system, and convert its theta^ to the units of this one.

        Returns False, with nothing copied, where the layers differ. Raises UserError where theta^ cannot be converted.
        """
        weights = other.ema.state_dict()
        sizes = {name: weight.shape for name, weight in weights.items()}
        if sizes != {name: weight.shape for name, weight in self.generator.state_dict().items()}:
            return False
        for network in (self.generator, self.ema):
            network.load_state_dict(weights)
        self.convert_units(other.restorer.prior)
        return True

    def convert_units(self, prior: Prior) -> None:
        """Convert networks that were trained with the units of `prior` to the units of this system, so that theta^ stays the same.

        Raises UserError where that is impossible. Here, for networks that predict nothing, a no-op.
        """
