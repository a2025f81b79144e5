"""What is read of a key from the text of the yaml files."""

from __future__ import annotations

import pytest

from csrgan.cli.help import range_in_words
from csrgan.config.keys import described


@pytest.mark.parametrize(
    ("command", "name", "default", "meaning"),
    [
        ("train", "seed", "0", "seed of all random choices"),
        ("train", "trainer.images", "4800", "the budget, in images seen"),
        ("train", "optimizer.ema", "0.99", "decay of the running average (EMA) of the generator, which is evaluated; 0: none"),
        ("prepare", "data.crop", "128", "side of a training crop, px"),  # of the file that the choice begins with
        (
            "report",
            "baseline",
            "null",
            'settings of the group to compare with, as in "loss.parameters.weight=0"; null: the first group',
        ),
    ],
)
def test_a_key_has_its_default_and_its_comment(command: str, name: str, default: str, meaning: str) -> None:
    key = described(command, name)
    assert (key.name, key.default, key.meaning, key.choices) == (name, default, meaning, ())


def test_a_group_has_its_choices_and_what_the_command_or_train_says_of_it() -> None:
    key = described("train", "loss/image")
    assert (key.default, key.choices) == ("charbonnier", ("charbonnier", "l1", "log_mse", "mse", "none"))
    assert described("prepare", "evaluation").meaning == described("train", "evaluation").meaning
    assert described("evaluate", "degradation").meaning != described("train", "degradation").meaning


@pytest.mark.parametrize(
    ("command", "name", "words"),
    [
        ("restore", "enlarge", "more than 0"),
        ("degrade", "per_image", "1 or more"),
        ("train", "seed", "from 0 to 4294967295"),
        ("train", "data.final_fraction", "from 0 to 1 without 0 and 1"),
        ("train", "trainer.devices", "1 or more"),
        ("train", "run_dir", ""),
    ],
)
def test_the_numbers_that_a_key_takes_are_told_in_words(command: str, name: str, words: str) -> None:
    assert range_in_words(described(command, name).rule) == words


@pytest.mark.parametrize("name", ["sed", "trainer.imags", "nothing.images", "loss/imag"])
def test_what_is_no_key_has_no_description(name: str) -> None:
    with pytest.raises(KeyError):
        described("train", name)
