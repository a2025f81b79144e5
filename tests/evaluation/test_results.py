"""What a summary says of its rows."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from csrgan.config.compose import composed
from csrgan.console import Console
from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.parameters import Parameters
from csrgan.evaluation.results import PICTURES, Row, _theta_error, by_blur, summarise
from csrgan.records import Batch, Restoration
from csrgan.reports import table


def rows(photographs: int, *, cells: int = 4, apart: float = 2.0) -> list[Row]:
    drawn = np.random.default_rng(3)
    of = drawn.normal(25, apart, photographs)
    return [
        {"image": f"{index}.png", "psnr_low": 20.0, "psnr_restored": level + noise, "ssim_low": 0.5, "ssim_restored": level / 40}
        for index, level in enumerate(of)
        for noise in drawn.normal(0, 0.3, cells)
    ]


def test_intervals_over_photographs_equal_scipys() -> None:
    found = summarise(made := rows(11))
    means = [np.mean([float(r["psnr_restored"]) for r in made if r["image"] == f"{index}.png"]) for index in range(11)]
    witness = stats.bootstrap((means,), np.mean, n_resamples=20000, method="percentile", rng=np.random.default_rng(1))
    assert found["psnr_restored_low95"] == pytest.approx(witness.confidence_interval.low, abs=0.1)
    assert found["psnr_restored_high95"] == pytest.approx(witness.confidence_interval.high, abs=0.1)
    assert found["gain_db_low95"] == pytest.approx(found["psnr_restored_low95"] - 20)
    assert found["ssim_restored_low95"] < found["ssim_restored"] < found["ssim_restored_high95"]
    twice = summarise(rows(11, cells=400))  # more degradations of the same photographs say little more of others
    assert twice["gain_db_high95"] - twice["gain_db_low95"] > 0.7 * (found["gain_db_high95"] - found["gain_db_low95"])


def test_few_photographs_have_no_interval() -> None:
    assert "gain_db_low95" not in summarise(rows(PICTURES - 1))
    assert "gain_db_low95" in summarise(rows(PICTURES))
    assert table.scores(summarise(rows(2))).caption is None


def test_a_table_in_markdown_has_the_interval_below_it() -> None:
    said = table.markdown(table.scores(summarise(rows(8)))).split("\n")
    assert said[0] == "|  | L (input) | S (restored) | gain |"
    assert said[2].startswith("| PSNR, RGB, dB | 20.00 | ")
    assert said[-1].startswith("95 % intervals over photographs: gain +")
    assert len({line.count("|") for line in said[:-2]}) == 1


def test_what_cannot_be_computed_of_a_parameter_that_is_the_same_in_all_pictures_is_left_out_or_said() -> None:
    """Of one level of the grid there is no R2, and the error of the prior's mean may be none."""
    given = {"blur_std": (1.0, 3.0), "noise_std": (0.02, 0.02)}
    made = [
        row
        | {name: levels[index % 2] for name, levels in given.items()}
        | {f"{name}_predicted": 0.5 for name in given}
        | {f"{name}_prior_mean": sum(levels) / 2 for name, levels in given.items()}
        for index, row in enumerate(rows(2))
    ]
    found = table.markdown(table.parameters(summarise(made)))
    assert "nan" not in found
    assert "| noise std, /255 | 122.400 | 0.000 | - | - |" in found
    assert found.endswith("- for what is (almost) the same in all pictures: noise std.")
    same = [row for row in made if row["blur_std"] == 1]
    said = table.markdown(table.parameters(summarise(same)))
    assert "R2 |" not in said
    assert "| blur std, px | 0.500 | 1.000 | 50% |" in said
    assert said.endswith("- for what is (almost) the same in all pictures: noise std.")  # the blur's line has no dash
    over_blur = table.markdown(table.blurs(by_blur(made)))
    assert "| noise |" not in over_blur
    assert "| - |" not in over_blur
    assert "| blur | 50% | 250% |" in over_blur  # of a blur that is the same in a column, but not what the prior expects


def parameter_rows(**truth: tuple[float, float]) -> list[Row]:
    """Rows of two degradations; the prior's mean is the first of each, and each prediction is 0.2 off."""
    return [
        row
        | {name: levels[index % 2] for name, levels in truth.items()}
        | {f"{name}_predicted": levels[index % 2] + 0.2 for name, levels in truth.items()}
        | {f"{name}_prior_mean": levels[0] for name, levels in truth.items()}
        for index, row in enumerate(rows(2))
    ]


