"""A file or folder that is given without its key, where it can mean one thing."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import skimage.data
import torch
from folders import rows, save

from csrgan.cli import main
from csrgan.cli.bare_words import BARE, SEVERAL, with_keys
from csrgan.config import paths
from csrgan.data import picture
from csrgan.errors import UserError


@pytest.mark.parametrize("command", sorted({**BARE, **SEVERAL}))
def test_a_bare_word_gets_its_key_wherever_it_stands(command: str) -> None:
    key = {**BARE, **SEVERAL}[command]
    assert with_keys(command, ["a.png", "x=1"]) == [f"{key}=a.png", "x=1"]
    assert sorted(with_keys(command, ["x=1", "--help", "a.png"])) == ["--help", f"{key}=a.png", "x=1"]
    assert with_keys(command, [f"{key}=a.png"]) == [f"{key}=a.png"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "x question=Does it matter?",
            "question=Does it matter?: a text of several words needs quotes, as in question='Does it matter?'.",
        ),
        ("title=My net x y", "title=My net x y: a text of several words needs quotes, as in title='My net x y'."),
        (
            "x label.system=dan=DAN two",
            "label.system=dan=DAN two: a text of several words needs quotes, as in label.system=dan='DAN two'.",
        ),
        ("x baseline=seed=1 loss/image=l1 title=y", "baseline=seed=1 loss/image=l1: a text of several words needs quotes, as in"),
    ],
)
def test_a_text_that_a_shell_has_torn_apart_needs_quotes(words: str, said: str) -> None:
    with pytest.raises(UserError) as told:
        with_keys("report", words.split(" "))
    assert str(told.value).startswith(said)


@pytest.mark.parametrize(
    "words", ["x baseline=seed=1 table=sets", "x baseline=seed=1 tabl=sets", "title=y x", "x label.a=b label.c=d"]
)
def test_words_that_belong_to_no_text_are_left_alone(words: str) -> None:
    assert "folder=x" in with_keys("report", words.split(" "))


def test_pictures_are_degraded_by_their_name_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo = tmp_path / "a=b.png"

    picture.write(photo, torch.from_numpy(skimage.data.chelsea()[:64, :64].copy()).permute(2, 0, 1) / 255)
    assert main(["degrade", str(photo), f"destination={tmp_path / 'out'}"]) == 0
    assert main(["degrade", str(photo), f"source={tmp_path}", f"destination={tmp_path / 'out'}"]) == 2
    told = capsys.readouterr().err
    assert f"degrade takes source as words without a key or as source=, not as both: source={tmp_path}, {photo}." in told
    assert main(["restore", str(tmp_path / "none.png"), "checkpoint=photo", f"destination={tmp_path / 'out'}"]) == 2
    assert f"source={tmp_path / 'none.png'} does not exist" in capsys.readouterr().err


def test_several_pictures_and_folders_are_restored_and_degraded_as_a_shell_lists_them(
    checkpoint: Path, photos: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each once, under its own name; one that is no picture is skipped; without a key, or as a list."""
    for name in ("odd, [1] ${x} 'a'.png", "z=1.png"):
        save(tmp_path / name, 3)
    (tmp_path / "notes.png").write_text("no picture")
    pictures = [str(tmp_path / name) for name in ("odd, [1] ${x} 'a'.png", "z=1.png", "notes.png")]
    given = [*pictures, str(photos), str(photos / "a.png"), f"{photos}/../photos/b.png"]
    assert main(["restore", *given, f"checkpoint={checkpoint}", f"destination={tmp_path}/out", "scores=false"]) == 1
    out, err = capfd.readouterr()
    assert "7 restored, 1 skipped" in out
    assert "skipped: " in err and "notes.png" in err
    names = [row["file"] for row in rows(tmp_path / "out")]
    assert len(names) == len(set(names)) == 7
    assert names[:3] == ["odd, [1] ${x} 'a'.png", "z=1.png", "a.png"]
    assert main(["degrade", f"source=[{photos}/a.png, {photos}/deeper]", f"destination={tmp_path}/set"]) == 0
    assert sum(1 for _ in (tmp_path / "set" / "sharp").rglob("*.png")) == 1 + sum(1 for _ in (photos / "deeper").rglob("*.*"))


def test_names_that_clash_and_names_of_nothing_are_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("one", "two", "three"):
        for name in ("a.png", "b.png"):
            save(tmp_path / folder / name)
    words = ["checkpoint=photo", f"destination={tmp_path}/out"]
    assert main(["restore", *(str(tmp_path / folder / "a.png") for folder in ("one", "two")), *words]) == 2
    one, two = (f"{tmp_path}/{folder}/a.png" for folder in ("one", "two"))
    assert f"csrgan restore: {one} and {two} would both become a.png: rename one of them.\n" in capsys.readouterr().err
    assert main(["restore", *(str(tmp_path / folder) for folder in ("one", "two", "three")), *words]) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert said.endswith("would all become a.png, and 1 more names clash: rename them, or choose a destination for each folder.")
    assert main(["restore", *(f"{tmp_path}/{index}.png" for index in range(9)), *words]) == 2
    assert capsys.readouterr().err.endswith("2.png and 6 more do not exist.\n")


def test_thousands_of_names_take_no_time_to_read() -> None:
    names = [f"IMG {index:05d}.jpg" for index in range(10_000)]
    begin = time.monotonic()
    (word,) = paths.for_hydra(with_keys("restore", names))
    assert time.monotonic() - begin < 2
    assert paths.with_decoded_paths(word) == f"source={','.join(names)}"
