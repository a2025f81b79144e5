"""Words for what is the user's own: files with odd names, callbacks whose arguments are mappings, keys without a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from csrgan.cli.train import own_callbacks
from csrgan.config import announced, paths, search
from csrgan.config.compose import composed
from csrgan.config.faults import check_command
from csrgan.errors import UserError

CALLBACK = """
from lightning import Callback
class Mine(Callback):
    def __init__(self, options, levels=()):
        self.options, self.levels = options, levels
"""
NODE = "_target_: own_words.Mine\noptions: {every: 2, empty: {}, more: {names: [a, b]}}\nlevels: [1, {x: 2}]\n"
ODD = ("nan", "1", "1e3", "null", "true", "-.5")


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    conf = tmp_path / "own_words" / "conf"
    for group in ("callbacks/mine", "loss/image", "logger"):
        (conf / group).mkdir(parents=True)
    (tmp_path / "own_words" / "__init__.py").write_text(CALLBACK)
    for file in ("callbacks/mine/plain", "callbacks/flat", "logger/flat"):
        (conf / f"{file}.yaml").write_text(NODE)
    for name in ODD:
        (conf / "loss" / "image" / f"{name}.yaml").write_text("defaults: [l1]\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv(announced.ALLOW, "own_words")
    return conf


def faults(*words: str) -> str:
    try:
        with search.search_config_dirs([]):
            check_command("train", paths.for_hydra(["trainer=smoke", *words]))
    except UserError as reason:
        return str(reason)
    return ""


@pytest.mark.parametrize(
    "words", [["loss/image=nan"], ["loss/image=[1]"], ["-m", "loss/image=l1,1e3,-.5"], ["loss/image=null"], ["loss/image=true"]]
)
def test_a_choice_may_have_the_name_of_a_number(words: list[str]) -> None:
    assert faults(*words) == ""


def test_a_choice_that_is_a_number_and_no_file_is_told_as_it_was_written() -> None:
    told = faults("loss/image=2.50", "output=false")
    assert "loss/image has no 2.50. Its choices: " in told
    assert "output has no false. Its choices: " in told


def test_a_word_that_is_read_as_text_is_left_alone() -> None:
    words = ["loss/image=l1", "seed=1", "loss.image.weight=1e3", "run_dir=1"]
    assert paths.for_hydra(words)[:3] == words[:3]
    quoted = paths.for_hydra(["loss/image=1e3"])
    assert quoted == ["loss/image='1e3'"] == paths.for_hydra(quoted)


def test_what_only_a_file_adds_is_told_with_the_way_that_works() -> None:
    ways = {
        "+callbacks.x._target_=own_words.Mine": "added with +callbacks/KIND=NAME",
        "callbacks.y.every=1": "added with +callbacks/KIND=NAME",
        "+callbacks.z={_target_: own_words.Mine}": "added with +callbacks/KIND=NAME",
        "+loss.x._target_=own_words.Mine": "added with +loss/KIND=NAME",
        "+logger.x._target_=own_words.Mine": "chosen with logger=NAME, or beside others with logger=[csv,NAME]",
        "+metric.x._target_=own_words.Mine": "needs no choice: every evaluation computes it",
        "+factor.x._target_=own_words.Mine": "added with +factor/KIND=NAME",
    }
    told = faults(*ways).split("\n")
    for word, way in ways.items():
        key = word.lstrip("+").partition("=")[0]
        assert any(line.startswith(f"{key} is not a setting that anything reads") and way in line for line in told), word
    assert "Did you mean" not in "".join(told)


def built(*words: str) -> Sequence[object]:
    with search.search_config_dirs([]):
        return own_callbacks({"callbacks": composed("train", list(words))["callbacks"]})


@pytest.mark.parametrize("word", ["+callbacks/mine=plain", "+callbacks=flat"])
def test_a_callback_gets_plain_mappings_and_lists_as_they_stand(word: str) -> None:
    assert faults(word) == ""
    (callback,) = built(word)
    assert callback.options == {"every": 2, "empty": {}, "more": {"names": ["a", "b"]}}
    assert callback.levels == [1, {"x": 2}]


def test_keys_of_such_a_mapping_are_the_users_own() -> None:
    added = ["+callbacks/mine=plain", "+callbacks.mine.options.new={a: 1}", "callbacks.mine.options.every=7"]
    assert faults(*added) == ""
    (callback,) = built(*added)
    assert callback.options["new"] == {"a": 1}
    assert callback.options["every"] == 7
    assert "callbacks.mine.options has no new" in faults("+callbacks/mine=plain", "callbacks.mine.options.new=1")
    assert "is not a setting that anything reads" in faults("+callbacks/mine=plain", "+callbacks.mine.optoins=1")


def test_an_argument_that_a_yaml_file_leaves_out_is_added_with_a_plus() -> None:
    assert faults("+optimizer.generator.eps=1e-4") == ""
    assert "optimizer.generator has no eps" in faults("optimizer.generator.eps=1e-4")
    assert "+generator.wide is not a setting that anything reads" in faults("+generator.wide=true")


def test_a_logger_without_a_name_is_told() -> None:
    assert "logger: a logger needs a name in its yaml file, as in mine: {_target_: own_words.Mine}." in faults("logger=flat")


def test_a_sweep_may_have_lists_and_mappings_as_its_values() -> None:
    assert faults("-m", "optimizer.generator.betas=[0.9,0.99],[0.5,0.9]") == ""
    assert faults("-m", "evaluation.grid={blur: 2},{blur: 3}") == ""
    assert "optimizer.generator.betas=0.9 is not a list" in faults("-m", "optimizer.generator.betas=[0.9,0.99],0.9")
    assert "is not a number" in faults("-m", "loss.parameters.weight=[0],[1]")


def test_a_class_may_stand_where_there_is_nothing() -> None:
    assert faults("trainer.precision.deep=1") == "trainer.precision is a single value; it has no deep."
    said = "is null, and has no {} unless a class is named first, as in +degradation.kernel._target_=PACKAGE.CLASS."
    for word in ("degradation.kernel.size=3", "+degradation.kernel.size=3"):
        assert faults(word) == f"degradation.kernel {said.format('size')}"
    assert faults("degradation.kernel._target_=own_words.Mine") == f"degradation.kernel {said.format('_target_')}"
