"""The pages of csrgan COMMAND --help: what they say is true, and fits on a screen."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from commands import csrgan
from hydra import compose, initialize_config_dir

from csrgan import run_folder
from csrgan.cli import COMMANDS, help, main
from csrgan.cli.bare_words import with_keys
from csrgan.cli.module import MODULES
from csrgan.cli.pages import PAGES
from csrgan.config import faults, old_names, paths, search
from csrgan.config.folder import contents
from csrgan.config.location import PACKAGE, conf
from csrgan.tree import value_at

LINES, COLUMNS, SECONDS = 40, 100, 0.3
DOCS = Path(__file__).parents[2] / "docs"
ROW = re.compile(r"^  (?P<name>\S+) +(?P<default>\[.*?\]|\S+)")  # of the table of keys
SEEN = """
import sys
from csrgan.cli import main
main([{command!r}, "--help"])
print([name for name in ("torch", "hydra", "omegaconf", "lightning", "numpy") if name in sys.modules], file=sys.stderr)
"""

Captured = pytest.CaptureFixture[str]
commands = pytest.mark.parametrize("command", COMMANDS)


@commands
def test_the_page_fits_on_a_screen(command: str) -> None:
    page = help.page(command)
    lines = page.rstrip("\n").split("\n")
    assert len(lines) <= LINES
    assert [line for line in lines if len(line) > COLUMNS or line != line.rstrip()] == []
    assert page.isascii()
    assert lines[0] == f"csrgan {command}: {COMMANDS[command]}"
    assert 2 <= len(PAGES[command].examples) <= 3 or command == "replay"
    assert len(PAGES[command].keys) <= 6


@commands
def test_the_page_is_shown_at_once_and_imports_nothing_heavy(command: str) -> None:
    before = os.times()
    done = csrgan(command, "--help")
    after = os.times()  # of the processor: the clock on the wall also measures other processes
    assert done.stdout == help.page(command)
    assert (after.children_user - before.children_user) + (after.children_system - before.children_system) < SECONDS


def test_no_page_imports_anything_heavy() -> None:
    source = "\n".join(SEEN.format(command=command) for command in COMMANDS)
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert set(done.stderr.split("\n")) == {"[]", ""}


@commands
def test_each_key_has_the_default_that_the_page_shows(command: str) -> None:
    table = help.page(command).partition("what it is, and an example\n")[2].partition("\n\n")[0]
    rows = [match for line in table.split("\n") if (match := ROW.match(line))]
    assert [row["name"] for row in rows] == list(PAGES[command].keys)
    if not rows:
        return
    with initialize_config_dir(str(conf()), version_base="1.3"):
        config = compose(command, return_hydra_config=True)
    choices, settings = dict(config.hydra.runtime.choices), contents(config, resolve=False)
    for row in rows:
        name, shown = row["name"], row["default"]
        value = choices[name] if name in choices else value_at(settings, name)
        raw = (
            re.escape(shown).replace("TIME", r"\$\{now:[^}]+\}").replace("EXPERIMENT", r"\$\{hydra:runtime\.choices\.experiment\}")
        )
        plain = "???" if shown == "needed" else yaml.safe_load(shown)
        assert plain == value or re.fullmatch(raw, str(value)), (name, shown, value)
        assert name in choices or value is not None or shown == "null", name  # the key exists


@commands
def test_each_key_has_an_example_of_its_own_and_together_they_compose(command: str) -> None:
    words: dict[str, str] = {}
    for key in help.keys(command):
        own = {word.partition("=")[0]: word for word in shlex.split(key.example)}
        assert key.name in own
        words |= own
    if words:  # completion has no configuration
        check([command, *words.values()])


@pytest.mark.parametrize(("command", "line"), [(name, line) for name, page in PAGES.items() for line in page.examples.values()])
def test_each_example_composes(command: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    if "my-nets" in line:
        assert main(["new", "my-nets"]) == 0
    assert "csrgan" in line
    for part in re.split(r" && ", line):
        words = shlex.split(part)
        while re.match(r"[A-Z_]+=", words[0]):
            monkeypatch.setenv(*words.pop(0).split("=", maxsplit=1))
        if words[0] == "cd":
            monkeypatch.chdir(words[1])
        elif words[0] == "echo":  # of completion
            assert main(shlex.split(re.findall(r"\$\(csrgan (.*)\)", part)[0])) == 0
        else:
            assert words[0] == "csrgan"
            check(words[1:])


def check(words: list[str]) -> None:
    """Raise UserError unless the words after `csrgan` compose a configuration that can run."""
    command, *rest = words
    with search.search_config_dirs(rest) as remaining:
        assert old_names.translate(remaining, command) == remaining  # no key has an old name
        faults.check_command(command, paths.for_hydra(with_keys(command, remaining)))


@commands
def test_each_file_that_a_command_writes_is_named_in_its_code(command: str) -> None:
    source = (PACKAGE / "cli" / f"{MODULES.get(command, command)}.py").read_text(encoding="utf-8")
    known = {value for name, value in vars(run_folder).items() if name.isupper()} | {"README.md"}
    names = re.findall(r"\b\w+\.(?:csv|json|npy|html|md|png|ckpt|yaml)\b", PAGES[command].writes)
    assert [name for name in names if name not in known and f'"{name}"' not in source] == []


@pytest.mark.skipif(not DOCS.is_dir(), reason="there are no sources of the site")
@pytest.mark.parametrize("name", sorted({name for page in PAGES.values() for name in page.site}))
def test_each_page_of_the_site_that_is_named_is_there(name: str) -> None:
    section, title = name.split(", ", maxsplit=1)
    headings = {folder.parent: folder.read_text(encoding="utf-8").split("\n")[0] for folder in DOCS.glob("*/index.md")}
    (folder,) = [path for path, heading in headings.items() if heading == f"# {section}"]
    titles = [file.read_text(encoding="utf-8").split("\n")[0] for file in folder.glob("*.md")]
    assert len([heading for heading in titles if heading.startswith(f"# {title}")]) == 1


@pytest.mark.skipif(not DOCS.is_dir(), reason="there are no sources of the site")
def test_the_site_shows_the_page_of_every_command() -> None:
    text = (DOCS / "reference" / "commands.md").read_text(encoding="utf-8")
    assert re.findall(r"^## csrgan (\w+)\n\n:::\{command\} (\w+)\n:::$", text, re.MULTILINE) == [(name, name) for name in COMMANDS]


def in_any_order(*shapes: str) -> Callable[[object], object]:
    return pytest.mark.parametrize("words", [shape.split() for shape in shapes], ids=shapes)


@in_any_order(
    "list --help",
    "list -h",
    "help list",
    "--help list",
    "list group=loss --help",
    "list --help nonsense=1",
    "list --he -c job",
    "help list --config-dir=nowhere",
)
def test_the_page_is_asked_for_at_any_position(words: list[str], capsys: Captured) -> None:
    assert main(words) == 0
    assert capsys.readouterr().out == help.page("list")


@pytest.mark.parametrize(
    "command",
    [
        name if name in ("restore", "list") else pytest.param(name, marks=pytest.mark.long)
        for name in COMMANDS
        if name != "completion"
    ],
)
def test_all_keys_and_choices_of_every_command_are_shown(command: str, capsys: Captured) -> None:
    assert main([command, "--help=all"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"csrgan {command}: choose with group=choice")
    tree = yaml.safe_load(printed.partition("== keys, with what they are now ==")[2])
    for key in help.keys(command):
        assert key.default == "null" or value_at(tree, key.name.replace("/", ".")) is not None, key.name


def test_all_keys_are_shown_with_what_the_words_make_of_them(capsys: Captured) -> None:
    assert main(["train", "--help", "trainer=gpu", "-h=all"]) == 0
    assert "\n  accelerator: gpu\n" in capsys.readouterr().out


def test_completion_has_no_keys_and_always_shows_its_page(capsys: Captured) -> None:
    for words in (["--help"], ["--help=all"], []):
        assert main(["completion", *words]) == 0
        assert capsys.readouterr().out == help.page("completion")


@pytest.mark.parametrize("command", ["train", "list", "completion"])
@pytest.mark.parametrize("flag", ["--help=nonsense", "--help=", "-h=ALL"])
def test_another_value_of_help_is_one_plain_sentence(command: str, flag: str, capsys: Captured) -> None:
    assert main([command, "seed=x", flag]) == 2
    spelt = flag.replace("-h=", "--help=")
    expected = f"csrgan {command}: {spelt}: --help takes no value but all, as in csrgan {command} --help=all.\n"
    assert capsys.readouterr().err == expected


@in_any_order("--help=all", "--help=all train", "-h=all")
def test_help_on_everything_names_its_command_first(words: list[str], capsys: Captured) -> None:
    assert main(words) == 2
    assert capsys.readouterr().err == f"csrgan: the command comes first, as in csrgan train {words[0]}.\n"
