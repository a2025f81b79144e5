"""The training stream of a few photographs, for tests."""

from __future__ import annotations

import torch

from csrgan.data.module import Photographs
from csrgan.degradation.augmentation import Degradation

README = {
    "blur": {"low": 0, "high": 50, "uniform_in": "variance"},
    "scale": {"low": 1, "high": 3},
    "noise": {"low": 0, "high": 10 / 255},
}


def photographs(**change: object) -> Photographs:
    """Three photographs to train on, six batches of four, and one to evaluate on."""
    settings = {
        "train": ["astronaut", "camera", "brick"],
        "valid": ["chelsea"],
        "crop": 32,
        "final_crop": None,
        "final_fraction": 0.2,
        "batch_size": 4,
        "workers": 0,
        "archive": None,
        "strict": False,
        "cache": None,
        "cache_mb": 1000,
        "memory_mb": 100,
        "min_detail": 0,
        "crops_per_image": 1,
        "window": 32,
        "degradation": Degradation(**README),
        "images": 24,
        "grid": {"blur": 2, "scale": 1, "noise": 1},
        "repeats": 2,
        "evaluation_crop": 64,
        "contrast": 1.0,
        "hot_pixels": 0,
        "seed": 5,
    }
    return Photographs(**(settings | change))


def stream(data: Photographs) -> list[tuple[torch.Tensor, ...]]:
    """H, L and theta of each sample."""
    batches = [data.on_after_batch_transfer(batch, 0) for batch in data.train_dataloader()]
    return [sample for batch in batches for sample in zip(batch.sharp, batch.low, batch.parameters.stack(), strict=True)]


def same(a: list, b: list) -> bool:
    return len(a) == len(b) and all(
        torch.equal(x, y) for one, other in zip(a, b, strict=True) for x, y in zip(one, other, strict=True)
    )
