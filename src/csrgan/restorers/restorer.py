"""The base class of restorers: maps from L to a Restoration, trained or not, without Lightning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import torch
from jaxtyping import Float
from rich.console import Console
from torch import Tensor

from csrgan import rules
from csrgan.arguments import Recorded
from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.parameters import Parameters
from csrgan.degradation.prior import Prior
from csrgan.errors import UserError, raise_faults, require
from csrgan.networks.source import Source, whole
from csrgan.networks.tiles import Rows, Shown, unshown
from csrgan.records import Batch, Looks, Restoration

Oracle = Literal["truth", "prediction", "mismatch"]


class Restorer(Recorded):
    """Restores the pictures of a degradation protocol.

    degradation: the protocol of its L; the prior gives predicted parameters their units. kind: what its class declares.
    Raises UserError for a degradation that does not suit the restorer.
    """

    outputs: tuple[str, ...] = ("upsampled",)  # the kinds of L that it takes; read without an import, see `declared.constant`
    noise_free = False  # whether it has no model of noise, and enlarges by 2, 3 or 4
    oracle_modes: tuple[str, ...] = ()  # which parameters it can be given in an evaluation; empty: none
    needs_truth = False  # whether it learned from the true degradation and can restore nothing without it
    per_picture = False  # whether it learns from each picture anew: it takes minutes a picture and shows its own progress

    oracle: str | None = None  # the current oracle mode
    parameter_source: Restorer | None = None  # a trained restorer whose theta^ this one uses, or which restores for it
    console: Console | None = None  # shows the progress of a restorer that takes minutes

    def __init__(self, degradation: Degradation) -> None:
        self.given_as(degradation=degradation)
        self.degradation, self.kind = degradation, kind_of(type(self))
        examine_degradation(self.kind, degradation)

    @property
    def prior(self) -> Prior:
        return self.degradation.prior

    @property
    def enlarge(self) -> int:
        """The factor by which S is larger than L."""
        return self.degradation.multiple

    def restore(self, low: Float[Tensor, "b 3 h w"], names: Sequence[str] = ()) -> Restoration:
        """Return S and theta^. names: of the photographs; one that it was calibrated on gets intervals calibrated without it."""
        raise NotImplementedError

    def restore_parts(self, picture: Source, put: Rows, *, tile: int, shown: Shown = unshown) -> Restoration:
        """Hand S to `put`, from the top, and return the rest, with an image of no rows.

        picture: L. tile: greatest side of what is restored at once, px, where a restorer can; here the picture is restored whole.
        shown: shows the progress over the tiles.
        """
        restored = self.restore(whole(picture))
        put(restored.image, 0, restored.image.shape[-2])
        return replace(restored, image=restored.image[..., :0, :], trace=())

    def restore_given(self, low: Float[Tensor, "b 3 h w"], parameters: Parameters) -> Restoration:
        """Return S for these parameters. Raises UserError for a restorer that cannot be given any."""
        remedy = "choose a checkpoint of system=srmd, or of system=csrgan with condition=film, generator=tv_unet or unfolded"
        raise UserError(f"{self.kind.name} cannot be given the degradation: {remedy}.")

    def require_blind(self) -> None:
        """Raise UserError for a restorer that needs the true degradation."""
        require(
            not self.needs_truth,
            f"this {self.kind.name} is an oracle, trained with system.oracle=truth: it cannot restore a picture whose degradation"
            " nobody knows; csrgan evaluate scores it, and its restorer's restore_given takes a degradation that is known.",
        )

    def looks(self, picture: Source) -> Looks:
        """Return how L looks beside the pictures of the training; nothing is said without one."""
        return Looks()

    def restore_batch(self, batch: Batch) -> Restoration:
        """Restore a batch of an evaluation with the parameters of the oracle mode."""
        if self.oracle in (None, "prediction"):
            return self.restore(batch.low, batch.names)
        return self.restore_given(batch.low, batch.parameters)

    def use_oracle(self, mode: str) -> None:
        """Choose which parameters it is given in an evaluation. Raises UserError for a mode that it does not have."""
        if mode not in self.oracle_modes:
            raise UserError.unknown(f"oracle: {self.kind.name}", mode, self.oracle_modes)
        self.oracle = mode


def kind_of(cls: type) -> rules.SystemFacts:
    """Return what a class of restorers or of systems declares."""
    return rules.SystemFacts.of(cls.__name__, lambda name: getattr(cls, name, None))


def examine_degradation(kind: rules.SystemFacts, degradation: Degradation) -> None:
    """Raise UserError for a degradation that does not suit this kind."""
    output, prior = degradation.spec.output, degradation.prior
    noise, drawn = prior.ranges["noise_std"].high, prior.kernel is not None
    raise_faults(rules.suits_degradation(kind, output=output, multiple=degradation.multiple, noise=noise, drawn=drawn))


def examine_protocol(restorer: Restorer, degradation: Degradation) -> None:
    """Raise UserError for a protocol that does not suit a restorer, or that needs another factor of enlargement."""
    examine_degradation(restorer.kind, degradation)
    require(
        restorer.enlarge == degradation.multiple,
        f"the network enlarges by {restorer.enlarge}, and L of this degradation is smaller than H by {degradation.multiple}:"
        " choose a degradation with the same scale and degradation.output.",
    )


def finite_image(image: Tensor) -> Tensor:
    """Clamp S to [0,1]; infinite values become nan, so that they do not pass for white or black."""
    nan = torch.nan
    return image.float().nan_to_num(nan, nan, nan).clamp(0, 1)
