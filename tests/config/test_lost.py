"""A run that goes on without the package or folder of its choices is told what it needs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from csrgan.config import announced, search
from csrgan.config.faults import check_command
from csrgan.config.lost import lost_choices
from csrgan.errors import UserError

BODY = "# A small U-Net\ndefaults: [unet, _self_]\nwidth: 8\n"
TARGETS = "system: {generator: {body: {_target_: csrgan.networks.unet.UNet}}}\nloss: {steep: {_target_: %s.losses.steep}}\n"
UNKNOWN = "generator has no other. Its choices: unet."


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a run that began with a choice in a folder `conf`."""
    (tmp_path / "conf/generator").mkdir(parents=True)
    (tmp_path / "conf/generator/other.yaml").write_text(BODY)
    (tmp_path / "run").mkdir()
    (tmp_path / "run/overrides.json").write_text(json.dumps(["generator=other", "+loss/steep=wide", "logger=[csv,lines]"]))
    monkeypatch.chdir(tmp_path)
    return Path("run")


def told(folder: Path, *faults: str) -> list[str]:
    return list(lost_choices(folder, faults))


@pytest.mark.usefixtures("run")
def test_a_folder_is_named_again_only_where_a_choice_of_the_run_is_lost() -> None:
    words = ["generator=other", "resume=run"]
    with pytest.raises(UserError) as refused:
        check_command("train", words)
    lost, needed = str(refused.value).split("\n")
    assert lost.startswith("generator has no other.")
    assert needed == (
        "resume=run: the run began with choices that are not found here: name their folder again with --config-dir=FOLDER, or their"
        " package in CSRGAN_ALLOW=PACKAGE."
    )
    with search.search_config_dirs(["--config-dir=conf"]):
        check_command("train", words)
        with pytest.raises(UserError, match=r"^trainer has no smok\..* Did you mean smoke\?$"):
            check_command("train", [*words, "trainer=smok"])


def test_the_package_of_the_run_is_named(run: Path) -> None:
    (run / "config.yaml").write_text(TARGETS % "distant")
    began = "resume=run: the run began with code of distant"
    absent = (
        ", and there is no package distant, neither installed nor in the current folder: install it, or run this beside it with"
    )
    assert told(run, UNKNOWN) == [f"{began}{absent} CSRGAN_ALLOW=distant."]
    assert told(run, f"{UNKNOWN} The package distant here has conf/generator: name it in CSRGAN_ALLOW=distant.") == []
    Path("distant").mkdir()
    assert told(run, "conf/ has no loss/steep. Its choices: loss/image.") == [f"{began}: name it in CSRGAN_ALLOW=distant."]
    assert told(run, "logger has no lines. Its choices: csv.") != []
    for other in (
        "generator has no othr. Its choices: unet.",
        "conf/ has no loss/stee. Its choices: loss/image.",
        "seed=-1 is below 0.",
    ):
        assert told(run, other) == []


def test_a_run_of_allowed_packages_needs_a_folder(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (run / "config.yaml").write_text(TARGETS % "distant")
    monkeypatch.setenv(announced.ALLOW, "distant")
    assert "--config-dir=FOLDER" in told(run, UNKNOWN)[0]
    monkeypatch.setenv(announced.CONF, "conf")
    assert told(run, UNKNOWN) == []
