"""Panels: what stands below a picture stays below it."""

from __future__ import annotations

import pytest
import torch

from csrgan.degradation.parameters import Parameters
from csrgan.records import Batch, Restoration
from csrgan.reports import figure


@pytest.mark.parametrize("side", [128, 256, 512])
@pytest.mark.parametrize("name", ["cat.png", "gcompris_monuments_brandenburgGate.webp"])
def test_no_caption_runs_into_the_next_column(side: int, name: str) -> None:
    theta = Parameters.of({key: torch.tensor([value]) for key, value in (("blur_std", 5.1), ("scale", 2.5), ("noise_std", 0.0393))})
    picture = torch.rand(1, 3, side, side)
    drawn = figure.panel(Batch(picture, picture, theta, (name,)), Restoration(picture, theta))
    drawn.draw_without_rendering()
    for text, axes in zip(drawn.texts, drawn.axes, strict=True):
        assert text.get_window_extent().width <= axes.get_window_extent().width + 6  # the gap between the columns
        assert text.get_window_extent().y0 >= 0
    assert drawn.texts[0].get_text().replace("\n", " ").endswith("predicted: blur 5.10 px, scale 2.50, noise 10.0/255")
