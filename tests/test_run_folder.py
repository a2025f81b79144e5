"""What csrgan calls its files and folders stands in one place."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from csrgan import run_folder
from csrgan.config.location import PACKAGE

HERE = Path(run_folder.__file__)
NAMES = {value for name, value in vars(run_folder).items() if name.isupper()}
SOURCES = [file for file in sorted(PACKAGE.rglob("*.py")) if file != HERE and PACKAGE / "template" not in file.parents]
PATH = re.compile(r"[\w./*?-]+")  # what is longer is a sentence, and may name a file
OTHERS = {  # of the cache of decoded photographs, which no run writes
    *(("data/cache.py", "pictures"), ("data/marker.py", "pictures")),
    *(("data/archive.py", ".lock"), ("data/marker.py", ".lock")),
}


def literals(tree: ast.AST) -> Iterator[tuple[str, bool]]:
    """Every string in the code, of a formatted one its fixed parts; and whether it stands beside a `/`, as a part of a path."""
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
    parts = {
        side
        for node in ast.walk(tree)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)
        for side in (node.left, node.right)
    }
    whole = {each for part in parts for each in ([part, *part.values] if isinstance(part, ast.JoinedStr) else [part])}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in texts:
            yield node.value, node in whole


def written(source: str) -> set[str]:
    """The names of run_folder that a source writes out. One without a dot, such as `pictures`, is a word of its own elsewhere: it
    counts in a path alone."""
    result = set()
    for text, divided in literals(ast.parse(source)):
        names = set(text.split("/")) & NAMES if PATH.fullmatch(text) else set()
        result |= {name for name in names if "." in name or divided or "/" in text}
    return result


def test_no_other_code_writes_a_name_of_a_run_folder() -> None:
    found = {(file.relative_to(PACKAGE).as_posix(), name) for file in SOURCES for name in written(file.read_text(encoding="utf-8"))}
    assert found == OTHERS


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ('folder / "summary.json"', {"summary.json"}),
        ('open("results.csv")', {"results.csv"}),
        ('folder / "panels"', {"panels"}),
        ('folder / f"panels/{name}"', {"panels"}),
        ('folder.glob("pictures/*/S.png")', {"pictures", "S.png"}),
        ('f"checkpoints/{name}.ckpt"', {"checkpoints"}),
        ('settings["panels"]', set()),
        ('raise UserError(f"{folder} has no config.yaml")', set()),
        ('"""metrics.csv"""', set()),
    ],
)
def test_the_search_finds_names(source: str, names: set[str]) -> None:
    assert written(source) == names


def test_each_name_has_one_constant() -> None:
    assert len(NAMES) == sum(name.isupper() for name in vars(run_folder))
    assert not any("/" in name for name in NAMES)


def test_run_folder_imports_nothing_but_the_standard_library() -> None:
    tree = ast.parse(HERE.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        named = [each.name for each in node.names] if isinstance(node, ast.Import) else []
        named += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
        assert {name.partition(".")[0] for name in named} <= sys.stdlib_module_names
