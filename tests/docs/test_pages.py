"""Every shell and Python block of README and of the site runs, in the order of its page, in a folder of its own."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pages import READ, ROOT, RUN, Block, blocks, files
from PIL import Image
from shell import Shell, shell
from skimage import data

from csrgan.cli.bare_words import BARE
from csrgan.config import faults, paths

QUICK = READ  # make test runs these pages, make docs the others
REASONS = (
    "needs a network",
    "needs a GPU",
    "needs a cluster",
    "needs several devices",
    "needs an account",
    "needs files of others",
    "needs a program of others",
    "changes this checkout",
    "goes on until it is stopped",
    "see above",
)

UNCHECKED = ("new", "completion", "--version", "--config-dir")
STARTERS = ("srun", "torchrun", "nohup", "time", "exec")  # they run the command that follows


@pytest.fixture(scope="module")
def bash(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    with shell(tmp_path_factory.mktemp("shell")) as started:
        yield started


@pytest.fixture(scope="module")
def supplies(tmp_path_factory: pytest.TempPathFactory, bash: Shell) -> Path:
    """What every page takes for granted: photographs, and the run of the first tutorial."""
    folder = tmp_path_factory.mktemp("supplies")
    pictures = {"train": ("astronaut", "coffee", "chelsea", "rocket"), "valid": ("chelsea", "coffee")}
    for name, names in pictures.items():
        (folder / "photos" / name).mkdir(parents=True)
        for index, each in enumerate(names):
            corner = 40 * index if name == "train" else 130
            picture = Image.fromarray(getattr(data, each)()[corner : corner + 160, corner : corner + 160])
            picture.save(folder / "photos" / name / f"{each}.png")
    shutil.copy(folder / "photos" / "valid" / "chelsea.png", folder / "photo.png")
    status, printed = bash.run("csrgan train run_dir=runs/first", folder, SMOKE="[]")
    assert status == 0, printed
    return folder


def _pages() -> list[object]:
    names = [
        str(file.relative_to(ROOT))
        for file in files()
        if any(block.language in RUN for block in blocks(file.read_text(encoding="utf-8")))
    ]
    return [name if name in QUICK else pytest.param(name, marks=pytest.mark.docs) for name in names]


@pytest.mark.parametrize("name", _pages())
def test_the_blocks_of_the_page_run(name: str, bash: Shell, supplies: Path, tmp_path: Path) -> None:
    shutil.copytree(supplies, tmp_path, dirs_exist_ok=True)
    python = ""
    for block in blocks((ROOT / name).read_text(encoding="utf-8")):
        place = f"{name}:{block.line}"
        if "before" in block.marks:
            status, printed = bash.run(block.marks["before"], tmp_path)
            assert status == 0, f"{place}: {printed}"
        if "not run" in block.marks:
            assert any(block.marks["not run"].startswith(reason) for reason in REASONS), f"{place}: the reason is none of {REASONS}"
            _check(block, place)
        elif "file" in block.marks:
            file = tmp_path / block.marks["file"]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.code, encoding="utf-8")
        elif block.language in ("bash", "python", "diff"):
            python = (python if "continues" in block.marks else "") + block.code if block.language == "python" else python
            _run(block, python, place, bash, tmp_path)


def _run(block: Block, python: str, place: str, bash: Shell, folder: Path) -> None:
    settings = {"SMOKE": json.dumps(shlex.split(block.marks["smoke"]))} if "smoke" in block.marks else {}
    if block.language == "bash":
        status, printed = bash.run(block.code, folder, **settings)
    else:
        (folder / "block").write_text(python if block.language == "python" else block.code, encoding="utf-8")
        script = "python block" if block.language == "python" else "patch --strip=1 --forward --no-backup-if-mismatch < block"
        status, printed = bash.run(script, folder, **settings)
    assert status == (2 if "fails" in block.marks else 0), f"{place} ended with {status}:\n{block.code}\n{printed[-4000:]}"
    assert "Traceback" not in printed, f"{place}:\n{printed[-4000:]}"


def _check(block: Block, place: str) -> None:
    """Check the commands of a block that is not run: their words compose a configuration, and `make` has their targets."""
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for words in _commands(block.code) if block.language == "bash" else ():
        if words[0] == "make":
            assert {word for word in words[1:] if "=" not in word} <= set(targets), f"{place}: {words}"
        elif Path(words[0]).name == "csrgan" and words[1:] and not any(word.startswith(UNCHECKED) for word in words[1:]):
            command, *rest = words[1:]
            if command in BARE and rest and "=" not in rest[0] and not rest[0].startswith("-"):  # as in `csrgan report FOLDER`
                rest[0] = f"{BARE[command]}={rest[0]}"
            faults.check_command(command, paths.for_hydra(rest))


def _commands(script: str) -> Iterator[list[str]]:
    """Yield the words of each command of a script, without settings of the environment and without what starts other commands."""
    tokens = shlex.shlex(
        re.sub(r"(^|\s)#.*", "", script, flags=re.MULTILINE).replace("\\\n", " ").replace("\n", " ; "),
        punctuation_chars="&;|",
        posix=True,
    )
    tokens.whitespace_split, tokens.commenters = True, ""
    words: list[str] = []
    for token in [*tokens, ";"]:
        if set(token) - set("&;|"):
            words.append(token)
            continue
        begin = next((index for index, word in enumerate(words) if "=" not in word and word not in STARTERS), len(words))
        if words[begin:]:
            yield words[begin:]
        words = []
