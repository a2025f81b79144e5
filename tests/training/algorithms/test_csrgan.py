"""Laws of the training step, on the real system under the real Trainer."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from composed import SMALL, composed
from lightning import Callback, seed_everything
from systems import fit, same, state
from torch import Tensor, nn

from csrgan.config.build import build
from csrgan.degradation.augmentation import redegraded
from csrgan.errors import UserError
from csrgan.losses.image import l1
from csrgan.losses.objective import Term
from csrgan.runs import checkpoint
from csrgan.training import gradient_stats
from csrgan.training import state as training_state
from csrgan.training.algorithms.csrgan import CSRGAN
from csrgan.training.gan_diagnostics import signs
from csrgan.training.network_updater import NetworkUpdater


def made(*overrides: str) -> tuple[Any, Any]:
    seed_everything(0, verbose=False)
    settings = composed(*SMALL, *overrides)
    system, data = build(settings["system"]), build(settings["data"])
    system.recipe = settings
    return system, data


def fitted(*overrides: str, callback: Callback | None = None) -> Any:
    system, data = made(*overrides)
    fit(system, data, *([callback] if callback else []))
    return system


@pytest.mark.parametrize("discriminator", ["vgg", "vgg_as_coded", "patch", "unet_sn", "conditional"])
def test_each_update_changes_its_own_network_and_no_other(monkeypatch: pytest.MonkeyPatch, discriminator: str) -> None:
    updates: list[str] = []
    update = NetworkUpdater.update

    def checked(updater: NetworkUpdater, **inputs: Any) -> None:
        system = updater.module
        before = {name: state(network) for name, network in system.networks().items()}
        update(updater, **inputs)
        for name, network in system.networks().items():
            assert same(before[name], state(network)) == (name != updater.name), (updater.name, name)
            assert all(weight.grad is None or name == updater.name for weight in network.parameters())
        updates.append(updater.name)

    monkeypatch.setattr(NetworkUpdater, "update", checked)
    small = [word for word in SMALL if not word.startswith("discriminator.")]
    monkeypatch.setattr("test_csrgan.SMALL", (*small, f"discriminator={discriminator}"))
    fitted()
    assert updates == ["discriminator", "generator"] * 4


def test_the_adversarial_term_alone_trains_the_generator() -> None:
    before = state(made()[0].generator)
    system = fitted("loss/image=none", "loss/parameters=none")
    assert not same(before, state(system.generator))
    assert set(system.generator_updater.objective.terms) == {"adversarial"}


def test_without_an_adversarial_loss_there_is_no_discriminator() -> None:
    system = fitted("loss/adversarial=none")
    assert set(system.networks()) == {"generator"}
    assert fitted("loss.adversarial.weight=0").discriminator is None


def test_an_adversarial_loss_without_a_discriminators_side_is_an_error() -> None:
    with pytest.raises(UserError, match=r"loss\.adversarial is a Term, which has no discriminator's side"):
        CSRGAN(losses={"image": Term(l1), "adversarial": Term(l1)})
    assert CSRGAN(losses={"image": Term(l1), "adversarial": Term(l1, 0.0)}).discriminator is None


def test_without_a_head_the_parameter_loss_is_an_error_and_without_both_nothing_is_predicted() -> None:
    with pytest.raises(UserError, match=r"loss/parameters needs a prediction, and there is none"):
        made("parameter_head=none")
    system = fitted("parameter_head=none", "loss/parameters=none")
    assert system.restorer.restore(torch.rand(1, 3, 20, 20)).parameters is None


def test_without_any_loss_it_is_an_error() -> None:
    with pytest.raises(UserError, match="every loss of the generator"):
        made("loss/image=none", "loss/adversarial=none", "loss/parameters=none")


def test_a_term_that_reaches_no_weight_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    system, data = made("loss/adversarial=none")
    system.generator_updater.objective.terms["image"].function = lambda restored, sharp: (restored.detach() - sharp).square().mean()
    with pytest.raises(UserError, match=r"loss\.image has no gradient at the generator"):
        fit(system, data)


def test_two_accumulated_half_batches_equal_one_whole() -> None:
    # A batch's noise is seeded by its first sample, so there is none here; Adam would amplify rounding where a gradient is zero.
    plain = (
        "loss/adversarial=none",
        "degradation.noise.high=0",
        "trainer.images=8",
        "optimizer.schedule.warmup=0",
        "optimizer.schedule._target_=csrgan.training.schedule.constant",
    )
    descent = ("optimizer.generator._target_=torch.optim.SGD", "~optimizer.generator.betas", "optimizer.generator.lr=1")
    whole = state(fitted(*plain, *descent, "data.batch_size=8").generator)
    halves = state(fitted(*plain, *descent, "data.batch_size=4", "optimizer.accumulate=2").generator)
    assert not same(whole, state(made(*plain)[0].generator))
    for name, value in whole.items():
        torch.testing.assert_close(halves[name], value, atol=1e-5, rtol=0)


def test_images_are_counted_not_optimiser_steps() -> None:
    system = fitted()
    assert (system.images_seen, system.state.batches_seen) == (16, 4)
    assert system.trainer.global_step == 8


def test_the_average_follows_the_generator() -> None:
    system, _ = made()
    assert same(state(system.ema), state(system.generator))
    system = fitted("optimizer.ema=0")
    assert same(state(system.ema), state(system.generator))
    system = fitted("optimizer.ema=0.9")
    assert not same(state(system.ema), state(system.generator))


def test_a_checkpoint_alone_rebuilds_the_network(tmp_path: Path) -> None:
    system = fitted()
    system.trainer.save_checkpoint(tmp_path / "a.ckpt")
    content = checkpoint.read(tmp_path / "a.ckpt")
    again = build(content["csrgan"]["recipe"]["system"])
    again.load_state_dict(content["state_dict"])
    low = torch.rand(1, 3, 37, 50)
    assert torch.equal(again.restorer.restore(low).image, system.restorer.restore(low).image)
    assert torch.equal(again.restorer.restore(low).parameters.stack(), system.restorer.restore(low).parameters.stack())


def test_a_file_that_is_no_checkpoint_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "text.ckpt").write_text("hello")
    torch.save({"state_dict": {}}, tmp_path / "other.ckpt")
    for file, said in (
        ("text.ckpt", "not a readable checkpoint"),
        ("other.ckpt", "not a checkpoint of csrgan"),
        ("", "neither"),
    ):
        with pytest.raises(UserError, match=said):
            checkpoint.read(tmp_path / file)


def test_before_the_adversarial_loss_starts_the_discriminator_is_not_trained() -> None:
    before = state(made()[0].discriminator)
    system = fitted("loss.adversarial.start=16")
    assert same(before, state(system.discriminator))
    assert "generator/adversarial" not in system.state.recorded
    system = fitted("loss.adversarial.start=8", "loss.adversarial.ramp=100")
    assert not same(before, state(system.discriminator))
    assert "generator/adversarial" in system.state.recorded
    with pytest.raises(UserError, match=r"loss\.adversarial\.start=8 leaves the generator nothing to learn"):
        made("loss/image=none", "loss/parameters=none", "loss.adversarial.start=8")


def test_degrading_h_again_with_the_true_parameters_gives_l() -> None:
    system, data = made("degradation.noise.high=0")
    batch = data.on_after_batch_transfer(next(iter(data.train_dataloader())), 0)
    theta = system.restorer.prior.normalise(batch.parameters).clamp(1e-3, 1).requires_grad_()
    image = batch.sharp.clone().requires_grad_()
    again = redegraded(image, theta, system.restorer.degradation)
    torch.testing.assert_close(again, batch.low, atol=2e-2, rtol=0)  # where a parameter lies at the prior's edge it is clamped
    assert float((again - batch.low).abs().mean().detach()) < 2e-4
    gradients = torch.autograd.grad((again - 0.5).square().mean(), (image, theta))
    assert bool(gradients[0].any())
    assert bool((gradients[1][:, :2] != 0).any(dim=0).all())  # blur and scale; noise leaves no trace in A


def test_a_predicted_variance_gives_a_spread_and_an_interval(chelsea: Tensor) -> None:
    low = chelsea[..., :40, :50]
    system = fitted("loss/parameters=nll")
    found = system.restorer.restore(low)
    assert found.spread is not None
    assert found.interval is not None
    below, above = (bound.stack() for bound in found.interval)
    assert bool((below <= found.parameters.stack()).all())
    assert bool((found.parameters.stack() <= above).all())
    theta, log_variance = system.ema(low)[1:3]
    assert bool((log_variance > 2 * math.log(0.01)).all())
    width = 1.6449 * (0.5 * log_variance).exp()
    torch.testing.assert_close(above[:, 1], 1 + 2 * (theta + width)[:, 1], atol=1e-3, rtol=0)
    assert fitted("loss/parameters=l1").restorer.restore(low).interval is None


def test_a_spread_in_physical_units_is_half_the_width_of_one_deviation_either_way() -> None:
    prior = made()[0].restorer.prior
    spread = prior.spread(torch.tensor([[0.5, 0.5, 0.5]]), torch.tensor([[0.1, 0.1, 0.1]]))
    assert float(spread.blur_std) == pytest.approx((30**0.5 - 20**0.5) / 2, rel=1e-5)
    assert float(spread.scale) == pytest.approx(0.2, rel=1e-5)
    assert float(spread.noise_std) == pytest.approx(1 / 255, rel=1e-4)


def test_terms_at_none_add_no_parameter_no_forward_pass_and_no_import(monkeypatch: pytest.MonkeyPatch) -> None:
    """With one term left, a training step runs the generator once and loads nothing."""
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)  # to import it would raise
    nothing = [f"loss/{kind}=none" for kind in ("adversarial", "parameters", "perceptual", "consistency")]
    passes: list[nn.Module] = []
    hook = nn.modules.module.register_module_forward_hook(lambda module, *_: passes.append(module))
    try:
        system = fitted(*nothing, "parameter_head=none", "condition=none")
    finally:
        hook.remove()
    assert set(system.networks()) == {"generator"}
    assert set(system.generator._modules) == {"body"}
    assert passes.count(system.generator) == system.state.batches_seen == 4
    body = set(system.generator.modules())
    assert all(module in body for module in passes if isinstance(module, nn.Conv2d | nn.Linear))


def test_comparing_gradients_does_not_change_the_training() -> None:
    with_it, without = fitted("trainer.gradient_stats_every=1"), fitted("trainer.gradient_stats_every=0")
    assert same(state(with_it), state(without))
    assert "cosine/image_parameters" in with_it.state.recorded
    assert not any(name.startswith(("gradient_share/", "cosine/")) for name in without.state.recorded)
    shares = [float(with_it.state.recorded[f"gradient_share/{term}"]) for term in ("image", "parameters", "adversarial")]
    assert sum(shares) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(("every", "batches"), [(0, 0), (1, 4), (2, 2), (3, 1), (4, 1), (5, 1), (50, 1)])
def test_a_training_compares_its_gradients_at_least_once_if_at_all(
    every: int, batches: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of four batches: every so many, or in the last one."""
    seen: list[int] = []
    compare = gradient_stats.compare
    system, data = made(f"trainer.gradient_stats_every={every}")
    monkeypatch.setattr(gradient_stats, "compare", lambda *given: seen.append(system.state.batches_seen + 1) or compare(*given))
    fit(system, data)
    assert len(seen) == batches
    assert ("loss_share/image" in system.state.recorded) == bool(batches)
    assert seen == ([4] if every > 4 else [number for number in range(1, 5) if every and number % every == 0])


