"""What every system is: a LightningModule that maps L to a Restoration, and counts the images it has seen."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean
from typing import Annotated, Any

import numpy as np
import torch
from jaxtyping import Float
from rich.console import Console
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from csrgan.arguments import Recorded
from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.operator import linear
from csrgan.degradation.parameters import Parameters, low_sizes
from csrgan.degradation.prior import NINETY, Prior
from csrgan.fault import Fault, check
from csrgan.losses.objective import Evidence
from csrgan.networks.generator import Restored
from csrgan.ranges import Count, CountOr0, Positive
from csrgan.records import Batch, Restoration
from csrgan.systems.notfinite import NotFinite, rows
from csrgan.systems.player import Player
from csrgan.systems.schedule import constant
from csrgan.systems.scored import Scored
from csrgan.systems.signs import signs

MakeOptimizer = Callable[[Iterable[nn.Parameter]], Optimizer]
ADAM = partial(Adam, lr=1e-3, betas=(0.9, 0.99))
SIZES = {"upsampled": "of the same size as H", "native": "of H/s pixels"}


@dataclass(frozen=True)
class UpdateRule(Recorded):
    """How weights are updated, the same for every player.

    clip: greatest gradient norm; None: no clipping. accumulate: batches a step.
    schedule: from images seen to a factor on the learning rates. average: decay of the running average of weights.
    compare_every: batches between two comparisons of the terms' gradients; 0: none.
    """

    clip: Positive | None = 1.0
    accumulate: Count = 1
    schedule: Callable[[int], float] = partial(constant, total=0, warmup=800)
    average: Annotated[float, "[0,1)"] = 0.99
    compare_every: CountOr0 = 0


def conformal(distances: Float[Tensor, "n p"]) -> list[float]:
    """The factor on each predicted standard deviation, of truths that were so many of them away; 1 where there are none."""
    if not len(distances):
        return [1.0] * distances.shape[1]
    rank = min(math.ceil(0.9 * (len(distances) + 1)), len(distances))
    found: list[float] = (distances.sort(dim=0).values[rank - 1] / NINETY).tolist()
    return found


class System(Scored):
    """A blind super-resolution system under manual optimisation.

    generator: the network that restores; its running average is the one that is evaluated and used.
    rule: None for a system that is not trained.
    degradation: what it is trained to undo; its prior gives the network units their meaning.
    Raises Fault for a degradation whose L is not of the size that the system takes.
    """

    outputs: tuple[str, ...] = ("upsampled",)  # the kinds of L that the system takes
    # Read without an import, by the examination of a command (see `declared.constant`); so each is written out.
    losses: tuple[str, ...] | None = None  # the terms of the loss that the system can be given; None: any
    coded = False  # whether its networks are told a code of the degradation, and learn to find it
    teaching: tuple[str, ...] = ()  # of such a system: the terms from which its restorer learns, one of which it needs
    enlarges = False  # whether its generator makes a smaller L as large as H itself
    noise_free = False  # whether it has no model of noise, and enlarges by 2, 3 or 4

    tells: tuple[str, ...] = ()  # what the network can be told in an evaluation, if it is told anything
    told_by: str | None = None  # which of them it is
    per_picture = False  # whether it learns from each picture anew: minutes a picture, and it shows its own progress
    console: Console | None = None  # where such a system shows it

    def __init__(self, generator: nn.Module, degradation: Degradation, rule: UpdateRule | None) -> None:
        super().__init__(degradation)
        self.automatic_optimization = False
        self.examine(degradation)
        self.generator, self.prior, self.chain, self._rule = generator, degradation.prior, degradation.chain, rule
        self.enlarge = degradation.multiple
        self.average = copy.deepcopy(generator).requires_grad_(False)
        self.calibration: list[list[float]] = []  # pixels of a picture, and with as many a factor on the std of each parameter
        self.left_out: dict[str, list[list[float]]] = {}  # the same, found without the photograph of this name
        self.helper: System | None = None  # a trained system that this one asks, where it asks one
        self.images_seen = self.batches_seen = 0
        self.pace = 1.0  # a factor on all learning rates
        self.heeded = False  # whether somebody looks at `refused` after each batch
        self.refused: NotFinite | None = None  # why nothing was learned from the last batch
        self.watch: Callable[[Player, dict[str, Tensor], Evidence], None] = lambda *_: None  # sees each turn before it is taken
        self._recorded: dict[str, Tensor] = {}
        self._pictures: Evidence | None = None  # what the last turn was shown, where nobody has asked for its signs
        self._optimizer_settings: list[list[dict[str, Any]]] = []

    @property
    def untrained(self) -> bool:
        """Whether it needs no training."""
        return self._rule is None

    @property
    def rule(self) -> UpdateRule:
        """Raises Fault for a system that is not trained."""
        if self._rule is None:
            raise Fault(f"{type(self).__name__} is not trained: csrgan evaluate scores it as it is, without a checkpoint.")
        return self._rule

    def examine(self, degradation: Degradation) -> None:
        """Raise Fault for a degradation whose L is not of the size that the system takes."""
        given = degradation.chain.output
        check(
            given in self.outputs,
            f"degradation.output={given} does not suit {type(self).__name__}, which takes L {SIZES[self.outputs[0]]}:"
            f" choose degradation.output={self.outputs[0]}.",
        )
        mine = getattr(self, "enlarge", degradation.multiple)
        check(
            mine == degradation.multiple,
            f"the network enlarges by {mine}, and L of this degradation is smaller than H by {degradation.multiple}:"
            " choose a degradation with the same scale and degradation.output.",
        )

    def begin_from(self, other: System) -> bool:
        """Take over the network that another system is evaluated with, and let its theta^ mean what it meant. Returns whether its
        layers are those of this one. Raises Fault where theta^ cannot be told in the units of this system."""
        weights = other.average.state_dict()
        sizes = {name: weight.shape for name, weight in weights.items()}
        if sizes != {name: weight.shape for name, weight in self.generator.state_dict().items()}:
            return False
        for network in (self.generator, self.average):
            network.load_state_dict(weights)
        self.keep_meaning(other.prior)
        return True

    def keep_meaning(self, prior: Prior) -> None:
        """Let the networks, which were trained with another prior, mean the same theta^ in this one's units. Raises Fault where
        they cannot; here, for networks that predict nothing, there is nothing to do."""

    def tell(self, what: str) -> None:
        """Choose what the network is told in an evaluation. Raises Fault for what it cannot be told."""
        if what not in self.tells:
            raise Fault.unknown(f"told: {type(self).__name__}", what, self.tells)
        self.told_by = what

    def restore(self, low: Float[Tensor, "b 3 h w"], names: Sequence[str] = ()) -> Restoration:
        """S and theta^ by the averaged generator. names: of the photographs; intervals of those that the system was calibrated on
        are as if it had not been."""
        self.average.eval()
        with torch.no_grad():
            found: Restored = self.average(self.given(low))
        return self.told(found, names)

    def given(self, low: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h2 w2"]:
        """L as the networks are given it."""
        return low

    def restore_told(self, low: Float[Tensor, "b 3 h w"], parameters: Parameters) -> Restoration:
        """S where these parameters are told. Raises Fault for a system that cannot be told any."""
        raise Fault(f"{type(self).__name__} cannot be told the degradation: choose a checkpoint of system=srmd.")

    def told(self, found: Restored, names: Sequence[str] = ()) -> Restoration:
        """What a network gives, in pictures and physical units."""
        theta, log_variance = found.theta, found.log_variance
        parameters = None if theta is None else self.physical(theta.float())
        spread = interval = None
        if theta is not None and log_variance is not None:
            std = (0.5 * log_variance.float()).exp()
            pixels = found.image.shape[-2] * found.image.shape[-1]
            std = std * std.new_tensor([self._factors(pixels, name) for name in names or ("",)])
            spread, interval = self.prior.spread(theta.float(), std), self.prior.interval(theta.float(), std)
        trace = tuple(self.told(step, names) for step in found.trace)
        nan = math.nan  # what is infinite is not to pass for white or black
        image = found.image.float().nan_to_num(nan, nan, nan).clamp(0, 1)
        return Restoration(image, parameters, spread, interval, trace)

    @property
    def uncertain(self) -> bool:
        """Whether it predicts how certain its theta^ is."""
        return bool(getattr(self.average, "variance", False))

    def calibrate(self, *sizes: Iterable[Batch]) -> None:
        """Choose for pictures of each size, of which there is a series each, the factor on every predicted standard deviation with
        which nine tenths of the true values lie in the 90 % intervals: split conformal prediction with normalised residuals (Lei
        et al. 2018, section 5.2). Between the sizes the factors are interpolated, over the logarithm of the pixels. For each
        photograph there are factors from the others too (cross-conformal prediction, Vovk 2015), by which it is evaluated."""
        seen = [self._distances(batches) for batches in sizes]
        self.calibration = sorted([pixels, *conformal(distances)] for pixels, _, distances in seen)
        self.left_out = {
            name: sorted([pixels, *conformal(distances[[each != name for each in names]])] for pixels, names, distances in seen)
            for name in dict.fromkeys(name for _, names, _ in seen for name in names)
        }

    def _distances(self, batches: Iterable[Batch]) -> tuple[float, list[str], Float[Tensor, "n p"]]:
        """Pixels of a picture, names of the photographs, and how many predicted standard deviations theta^ is from the truth."""
        network: Any = self.average.eval()
        distances, pixels = [], []
        names: list[str] = []
        for batch in batches:
            with torch.no_grad():
                theta, log_variance = network.read(self.given(batch.low))
            distances.append(((theta - self.prior.normalise(batch.parameters)).abs() / (0.5 * log_variance).exp()).float())
            pixels.append(batch.sharp.shape[-2] * batch.sharp.shape[-1])
            names += batch.names
        return fmean(pixels), names, torch.cat(distances)

    def _factors(self, pixels: int, name: str = "") -> list[float]:
        """On the predicted standard deviation of each parameter, for a picture of so many pixels."""
        if not self.calibration:
            return [1.0] * len(self.prior.predicted)
        sizes, *factors = zip(*self.left_out.get(name, self.calibration), strict=True)
        return [float(np.interp(math.log(pixels), np.log(sizes), of_one)) for of_one in factors]

    def physical(self, theta: Float[Tensor, "b p"]) -> Parameters:
        """theta^ of the network in physical units."""
        return self.prior.denormalise(theta)

    def redegraded(self, image: Float[Tensor, "b 3 h w"], theta: Float[Tensor, "b p"]) -> Float[Tensor, "b 3 h2 w2"]:
        """A_theta of a picture for theta in network units, without noise; differentiable in both, the scale included."""
        # At the lower end of a prior a parameter drawn by its variance has no finite gradient.
        parameters = self.prior.denormalise(theta.float().clamp(1e-3, 1))
        sizes = low_sizes(image.shape[-2], image.shape[-1], parameters.scale)
        image = self.chain.changed("sharp", image.float(), parameters)
        return self.chain.changed("low", linear(image, parameters, chain=self.chain, sizes=sizes), parameters)

    def learn(self, batch: Batch) -> None:
        """One training step: the turns of its players."""
        raise NotImplementedError

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        """Learn from the batch. Where something is not finite, every weight and buffer stays what it was."""
        before = [buffer.clone() for buffer in self._buffers_learned]
        self.refused = None
        try:
            self.learn(batch)
        except NotFinite as found:
            if not self.heeded:
                raise Fault(f"{found} is not finite in the batch after {self.images_seen} images.") from None
            found.samples = rows(batch.low, batch.sharp) or found.samples  # what was given spoils the whole batch
            self.refused = found
            for buffer, kept in zip(self._buffers_learned, before, strict=True):
                buffer.copy_(kept)
        self.seen(batch)

    @property
    def players(self) -> dict[str, Player]:
        """Those who take turns, by name."""
        held = [each for value in vars(self).values() for each in (value.values() if isinstance(value, dict) else [value])]
        return {player.name: player for player in held if isinstance(player, Player)}

    def validation_step(self, batch: Batch, batch_idx: int) -> Restoration:  # type: ignore[override]
        return self.restore(batch.low, batch.names)

    def on_fit_start(self) -> None:
        """Load what the losses need, such as a frozen network."""
        for player in self.players.values():
            for term in player.objective.terms.values():
                getattr(term.function, "prepare", lambda: None)()

    def on_train_start(self) -> None:
        """A training that goes on follows today's settings of its optimizers, and not those in its checkpoint."""
        # Found once: each walk through the layers of a network takes as long as many of its layers do.
        self._buffers_learned = [buffer for network in self.networks().values() for buffer in network.buffers()]
        self._weights_followed: tuple[list[Tensor], list[Tensor]] = ([*self.average.parameters()], [*self.generator.parameters()])
        self._buffers_followed = list(zip(self.average.buffers(), self.generator.buffers(), strict=True))
        for optimizer, fresh in zip(self.trainer.optimizers, self._optimizer_settings, strict=True):
            for group, settings in zip(optimizer.param_groups, fresh, strict=True):
                group.update(settings)

    def optimizers_of(self, *pairs: tuple[MakeOptimizer, nn.Module]) -> list[Optimizer]:
        """An optimiser for each network, in the order of the players' indices; schedules begin at its own learning rate."""
        optimizers = [make(network.parameters()) for make, network in pairs]
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["initial_lr"] = group["lr"]
        # The rate itself follows from the schedule at each step.
        self._optimizer_settings = [
            [{name: value for name, value in group.items() if name not in ("params", "lr")} for group in optimizer.param_groups]
            for optimizer in optimizers
        ]
        return optimizers

    def networks(self) -> dict[str, nn.Module]:
        """The networks that are trained, by name."""
        return {name: network for name, network in self.named_children() if name != "average"}

    @property
    def compares_gradients(self) -> bool:
        """Whether this training step is one in which the gradients of the terms are compared."""
        every = self.rule.compare_every
        return every > 0 and (self.batches_seen + 1) % every == 0

    @property
    def recorded(self) -> dict[str, Tensor]:
        """What the last training step told, by name. Its signs are read when somebody asks, which is not after each step."""
        if self._pictures is not None:
            self._recorded |= signs(self._pictures)
            self._pictures = None
        return self._recorded

    @recorded.setter
    def recorded(self, values: dict[str, Tensor]) -> None:
        self._recorded, self._pictures = values, None

    def record(self, values: Mapping[str, Tensor]) -> None:
        """Keep values of this training step for whoever logs them."""
        self._recorded |= {name: value.detach() for name, value in values.items()}

    def show(self, shown: Evidence) -> None:
        """Keep S and H, where they are among what a turn was shown, for whoever asks for their signs."""
        if "restored" in shown and "sharp" in shown:
            self._pictures = Evidence(**{name: shown[name].detach() for name in ("restored", "sharp")})

    def seen(self, batch: Batch) -> None:
        """Close a training step: count the batch and follow the generator with the average.

        Done here and not in a hook, so that a checkpoint written after the step holds it.
        """
        self.batches_seen += 1
        self.images_seen += len(batch.names) * self.trainer.world_size
        decay = min(self.rule.average, (1 + self.batches_seen) / (10 + self.batches_seen))
        with torch.no_grad():
            torch._foreach_lerp_(*self._weights_followed, 1 - decay)
            for mine, theirs in self._buffers_followed:
                mine.copy_(theirs)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        counts = {"images_seen": self.images_seen, "batches_seen": self.batches_seen, "pace": self.pace}
        found = {"calibration": self.calibration, "left_out": self.left_out} if self.calibration else {}
        checkpoint["csrgan"] = {**counts, **found, "recipe": dict(self.described()), "recorded": dict(self.recorded)}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        held = checkpoint["csrgan"]
        self.images_seen, self.batches_seen = held["images_seen"], held["batches_seen"]
        self.pace, self.calibration = held.get("pace", 1.0), held.get("calibration", [])
        self.left_out = held.get("left_out", {})
        self.recorded = held.get("recorded", {})  # checkpoints of before it was kept have none
