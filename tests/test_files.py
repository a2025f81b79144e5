"""Files that others read: JSON that is JSON, cells that are text, and parts that are no pictures."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from PIL import Image

from csrgan import files
from csrgan.data.search import find_pictures
from csrgan.errors import UserError


def test_json_has_null_for_nan_and_inf(tmp_path: Path) -> None:
    files.write_json(tmp_path / "a.json", {"a": math.nan, "b": [{"c": -math.inf, "d": 1.5}], "e": (math.inf, "nan", None, 3, True)})
    text = (tmp_path / "a.json").read_text()
    content = json.loads(text, parse_constant=pytest.fail)
    assert content == {"a": None, "b": [{"c": None, "d": 1.5}], "e": [None, "nan", None, 3, True]}
    assert text.endswith("\n")


def test_a_cell_is_one_line_and_no_formula() -> None:
    plain = ["a.png", "a=b.png", "ünï [x].png", "'quoted'", "", "1.png"]
    assert [files.table_cell(name) for name in plain] == plain
    assert [files.table_cell(name) for name in ("=1", "+a", "-a", "@a", "＝1")] == ["'=1", "'+a", "'-a", "'@a", "'＝1"]
    assert files.table_cell("a\nb\r\tc\x7f\u2028.png") == "a\\x0ab\\x0d\\x09c\\x7f\\x2028.png"


def test_an_unfinished_file_is_not_a_picture(tmp_path: Path) -> None:
    """Of a killed process, in a folder that is then read."""
    for name in (".0badcafe.part.png", ".csrgan/part.png", "deeper/.csrgan/part.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4)).save(tmp_path / name)
    with pytest.raises(UserError, match="holds no picture"):
        find_pictures(tmp_path)
    Image.new("RGB", (4, 4)).save(tmp_path / ".hidden.png")
    assert [file.name for file in find_pictures(tmp_path).files] == [".hidden.png"]
