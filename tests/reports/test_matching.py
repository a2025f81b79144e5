"""Names that people and programs give pictures of the same thing, and names that only look so."""

from __future__ import annotations

from pathlib import PurePath

import pytest

from csrgan.reports.matching import match


def matched(*folders: list[str]) -> list[dict[int, str]]:
    return [{number: str(name) for number, name in group.items()} for group in match([[*map(PurePath, each)] for each in folders])]


@pytest.mark.parametrize(
    "other",
    [
        *(
            "cat.png",
            "cat.webp",
            "CAT.JPG",
            "cat_x2.png",
            "catx4.png",
            "cat_2x.png",
            "cat_out.png",
            "cat-restored.jpg",
            "cat (sr).png",
        ),
        *("restored_cat.png", "cat_SwinIR.webp", "cat_RealESRGAN_x4plus.png", "cat.out.png", "deeper/cat.png", "cat_sr_x2.png"),
    ],
)
def test_a_picture_is_found_under_the_names_that_programs_give_it(other: str) -> None:
    assert matched(["cat.png"], [other]) == [{0: "cat.png", 1: other}]
    dog = other.replace("cat", "dog").replace("CAT", "DOG")
    assert matched(["cat.png", "dog.png"], [dog, other]) == [{0: "cat.png", 1: other}, {0: "dog.png", 1: dog}]


@pytest.mark.parametrize(
    ("one", "other"), [("my_cat.png", "my_dog.png"), ("img_1.png", "img_10.png"), ("img_1.png", "img_1_2.png"), ("a.png", "ab.png")]
)
def test_different_pictures_do_not_match(one: str, other: str) -> None:
    assert len(matched([one], [other])) == 2


def test_the_same_name_goes_before_a_similar_one() -> None:
    assert matched(["cat.png", "cat_x2.png"], ["cat_x2.png", "cat.jpg"]) == [
        {0: "cat.png", 1: "cat.jpg"},
        {0: "cat_x2.png", 1: "cat_x2.png"},
    ]
    found = matched(["cat.png", "cat_x2.png"], ["cat_restored.png"])
    assert sorted(map(len, found)) in ([1, 1, 1], [1, 2])  # never all three: they are of one folder


def test_three_folders_make_one_row_and_what_is_alone_stays() -> None:
    assert matched(["a.png", "b.png"], ["a_x2.png", "b-restored.jpg"], ["A_out.png", "c.png"]) == [
        {0: "a.png", 1: "a_x2.png", 2: "A_out.png"},
        {0: "b.png", 1: "b-restored.jpg"},
        {2: "c.png"},
    ]


def test_a_benchmarks_numbers_stay_apart() -> None:
    sharp = [f"{number:04}.png" for number in range(801, 821)]
    theirs = [f"{number:04}x4_ours_epoch_12.png" for number in range(801, 821)]
    assert matched(sharp, theirs) == [{0: one, 1: other} for one, other in zip(sharp, theirs, strict=True)]
