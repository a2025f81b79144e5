"""Manual optimisation: a LightningModule whose networks are updated one by one, with the training state in its checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import nn

from csrgan import rules
from csrgan.calibration import Calibration
from csrgan.config import renamed
from csrgan.errors import UserError, raise_faults
from csrgan.losses.objective import Objective
from csrgan.records import Batch
from csrgan.restorers.learned import LearnedRestorer
from csrgan.restorers.ood import OODTest
from csrgan.training import collectives
from csrgan.training.data_parallel import DataParallelStrategy
from csrgan.training.evaluated import Evaluated
from csrgan.training.network_updater import NetworkUpdater
from csrgan.training.nonfinite import NonFinite, nonfinite_rows
from csrgan.training.state import MakeOptimizer, TrainingState, UpdateRule
from csrgan.tree import Settings


@runtime_checkable
class Prepares(Protocol):
    """A loss that loads something before its first use, such as a frozen network."""

    def prepare(self) -> None: ...


class TrainingModule(Evaluated):
    """Trains networks by manual optimisation.

    state: of the training. updaters: of its networks, by name, in the order of their optimizers.
    """

    restorer: LearnedRestorer

    def __init__(self, restorer: LearnedRestorer, rule: UpdateRule) -> None:
        super().__init__(restorer)
        self.automatic_optimization = False
        self.state, self.updaters = TrainingState(rule), dict[str, NetworkUpdater]()

    def add_updater(
        self, name: str, network: nn.Module, objective: Objective, optimizer: MakeOptimizer, shared: Sequence[nn.Parameter] = ()
    ) -> NetworkUpdater:
        """Train a network by an objective. Returns its updater; call its `update` with the inputs of its losses in `learn`."""
        index = len(self.updaters)
        self.updaters[name] = NetworkUpdater(self, self.state, name, network, objective, optimizer, index, shared)
        return self.updaters[name]

    def learn(self, batch: Batch) -> None:
        """Take one training step: update the networks."""
        raise NotImplementedError

    @property
    def images_seen(self) -> int:
        return self.state.images_seen

    def networks(self) -> dict[str, nn.Module]:
        return {name: updater.network for name, updater in self.updaters.items()}

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        """Learn from the batch. Where something is not finite, leave every weight and buffer as it was."""
        state = self.state
        before = [buffer.clone() for buffer in self._learned_buffers]
        state.nonfinite, state.last_batch = None, self.trainer.is_last_batch
        try:
            self.learn(batch)
        except NonFinite as reason:
            if not state.skip_nonfinite:
                raise UserError(f"{reason} is not finite in the batch after {state.images_seen} images.") from None
            reason.samples = _culprits(batch, reason)
            state.nonfinite = reason
            for buffer, value in zip(self._learned_buffers, before, strict=True):
                buffer.copy_(value)
        collectives.average_buffers(self._learned_buffers)
        if collectives.processes() > 1:
            state.recorded = collectives.means(state.recorded, self.device)
        # Not in a hook, so that a checkpoint written after the step holds the new counts.
        state.batches_seen += 1
        state.images_seen += len(batch.names) * self.trainer.world_size
        self.end_step()

    def end_step(self) -> None:
        """Called after the updates of a batch."""

    def configure_optimizers(self) -> OptimizerLRScheduler:
        return [updater.optimizer() for updater in self.updaters.values()]

    def on_fit_start(self) -> None:
        """Prepare the losses, for example load a frozen network. Raises UserError for a Trainer that cannot train in several
        processes."""
        several, strategy = self.trainer.world_size > 1, self.trainer.strategy
        raise_faults(rules.averages_gradients(several, type(strategy).__name__, isinstance(strategy, DataParallelStrategy)))
        functions = [term.function for updater in self.updaters.values() for term in updater.objective.terms.values()]
        for function in functions:
            if isinstance(function, Prepares):
                function.prepare()

    def on_train_start(self) -> None:
        """Give the optimizers of a resumed training today's settings, not those in its checkpoint."""
        # Listed once: a walk through the layers of a network takes as long as many of its layers do.
        self._learned_buffers = [buffer for network in self.networks().values() for buffer in network.buffers()]
        for optimizer, updater in zip(self.trainer.optimizers, self.updaters.values(), strict=True):
            updater.reset_settings(optimizer)

    def on_save_checkpoint(self, checkpoint: Settings) -> None:
        state, calibration = self.state, self.restorer.calibration
        counts = {"images_seen": state.images_seen, "batches_seen": state.batches_seen, "lr_scale": state.lr_scale}
        factors = {"calibration": calibration.rows, "loo_calibration": calibration.leave_one_out} if calibration.rows else {}
        ood = {"ood": self.restorer.ood.content()} if self.restorer.ood else {}
        checkpoint["csrgan"] = {**counts, **factors, **ood, "recipe": dict(self.described()), "recorded": dict(state.recorded)}

    def on_load_checkpoint(self, checkpoint: Settings) -> None:
        renamed.upgrade_checkpoint(checkpoint)  # before its weights are loaded
        content, state = checkpoint["csrgan"], self.state
        state.images_seen, state.batches_seen = content["images_seen"], content["batches_seen"]
        state.lr_scale, state.recorded = content.get("lr_scale", 1.0), content.get("recorded", {})  # older checkpoints have neither
        self.restorer.calibration = Calibration(content.get("calibration", []), content.get("loo_calibration", {}))
        self.restorer.ood = OODTest.of(content["ood"]) if "ood" in content else None


def _culprits(batch: Batch, reason: NonFinite) -> list[int]:
    """Return the indices, in the batch of all processes, of the pictures that cause it.

    A picture that is not finite itself spoils the losses of the whole batch.
    """
    own = nonfinite_rows(batch.low, batch.sharp)
    found = list(enumerate(collectives.gathered((own, reason.samples))))
    size = len(batch.names)
    spoiled = [process * size + index for process, (indices, _) in found for index in indices]
    return spoiled or [process * size + index for process, (_, indices) in found for index in indices]
