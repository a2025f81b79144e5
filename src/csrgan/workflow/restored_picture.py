"""One picture restored: S as a file will hold it, theta^ in words, and what a user should know about both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from csrgan.api.model import restored_parts
from csrgan.data import picture
from csrgan.data.jpeg_tables import quality_in
from csrgan.data.picture import Canvas, Picture
from csrgan.degradation.parameters import Parameters
from csrgan.degradation.prior import Prior
from csrgan.networks.tiles import TILE, Shown, unshown
from csrgan.records import Looks
from csrgan.training.evaluated import Evaluated
from csrgan.workflow.predicted_theta import JPEG_QUALITY, contradicted, out_of_range, theta_values


@dataclass(frozen=True)
class RestoredPicture:
    """canvas: S. theta: theta^, and `values` the same with its intervals, by column (see `theta_values`); nothing for a picture
    unlike those of the training. looks: how L looks beside them. witness: the JPEG quality that the file's own tables say."""

    canvas: Canvas
    theta: Parameters | None
    values: dict[str, float]
    looks: Looks
    witness: int | None
    prior: Prior

    @property
    def warnings(self) -> Iterator[str]:
        """Yield sentences about what is not to be trusted."""
        if self.looks.foreign:
            yield self.looks.sentences[0]
        yield from out_of_range(self.values, self.prior)
        yield from contradicted(self.values, self.witness)


def restored_picture(
    system: Evaluated,
    file: Path,
    source: Picture,
    *,
    name: str,
    suffix: str,
    factor: float,
    tile: int = TILE,
    shown: Shown = unshown,
) -> RestoredPicture:
    """Restore a picture, enlarged by `factor` before the network, for a file with this suffix.

    file: whose contents are `source`. name: what errors call it. tile, shown: see `Restorer.restore_parts`.
    """
    canvas = picture.Canvas(suffix, source)
    not_finite = f"{name}: the network's output is not finite, so it is not a picture."
    restored, looks = restored_parts(system, source, canvas.put, not_finite, enlarge=factor, tile=tile, shown=shown)
    prior = system.restorer.prior
    values = {} if looks.foreign else theta_values(restored, prior.predicted)
    witness = quality_in(file) if JPEG_QUALITY in prior.predicted and factor == 1 else None
    return RestoredPicture(canvas, None if looks.foreign else restored.parameters, values, looks, witness, prior)
