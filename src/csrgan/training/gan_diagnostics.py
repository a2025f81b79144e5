"""Signs of how a training fares, read from what a player is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


def signs(shown: Mapping[str, Any]) -> dict[str, Tensor]:
    """Of S and H, where both are among the evidence, from every fourth pixel each way, which is enough and costs a sixteenth.

    `diversity`: the standard deviation of S from picture to picture over that of H; 0 where every S is the same. `drift`: the
    greatest difference of a colour's mean between S and H, as a share of full scale.
    """
    if "restored" not in shown or "sharp" not in shown:
        return {}
    with torch.no_grad():
        restored, sharp = (shown[name][..., ::4, ::4].float() for name in ("restored", "sharp"))
        spread = [image.std(0, correction=0).mean() for image in (restored, sharp)]
        shift = (restored.mean((2, 3)) - sharp.mean((2, 3))).mean(0)
        return {"signs/diversity": spread[0] / (spread[1] + 1e-6), "signs/drift": shift.abs().max()}
