"""Diagnostics of a GAN: signs of collapse and of colour drift, from S and H of a training batch."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


def signs(inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Compare S and H at every fourth pixel each way, which suffices at a sixteenth of the cost. Empty unless both are given.

    `signs/diversity`: standard deviation of S from picture to picture over that of H; 0 where every S is the same. Left out of
    a single picture.
    `signs/drift`: greatest difference of a colour's mean between S and H, as a share of full scale.
    """
    if "restored" not in inputs or "sharp" not in inputs:
        return {}
    with torch.no_grad():
        restored, sharp = (inputs[name][..., ::4, ::4].float() for name in ("restored", "sharp"))
        spread = [image.std(0, correction=0).mean() for image in (restored, sharp)]
        shift = (restored.mean((2, 3)) - sharp.mean((2, 3))).mean(0)
        diversity = {"signs/diversity": spread[0] / (spread[1] + 1e-6)} if len(restored) > 1 else {}
        return {**diversity, "signs/drift": shift.abs().max()}
