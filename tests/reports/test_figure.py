"""Panels: what stands below a picture stays below it."""

from __future__ import annotations

import pytest
import torch

from csrgan.degradation.parameters import Parameters
from csrgan.records import Batch, Restoration
from csrgan.reports import figure
from csrgan.reports.table import quantities


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


def test_captions_of_a_contact_sheet_stay_in_their_columns() -> None:
    """Of as many numbers as the protocol for photographs has, and of a name longer than a line."""
    more = {f"factor_{k}": torch.tensor([0.123]) for k in range(7)} | {"nothing": torch.tensor([6.2e-8])}
    three = {"blur_std": torch.tensor([2.9]), "scale": torch.tensor([3.97]), "noise_std": torch.tensor([0.039])}
    entries = [(torch.rand(3, 40, 60), Parameters.of(three | more), f"{'holiday' * 9}_{k}.jpg") for k in range(6)]
    drawn = figure.sheet(entries)
    drawn.draw_without_rendering()
    titles = [axes.title.get_window_extent() for axes in drawn.axes]
    assert len(titles) == 6
    assert not any(one.overlaps(other) for k, one in enumerate(titles) for other in titles[:k])
    assert all(drawn.bbox.x0 <= one.x0 and one.x1 <= drawn.bbox.x1 and one.y1 <= drawn.bbox.y1 for one in titles)
    assert "nothing 0.00" in drawn.axes[0].get_title().replace("\n", " ")


def test_a_component_of_a_size_and_an_angle_is_told_by_its_angle() -> None:
    """Not as `motion 0 3.00 px`, in which 0 looks like a value."""
    values = {"blur_std": 1.0, "scale": 2.0, "noise_std": 0.0, "motion_0": 3.0, "motion_45": 0.0}
    told = quantities(values, {"motion_0": "px", "motion_45": "px"})
    assert told == "blur 1.00 px, scale 2.00, noise 0.0/255, motion (0°) 3.00 px, motion (45°) 0.00 px"


def test_a_panel_has_the_units_of_a_network_that_knows_more_factors_than_the_protocol() -> None:
    theta = {name: torch.tensor([1.0]) for name in ("blur_std", "scale", "noise_std")}
    picture, predicted = torch.rand(1, 3, 200, 200), Parameters.of(theta | {"motion_0": torch.tensor([3.0])})
    drawn = figure.panel(Batch(picture, picture, Parameters.of(theta), ("a",)), Restoration(picture, predicted), {"motion_0": "px"})
    assert "motion (0°) 3.00 px" in drawn.texts[0].get_text().replace("\n", " ")
