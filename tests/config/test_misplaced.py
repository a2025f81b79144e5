"""Files that csrgan does not find where they lie, and words without their kind."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from omegaconf import OmegaConf

from csrgan.config import announced, misplaced, search
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
    return told_without_folder("--config-dir=conf", *given)


def told_without_folder(*given: str) -> str:
    with search.search_config_dirs(given) as words, pytest.raises(UserError) as refused:
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


def test_a_folder_of_choices_that_the_command_forgets_is_named() -> None:
    Path("mine/sweep").mkdir(parents=True)
    Path("mine/sweep/wide.yaml").write_text("# @package _global_\nseed: 1\n")
    hint = " mine/sweep/wide.yaml is there: add --config-dir=mine."
    assert told_without_folder("sweep=wide").endswith(hint)
    assert hint not in told_without_folder("sweep=wider")
    Path("mine/loss").mkdir()
    Path("conf/loss/edges").rename("mine/loss/edges")
    assert told_without_folder("+loss/edges=canny").endswith(" mine/loss/edges/canny.yaml is there: add --config-dir=mine.")
    with search.search_config_dirs(["--config-dir=mine"]):
        check_command("train", ["sweep=wide"])


def test_files_that_nothing_is_wrong_with_take_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """csrgan's own files are loaded only where one of the user's lacks the line, and only until one shows that none needs it."""
    loaded: list[Path] = []
    spied = SimpleNamespace(select=OmegaConf.select, load=lambda file: loaded.append(file) or OmegaConf.load(file))
    monkeypatch.setattr(misplaced, "OmegaConf", spied)
    Path("conf/sweep").mkdir()
    Path("conf/sweep/wide.yaml").write_text("# @package _global_\nseed: 1\n")
    with search.search_config_dirs(["--config-dir=conf"]):
        check_command("train", ["sweep=wide"])
        assert not loaded
        Path("conf/system").mkdir()
        Path("conf/system/mine.yaml").write_text("defaults: [csrgan, _self_]\n")
        check_command("train", ["system=mine"])
    assert [file.parent.name for file in loaded] == ["system"]


@pytest.mark.parametrize("choice", ["a**b", "[", "*", "x" * 300, "../conf/flat", "?"])
@pytest.mark.parametrize("group", ["loss/image", "loss", "data"])
def test_a_choice_that_is_no_name_of_a_file_is_told_like_any_other(group: str, choice: str) -> None:
    """Also where it would be a pattern that finds files, or is too long for a name."""
    for folder in ("mine/loss/image", "mine/data"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        Path(folder, "other.yaml").write_text(TERM)
    said = told(f'{group}="{choice}"')
    assert said.startswith((f"{group} has no {choice}. Its choices: ", f'loss="{choice}" {NO_KIND}'))
    assert "is there: add" not in said


def test_the_hint_at_a_folder_of_photographs_suits_the_command() -> None:
    Path("photos").mkdir()
    words = {"train": "data.train=photos data.valid=10%", "evaluate": "data.valid=photos", "prepare": "data.train=photos"}
    for command, taken in words.items():
        with pytest.raises(UserError) as refused:
            check_command(command, ["data=photos"])
        assert str(refused.value).splitlines()[0].endswith(f"For a folder of photographs: data=folder {taken}.")


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


def test_a_file_that_ends_with_yml_is_to_be_renamed() -> None:
    Path("conf/loss/edges/second.yml").write_text(TERM)
    Path("conf/loss/lonely").mkdir()
    Path("conf/loss/lonely/third.yml").write_text(TERM)
    assert told("+loss/edges=second") == (
        "loss/edges has no second. Its choices: canny, sobel. conf/loss/edges/second.yml must be named second.yaml."
    )
    assert told("+loss/lonely=third").endswith("? conf/loss/lonely/third.yml must be named third.yaml.")


PROJECT = ("outer/steps/pyproject.toml", "outer/steps/steps/__init__.py")
INSIDE, BESIDE, BELOW = "outer/steps/steps/conf", "outer/steps/conf", "outer/steps/steps/more/conf"
BARE = "outer/bare/bare/conf"  # without an __init__.py
MOVE = "{0} does not lie in the package's own conf: move it to {1}."
LACKS = (
    "The package steps has conf/loss/steep, and is installed without an entry point of the group csrgan: give its pyproject.toml"
    " one (see docs/how_to/plug_ins.md) and install it again, or name it in CSRGAN_ALLOW=steps."
)


@pytest.mark.parametrize(
    ("conf", "current", "allowed", "sentence"),
    [
        (INSIDE, "outer", "", "The package steps here has conf/loss/steep: name it in CSRGAN_ALLOW=steps."),
        (INSIDE, "outer/steps", "", "The package steps here has conf/loss/steep: name it in CSRGAN_ALLOW=steps."),
        (INSIDE, ".", "", "The package steps has conf/loss/steep: run the command in outer with CSRGAN_ALLOW=steps."),
        (INSIDE, ".", "steps", "The package steps has conf/loss/steep: run the command in outer."),
        (
            INSIDE,
            "outer/steps/steps",
            "",
            "The package steps has conf/loss/steep: run the command in {here}/outer with CSRGAN_ALLOW=steps.",
        ),
        (BESIDE, "outer", "steps", MOVE.format("steps/conf/loss/steep", "steps/steps/conf/loss/steep")),
        (BESIDE, "outer/steps", "", MOVE.format("conf/loss/steep", "steps/conf/loss/steep")),
        (BELOW, "outer", "", MOVE.format("steps/steps/more/conf/loss/steep", "steps/steps/conf/loss/steep")),
        ("outer/plain/conf", "outer", "", "The package plain here has conf/loss/steep: name it in CSRGAN_ALLOW=plain."),
        (BARE, "outer", "", "The package bare here has conf/loss/steep: name it in CSRGAN_ALLOW=bare."),
        (BARE, "outer/bare", "", "The package bare here has conf/loss/steep: name it in CSRGAN_ALLOW=bare."),
        (BARE, ".", "", "The package bare has conf/loss/steep: run the command in outer with CSRGAN_ALLOW=bare."),
        (
            BARE,
            "outer/bare/bare",
            "",
            "The package bare has conf/loss/steep: run the command in {here}/outer with CSRGAN_ALLOW=bare.",
        ),
        ("outer/conf", "outer", "", "conf/loss/steep is in no package: add --config-dir=conf."),
        ("outer/no-name/conf", "outer", "", "no-name/conf/loss/steep is in no package: add --config-dir=no-name/conf."),
    ],
)
def test_a_hint_at_a_folder_of_choices_can_be_followed(
    conf: str, current: str, allowed: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (*PROJECT, "outer/steps/steps/more/__init__.py", f"{conf}/loss/steep/wide.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(TERM if name.endswith(".yaml") else "")
    monkeypatch.chdir(tmp_path / current)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv(announced.ALLOW, allowed)
    said = told_without_folder("+loss/steep=wide").splitlines()[-1]
    assert said.endswith(f"Did you mean loss/perceptual? {sentence.format(here=tmp_path)}")
    if "move it" not in sentence and "--config-dir" not in sentence:
        monkeypatch.setenv(announced.ALLOW, allowed or said.rstrip(".").partition("CSRGAN_ALLOW=")[2])
        monkeypatch.chdir(tmp_path / "outer")
        check_command("train", ["+loss/steep=wide"])


def test_a_package_in_a_folder_src_of_a_project_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "bare/src/bare/conf/loss/steep/wide.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(TERM)
    monkeypatch.setattr(sys, "path", [*sys.path])
    said = told_without_folder("+loss/steep=wide")
    assert said.endswith("The package bare has conf/loss/steep: run the command in bare/src with CSRGAN_ALLOW=bare.")
    monkeypatch.chdir("bare/src")
    monkeypatch.setenv(announced.ALLOW, "bare")
    check_command("train", ["+loss/steep=wide"])


@pytest.mark.parametrize("current", ["elsewhere", "project"])
def test_a_package_that_is_installed_without_an_entry_point(current: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("steps/__init__.py", "steps-1.0.dist-info/METADATA", "steps/conf/loss/steep/wide.yaml"):
        (tmp_path / "project" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "project" / name).write_text(TERM if name.endswith(".yaml") else "Name: steps\n" * ("METADATA" in name))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / current)
    monkeypatch.syspath_prepend(str(tmp_path / "project"))
    assert told_without_folder("+loss/steep=wide").endswith(f"? {LACKS}")
    monkeypatch.setenv(announced.ALLOW, "steps")
    check_command("train", ["+loss/steep=wide"])


def install(site: Path, *files: str, entry: str = "") -> None:
    """Write what pip would for a distribution my-steps with a package steps."""
    texts = {"my_steps-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: my-steps\nVersion: 1.0\n"}
    texts |= {"my_steps-1.0.dist-info/entry_points.txt": f"[csrgan]\n{entry}\n"} if entry else {}
    for name, text in (texts | {name: TERM if name.endswith(".yaml") else "" for name in files}).items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of installed packages; the current folder is another."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    announced.installed.cache_clear()
    yield tmp_path / "site"
    announced.installed.cache_clear()


@pytest.mark.parametrize("code", ["steps/__init__.py", "steps/losses.py"])
def test_an_installed_package_is_told_though_its_project_lies_here(code: str, site: Path) -> None:
    """The distribution has another name than the package. The project's own copy is not what Python imports."""
    wide = "steps/conf/loss/steep/wide.yaml"
    install(site, code, wide)
    install(Path("deep/project"), "steps/__init__.py", wide)
    said = told_without_folder("+loss/steep=wide")
    assert said.endswith(
        f"? {LACKS}" if code == "steps/__init__.py" else "run the command in deep/project with CSRGAN_ALLOW=steps."
    )


