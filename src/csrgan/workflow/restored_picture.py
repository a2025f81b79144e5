"""One picture restored: S as a file will hold it, theta^ in words, and what a user should know about both."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from csrgan.api.model import restored_parts
from csrgan.api.predicted_theta import Findings
from csrgan.data import picture
from csrgan.data.picture import Canvas, Picture
from csrgan.degradation.parameters import Parameters
from csrgan.networks.tiles import TILE, Shown, unshown
from csrgan.records import Looks
from csrgan.training.evaluated import Evaluated


@dataclass(frozen=True)
class RestoredPicture:
    """canvas: S. theta: theta^; None for a picture unlike those of the training. looks: how L looks beside them. findings: what is
    said of both."""

    canvas: Canvas
    theta: Parameters | None
    looks: Looks
    findings: Findings


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

    file: whose contents are `source`. name: what users call it. tile, shown: see `Restorer.restore_parts`.
    """
    canvas = picture.Canvas(suffix, source)
    not_finite = f"{name}: the network's output is not finite, so it is not a picture."
    parts = restored_parts(system, source, canvas.put, not_finite, enlarge=factor, tile=tile, shown=shown)
    theta = None if parts.looks.foreign else parts.restored.parameters
    return RestoredPicture(canvas, theta, parts.looks, parts.findings(system, 0, factor, file, name))