class Reads(Callback):
    """Reads the recorded values after some batches."""

    def __init__(self, *batches: int) -> None:
        self.batches, self.recorded = batches, {}

    def on_train_batch_end(self, trainer: Any, pl_module: Any, *_: Any) -> None:
        if pl_module.state.batches_seen in self.batches:
            self.recorded[pl_module.state.batches_seen] = {name: float(value) for name, value in pl_module.state.recorded.items()}


def test_the_value_of_a_loss_without_its_weight_does_not_depend_on_it() -> None:
    """In the first batch, where the networks do not depend on it either; a ramp of 3 images begins with a quarter of the weight."""
    values = []
    for words in (["loss.parameters.weight=0.1"], ["loss.parameters.weight=8", "loss.parameters.ramp=3"]):
        system, data = made(*words)
        fit(system, data, reads := Reads(1))
        values.append(reads.recorded[1])
        names = [name.removeprefix("unweighted/") for name in values[-1] if name.startswith("unweighted/")]
        assert names == ["discriminator/adversarial", *(f"generator/{term}" for term in ("image", "parameters", "adversarial"))]
    plain = [recorded["unweighted/generator/parameters"] for recorded in values]
    assert plain[1] == pytest.approx(plain[0], rel=1e-6)
    assert [recorded["generator/parameters"] for recorded in values] == pytest.approx([0.1 * plain[0], 2 * plain[0]], rel=1e-6)


