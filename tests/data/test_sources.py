"""What data.train and data.valid accept: one or several folders and links in them; what is refused and what is left out."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from commands import SMOKE
from forked import as_nobody
from PIL import Image
from rich.console import Console
from streamed import photographs, same, stream

from csrgan.cli import main
from csrgan.data import pairs, picture, shards
from csrgan.data.cache import Cache
from csrgan.data.search import find_pictures
from csrgan.data.shards import Sharded
from csrgan.data.sources import Files, in_folder
from csrgan.errors import UserError

QUIET = Console(quiet=True)


def photograph(file: Path, seed: int = 0, side: int = 40) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (side, side + 4, 3), np.uint8)).save(file)
    return file


def names(*source: str, key: str = "data.train") -> list[str]:
    return [file.name for file in Files(source[0] if len(source) == 1 else list(source), key).files()]


PAIRS = [
    ("sharp", "low"),
    ("hr", "lr"),
    ("HR", "LR_bicubic"),
    ("GT", "LQ"),
    ("gt", "Input"),
    ("target", "input"),
    ("clean", "noisy"),
    ("sharp", "blur"),
    ("train_sharp", "train_blur_bicubic"),
    ("groundtruth", "inputs"),
    ("high", "low"),
    ("GTmod12", "LRbicx4"),
    ("DIV2K_train_HR", "DIV2K_train_LR_bicubic"),
    ("HR", "X4"),
]


@pytest.mark.parametrize(("sharp", "low"), PAIRS)
@pytest.mark.parametrize("below", ["", "scene 1/"])
def test_a_folder_of_pairs_is_refused(sharp: str, low: str, below: str, tmp_path: Path) -> None:
    for name in (sharp, low):
        photograph(tmp_path / below / name / "a.png")
    photograph(tmp_path / "sheet.png")
    with pytest.raises(UserError) as told:
        names(str(tmp_path), key="data.valid")
    expected = (
        f"data.valid={tmp_path} looks like pairs of sharp and degraded pictures ({below}{sharp}/ and {below}{low}/), and all"
        f" of them would be degraded: take the pairs as they are with data=pairs data.valid={tmp_path}, or name only the sharp"
        f" ones, as data.valid={tmp_path}/{below}{sharp}."
    )
    assert str(told.value) == expected
    assert names(str(tmp_path / below / sharp)) == ["a.png"]


def test_many_folders_of_pairs_and_pairs_in_one_folder_are_refused(tmp_path: Path) -> None:
    for scene in range(5):
        for name in ("sharp", "blur"):
            photograph(tmp_path / "scenes" / str(scene) / name / "a.png")
    with pytest.raises(
        UserError, match=r"0/sharp/ and 0/blur/, and 4 more.*data\.train=\[\S+0/sharp,\S+1/sharp,\S+2/sharp,\.\.\.\]"
    ):
        names(str(tmp_path / "scenes"))
    for name in ("baby_HR", "baby_LR", "bird_HR", "bird_LR", "beside"):
        photograph(tmp_path / "one" / f"{name}.png")
    with pytest.raises(UserError, match=r"\(baby_HR\.png and baby_LR\.png\).*put the sharp ones into a separate folder"):
        names(str(tmp_path / "one"))
    with pytest.raises(UserError, match="looks like pairs"):
        names("astronaut", str(tmp_path / "one"))


@pytest.mark.parametrize(
    "folder", ["high school", "low tide", "Ford GT", "LR exports", "x2", "inputs", "gravel", "hrv", "2019", "sr"]
)
def test_one_folder_name_alone_is_not_a_pair(folder: str, tmp_path: Path) -> None:
    photograph(tmp_path / folder / "a.png")
    photograph(tmp_path / "photos" / "b.png")
    for name in ("IMG_1", "IMG_1_2", "sea", "sea_low", "a", "b", "c", "d"):
        photograph(tmp_path / "photos" / f"{name}.png")
    assert len(names(str(tmp_path))) == 9
    assert not pairs.is_low("high") and not pairs.is_sharp("low")


def test_the_output_of_degrade_is_not_degraded_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photograph(tmp_path / "photos" / "a.png", side=64)
    assert main(["degrade", f"source={tmp_path}/photos", f"destination={tmp_path}/out", "format=npy"]) == 0
    words = [f"data.valid={tmp_path}/out", "panels=0", f"run_dir={tmp_path}/run"]
    assert main(["evaluate", "system=wiener", "degradation=readme", *words]) == 2
    assert f"name only the sharp ones, as data.valid={tmp_path}/out/sharp." in capsys.readouterr().err
    assert main(["prepare", "data=folder", f"data.train={tmp_path}/out", f"data.cache={tmp_path}/cache"]) == 2
    assert main(["train", *SMOKE, f"data.train={tmp_path}/out", f"run_dir={tmp_path}/run"]) == 2
    assert capsys.readouterr().err.count(f"data.train={tmp_path}/out/sharp.") == 2


def test_linked_folders_are_followed_once(tmp_path: Path) -> None:
    root = tmp_path / "root"
    photograph(root / "z" / "1.png")
    photograph(tmp_path / "elsewhere" / "deep" / "2.png")
    photograph(tmp_path / "elsewhere" / "3.png")
    for link, target in {
        "a": root / "z",  # what is in place keeps its name
        "b": tmp_path / "elsewhere",
        "c": tmp_path / "elsewhere",
        "d": tmp_path / "elsewhere" / "deep",
        "round": root,
        "z/up": root,
        "broken": tmp_path / "nowhere",
    }.items():
        (root / link).symlink_to(target)
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path)
    photograph(tmp_path / "aside.png")
    assert names(str(root)) == ["b/3.png", "b/back/aside.png", "b/deep/2.png", "z/1.png"]
    (tmp_path / "link").symlink_to(root)
    assert len(find_pictures(tmp_path / "link").files) == 4
    found = find_pictures(root, exclude=tmp_path / "elsewhere" / "deep")
    assert [file.name for file in found.files] == ["3.png", "aside.png", "1.png"]


def test_left_out_files_are_reported_in_one_line(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    frames = [Image.fromarray(np.full((40, 40, 3), value, np.uint8)) for value in (0, 90, 200)]
    photos.mkdir()
    for name in ("a.tif", "b.webp", "c.png"):
        frames[0].save(photos / name, save_all=True, append_images=frames[1:])
    frames[0].save(photos / "d.gif")
    photograph(photos / "plain.png")
    for name in ("1.HEIC", "2.heic", "sub/a.cr2", "a.dng", "a.avif", "notes.txt", "e.gif"):
        (photos / name).parent.mkdir(exist_ok=True)
        (photos / name).touch()
    for _ in range(2):  # also when it is known from before
        said = io.StringIO()
        found = Files(str(photos), "data.train").pictures(Cache(tmp_path / "cache", 10), [], Console(file=said, width=300))
        assert len(found.names) == 4
        assert said.getvalue() == (
            "data.train: left out: 1 .avif, 1 .cr2, 1 .dng, 2 .gif, 2 .heic,"
            " 6 further pages or frames of 3 pictures (only the first is read)\n"
        )
        assert not found.pixels(0).any()
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "a.NEF").touch()
    with pytest.raises(UserError, match=r"raw holds no picture \(bmp, .*\); left out: 1 \.nef"):
        names(str(tmp_path / "raw"))
    assert picture.frames(photos / "a.tif") == 3
    assert picture.frames(photos / "plain.png") == picture.frames(photos / "1.HEIC") == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="becomes another user in a process of its own, which needs fork")
def test_an_unreadable_folder_is_reported(tmp_path: Path) -> None:
    photograph(tmp_path / "photos" / "a.png")
    photograph(tmp_path / "photos" / "private" / "b.png").parent.chmod(0)

    def left_out() -> bool:
        found = find_pictures(tmp_path / "photos")
        return [file.name for file in found.files] == ["a.png"] and list(found.left_out.values()) == [1]

    assert as_nobody(left_out, tmp_path)
    (tmp_path / "photos" / "private").chmod(0o755)


def test_several_folders_form_one_set_with_distinct_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place, name in enumerate(("2019/sea/a.png", "2020/sea/a.png", "2020/sea/b.png", "other/deep/c.png")):
        photograph(tmp_path / name, place)
    monkeypatch.chdir(tmp_path)
    assert names("2019/sea", "2020/sea", "other") == ["2019/sea/a.png", "2020/sea/a.png", "2020/sea/b.png", "other/deep/c.png"]
    assert names("2019", "2020", "astronaut") == ["2019/sea/a.png", "2020/sea/a.png", "2020/sea/b.png", "astronaut.png"]
    assert names("2020", "2020/sea", "./2020") == ["2020/sea/a.png", "2020/sea/b.png"]  # none twice
    assert names("other/../2020/sea", "2019") == ["sea/a.png", "sea/b.png", "2019/sea/a.png"]
    assert [file.name for file in Files(["2020"], "data.train").files()] == ["sea/a.png", "sea/b.png"]
    photograph(tmp_path / "m" / "p" / "q" / "1.png")
    photograph(tmp_path / "n" / "p" / "q" / "1.png")
    photograph(tmp_path / "o" / "q" / "1.png")
    found = names("m/p", "n/p/q", "o/q")
    assert len(set(found)) == 3
    assert all(name.endswith(f"{place}/1.png") for name, place in zip(found, ("m/p/q", "n/p/q", "o/q"), strict=True))


def test_a_name_that_is_neither_a_folder_nor_in_the_wheel_is_refused(tmp_path: Path) -> None:
    photograph(tmp_path / "photos" / "a.png")
    with pytest.raises(UserError, match=r"wheel has no phtoos\. Its choices: .*There is no folder phtoos either"):
        names(str(tmp_path / "photos"), "phtoos")
    for odd in ("", "None"):
        with pytest.raises(UserError, match="There is no folder"):
            names(str(tmp_path / "photos"), odd)
    pictures = Cache(tmp_path / "cache", 0).prepare(in_folder(tmp_path / "photos"), QUIET)
    shards.write(pictures, tmp_path / "shards", 1, QUIET)
    with pytest.raises(UserError, match=r"shards holds shards, which cannot be part of a list"):
        photographs(train=[str(tmp_path / "shards"), str(tmp_path / "photos")]).train_dataloader()


def test_a_list_of_folders_is_trained_on_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for place in ("2019", "2020"):
        for k in range(2):
            photograph(tmp_path / place / f"{k}.png", int(place) + k, 64)
    both = f"[{tmp_path}/2019,{tmp_path}/2020,astronaut]"
    words = ["train", *SMOKE, "data=folder", "data.workers=0", "trainer.images=8", "data.crop=32"]
    words += [f"data.train={both}", f"data.valid=[{tmp_path}/2020,chelsea]", f"data.cache={tmp_path}/cache"]
    assert main([*words, f"run_dir={tmp_path}/run"]) == 0
    told = capsys.readouterr().out
    assert "2 of 3 photographs of data.valid are also in data.train (2020/0.png, 2020/1.png): their scores say little" in told
    rows = (tmp_path / "run" / "results.csv").read_text()
    assert "2020/0.png" in rows and "chelsea.png" in rows
    one, other = (stream(photographs(train=[f"{tmp_path}/2019", f"{tmp_path}/2020"], workers=count)) for count in (0, 1))
    assert same(one, other)


def test_a_photograph_in_both_sets_is_reported(tmp_path: Path) -> None:
    for k in range(5):
        photograph(tmp_path / "train" / f"{k}.png", k, 64)
        photograph(tmp_path / "valid" / f"other name {k}.bmp", k, 64)  # the same pixels
    photograph(tmp_path / "valid" / "new.png", 9, 64)

    def said(train: Path) -> str:
        stream = io.StringIO()
        data = photographs(train=str(train), valid=str(tmp_path / "valid"), cache=str(tmp_path / "cache"))
        data.examine(Console(file=stream, width=300), train=True)
        return stream.getvalue()

    first = "(other name 0.bmp, other name 1.bmp, other name 2.bmp and 2 more)"
    assert f"5 of 6 photographs of data.valid are also in data.train {first}" in said(tmp_path / "train")
    photograph(tmp_path / "apart" / "a.png", 77, 64)
    assert said(tmp_path / "apart") == ""
    packed = Cache(tmp_path / "cache", 0).prepare(in_folder(tmp_path / "valid"), QUIET)
    shards.write(packed, tmp_path / "shards", 1, QUIET)
    assert len(Sharded(str(tmp_path / "shards")).names) == 6
    assert "6 of 6 photographs of data.valid" in said(tmp_path / "shards")
