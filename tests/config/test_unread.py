"""What the user's files add, and nothing reads, is refused before a training starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from csrgan.config import search
from csrgan.config.faults import check_command
from csrgan.errors import UserError

TERM = """# Mine
_target_: csrgan.losses.objective.Term
weight: 1.0
function: {_target_: csrgan.losses.image.charbonnier, _partial_: true, epsilon: 0.001}
"""
GLOBAL = "# @package _global_\n# Mine\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(name: str, text: str) -> None:
    file = Path("conf", f"{name}.yaml")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def check(*words: str) -> None:
    with search.search_config_dirs(["--config-dir=conf"]):
        check_command("train", words)


def told(*words: str) -> str:
    with pytest.raises(UserError) as refused:
        check(*words)
    return str(refused.value)


@pytest.mark.parametrize("plus", ["", "+"])
@pytest.mark.parametrize(
    ("folder", "word", "meant", "move"),
    [
        ("los/edges", "los/edges=own", "+loss/edges=own", "conf/los to conf/loss"),
        ("losses/edges", "losses/edges=own", "+loss/edges=own", "conf/losses to conf/loss"),
        ("generators", "generators=own", "generator=own", "conf/generators to conf/generator"),
        ("Callback/mine", "Callback/mine=own", "+callbacks/mine=own", "conf/Callback to conf/callbacks"),
    ],
)
def test_a_misnamed_group_is_refused_with_the_nearest(plus: str, folder: str, word: str, meant: str, move: str) -> None:
    write(f"{folder}/own", TERM)
    sentence = told(f"{plus}{word}")
    assert sentence.startswith(f"{folder.partition('/')[0]} is no group that csrgan reads. Its groups: callbacks, ")
    assert sentence.endswith(f" Did you mean {meant}? Then move {move}.")


def test_a_misnamed_group_in_a_defaults_list_is_refused() -> None:
    write("los/edges/own", TERM)
    write("experiment/mine", f"{GLOBAL}defaults: [csrgan, /los/edges: own, _self_]\n")
    assert "Did you mean +loss/edges=own?" in told("experiment=mine")


@pytest.mark.parametrize(
    ("name", "text", "word", "sentence"),
    [
        (
            "experiment/mine",
            f"{GLOBAL}trainr: {{images: 3}}\n",
            "experiment=mine",
            "mine.yaml sets trainr, which nothing reads: the",
        ),
        (
            "experiment/mine",
            f"{GLOBAL}trainer: {{imags: 3}}\n",
            "experiment=mine",
            "mine.yaml sets trainer.imags, which nothing reads",
        ),
        ("loss/edges/own", f"# @package losses.edges\n{TERM}", "+loss/edges=own", "own.yaml sets losses, which nothing reads: the"),
        (
            "trainer/edges/own",
            TERM,
            "+trainer/edges=own",
            "own.yaml sets trainer.edges, which nothing reads: trainer has no edges.",
        ),
    ],
)
def test_a_key_that_nothing_reads_is_refused_with_its_file(name: str, text: str, word: str, sentence: str) -> None:
    write(name, text)
    assert sentence in told(word)


def test_a_group_of_metrics_is_told_though_nothing_is_chosen_from_it() -> None:
    write("metrics/own", "# Mine\n_target_: csrgan.evaluation.metrics.Metric\n")
    assert told().endswith(
        "Did you mean metric? Then move conf/metrics to conf/metric; a metric needs no choice: every evaluation computes it."
    )


@pytest.mark.parametrize(
    "words",
    [
        ["+loss/edges=own"],
        ["+mine=numbers", "optimizer.generator.lr=${mine.rate}"],
        ["experiment=refers"],
        ["+loss/edges=pieces"],
        ["+mine=placed"],
        ["trainer=mine"],
        ["optimizer/schedule=mine"],
    ],
)  # fmt: skip
def test_what_is_read_is_taken(words: list[str]) -> None:
    write("loss/edges/own", TERM)
    write("mine/numbers", "rate: 0.001\n")
    write("mine/function", "_target_: csrgan.losses.image.charbonnier\n_partial_: true\nepsilon: 0.001\n")
    write("mine/placed", f"# @package loss.own\n{TERM}")
    write("loss/edges/pieces", "defaults: [/mine@function: function]\n_target_: csrgan.losses.objective.Term\nweight: 1.0\n")
    refers = "optimizer: {generator: {lr: '${mine.rate}'}}\n"
    write("experiment/refers", f"{GLOBAL}defaults: [csrgan, /mine: numbers, _self_]\n{refers}")
    write("trainer/mine", "# Mine\ndefaults: [cpu, _self_]\nimages: 4000\n")
    write("optimizer/schedule/mine", "# Mine\nwarmup: 3\n")
    if words == ["optimizer/schedule=mine"]:
        words = [f"+{words[0]}"]
    check(*words)
