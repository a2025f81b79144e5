"""Where choices of one's own come from: a folder that a command names, and packages that are allowed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from csrgan.cli import main
from csrgan.config import announced, search
from csrgan.config.compose import composed
from csrgan.config.faults import check_command
from csrgan.config.folder import groups
from csrgan.errors import UserError

BODY = """# A small U-Net
defaults: [unet, _self_]
width: 8
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A current folder with a package `mine`, which has a choice, and a plain folder `conf`, which has another."""
    for folder, name in (("mine/conf", "rrdb"), ("conf", "other")):
        (tmp_path / folder / "generator").mkdir(parents=True)
        (tmp_path / folder / "generator" / f"{name}.yaml").write_text(BODY)
    (tmp_path / "mine" / "__init__.py").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    sys.modules.pop("mine", None)


def generators() -> set[str]:
    return {file.stem for file in dict(groups())["generator"]}


@pytest.mark.usefixtures("here")
def test_an_allowed_package_in_the_current_folder_adds_its_choices(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "rrdb" not in generators()
    monkeypatch.setenv(announced.ALLOW, "mine, another")
    assert search.packages() == ("mine", "another")
    assert "rrdb" in generators()
    assert composed("train", ["generator=rrdb"])["system"]["generator"]["body"]["width"] == 8
    assert sys.path[-1] == str(Path.cwd())  # nothing there takes the place of a module elsewhere


@pytest.mark.usefixtures("here")
def test_a_new_package_is_found_from_the_folder_in_which_it_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """`csrgan new fresh_nets` writes fresh_nets/fresh_nets; the reader is still in the folder above."""
    assert main(["new", "fresh_nets"]) == 0
    monkeypatch.setenv(announced.ALLOW, "fresh_nets")
    monkeypatch.setattr(sys, "path", [*sys.path, str(Path.cwd())])  # as with python -m csrgan
    assert composed("train", ["generator=residual"])["system"]["generator"]["body"]["_target_"] == "fresh_nets.bodies.Residual"


def test_a_package_that_does_not_exist_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(announced.ALLOW, "typing,my_net")
    with pytest.raises(
        UserError, match=r"^CSRGAN_ALLOW=my_net: there is no package my_net, neither installed nor in the current folder\.$"
    ):
        check_command("train", [])


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(("typed", "meant"), [("min", "mine"), ("plane", "plain"), ("my_projct", "my_project")])
def test_the_nearest_package_in_the_current_folder_is_named(typed: str, meant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("plain/conf", "my_project/my_project", "my_other/my_projct"):
        Path(folder).mkdir(parents=True)
    Path("my_project/my_project/__init__.py").touch()
    monkeypatch.setenv(announced.ALLOW, typed)
    assert list(search.unknown_packages()) == [f"CSRGAN_ALLOW={typed}: {search.no_package(typed)}. Did you mean {meant}?"]


@pytest.mark.parametrize("word", ["--config-dir=conf", "hydra.searchpath=[conf]", "hydra.searchpath=[file://{here}/conf]"])
def test_a_folder_is_searched_while_its_command_runs_and_by_its_jobs(word: str, here: Path) -> None:
    with search.search_config_dirs(["seed=1", word.format(here=here)]) as left:
        assert left == ["seed=1"]
        assert os.environ[announced.CONF] == str(here / "conf")  # which a job's process inherits
        check_command("train", ["generator=other"])
    assert announced.CONF not in os.environ
    assert "other" not in generators()


@pytest.mark.usefixtures("here")
def test_missing_folders_and_name_clashes_are_errors() -> None:
    with (
        pytest.raises(UserError, match=r"^--config-dir=nowhere: there is no folder nowhere\.$"),
        search.search_config_dirs(["--config-dir=nowhere"]),
    ):
        pass
    Path("conf/generator/unet.yaml").write_text(BODY)
    with (
        search.search_config_dirs(["--config-dir=conf"]),
        pytest.raises(UserError, match=r"unet\.yaml has the name of csrgan's own generator/unet"),
    ):
        check_command("train", [])


@pytest.mark.usefixtures("here")
def test_a_printed_command_allows_what_this_one_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert announced.command("train", "resume=my run") == "csrgan train 'resume=my run'"
    monkeypatch.setenv(announced.ALLOW, "mine, another")
    with search.search_config_dirs(["--config-dir=conf"]):
        assert announced.command("report", "runs") == "CSRGAN_ALLOW=mine,another csrgan report --config-dir=conf runs"
    monkeypatch.setattr(announced, "installed", lambda: ("mine",))  # an entry point announces it
    assert announced.command("report", "runs") == "CSRGAN_ALLOW=another csrgan report runs"
    assert announced.allowing("third") == "CSRGAN_ALLOW=mine,another,third"
