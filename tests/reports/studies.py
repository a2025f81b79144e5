"""Groups of methods that were scored on several test sets, for tests of tables."""

from __future__ import annotations

import numpy as np
from sweep import drawn_rows

from csrgan.evaluation.comparison import Group, Job, grouped

GAINS = {"bicubic": 0.0, "dan": 1.0, "ours": 1.2}


def scored(scale: float, gain: float, seed: int, folders: tuple[str, ...]) -> list[dict]:
    drawn = np.random.default_rng(seed)
    return [
        row | {"image": f"{folder}/{row['image']}", "scale": scale, "psnr_restored": 21 + gain + 0.01 * drawn.standard_normal()}
        for folder in folders
        for row in drawn_rows(0.0, 6, cells=2)
    ]


def study(*, seeds: int = 2, folders: tuple[str, ...] = ("Set14", "Set5"), scales: tuple[int, ...] = (2, 4)) -> list[Job]:
    """Three methods on each of these folders, at each of these scales."""
    return [
        Job(
            f"x{scale}/{name}{seed}",
            ("trainer=smoke", f"degradation=bicubic_x{scale}", f"system={name}", f"seed={seed}"),
            rows=scored(scale, gain, seed, folders),
        )
        for scale in scales
        for name, gain in GAINS.items()
        for seed in range(seeds)
    ]


def groups(**asked: object) -> list[Group]:
    return grouped(study(**asked))
