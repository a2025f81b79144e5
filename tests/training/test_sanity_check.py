"""The sanity check reports on the first batch and changes nothing."""

from __future__ import annotations

import ctypes
import re
from typing import Any

import pytest
import torch
from measured import tell
from systems import fitted, made, same, state

from csrgan.benchmarks.memory import Peak
from csrgan.errors import UserError
from csrgan.reports import table
from csrgan.training import fit_batches
from csrgan.training.sanity_check import SanityCheck, Term, examine


def checked(system: Any, data: Any, count: int = 2, batch_size: int = 2, images: int = 8) -> SanityCheck:
    loader = data.train_dataloader()
    samples = loader.collate_fn([loader.dataset[index] for index in range(count)])
    return examine(system, samples, data.on_after_batch_transfer, count=count, images=images, batch_size=batch_size)


@pytest.mark.parametrize("name", ["csrgan", "srgan", "ikc"])
def test_it_changes_nothing(name: str) -> None:
    system, data = made(name)
    before, random_state = state(system), torch.get_rng_state()
    checked(system, data)
    assert same(before, state(system))
    assert torch.equal(random_state, torch.get_rng_state())
    assert (system.images_seen, system.state.batches_seen, system.state.recorded) == (0, 0, {})
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
    from lightning import Trainer

    Trainer(accelerator="cpu", max_epochs=1, limit_val_batches=0, num_sanity_val_steps=0, **quiet).fit(system, data)
    assert same(state(system), state(fitted(name)))


def test_every_term_is_listed_with_its_start_and_the_weights_that_it_reaches() -> None:
    result = checked(*made("srgan"))
    terms = {f"{term.network}/{term.name}": (term.start, term.reached == term.weights) for term in result.terms}
    late = ("discriminator/adversarial", "generator/perceptual", "generator/adversarial")
    assert terms == {"generator/image": (0, True)} | dict.fromkeys(late, (6, True))
    assert result.shown["restored"][0] == "2x3x32x32"
    assert result.shown["sharp"][1] >= 0
    assert result.unreached == {}
    starts = {term.network: term.start for term in checked(*made("ikc")).terms}
    assert starts == {"restorer": 0, "predictor": None, "corrector": None}


@pytest.mark.parametrize(("size", "shown"), [(3, "3 MB"), (150, "0.15 GB"), (5120, "5.00 GB")])
def test_a_small_network_needs_some_megabytes_and_not_nothing(size: int, shown: str) -> None:
    caption = table.sanity_check(SanityCheck(bytes_needed=size * 2**20), "4 crops").caption
    assert caption == f"about {shown} of memory needed"


def test_losses_are_shown_without_and_with_their_weights() -> None:
    recorded = {"unweighted/generator/own": 0.5, "generator/own": 0.05, "generator/loss": 0.05, "D(real)": 0.5}
    shown = table.losses(recorded)
    assert [list(column.cells) for column in shown.columns] == [["generator/own"], ["0.5"], ["0.05"]]
    assert table.losses({"generator/own": 0.05}) is None  # of a run from before they were recorded


def test_weights_that_no_loss_reaches_are_named() -> None:
    """A head without a loss predicts too, but its prediction means nothing."""
    result = checked(*made("csrgan", "loss/parameters=none"))
    assert list(result.unreached) == ["generator"]
    assert all(name.startswith("head.") for name in result.unreached["generator"])
    assert checked(*made("csrgan")).unreached == {}
    stopped = checked(*made("csrgan", "parameter_head.stop_gradient=true"))
    (parameters,) = [term for term in stopped.terms if term.name == "parameters"]
    weights = dict(made("csrgan")[0].generator.named_parameters())
    head = sum(weights[name].numel() for name in result.unreached["generator"])
    assert (parameters.reached, parameters.weights) == (head, sum(weight.numel() for weight in weights.values()))


@pytest.mark.parametrize(
    ("reached", "weights", "shown"),
    [(7, 7, "all weights"), (2487, 2500, "99.4% of weights"), (2499, 2500, "99.9% of weights"), (1, 99999, "0.1% of weights")],
)
def test_what_a_term_reaches_is_a_share_of_the_weights(reached: int, weights: int, shown: str) -> None:
    found = SanityCheck(terms=[Term("generator", "image", 0, 0.5, reached, weights)])
    assert list(table.sanity_check(found, "4 crops").columns[3].cells) == [shown]


@pytest.mark.parametrize(("precision", "half"), [("32-true", ""), ("bf16-mixed", ", or take trainer.precision=32-true")])
def test_a_step_that_goes_to_infinity_is_told_with_a_remedy(precision: str, half: str) -> None:
    """Learning rates so high that the second step is not finite."""
    system, data = made("csrgan", "optimizer.generator.lr=1e30")
    samples = data.train_dataloader().collate_fn([data.train_dataloader().dataset[index] for index in range(2)])
    more = {"count": 2, "images": 4800, "batch_size": 2, "precision": precision}
    with pytest.raises(UserError) as told:
        examine(system, samples, data.on_after_batch_transfer, **more)
    said = r"the check of the first batch: \w+( and \w+)* of the \w+ is not finite: lower the learning rates in optimizer"
    assert re.fullmatch(f"{said} or the weight of that loss{re.escape(half)}\\.", str(told.value))


