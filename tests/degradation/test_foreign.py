"""Foreign degradations: which there are for a protocol, and that each is another picture than the protocol makes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from csrgan.degradation.augmentation import Degradation
from csrgan.degradation.factors.jpeg import JPEG
from csrgan.degradation.factors.motion import Motion
from csrgan.degradation.foreign import foreign

ALWAYS = {"a sharp picture", "stronger blur", "stronger noise", "sharpening", "single wrong pixels", "enlarged pixels"}


@pytest.mark.parametrize(
    ("protocol", "names"),
    [
        (Degradation(), {*ALWAYS, "JPEG compression", "motion blur"}),
        (Degradation(bits=8, factors={"quality": JPEG(low=60, high=95)}), {*ALWAYS, "stronger JPEG compression", "motion blur"}),
        (Degradation(factors={"quality": JPEG(low=10, high=95), "shake": Motion(low=0, high=9)}), ALWAYS),
    ],
    ids=["readme", "file", "motion"],
)
def test_a_protocol_has_those_that_it_lacks(protocol: Degradation, names: set[str]) -> None:
    sharp = torch.rand(2, 3, 45, 50, generator=torch.Generator().manual_seed(0))
    parameters = protocol.prior.sample(np.random.default_rng(0), 2).realised(45, 50)
    made = dict(foreign(protocol, sharp, parameters, np.random.default_rng(1)))
    assert set(made) == names
    again = dict(foreign(protocol, sharp, parameters, np.random.default_rng(1)))
    for name, low in made.items():
        assert low.shape == sharp.shape and bool(low.isfinite().all()) and float(low.min()) >= 0 and float(low.max()) <= 1, name
        assert torch.equal(low, again[name]), name


def test_what_is_stronger_lies_beyond_the_protocol() -> None:
    flat = torch.full((4, 3, 64, 64), 0.5)
    protocol = Degradation()
    parameters = protocol.prior.sample(np.random.default_rng(0), 4).realised(64, 64)
    noisy = dict(foreign(protocol, flat, parameters, np.random.default_rng(1)))["stronger noise"]
    assert (noisy.std(dim=(1, 2, 3)) > 0.3 * 10 / 255).all()  # up-sampling by up to 3 keeps at least a third of the noise