def test_signs_are_computed_on_demand_for_the_last_step(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(training_state, "signs", lambda inputs: calls.append(inputs) or signs(inputs))
    always, once = Reads(1, 2, 3, 4), Reads(3)
    fitted(callback=always)
    assert len(calls) == 4
    fitted(callback=once)
    assert len(calls) == 5
    assert {"signs/diversity", "signs/drift"} <= once.recorded[3].keys()
    assert once.recorded[3] == always.recorded[3] != always.recorded[2]


def test_a_step_walks_through_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    walks: list[str] = []
    modules, train = nn.Module.named_modules, nn.Module.train
    monkeypatch.setattr(nn.Module, "named_modules", lambda *words, **more: walks.append("layers") or modules(*words, **more))
    monkeypatch.setattr(nn.Module, "train", lambda *words, **more: walks.append("mode") or train(*words, **more))
    system, data = made()
    found: list[list[str]] = []

    def step(batch: Any, batch_idx: int) -> None:
        before = len(walks)
        type(system).training_step(system, batch, batch_idx)
        found.append(walks[before:])

    system.training_step = step
    fit(system, data)
    assert len(found) == 4
    assert found[1:] == [[], [], []]  # in the first step, layers are listed once


@pytest.mark.parametrize("discriminator", ["vgg", "unet_sn"])
def test_logits_for_the_generator_do_not_change_the_discriminator(discriminator: str) -> None:
    system, _ = made(f"discriminator={discriminator}")
    before, picture = state(system.discriminator), torch.rand(2, 3, 32, 32)
    theta = torch.rand(2, 3)
    system._logits(picture, low=picture, theta=theta, learn=False)
    assert same(before, state(system.discriminator))
    assert all(layer.training for layer in system.discriminator.modules())
    system._logits(picture, low=picture, theta=theta)
    assert same(before, state(system.discriminator)) == (discriminator == "vgg")
