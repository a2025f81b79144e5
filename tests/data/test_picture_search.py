"""The search of a folder for picture files."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from csrgan.data.search import find_pictures
from csrgan.errors import UserError


def test_a_folder_without_pictures_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UserError, match="holds no picture"):
        find_pictures(tmp_path)
    with pytest.raises(UserError, match="is not a folder"):
        find_pictures(tmp_path / "absent")


def test_an_excluded_folder_is_not_searched(tmp_path: Path) -> None:
    for name in ("raw/a.png", "raw/deep/b.png", "raw/out/a.png", "raw/out/deep/b.png", "raw/outside/c.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4)).save(tmp_path / name)

    def found(exclude: str) -> list[str]:
        return [str(file.relative_to(tmp_path)) for file in find_pictures(tmp_path / "raw", exclude=tmp_path / exclude).files]

    assert found("raw/out") == found("raw/deep/../out") == ["raw/a.png", "raw/deep/b.png", "raw/outside/c.png"]
    assert len(found("elsewhere")) == len(found("raw")) == len(found(".")) == 5  # none of these lies in it
