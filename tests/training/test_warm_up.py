"""A training that is shorter than its warm-up says so."""

from __future__ import annotations

import pytest
from systems import fit, made

from csrgan.training import warm_up

ADVERSARIAL = "loss.adversarial"


@pytest.mark.parametrize(
    ("words", "sentences"),
    [
        ([], []),
        (["optimizer.schedule.warmup=6", f"{ADVERSARIAL}.start=6", "loss.image.start=2", "loss.image.ramp=4"], []),
        (
            ["optimizer.schedule.warmup=7"],
            [
                "the learning rate rises over 7 images, and is never full in a training of 8: lower optimizer.schedule.warmup, or"
                " raise trainer.images"
            ],
        ),
        (
            [f"{ADVERSARIAL}.start=7", "loss.image.start=2", "loss.image.ramp=5", "loss.parameters.ramp=100"],
            [
                "loss.image has its whole weight after 7 images, and never in a training of 8: lower loss.image.start or"
                " loss.image.ramp, or raise trainer.images",
                "loss.parameters has its whole weight after 100 images, and never in a training of 8: lower"
                " loss.parameters.ramp, or raise trainer.images",
                "loss.adversarial starts after 7 images, and never in a training of 8: lower loss.adversarial.start, or raise"
                " trainer.images",
            ],
        ),
    ],
)
def test_what_does_not_fit_into_four_batches_of_two_is_told(words: list[str], sentences: list[str]) -> None:
    """The last batch begins after six images. Both networks learn from the adversarial loss; it is named once."""
    assert warm_up.too_long(made("csrgan", *words)[0], 8, 2) == sentences


@pytest.mark.parametrize("warmup", [0, 6, 7, 20])
def test_a_rate_that_is_said_never_to_be_full_is_not(warmup: int) -> None:
    """As the last batch recorded it, with a schedule that does nothing but rise."""
    words = ("optimizer.schedule._target_=csrgan.training.schedule.constant", f"optimizer.schedule.warmup={warmup}")
    system, data = made("csrgan", *words)
    told = warm_up.too_long(system, 8, 2)
    fit(system, data)
    assert bool(told) == (float(system.state.recorded["lr/generator"]) < 1e-3)