def test_a_term_that_is_not_finite_is_an_error_before_the_run() -> None:
    system, data = made("srgan")
    system.updaters["generator"].objective.terms["perceptual"].function = lambda restored, sharp: restored.sum() / 0
    with pytest.raises(UserError) as told:  # it starts late, after the first step
        checked(system, data)
    assert str(told.value).startswith(
        "loss.perceptual is not finite at its first use, though its inputs are finite: look in its function"
    )
    assert "learning rate" not in str(told.value)


def test_a_term_whose_gradient_alone_is_not_finite_is_told_so() -> None:
    system, data = made("csrgan")
    system.updaters["generator"].objective.terms["image"].function = lambda restored, sharp: (0 * restored).abs().sqrt().mean()
    with pytest.raises(
        UserError,
        match=r"^the gradient of loss\.image is not finite at its first use, though its value .* a root, a norm or a power at 0",
    ):
        checked(system, data)


def test_a_term_that_measures_what_is_not_finite_is_not_blamed() -> None:
    system, data = made("csrgan")
    with torch.no_grad():
        next(iter(system.generator.parameters())).fill_(float("nan"))
    with pytest.raises(
        UserError, match=r"^loss\.\w+ is nan at its first use, because \w+, which it measures, is not finite or huge: "
    ):
        checked(system, data)


@pytest.mark.parametrize(
    ("function", "found"),
    [
        (lambda picture: picture.abs(), "a tensor of shape 2x3x32x32|take its .mean()"),
        (lambda picture: picture.abs().mean((1, 2, 3)), "a tensor of shape 2|take its .mean()"),
        (lambda picture: picture.mean().reshape(1), "a tensor of shape 1|take its .mean()"),
        (
            lambda picture: picture.mean().item(),
            "a float, which has no gradient|return the tensor itself, without .item() or float()",
        ),
        (lambda picture: None, "nothing (None)|let its function end with return"),
        (lambda picture: (picture.mean(), 1), "a tuple of 2|add them up, or give each a yaml file of its own"),
        (lambda picture: [picture.mean()], "a list of 1|return what is in it"),
        (lambda picture: (picture > 0).sum(), "a tensor of type int64|compute it in float, without comparing or rounding"),
        (lambda picture: picture.mean() + 1j, "a tensor of type complex64|take its .abs()"),
        (
            lambda picture: picture.detach().numpy().mean(keepdims=True),
            "an array of NumPy's, which has no gradient|compute it with torch, without .numpy()",
        ),
        (lambda picture: "loss", "a str|return a tensor"),
    ],
)
def test_a_term_that_is_not_one_number_is_an_error_before_the_run(function: Any, found: str) -> None:
    system, data = made("csrgan")
    system.updaters["generator"].objective.terms["image"].function = lambda restored, sharp: function(restored - sharp)
    with pytest.raises(UserError) as told:
        checked(system, data)
    what, remedy = found.split("|")
    assert str(told.value) == f"loss.image gives {what}, and a loss is one number, a tensor without dimensions: {remedy}."


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (lambda restored, sharp: (restored.detach() - sharp).mean(), "it is cut off from the network, as by .detach(), .item()"),
        (lambda restored, sharp: sharp.mean().requires_grad_(), "it does not depend on them, for it measures restored, sharp"),
        (lambda restored, sharp: (restored * 4).round().mean(), "it is 0 at each of them, as after rounding or comparing"),
    ],
)
def test_a_term_without_a_gradient_is_told_why(function: Any, why: str) -> None:
    system, data = made("csrgan")
    system.updaters["generator"].objective.terms["image"].function = function
    with pytest.raises(UserError) as told:
        checked(system, data)
    assert str(told.value).startswith(f"loss.image has no gradient at the generator's weights: {why}")
    assert str(told.value).endswith(". Let it change with them, or choose loss/image=none.")


@pytest.mark.parametrize("name", ["csrgan", pytest.param("srgan", marks=pytest.mark.long)])
def test_the_forecast_of_memory_is_near_what_is_taken(name: str) -> None:
    """Witness: the peak of the memory in use during a training step on a batch of the full size."""
    own = {"csrgan": ["generator.width=32"], "srgan": ["loss.adversarial.start=0", "loss.perceptual.start=0"]}
    # A batch in which gradients are compared takes more.
    words = ("data.crop=128", "data.batch_size=16", "trainer.images=16", "trainer.gradient_stats_every=0", *own[name])
    system, data = made(name, *words)
    checked(system, data, count=4, batch_size=16, images=16)  # so that memory that is allocated once is allocated before
    result = checked(system, data, count=4, batch_size=16, images=16)
    loader = data.train_dataloader()
    samples = loader.collate_fn([loader.dataset[index] for index in range(16)])
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)  # else memory that earlier tests freed is used again
    peak = Peak("cpu")
    fit_batches.fit(system, [samples], transfer=data.on_after_batch_transfer)
    if not (used := peak.megabytes()):
        pytest.skip("the peak of the memory in use is unknown on this machine")
    needed = result.bytes_needed / 2**20
    tell(f"{name}: forecast {needed:.0f} MB, used {used[0]:.0f} MB")
    assert 0.5 < needed / used[0] < 2
