"""Jobs as a sweep leaves them, for tests of its page."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from PIL import Image

from csrgan.evaluation.comparison import Group, Job


def rows(shift: float, photographs: int = 2) -> list[dict]:
    return [
        {
            "image": f"{name}.png",
            "blur_std": blur,
            "scale": scale,
            "noise_std": noise,
            "psnr_low": 20.0,
            "psnr_restored": 21.0 + shift,
            "ssim_restored": 0.7,
            "perceptual_low": 0.5,
            "perceptual_restored": 0.4 + shift,
            "blur_std_predicted": blur + 0.1,
        }
        for name in "abcdefgh"[:photographs]
        for blur in (1.0, 2.0, 3.0)
        for scale in (1.5, 2.5)
        for noise in (0.01, 0.02)
    ]


def jobs(count: int, folder: Path | None = None) -> list[Job]:
    """Three seeds a group, each group 0.06 dB above the one before. folder: pictures of the first two rows are written there."""
    return [
        Job(
            f"main/{index}",
            ("trainer=smoke", f"loss.parameters.weight={index // 3 / 10:g}", f"seed={index % 3}"),
            command=f"csrgan train seed={index % 3}",
            seconds=10.0,
            rows=rows(index // 3 * 0.06),
            curve=[(100, 0.1), (200, 0.2)],
            diagnostics={"loss_share/image": 0.9, "D(real)": 0.7},
            pictures=pictures(folder / str(index)) if folder else (),
        )
        for index in range(count)
    ]


def pictures(folder: Path) -> list[Path]:
    """H and S have a blue square, of a quarter of the side, in the upper right; H is otherwise red, S green, and L white."""
    for name in ("0000_a", "0001_a"):
        (folder / name).mkdir(parents=True)
        for letter, colour in (("H", "red"), ("S", "green"), ("L", "white")):
            image = Image.new("RGB", (96, 96), colour)
            if letter != "L":
                image.paste("blue", (60, 12, 84, 36))
            image.save(folder / name / f"{letter}.png")
    return [folder / "0000_a", folder / "0001_a"]


def noise(folder: Path, side: int) -> list[Path]:
    """Pictures that no JPEG makes small, and that are equal to no others."""
    drawn = np.random.default_rng(abs(hash(folder)))
    folder = folder / "0000_a"
    folder.mkdir(parents=True)
    for letter in "SLH":
        Image.fromarray(drawn.integers(0, 255, (side, side, 3), np.uint8)).save(folder / f"{letter}.png")
    return [folder]


def drawn_rows(shift: float, images: int, seed: int = 0, cells: int = 4) -> list[dict]:
    """Rows whose gain differs by photograph, and by chance."""
    drawn = np.random.default_rng(seed)
    return [
        {
            "image": f"{image}.png",
            "blur_std": float(cell),
            "scale": 1.5,
            "noise_std": 0.01,
            "psnr_low": 20.0,
            "psnr_restored": 21.0 + shift * (1 + 0.5 * math.sin(image)) + 0.1 * drawn.standard_normal(),
            "ssim_restored": 0.7,
        }
        for image in range(images)
        for cell in range(cells)
    ]


def group(*jobs: list[dict]) -> Group:
    return Group(("a=1",), [Job(str(index), ("a=1",), rows=each) for index, each in enumerate(jobs)])
