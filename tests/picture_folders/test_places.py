"""Where results go: into another folder, and over nothing that csrgan did not write."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from composed import composed
from folders import NAMES, rows, save, tree
from omegaconf import OmegaConf
from PIL import Image

from csrgan.cli import degrade, main, restore
from csrgan.errors import UserError
from csrgan.picture_folders.places import clashes


def _in_the_parent(at: Path) -> None:
    save(at / "ow" / "a.png", 7)
    save(at / "ow" / "sub" / "a.png")


def _own_table(at: Path) -> None:
    save(at / "in" / "a.png")
    (at / "out").mkdir()
    (at / "out" / "parameters.csv").write_text("mine\n")


def _hard_link(at: Path) -> None:
    save(at / "in" / "a.png")
    (at / "out").mkdir()
    os.link(at / "in" / "a.png", at / "out" / "a.png")


def _symbolic_link(at: Path) -> None:
    save(at / "in" / "a.png")
    save(at / "mine.png", 7)
    (at / "out").mkdir()
    (at / "out" / "a.png").symlink_to(at / "mine.png")


def _link_to_nothing(at: Path) -> None:
    save(at / "in" / "a.png")
    (at / "out").mkdir()
    (at / "out" / "a.png").symlink_to(at / "later.png")


def _folder_that_is_a_link(at: Path) -> None:
    save(at / "in" / "deeper" / "a.png")
    (at / "out").mkdir()
    (at / "out" / "deeper").symlink_to(at / "in" / "deeper")


def _within(at: Path) -> None:
    save(at / "ow" / "sub" / "sub" / "b.png")


def _in_the_way(at: Path) -> None:
    save(at / "in" / "a.png")
    save(at / "in" / "b" / "c.png")
    (at / "out" / "a.png").mkdir(parents=True)
    (at / "out" / "b").write_text("mine")


def _a_file(at: Path) -> None:
    save(at / "in" / "a.png")
    (at / "out").write_text("mine")


def _plain(at: Path) -> None:
    save(at / "in" / "a.png")


IN_OUT = ("source={}/in", "destination={}/out")


HELD = [
    (_in_the_parent, ("source={}/ow/sub", "destination={}/ow"), "ow already holds a.png, which csrgan did not write"),
    (_own_table, IN_OUT, "out already holds parameters.csv, which csrgan did not write"),
    (_hard_link, IN_OUT, "a.png would be written among the pictures of source="),
    (_symbolic_link, IN_OUT, "out already holds a.png, which csrgan did not write"),
    (_link_to_nothing, IN_OUT, "out already holds a.png, which csrgan did not write"),
    (_folder_that_is_a_link, IN_OUT, "deeper/a.png would be written among the pictures of source="),
    (_within, ("source={}/ow/sub", "destination={}/ow"), "sub/b.png would be written among the pictures of source="),
    (_in_the_way, IN_OUT, "out has folders or files where a.png, b/c.png would be written"),
    (_a_file, IN_OUT, "out is a file: choose a folder."),
    (_plain, ("source={}/in/a.png", "destination={}/in"), "in is the folder of the source"),
    (_plain, ("source=", "destination={}/out"), "source= is not a path: give it as source=VALUE."),
    (_plain, ("source={}/in", "destination="), "destination= is not a path: give it as destination=VALUE."),
    (_plain, ("source={}/in", "destination=null"), "destination=None is not a path: give it as destination=VALUE."),
]


EITHER = [held for held in HELD if "parameters.csv" in held[2] or " is " in held[2]]  # degrade writes pictures of other names


@pytest.mark.parametrize(
    ("command", "make", "given", "said"), [*(("restore", *held) for held in HELD), *(("degrade", *held) for held in EITHER)]
)
def test_what_the_user_has_is_not_overwritten(
    command: str,
    make: Callable[[Path], None],
    given: tuple[str, ...],
    said: str,
    tmp_path: Path,
) -> None:
    """Found before a checkpoint is even read: there is none."""
    make(tmp_path)
    before = tree(tmp_path)
    settings = composed("source=a", "destination=b", *(["degradation=readme"] if command == "restore" else []), command=command)
    for word in given:
        key, _, value = word.format(tmp_path).partition("=")
        settings[key] = None if value == "null" else value
    with pytest.raises(UserError, match=re.escape(said)):
        {"restore": restore, "degrade": degrade}[command].run(OmegaConf.create(settings | {"checkpoint": "absent"}))
    assert tree(tmp_path) == before


def test_a_user_who_says_so_has_files_replaced_and_no_link_is_written_through(restoring: list[str], tmp_path: Path) -> None:
    save(tmp_path / "mine.png", 7)
    before = (tmp_path / "mine.png").read_bytes()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.png").symlink_to(tmp_path / "mine.png")
    os.link(tmp_path / "mine.png", tmp_path / "out" / "b.png")
    (tmp_path / "out" / "parameters.csv").symlink_to(tmp_path / "mine.png")
    assert main([*restoring, "overwrite=true"]) == 0
    assert (tmp_path / "mine.png").read_bytes() == before
    assert not (tmp_path / "out" / "a.png").is_symlink()
    assert len(rows(tmp_path / "out")) == len(NAMES)


def test_many_conflicts_are_told_by_a_few_names_and_a_count(
    restoring: list[str], photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(photos, tmp_path / "out")
    assert main(restoring) == 2
    assert "out already holds a.png, b.png, c.jpg and 2 more" in capsys.readouterr().err


def test_names_that_differ_in_case_alone_clash_where_a_file_system_takes_them_for_one() -> None:
    both = [("low/photo.png", Path("photo.png")), ("low/PHOTO.png", Path("PHOTO.png")), ("parameters.csv", None)]
    assert not list(clashes(both, folded=False))
    (sentence,) = clashes(both, folded=True)
    assert sentence.startswith("PHOTO.png and photo.png would both become")


def test_what_is_left_out_of_a_folder_is_told(restoring: list[str], photos: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Further pages and frames, files of other kinds; a folder that a link leads to is restored, and once."""
    pages = [Image.new("RGB", (20, 16), colour) for colour in ("red", "green", "blue")]
    pages[0].save(photos / "pages.tif", save_all=True, append_images=pages[1:])
    pages[0].save(photos / "moving.gif", save_all=True, append_images=pages[1:])
    (photos / "raw.nef").write_bytes(b"raw")
    for name in ("notes.txt", "deeper/index", ".DS_Store", "broken.png"):
        (photos / name).write_text("no picture")
    save(photos.parent / "elsewhere" / "z.png", 9)
    (photos / "linked").symlink_to(photos.parent / "elsewhere")
    (photos / "deeper" / "back").symlink_to(photos)
    assert main(restoring) == 1
    told = capfd.readouterr().out
    assert "left out: 1 .gif, 1 .nef, 2 further pages or frames of 1 pictures (only the first is read)" in told
    assert f"{len(NAMES) + 2} restored, 1 skipped; 2 other files are no pictures: " in told
    assert (photos.parent / "out" / "linked" / "z.png").is_file()
    (photos / "index").write_text("no picture")
    assert main(["degrade", f"source={photos}", f"destination={photos.parent}/set"]) == 1
    assert "pictures degraded; 1 skipped; 3 other files are no pictures: " in capfd.readouterr().out


def test_a_set_is_not_restored_into(restoring: list[str], photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nor a set degraded into a folder of restored pictures: the two tables have other columns."""
    assert main(["degrade", f"source={photos / 'a.png'}", f"destination={tmp_path}/out"]) == 0
    assert main(restoring) == 2
    assert "out holds a set that csrgan degrade made: choose another folder." in capsys.readouterr().err
    assert main([*restoring, f"destination={tmp_path}/restored"]) == 0
    assert main(["degrade", f"source={photos}", f"destination={tmp_path}/restored"]) == 2
    assert "restored holds another set (with a.png): choose another folder" in capsys.readouterr().err
