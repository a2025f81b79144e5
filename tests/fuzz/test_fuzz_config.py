"""The examination of the command line: any words are accepted, and then make a configuration, or are refused in sentences."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from fuzzing import counts, hold
from hydra import compose, initialize_config_dir
from hypothesis import strategies as st
from omegaconf import DictConfig, OmegaConf, open_dict

from csrgan.config import faults, messages, targets
from csrgan.config.build import checked_settings
from csrgan.config.folder import groups
from csrgan.config.location import conf
from csrgan.errors import UserError

COMMANDS = ("train", "evaluate", "restore", "degrade", "report", "prepare")


def keys(tree: Any, path: str = "") -> list[str]:
    if not isinstance(tree, dict):
        return [path]
    return [path, *(key for name, inner in tree.items() for key in keys(inner, f"{path}.{name}".lstrip(".")))]


@cache
def real(command: str) -> list[str]:
    with initialize_config_dir(str(conf()), version_base="1.3"):
        found = OmegaConf.to_container(compose(command))
    return [key for key in keys(found) if key]


CHOICES = [f"{group}={file.stem}" for group, files in groups() for file in files]
NUMBERS = ["0", "1", "-1", "1e999", "-1e400", "nan", "inf", "-inf", "1_000", "0x10", "9" * 400, "1e-400", "1.5", "true", "null", ""]
STRANGE = [
    *(
        "''",
        '"',
        "'",
        "[]",
        "{}",
        "[1,2",
        "{a:1",
        "{a:{b:{c:1}}}",
        "[[[[1]]]]",
        "a=b",
        "a,b",
        "\\",
        "$",
        "${",
        "}",
        "${}",
        "???",
        "~",
        "@",
    ),
    *("${oc.env:HOME}", "${oc.env:NO_SUCH_VARIABLE}", "${seed}", "${no.such.key}", "${hydra:runtime.cwd}", "${oc.create:{a:1}}"),
    *("${oc.decode:'{_target_: os.system}'}", "{_target_: os.system}", "os.system", "${share:0.5}", "${by_size:1,2}", "${trainer}"),
    *(
        "choice(1,2)",
        "range(1,5)",
        "interval(0,1)",
        "glob(*)",
        "1,2,3",
        "sort(3,2,1)",
        "shuffle(range(1,3))",
        "tag(x,1)",
        "int(3.5)",
    ),
    *("<script>", "\x00", "\x1b[31m", "é", "日本", "\U0001f600", "\u202e", "%s", "{}{}", "C:\\x", "../../x", "x" * 3000, " "),
]
TEXTS = st.text(max_size=10)
VALUES = st.sampled_from(NUMBERS) | st.sampled_from(STRANGE) | st.integers().map(str) | st.floats().map(str) | TEXTS


@st.composite
def words(draw: st.DrawFn, command: str) -> list[str]:
    """Overrides of real keys, of keys that are nearly real, of groups, and of nothing."""

    def key() -> str:
        known = draw(st.sampled_from(real(command)))
        near = [f"{known}.{draw(TEXTS)}", known[:-1], known + "s", f"{known}._target_", "hydra.mode"]
        return draw(st.sampled_from([known] * 4 + near))

    def word() -> str:
        shape = draw(st.integers(0, 9))
        if shape == 0:
            return draw(st.text(max_size=20).filter(lambda text: not text.startswith("-")))
        if shape <= 2:
            group = draw(st.sampled_from(CHOICES))
            return draw(st.sampled_from([group, group[:-1], f"{group.partition('=')[0]}={draw(VALUES)}"]))
        sign = draw(st.sampled_from(["", "", "", "+", "++", "~"]))
        return f"{sign}{key()}={draw(VALUES)}"

    return [word() for _ in range(draw(st.integers(1, 3)))]


@pytest.fixture
def cached(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same choices are composed once: this is most of the time."""
    composed = cache(lambda command, chosen: faults_compose(command, list(chosen)))
    faults_compose = faults._compose

    def copied(command: str, chosen: list[str]) -> DictConfig:
        return composed(command, tuple(chosen)).copy()

    monkeypatch.setattr(faults, "_compose", copied)


@counts(25, 1000)
@pytest.mark.usefixtures("cached")
def test_any_words_make_a_configuration_or_are_refused_in_sentences(count: int) -> None:
    def law(given: tuple[str, list[str]]) -> None:
        command, said = given
        try:
            faults.check_command(command, said)
        except UserError as fault:
            assert str(fault).strip()
            return
        with initialize_config_dir(str(conf()), version_base="1.3"):
            try:
                config = compose(command, said)
            except Exception as reason:  # a sweep, which Hydra takes apart, a setting of Hydra's own, or + before what is there
                allowed = any("hydra." in word or word.startswith("+") for word in said)
                assert allowed or "sweep" in str(reason).lower(), reason
                assert messages.user_message(reason), reason
                return
        with open_dict(config):
            config.run_dir = "unused"
        try:
            settings = checked_settings(config)
            targets.check_targets({key: settings.get(key) for key in ("system", "data", "degradation")})
        except Exception as reason:
            assert messages.user_message(reason), reason

    drawn = st.sampled_from(COMMANDS).flatmap(lambda command: st.tuples(st.just(command), words(command)))
    hold("words of the command line", count, law, given=drawn)
