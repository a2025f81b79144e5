"""Groups that change places over the degradation are named, and others are not."""

from __future__ import annotations

import pytest
from sweep import drawn_rows

from csrgan.evaluation.comparison import Job, grouped, references
from csrgan.reports import turning
from csrgan.reports.columns import score_of


def jobs(word: str, gains: tuple[float, float], *, seeds: int = 3, noise: float = 1.0) -> list[Job]:
    """gains: at the weakest and at the strongest blur, of which rows have 0, 1, 2 and 3 px."""

    def changed(row: dict) -> dict:
        low, high = gains
        return row | {
            "psnr_restored": row["psnr_restored"] + low + (high - low) * row["blur_std"] / 3,
            "noise_std": noise * row["blur_std"] / 255,
        }

    return [Job(word, (word, f"seed={k}"), rows=list(map(changed, drawn_rows(0.0, 8, seed=k)))) for k in range(seeds)]


def told(*found: Job) -> list[str]:
    return turning.sentences(references(grouped(found), "a=1"), score_of("gain"), 0.05)


@pytest.mark.parametrize(("low", "high"), [(0.5, -0.5), (-0.5, 0.5)])
def test_groups_that_change_places_are_named_with_both_verdicts(low: float, high: float) -> None:
    (said,) = told(*jobs("a=1", (0, 0), noise=0.0), *jobs("a=2", (low, high), noise=0.0))
    first, second = ("better", "worse") if low > 0 else ("worse", "better")
    assert said.startswith(f"“a=2” and “a=1” change places over the blur std: the first is {first} up to 1 px (")
    assert f"dB) and {second} from 2 px (" in said
    assert said.endswith("] dB).")


def test_a_parameter_that_goes_with_the_blur_is_named_in_its_own_unit() -> None:
    said = told(*jobs("a=1", (0, 0)), *jobs("a=2", (0.5, -0.5)))
    assert len(said) == 2
    assert "over the noise std: the first is better up to 1 /255" in said[1]


def test_a_predicted_factor_without_a_unit_counts_too() -> None:
    found = [*jobs("a=1", (0, 0), noise=0.0), *jobs("a=2", (0.5, -0.5), noise=0.0)]
    for job in found:
        for row in job.rows:
            row |= {"jpeg_quality": 30 + 20 * row["blur_std"], "jpeg_quality_predicted": 50.0, "blur_std": 1.0}
    (said,) = told(*found)
    assert "change places over the jpeg quality: the first is better up to 50 (" in said


@pytest.mark.parametrize("gains", [(0.5, 0.1), (0.5, 0.5), (0.0, 0.0), (0.5, -0.02)])
def test_a_difference_that_only_shrinks_is_not_told(gains: tuple[float, float]) -> None:
    assert told(*jobs("a=1", (0, 0)), *jobs("a=2", gains)) == []


def test_one_seed_is_not_enough_for_a_small_change() -> None:
    assert told(*jobs("a=1", (0, 0), seeds=1), *jobs("a=2", (0.09, -0.09), seeds=1)) == []