def test_an_entry_point_that_names_no_package_is_told(site: Path) -> None:
    install(site, "steps/__init__.py", "steps/conf/loss/steep/wide.yaml", entry="step = stesp")
    announced = (
        ' stesp announces itself as a package of choices, but cannot be found: correct step = "stesp" in the'
        " [project.entry-points.csrgan] of the pyproject.toml of my-steps, and install it again (see docs/how_to/plug_ins.md)."
    )
    for word in ("+loss/steep=wide", "loss/image=wide"):
        assert announced.replace('"', "") in told_without_folder(word).replace('"', "")
    check_command("train", ["seed=1"])  # a command that asks for none of its choices runs


def test_an_allowed_package_needs_no_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(announced.ALLOW, "scipy,skimage")
    assert "no folder conf" not in told_without_folder("+loss/steep=wide")


@pytest.mark.parametrize("allowed", ["", "steps"])
def test_yaml_files_that_were_not_installed_are_told(allowed: str, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(site, "steps/__init__.py", entry="" if allowed else "steps = steps")
    listed = ["steps/__init__.py", *["steps/conf/loss/steep/wide.yaml"] * bool(allowed)]
    (site / "my_steps-1.0.dist-info/RECORD").write_text("".join(f"{name},,\n" for name in listed))
    monkeypatch.setenv(announced.ALLOW, allowed)
    said = told_without_folder("+loss/steep=wide")
    assert said.endswith(
        " steps has no folder conf where it is installed. If its project has one, its yaml files were not installed: with"
        " setuptools, name them in [tool.setuptools.package-data], and install it again (see docs/how_to/plug_ins.md)."
    )
