"""The out-of-distribution test: false alarms, what it finds, what then happens to S, and its way through a checkpoint."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from csrgan.networks.picture_statistics import PictureStatistics
from csrgan.networks.source import InMemory
from csrgan.restorers.ood import INSIDE, UNKNOWN, OODTest, harmless_share

WIDTH = PictureStatistics.features


def cloud(count: int, seed: int, shift: float = 0.0, width: float = 1.0) -> Tensor:
    drawn = torch.randn(count, WIDTH, generator=torch.Generator().manual_seed(seed))
    drawn[:, :5] = drawn[:, :5] * width + shift
    return 3 + 2 * drawn


@pytest.fixture(scope="module")
def fitted() -> OODTest:
    test = OODTest.fit({INSIDE: cloud(1500, 0), "rain": cloud(1500, 1, shift=4.0), "fog": cloud(1500, 2, width=0.1)})
    return test.calibrated([(16384.0, cloud(1000, 3))])


def test_the_protocols_own_pictures_pass(fitted: OODTest) -> None:
    excess, _, distance = fitted.scores(cloud(4000, 4))
    (limits,) = fitted.thresholds
    assert float(((excess > limits.excess) | (distance > limits.distance)).float().mean()) < 0.06


@pytest.mark.parametrize(("name", "statistics"), [("rain", cloud(300, 5, shift=4.0)), ("fog", cloud(300, 6, width=0.1))])
def test_a_known_foreign_degradation_is_found_and_named(fitted: OODTest, name: str, statistics: Tensor) -> None:
    excess, nearest, _ = fitted.scores(statistics)
    assert float((excess > fitted.thresholds[0].excess).float().mean()) > 0.8
    assert {fitted.names[index] for index in nearest.tolist()} == {name}


def test_what_no_class_has_is_far_from_all(fitted: OODTest) -> None:
    strange = cloud(100, 7)
    strange[:, 50:90] += 8
    assert float((fitted.scores(strange)[2] > fitted.thresholds[0].distance).float().mean()) > 0.95


def test_it_comes_back_from_a_checkpoint(fitted: OODTest) -> None:
    again = OODTest.of(fitted.content())
    statistics = cloud(50, 8)
    assert (again.names, again.thresholds, again.shares) == (fitted.names, fitted.thresholds, fitted.shares)
    for one, other in zip(again.scores(statistics), fitted.scores(statistics), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("mean", torch.zeros(3)),
        ("factors", "no"),
        ("names", ["inside"]),
        ("thresholds", [[1.0, 2.0]]),
        ("std", torch.full((WIDTH,), torch.nan)),
    ],
)
def test_a_damaged_checkpoint_is_refused(fitted: OODTest, key: str, value: object) -> None:
    with pytest.raises((TypeError, KeyError)):
        OODTest.of({**fitted.content(), key: value})


def test_what_is_found_is_told_with_what_becomes_of_s(fitted: OODTest, monkeypatch: pytest.MonkeyPatch) -> None:
    known = OODTest.of({**fitted.content(), "shares": {"rain": 0.25, "fog": 1.0}})
    scores = torch.tensor([-9.0, 99.0, 99.0, -9.0]), torch.tensor([1, 1, 2, 1]), torch.tensor([0.5, 0.5, 0.5, 99.0])
    monkeypatch.setattr(OODTest, "scores", lambda self, statistics: scores)
    looks = known.looks(InMemory(torch.rand(4, 3, 128, 128)))
    assert looks.names == ("", "rain", "fog", UNKNOWN)
    assert looks.shares == (1.0, 0.25, 1.0, 0.0)
    assert looks.sentences[0] == ""
    assert looks.sentences[1] == (
        "this looks like rain, which the model has not seen: theta is not given, and S is 25% restored and 75% L."
    )
    assert looks.sentences[3] == "this looks like nothing that the model has seen: theta is not given, and S is L."


def test_a_picture_too_small_to_tell_is_not_foreign(fitted: OODTest) -> None:
    assert not fitted.looks(InMemory(torch.rand(2, 3, 127, 500))).foreign


def test_the_harmless_share_is_the_greatest_that_costs_nobody_a_tenth_of_a_decibel() -> None:
    sharp = torch.rand(40, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    low = sharp + 0.1
    assert harmless_share(low, sharp, sharp) == 1.0  # S is perfect
    assert harmless_share(low, sharp - 0.2, sharp) == 0.5  # at 0.5 the error is half, at 0.75 it is 1.25 times that of L
    assert harmless_share(low, sharp + 0.5, sharp) == 0.0
