"""Files that lie one folder too high, and words without their kind."""

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
NO_KIND = "names no kind: a loss term is chosen as loss/KIND=NAME"
ADD = "add it with +loss/edges=canny (its choices: canny, sobel)."
FACTOR = "factor=web names no kind: a factor of the degradation is chosen as factor/KIND=NAME, here +factor/jpeg_quality=web."
TOO_HIGH = " conf/loss/flat.yaml lies one folder too high: move it to conf/loss/KIND/flat.yaml, with a KIND of your own, and add it"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("flat", "loss/flat", "loss/edges/sobel", "loss/edges/canny"):
        file = tmp_path / "conf" / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(TERM)
    monkeypatch.chdir(tmp_path)


def told(*given: str) -> str:
    with search.search_config_dirs(["--config-dir=conf", *given]) as words, pytest.raises(UserError) as refused:
        check_command("train", words)
    return str(refused.value)


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("loss=flat", f"loss=flat {NO_KIND}.{TOO_HIGH} with +loss/KIND=flat."),
        ("+loss=flat", f"+loss=flat {NO_KIND}.{TOO_HIGH} with +loss/KIND=flat."),
        ("loss=sobel", f"loss=sobel {NO_KIND}, here +loss/edges=sobel."),
        ("loss=l1", f"loss=l1 {NO_KIND}, here loss/image=l1 or loss/parameters=l1."),
        (
            "factor=web",
            FACTOR,
        ),
    ],
)
def test_a_choice_without_its_kind_is_told_in_one_sentence(word: str, sentence: str) -> None:
    assert told(word) == sentence


@pytest.mark.parametrize(
    ("word", "moved"),
    [
        ("+loss/corners=flat", "conf/loss/flat.yaml lies too high: move it to conf/loss/corners/flat.yaml."),
        ("loss/image=flat", "conf/loss/flat.yaml lies too high: move it to conf/loss/image/flat.yaml."),
        ("generator=flat", "conf/flat.yaml lies too high: move it to conf/generator/flat.yaml."),
    ],
)
def test_a_file_in_a_folder_above_is_named(word: str, moved: str) -> None:
    assert moved in told(word)
    assert "too high" not in told(word.replace("flat", "falt"))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["loss.edges.weight=1"],
            f"loss.edges.weight: there is no loss.edges before it is added: {ADD}",
        ),
        (["+loss.edges.function.epsilon=1"], "add it with +loss/edges=canny (its choices: canny, sobel)."),
        (["factor.motion.low=1"], "there is no factor.motion before it is added: add it with +factor/motion="),
        (["loss.egdes.weight=1"], "loss has no egdes. Its choices: adversarial, consistency, edges, image"),
        (["loss.egdes.weight=1"], "Did you mean edges?"),
        (["+loss/edges=sobel", "loss.edges.epsilon=1"], "loss.edges has no epsilon. Its choices: _target_, function, weight."),
        (["+loss/edges=sobel", "loss.edges.epsilon=1"], "Did you mean loss.edges.function.epsilon?"),
        (["+loss/edges=sobel", "loss.edges.epsilonn=1"], "Did you mean loss.edges.function.epsilon?"),
        (["+loss/edges=sobel", "+loss.edges.epsilon=1"], "Did you mean loss.edges.function.epsilon?"),
        (["optimizer.lr=1"], "Did you mean optimizer.generator.lr or optimizer.discriminator.lr?"),
        (["width=8"], "the configuration has no width."),
        (["width=8"], "Did you mean generator.width or discriminator.width?"),
    ],
)
def test_a_setting_of_another_place_is_named(words: list[str], sentence: str) -> None:
    assert sentence in told(*words)
    assert "\n" not in told(*words)
