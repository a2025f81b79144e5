"""What every restorer is: a map from L to a Restoration, trained or not, without Lightning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from rich.console import Console
from torch import Tensor

from csrgan.arguments import Recorded
from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.parameters import Parameters
from csrgan.degradation.prior import Prior
from csrgan.fault import Fault, check
from csrgan.records import Batch, Restoration

SIZES = {"upsampled": "of the same size as H", "native": "of H/s pixels"}
Oracle = Literal["truth", "prediction", "mismatch"]


class Restorer(Recorded):
    """Restores the pictures of a degradation protocol.

    degradation: whose L it takes; its prior gives predicted parameters their units. title: how sentences call it.
    Raises UserError for a degradation whose L is not of the size that it takes.
    """

    outputs: tuple[str, ...] = ("upsampled",)  # the kinds of L that it takes; read without an import, see `declared.constant`
    noise_free = False  # whether it has no model of noise, and enlarges by 2, 3 or 4
    oracle_modes: tuple[str, ...] = ()  # which parameters it can be given in an evaluation, if it can be given any
    per_picture = False  # whether it learns from each picture anew: minutes a picture, and it shows its own progress

    oracle: str | None = None  # which of the oracle modes it is in
    parameter_source: Restorer | None = None  # a trained restorer whose theta^ this one uses, or which restores for it
    console: Console | None = None  # where one that takes minutes shows its progress

    def __init__(self, degradation: Degradation) -> None:
        self.given_as(degradation=degradation)
        self.degradation, self.title = degradation, type(self).__name__
        examine_output(self.title, self.outputs, degradation)

    @property
    def prior(self) -> Prior:
        return self.degradation.prior

    @property
    def enlarge(self) -> int:
        """How many times S is as large as L."""
        return self.degradation.multiple

    def restore(self, low: Float[Tensor, "b 3 h w"], names: Sequence[str] = ()) -> Restoration:
        """S and theta^. names: of the photographs; intervals of those that it was calibrated on are as if it had not been."""
        raise NotImplementedError

    def restore_given(self, low: Float[Tensor, "b 3 h w"], parameters: Parameters) -> Restoration:
        """S for these parameters. Raises UserError for a restorer that cannot be given any."""
        raise Fault(f"{self.title} cannot be told the degradation: choose a checkpoint of system=srmd.")

    def restore_batch(self, batch: Batch) -> Restoration:
        """S as an evaluation asks for it: given what the oracle mode says."""
        if self.oracle in (None, "prediction"):
            return self.restore(batch.low, batch.names)
        return self.restore_given(batch.low, batch.parameters)

    def use_oracle(self, mode: str) -> None:
        """Choose which parameters it is given in an evaluation. Raises UserError for what it cannot be given."""
        if mode not in self.oracle_modes:
            raise Fault.unknown(f"told: {self.title}", mode, self.oracle_modes)
        self.oracle = mode

    def weights(self) -> dict[str, Tensor]:
        """What it has learned, by name."""
        return {}

    def calibrated(self) -> list[list[float]]:
        """The factors on its predicted standard deviations, see `Calibration.rows`."""
        return []


def examine_output(name: str, outputs: tuple[str, ...], degradation: Degradation) -> None:
    """Raise UserError for a degradation whose L is of none of the sizes that `name` takes."""
    output = degradation.chain.output
    check(
        output in outputs,
        f"degradation.output={output} does not suit {name}, which takes L {SIZES[outputs[0]]}:"
        f" choose degradation.output={outputs[0]}.",
    )


def examine_protocol(restorer: Restorer, degradation: Degradation) -> None:
    """Raise UserError for a protocol whose L is not of the size that a restorer takes, or is enlarged by another factor."""
    examine_output(restorer.title, restorer.outputs, degradation)
    check(
        restorer.enlarge == degradation.multiple,
        f"the network enlarges by {restorer.enlarge}, and L of this degradation is smaller than H by {degradation.multiple}:"
        " choose a degradation with the same scale and degradation.output.",
    )


def finite_image(image: Tensor) -> Tensor:
    """S cut off to [0,1]; what is infinite becomes nan, which does not pass for white or black."""
    nan = torch.nan
    return image.float().nan_to_num(nan, nan, nan).clamp(0, 1)
