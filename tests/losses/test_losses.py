from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

from csrgan.fault import Fault
from csrgan.losses import adversarial, image, parameters
from csrgan.losses.objective import Evidence, Objective, Term


def test_image_losses_equal_their_formulas() -> None:
    a, b = torch.rand(2, 3, 8, 9), torch.rand(2, 3, 8, 9)
    d = (a - b).double().numpy()
    assert float(image.mse(a, b)) == pytest.approx((d**2).mean(), rel=1e-5)
    assert float(image.l1(a, b)) == pytest.approx(np.abs(d).mean(), rel=1e-5)
    assert float(image.charbonnier(a, b, epsilon=0.1)) == pytest.approx(np.sqrt(d**2 + 0.01).mean(), rel=1e-5)


def test_the_prior_mean_costs_a_twelfth() -> None:
    true = torch.rand(50_000, 3)
    assert float(parameters.mse(torch.full_like(true, 0.5), true)) == pytest.approx(1 / 12, rel=0.02)


def test_bce_equals_torch_and_stays_finite() -> None:
    real, fake = torch.randn(9), torch.randn(9)
    bce = torch.nn.functional.binary_cross_entropy_with_logits
    expected = bce(real, torch.ones(9)) + bce(fake, torch.zeros(9))
    torch.testing.assert_close(adversarial.bce_discriminator(real, fake), expected)
    torch.testing.assert_close(adversarial.bce_generator(fake), bce(fake, torch.ones(9)))
    assert torch.isfinite(adversarial.bce_generator(torch.tensor([-1e4])))


def test_a_term_that_is_off_is_not_even_asked_for_its_evidence() -> None:
    def costly() -> torch.Tensor:
        raise AssertionError("computed")

    terms = {"image": Term(image.l1, 2.0), "parameters": Term(parameters.mse, 0.0), "other": None}
    objective = Objective(terms, {"restored", "sharp", "theta", "theta_true"})
    sharp = torch.rand(1, 3, 4, 4)
    parts = objective(Evidence(restored=sharp + 0.5, sharp=sharp, theta=costly, theta_true=costly))
    assert list(parts) == ["image"]
    assert float(parts["image"]) == pytest.approx(1.0)


def test_evidence_is_made_once() -> None:
    made = []
    evidence = Evidence(x=lambda: made.append(1) or torch.ones(()))
    assert evidence["x"] is evidence["x"]
    assert made == [1]


def test_a_term_without_its_evidence_is_told_with_both_lists() -> None:
    with pytest.raises(Fault, match=r"loss\.parameters needs theta.*it offers restored, sharp"):
        Objective({"parameters": Term(parameters.mse, 1.0)}, {"restored", "sharp"})


def test_configured_arguments_are_no_evidence() -> None:
    assert Term(partial(image.charbonnier, epsilon=0.1), 1.0).needs == ("restored", "sharp")
