"""What every trained system is: a network that restores, its running average, and how it learns from batches of L and H."""

from __future__ import annotations

import copy

from torch import nn

from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.prior import Prior
from csrgan.restorers.learned import LearnedRestorer
from csrgan.restorers.restorer import examine_degradation, kind_of
from csrgan.training.ema import RunningAverage
from csrgan.training.module import TrainingModule
from csrgan.training.state import UpdateRule


class System(TrainingModule):
    """Derive from it, make the updaters of your networks with `add_updater`, and call their `update` in `learn`.

    generator: the network that restores; its running average, `ema`, is the one that is evaluated and used.
    degradation: what it is trained to undo; its prior gives the network units their meaning.
    Raises UserError for a degradation that it does not suit.
    """

    # Read without an import, by the examination of a command (see `declared.constant`); so each is written out.
    outputs: tuple[str, ...] = ("upsampled",)  # the kinds of L that the system takes
    loss_inputs: tuple[str, ...] | None = (
        None  # the evidence that it shows to its losses (see `losses.objective`); None: says nothing
    )
    code_loss_inputs: tuple[str, ...] | None = None  # to `parameters` alone, which then is shown nothing else
    coded = False  # whether its networks are told a code of the degradation, and learn to find it
    teaching: tuple[str, ...] = ()  # of such a system: the terms from which its restorer learns, one of which it needs

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
        """What the averaged generator restores as."""
        return LearnedRestorer(network, degradation)

    def end_step(self) -> None:
        self._average.follow(self.state.rule.ema, self.state.batches_seen)

    def on_train_start(self) -> None:
        super().on_train_start()
        self._average = RunningAverage(self.ema, self.generator)

    def init_from(self, other: System) -> bool:
        """Take over the network that another system is evaluated with, and let its theta^ mean what it meant. Returns whether its
        layers are those of this one. Raises UserError where theta^ cannot be told in the units of this system."""
        weights = other.ema.state_dict()
        sizes = {name: weight.shape for name, weight in weights.items()}
        if sizes != {name: weight.shape for name, weight in self.generator.state_dict().items()}:
            return False
        for network in (self.generator, self.ema):
            network.load_state_dict(weights)
        self.convert_units(other.restorer.prior)
        return True

    def convert_units(self, prior: Prior) -> None:
        """Let the networks, which were trained with another prior, mean the same theta^ in this one's units. Raises UserError where
        they cannot; here, for networks that predict nothing, there is nothing to do."""
