"""ARCHITECTURE.md says what the code is."""

from __future__ import annotations

import re

import pytest
from architecture import FILE, HERE, arrows, layers, reduced, written

PACKAGE = HERE / "src" / "csrgan"
WITHOUT_CODE = {"models", "template"}


def test_the_picture_is_that_of_the_imports() -> None:
    assert FILE.read_text(encoding="utf-8") == written(), "make architecture draws it anew"


def test_every_package_is_in_a_layer_and_in_the_table() -> None:
    rooms = {path.stem for path in PACKAGE.iterdir() if path.suffix in ("", ".py") and not path.name.startswith(("_", "py.typed"))}
    ranked = [name for names in layers() for name in names]
    assert set(ranked) == rooms - WITHOUT_CODE
    table = FILE.read_text(encoding="utf-8").partition("## Packages")[2].partition("The picture below")[0]
    assert rooms - WITHOUT_CODE == {name.strip("/").removesuffix(".py") for name in re.findall(r"`(\w+(?:/|\.py))`", table)} & rooms


def test_an_arrow_that_others_imply_is_left_out() -> None:
    assert reduced({("a", "b"), ("b", "c"), ("a", "c"), ("a", "d")}) == [("a", "b"), ("a", "d"), ("b", "c")]


def test_every_arrow_points_down() -> None:
    rank = {name: number for number, names in enumerate(layers()) for name in names}
    assert [(one, other) for one, other in arrows() if rank[one] >= rank[other]] == []


@pytest.mark.parametrize("file", ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md"])
def test_every_file_that_is_named_is_there(file: str) -> None:
    text = (HERE / file).read_text(encoding="utf-8")
    named = {name for name in re.findall(r"`([\w/]+/\w+\.(?:py|yaml))`", text) if not re.search("[A-Z]{4}", name)}
    roots = (HERE, PACKAGE, PACKAGE.parent, HERE / "conf")
    assert [name for name in named if not any((root / name).is_file() for root in roots)] == []