def test_what_only_rounding_varies_has_no_share_and_no_r2() -> None:
    """A scale of 2 becomes 2.006 in whole pixels, and an error of 0.2 would be 6,667 % of the prior's."""
    made = parameter_rows(blur_std=(1.0, 3.0), scale=(2.0, 2.006), noise_std=(0.01, 0.02))
    summary = summarise(made)
    assert np.isnan(summary["scale_mae_share"]) and np.isnan(summary["scale_r2"])
    assert summary["blur_std_mae_share"] == pytest.approx(0.2)
    said = table.markdown(table.parameters(summary))
    assert "| scale | 0.200 | 0.003 | - | - |" in said
    assert said.endswith("- for what is (almost) the same in all pictures: scale.")
    assert "| scale |" not in table.markdown(table.blurs(by_blur(made)))
    off = [row | {"scale_prior_mean": 3.0} for row in parameter_rows(scale=(2.0, 2.006))]
    assert summarise(off)["scale_mae_share"] == pytest.approx(0.2, rel=0.01)  # the prior errs, so there is something to share


def test_the_table_over_the_blur_is_whole_in_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    predicted = composed("train", ["degradation=photo"])["degradation"]["predicted"]
    names = [name for name in predicted if name != "blur_std"]
    assert len(names) == 9
    made = [
        row
        | {"blur_std": blur}
        | dict.fromkeys(names, level)
        | {f"{name}_predicted": 0.3 for name in (*names, "blur_std")}
        | {f"{name}_prior_mean": 0.5 for name in (*names, "blur_std")}
        for level in (0.2, 0.9)
        for blur, row in zip(np.linspace(0.2, 11, 8).tolist(), rows(2), strict=True)
    ]
    Console(width=80).print(table.blurs(by_blur(made)))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert not any("…" in line for line in lines)
    for name in names:
        assert sum(line.startswith(f"│ {name.removesuffix('_std').replace('_', ' ')} ") for line in lines) == 1


def test_a_gain_that_rounds_to_nothing_has_no_minus() -> None:
    summary = summarise(rows(2)) | {"psnr_low": 25.0, "psnr_restored": 24.9999}
    assert next(iter(table.scores(summary).columns[3].cells)) == "+0.00"


def test_errors_of_networks_trained_on_different_priors_are_in_the_same_units() -> None:
    """Both predict 6 px where 5 px were drawn; the protocol that they are scored on draws up to 8 px, and no noise."""
    narrow, wide, scored = (
        Degradation(blur=uniform(0, blur), scale=uniform(1, 3), noise=uniform(0, noise)).prior
        for blur, noise in ((4.0, 0.1), (50.0, 0.1), (8.0, 0.0))
    )
    true, predicted = (
        Parameters.of({name: torch.tensor([value]) for name, value in {"blur_std": blur, "scale": 2.0, "noise_std": 0.02}.items()})
        for blur in (5.0, 6.0)
    )
    picture = torch.rand(1, 3, 16, 16)
    errors = [
        _theta_error(Batch(picture, picture, true, ("a",), prior=scored), Restoration(picture, predicted), own)
        for own in (narrow, wide)
    ]
    assert errors == pytest.approx([1 / 8 / 3] * 2)
    assert _theta_error(Batch(picture, picture, true, ("a",)), Restoration(picture, predicted), narrow) == pytest.approx(1 / 4 / 3)


def uniform(low: float, high: float) -> dict[str, object]:
    return {"low": low, "high": high, "uniform_in": "value", "absent": 0.0}


def test_a_ratio_to_a_prior_mean_that_is_near_the_one_truth_by_chance_is_explained() -> None:
    """All pictures have a blur of 1, and the prior's mean is 0.97."""
    made = [row | {"blur_std_prior_mean": 0.97} for row in parameter_rows(blur_std=(1.0, 1.0), noise_std=(0.01, 0.02))]
    said = table.markdown(table.parameters(summarise(made)))
    assert "| blur std, px | 0.200 | 0.030 | 667% | - |" in said
    assert said.endswith(
        "a ratio above 100 % tells how near the prior's mean happens to be to the one value of blur std in all pictures."
    )
