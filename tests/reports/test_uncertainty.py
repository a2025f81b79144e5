"""Charts of intervals and bounds, on predictions whose uncertainty is known."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from csrgan.evaluation.comparison import Group, Job
from csrgan.evaluation.results import summarise
from csrgan.reports import uncertainty

NINETY = 1.6448536


def rows(promised: float = 0.1, bound: bool = True) -> list[dict[str, Any]]:
    """Predictions of the scale that are wrong by a Gaussian of std 0.1 and promise another."""
    generator = np.random.default_rng(0)
    result = []
    for blur in np.repeat([1.0, 3.0], 1000):
        true = generator.uniform(1, 3)
        predicted = true + 0.1 * generator.standard_normal()
        row = {"image": "a", "blur_std": blur, "scale": true, "noise_std": 0.01, "psnr_low": 20.0, "psnr_restored": 21.0}
        row |= {"scale_predicted": predicted, "scale_prior_mean": 2.0}
        row |= {"scale_low90": predicted - NINETY * promised, "scale_high90": predicted + NINETY * promised}
        result.append(row | ({"scale_bound": 0.05} if bound else {}))
    return result


def group(found: list[dict[str, Any]], name: str = "a") -> Group:
    return Group((name,), [Job("0", (name,), rows=found)])


def test_right_intervals_have_nominal_coverage_at_every_level() -> None:
    np.testing.assert_allclose(uncertainty.coverage(rows(), "scale", uncertainty.LEVELS), uncertainty.LEVELS, atol=0.03)


@pytest.mark.parametrize(("promised", "held"), [(0.1, 0.9), (0.05, 0.589), (0.2, 0.999)])
def test_the_summary_has_the_coverage_of_the_ninety_percent_interval(promised: float, held: float) -> None:
    found = rows(promised)
    assert summarise(found)["scale_coverage90"] == pytest.approx(held, abs=0.03)
    np.testing.assert_allclose(uncertainty.coverage(found, "scale", np.array([0.9])), summarise(found)["scale_coverage90"])


def test_an_interval_without_a_width_holds_what_it_hits() -> None:
    row = {"scale": 2.0, "scale_predicted": 2.0, "scale_low90": 2.0, "scale_high90": 2.0}
    levels = np.array([0.5])
    assert uncertainty.coverage([row], "scale", levels) == 1
    assert uncertainty.coverage([row | {"scale": 2.1}], "scale", levels) == 0


def test_the_error_stands_beside_the_bound() -> None:
    figure = uncertainty.against_bound([group(rows()), group(rows(), "b")])
    assert figure is not None
    assert len(figure.axes) == 2  # two halves of the scale, one noise, one parameter
    for axes in figure.axes:
        one, other, least = (line.get_ydata() for line in axes.lines)
        np.testing.assert_allclose(one, 0.1, rtol=0.1)
        np.testing.assert_allclose(one, other)
        np.testing.assert_allclose(least, 0.05)
    assert uncertainty.against_bound([group(rows(bound=False))]) is None


def test_the_titles_of_panels_neither_meet_nor_leave_the_page() -> None:
    drawn = np.random.default_rng(0)
    found = [row | {"scale": drawn.uniform(1.01, 2.51), "noise_std": drawn.uniform(0.01, 0.02)} for row in rows()]
    figure = uncertainty.against_bound([group(found)])
    assert figure is not None
    assert len(figure.axes) == 4
    for _ in range(2):
        figure.draw_without_rendering()
    boxes = [axes.title.get_window_extent() for axes in figure.axes]
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes))
    assert boxes[0].x0 > 0
    assert boxes[-1].x1 < figure.bbox.x1


def test_groups_of_another_protocol_have_charts_and_a_bound_of_their_own() -> None:
    """A blur of 30 px in its own row, not beside one of 3 px, joined to it by one line; the legend names both groups."""
    wide = [row | {"blur_std": 10 * row["blur_std"], "scale_bound": 0.5} for row in rows()]
    figure = uncertainty.against_bound([group(rows()), group(wide, "b")])
    assert figure is not None
    assert len(figure.axes) == 4
    for index, axes in enumerate(figure.axes):
        own, other = (axes.lines[(index // 2 + k) % 2] for k in range(2))
        assert len(own.get_xdata()) == 2
        assert len(other.get_xdata()) == 0
        np.testing.assert_allclose(axes.lines[2].get_ydata(), (0.05, 0.5)[index // 2])
        np.testing.assert_allclose(axes.lines[2].get_xdata(), np.array([1, 3]) * (1, 10)[index // 2])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b", "Cramer-Rao bound"]


def test_reliability_is_drawn_where_intervals_are_predicted() -> None:
    figure = uncertainty.reliability([group(rows()), group(rows(0.05), "b")])
    assert figure is not None
    (axes,) = figure.axes
    _, kept, broken = axes.lines
    np.testing.assert_allclose(kept.get_ydata(), kept.get_xdata(), atol=0.03)
    assert bool((broken.get_ydata()[1:] < broken.get_xdata()[1:]).all())
    assert uncertainty.reliability([group([{"image": "a", "scale": 1.0}])]) is None


def test_what_is_not_predicted_is_not_drawn() -> None:
    """One job predicts the blur alone and another the scale alone: each has a line on its own chart, and both are in the legend."""
    blur = [{name.replace("scale", "blur_std"): value for name, value in row.items() if name != "blur_std"} for row in rows()]
    figure = uncertainty.reliability([group(blur), group(rows(), "b")])
    assert figure is not None
    drawn = [[bool(np.isfinite(line.get_ydata()).all()) for line in axes.lines[1:]] for axes in figure.axes]
    assert drawn == [[True, False], [False, True]]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b"]
