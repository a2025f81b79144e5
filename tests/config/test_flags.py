"""Hydra's flags: where they may stand, and what is said of wrong ones. Hydra's own parser is the witness."""

from __future__ import annotations

import pytest
from hydra._internal.utils import get_args_parser

from csrgan.cli import main
from csrgan.config.flags import CHOICES, FULL_HELP, HELP, PLAIN, SHORT, VALUED, flag_faults, requested_help, split_flags


def test_the_flags_are_hydras() -> None:
    actions = [action for action in get_args_parser()._actions if action.option_strings]
    assert {action.option_strings[0] for action in actions} == {*PLAIN, *VALUED}
    assert {short: action.option_strings[0] for action in actions for short in action.option_strings[1:]} == SHORT
    assert {action.option_strings[0]: tuple(action.choices) for action in actions if action.choices} == CHOICES
    assert {action.option_strings[0] for action in actions if action.nargs != 0} == {*VALUED}


@pytest.mark.parametrize(
    ("words", "flags", "overrides"),
    [
        ("seed=1 -m size=small", ["--multirun"], ["seed=1", "size=small"]),
        ("seed=1 -c job -p trainer size=small", ["--cfg=job", "--package=trainer"], ["seed=1", "size=small"]),
        ("--cf job --info seed=1", ["--cfg=job", "--info"], ["seed=1"]),
        ("--config-dir /a=b seed=1", ["--config-dir=/a=b"], ["seed=1"]),
        ("--run bare --cfg", ["--run", "--cfg"], ["bare"]),
    ],
)
def test_flags_may_be_anywhere_and_keep_their_values(words: str, flags: list[str], overrides: list[str]) -> None:
    assert split_flags(words.split()) == (flags, overrides)
    if not list(flag_faults("train", flags)):
        parsed = get_args_parser().parse_args([*flags, *overrides])
        assert parsed.overrides == overrides


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--cfg", "--cfg needs a value, as in --cfg=job."),
        ("--cfg jop", "--cfg has no jop. Its choices: all, hydra, job. Did you mean job?"),
        ("-z", "csrgan train has no flag -z: settings are written without dashes, as in key=value;"),
        ("--seed 3", "csrgan train has no flag --seed: settings are written without dashes, as in seed=value;"),
        ("--run-dir=x", "csrgan train has no flag --run-dir=x: settings are written without dashes, as in run_dir=x;"),
        ("--multirn", "csrgan train has no --multirn. Its choices: "),
        ("-m=3", "--multirun takes no value: --multirun=3."),
        ("-m -c job", "--multirun and --cfg ask for different things: give one of them."),
        ("--resolve", "--resolve changes nothing without --cfg=job."),
        ("-m -m", ""),
        ("-h=all --help", ""),
        ("--help=al", "--help=al: --help takes no value but all, as in csrgan train --help=all."),
    ],
)
def test_a_wrong_flag_gets_one_sentence(words: str, sentence: str) -> None:
    sentences = list(flag_faults("train", split_flags(words.split())[0]))
    assert len(sentences) == bool(sentence)
    assert "".join(sentences).startswith(sentence)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("seed=1 --help", HELP),
        ("-h -c job", HELP),
        ("trainer=gpu --help=all", FULL_HELP),
        ("-h=all --help trainer=gpu", FULL_HELP),
        ("--he=all", FULL_HELP),
        ("--hydra-help help all", ""),
        ("--multirun seed=--help", ""),
    ],
)
def test_a_page_or_all_keys_are_asked_for_at_any_position(words: str, expected: str) -> None:
    assert requested_help("train", words.split()) == expected


def test_the_configuration_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "seed=7", "--cfg", "job", "size=small"]) == 0
    printed = capsys.readouterr().out.split("\n")
    assert "seed: 7" in printed
    assert "size: small" in printed
