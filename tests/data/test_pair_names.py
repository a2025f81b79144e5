"""Degraded and sharp pictures find each other by the names in circulation; names that tell nothing are all reported at once."""

from __future__ import annotations

from pathlib import PurePath

import pytest

from csrgan.data.pair_names import SHOWN, at_most, match, split


def paths(*names: str) -> list[PurePath]:
    return [PurePath(name) for name in names]


TOGETHER = [
    ("0001.png", "0001.jpg"),
    ("0x4.png", "0.png"),
    ("0001x2.png", "0001.png"),
    ("X2/0001x2.png", "0001.png"),
    ("img_001_SRF_4_LR.png", "img_001_SRF_4_HR.png"),
    ("baby_LRBI_x2.png", "baby_HR_x2.png"),
    ("Canon_001_LR4.png", "Canon_001_HR.png"),
    ("lr_003.png", "GT-003.png"),
    ("scene 1/blur/7.png", "scene 1/sharp/7.png"),
    ("night.noisy.png", "Night.png"),
    ("max2.png", "max2.png"),
]


@pytest.mark.parametrize(("low", "sharp"), TOGETHER)
def test_names_in_circulation_belong_together(low: str, sharp: str) -> None:
    others = paths("other/a.png"), paths("other/a.tif")
    found = match([*paths(low), *others[0]], [*paths(sharp), *others[1]], "data.valid")
    assert not found.faults
    assert (PurePath(low), PurePath(sharp)) in found.pairs
    assert len(found.pairs) == 2


def test_the_same_name_goes_before_a_similar_one() -> None:
    found = match(paths("a.png", "a_x2.png"), paths("a.png", "a_x2.png"), "data.valid")
    assert found.pairs == [(path, path) for path in paths("a.png", "a_x2.png")]
    assert not found.faults


def test_every_name_without_a_partner_or_with_several_is_told_with_the_nearest() -> None:
    low = paths("0001x2.png", "0003x2.png", "X2/7x2.png", "X3/7x3.png")
    found = match(low, paths("0001.png", "0004.png", "7.png"), "data.train")
    assert [str(name) for _, name in found.pairs] == ["0001.png"]
    ambiguous, low_alone, sharp_alone = found.faults
    assert ambiguous.startswith(
        "data.train: by their names, X2/7x2.png, X3/7x3.png (degraded) and 7.png (sharp) all belong together"
    )
    assert low_alone == "data.train.low: 0003x2.png has no sharp picture; the nearest name is 0004.png."
    assert sharp_alone.startswith("data.train.sharp: 0004.png has no degraded picture; the nearest name is 0003x2.png")
    assert match(low[:1], paths("0001.png", "0004.png"), "data.train", spare=True).faults == []


def test_names_that_tell_nothing_are_told_in_one_sentence() -> None:
    (fault,) = match(paths(*(f"a{k}.png" for k in range(9))), paths(*(f"b{k}.png" for k in range(9))), "data.valid").faults
    assert "no name of a degraded picture (a0.png, a1.png, a2.png, a3.png and 5 more) belongs to" in fault
    assert "data.valid.pairs=FILE" in fault
    assert at_most(["a"] * (SHOWN + 5))[-1] == "5 more of this kind."


@pytest.mark.parametrize(
    ("names", "low"),
    [
        (["LR/1.png", "HR/1.png", "sheet.png"], ["LR/1.png"]),
        (["baby_LR.png", "baby_HR.png", "baby_bicubic.png", "baby_SRCNN.png"], ["baby_LR.png"]),
        (["0001.png", "0001x4.png"], ["0001x4.png"]),
    ],
)
def test_one_folder_is_split_by_names(names: list[str], low: list[str]) -> None:
    degraded, sharp = split(paths(*names))
    assert degraded == paths(*low)
    assert match(degraded, sharp, "data.valid").pairs == [(degraded[0], sharp[0])]
