"""What every system is: a LightningModule that maps L to a Restoration, and counts the images it has seen."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from lightning import LightningModule
from torch import Tensor, nn

from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.operator import linear
from csrgan.degradation.parameters import low_sizes
from csrgan.fault import check
from csrgan.records import Batch, Restoration

SIZES = {"upsampled": "of the same size as H", "native": "of H/s pixels"}


@dataclass(frozen=True)
class UpdateRule:
    """How weights are updated, the same for every player.

    clip: greatest gradient norm; None: no clipping. accumulate: batches a step.
    schedule: from images seen to a factor on the learning rates. average: decay of the running average of weights.
    compare_every: batches between two comparisons of the terms' gradients; 0: none.
    """

    clip: float | None
    accumulate: int
    schedule: Callable[[int], float]
    average: float
    compare_every: int

    def __post_init__(self) -> None:
        check(self.accumulate >= 1, f"optimizer.accumulate={self.accumulate} is below 1.")
        check(self.clip is None or self.clip > 0, f"optimizer.clip={self.clip} is not above 0; null turns clipping off.")
        check(0 <= self.average < 1, f"optimizer.average={self.average} is not in [0,1).")


class System(LightningModule):
    """A blind super-resolution system under manual optimisation.

    generator: the network that restores; its running average is the one that is evaluated and used.
    degradation: what it is trained to undo; its prior gives the network units their meaning.
    Raises Fault for a degradation whose L is not of the size that the system takes.
    """

    output: str = "upsampled"  # the kind of L that the system takes

    def __init__(self, generator: nn.Module, degradation: Degradation, rule: UpdateRule) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.examine(degradation)
        self.generator, self.prior, self.chain, self.rule = generator, degradation.prior, degradation.chain, rule
        self.average = copy.deepcopy(generator).requires_grad_(False)
        self.images_seen = self.batches_seen = 0
        self.recipe: Mapping[str, Any] = {}
        self.recorded: dict[str, Tensor] = {}

    def examine(self, degradation: Degradation) -> None:
        """Raise Fault for a degradation whose L is not of the size that the system takes."""
        given = degradation.chain.output
        check(
            given == self.output,
            f"degradation.output={given} does not suit {type(self).__name__}, which takes L {SIZES[self.output]}:"
            f" choose degradation.output={self.output}.",
        )

    def restore(self, low: Float[Tensor, "b 3 h w"]) -> Restoration:
        """S and theta^ by the averaged generator."""
        self.average.eval()
        with torch.no_grad():
            image, theta, log_variance = self.average(low)
        parameters = None if theta is None else self.prior.denormalise(theta.float())
        spread = None if log_variance is None else self.prior.spread(theta.float(), (0.5 * log_variance.float()).exp())
        return Restoration(image.float().clamp(0, 1), parameters, spread)

    def redegraded(self, image: Float[Tensor, "b 3 h w"], theta: Float[Tensor, "b p"]) -> Float[Tensor, "b 3 h2 w2"]:
        """A_theta of a picture for theta in network units, without noise; differentiable in both, the scale included."""
        # At the lower end of a prior a parameter drawn by its variance has no finite gradient.
        parameters = self.prior.denormalise(theta.float().clamp(1e-3, 1))
        sizes = low_sizes(image.shape[-2], image.shape[-1], parameters.scale)
        return linear(image.float(), parameters, chain=self.chain, sizes=sizes)

    def validation_step(self, batch: Batch, batch_idx: int) -> Restoration:  # type: ignore[override]
        return self.restore(batch.low)

    def networks(self) -> dict[str, nn.Module]:
        """The networks that are trained, by name."""
        return {name: network for name, network in self.named_children() if name != "average"}

    @property
    def compares_gradients(self) -> bool:
        """Whether this training step is one in which the gradients of the terms are compared."""
        every = self.rule.compare_every
        return every > 0 and (self.batches_seen + 1) % every == 0

    def record(self, values: Mapping[str, Tensor]) -> None:
        """Keep values of this training step for whoever logs them."""
        self.recorded |= {name: value.detach() for name, value in values.items()}

    def seen(self, batch: Batch) -> None:
        """Close a training step: count the batch and follow the generator with the average.

        Done here and not in a hook, so that a checkpoint written after the step holds it.
        """
        self.batches_seen += 1
        self.images_seen += len(batch.names) * self.trainer.world_size
        decay = min(self.rule.average, (1 + self.batches_seen) / (10 + self.batches_seen))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.generator.parameters()), 1 - decay)
            for mine, theirs in zip(self.average.buffers(), self.generator.buffers(), strict=True):
                mine.copy_(theirs)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["csrgan"] = {"images_seen": self.images_seen, "batches_seen": self.batches_seen, "recipe": dict(self.recipe)}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.images_seen, self.batches_seen = (checkpoint["csrgan"][key] for key in ("images_seen", "batches_seen"))
