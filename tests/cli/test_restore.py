"""csrgan restore over a folder: nothing of the user's is lost, nothing is done twice, and no picture ends the others."""

from __future__ import annotations

import csv
import json
import os
import re
import resource
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import checkpoints
import numpy as np
import pytest
import torch
from composed import composed
from forked import Commands
from omegaconf import OmegaConf
from PIL import Image
from training import made

from csrgan.cli import degrade, main, restore
from csrgan.cli.restore import _unlike
from csrgan.config.build import build
from csrgan.data import picture
from csrgan.fault import Fault
from csrgan.files import sole
from csrgan.systems.base import System
from csrgan.systems.degraded import Degraded

NAMES = ("a.png", "b.png", "c.jpg", "deeper/d.png", "deeper/e.png")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoints.save(tmp_path_factory.mktemp("checkpoint") / "a.ckpt")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for place, name in enumerate(NAMES):
        save(tmp_path / "photos" / name, place)
    return tmp_path / "photos"


@pytest.fixture
def words(checkpoint: Path, photos: Path, tmp_path: Path) -> list[str]:
    return ["restore", f"checkpoint={checkpoint}", f"source={photos}", f"destination={tmp_path}/out"]


def save(file: Path, seed: int = 0, shape: tuple[int, int] = (24, 20)) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (*shape, 3), np.uint8)).save(file)


def tree(folder: Path) -> dict[str, bytes]:
    """Every file, without what csrgan keeps for itself."""
    return {
        name: file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and ".csrgan" not in (name := str(file.relative_to(folder)))
    }


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "parameters.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


# What a user may have where results would go: what it makes of the folders, and the words and the sentence that come of it.


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
    (_in_the_parent, ("source={}/ow/sub", "destination={}/ow"), "ow holds a.png already, which csrgan did not write"),
    (_own_table, IN_OUT, "out holds parameters.csv already, which csrgan did not write"),
    (_hard_link, IN_OUT, "a.png would be written among the pictures of source="),
    (_symbolic_link, IN_OUT, "out holds a.png already, which csrgan did not write"),
    (_link_to_nothing, IN_OUT, "out holds a.png already, which csrgan did not write"),
    (_folder_that_is_a_link, IN_OUT, "deeper/a.png would be written among the pictures of source="),
    (_within, ("source={}/ow/sub", "destination={}/ow"), "sub/b.png would be written among the pictures of source="),
    (_in_the_way, IN_OUT, "out has folders or files where a.png, b/c.png would be written"),
    (_a_file, IN_OUT, "out is a file there: choose a folder."),
    (_plain, ("source={}/in/a.png", "destination={}/in"), "in is where the source lies"),
    (_plain, ("source=", "destination={}/out"), "source= is no path: give it as source=VALUE."),
    (_plain, ("source={}/in", "destination="), "destination= is no path: give it as destination=VALUE."),
    (_plain, ("source={}/in", "destination=null"), "destination=None is no path: give it as destination=VALUE."),
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
    with pytest.raises(Fault, match=re.escape(said)):
        {"restore": restore, "degrade": degrade}[command].run(OmegaConf.create(settings | {"checkpoint": "absent"}))
    assert tree(tmp_path) == before


def test_a_user_who_says_so_has_files_replaced_and_no_link_is_written_through(words: list[str], tmp_path: Path) -> None:
    save(tmp_path / "mine.png", 7)
    before = (tmp_path / "mine.png").read_bytes()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.png").symlink_to(tmp_path / "mine.png")
    os.link(tmp_path / "mine.png", tmp_path / "out" / "b.png")
    (tmp_path / "out" / "parameters.csv").symlink_to(tmp_path / "mine.png")
    assert main([*words, "overwrite=true"]) == 0
    assert (tmp_path / "mine.png").read_bytes() == before
    assert not (tmp_path / "out" / "a.png").is_symlink()
    assert len(rows(tmp_path / "out")) == len(NAMES)


def test_only_what_csrgan_wrote_and_nobody_changed_is_replaced(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By another enlargement, silently; but neither a picture that the user has changed, nor a table."""
    out = tmp_path / "out"
    assert main(words) == 0
    assert main([*words, "enlarge=2"]) == 0
    assert Image.open(out / "a.png").size == (40, 48)
    assert len(rows(out)) == len(NAMES)
    save(out / "a.png", 9)
    (out / "parameters.csv").write_text("mine\n")
    before = tree(out)
    capsys.readouterr()
    assert main([*words, "enlarge=1"]) == 2
    told = capsys.readouterr().err
    assert "holds parameters.csv, a.png already, which csrgan did not write, or which changed since" in told
    assert "overwrite=true" in told
    assert tree(out) == before


def test_many_conflicts_are_told_by_a_few_names_and_a_count(
    words: list[str], photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(photos, tmp_path / "out")
    assert main(words) == 2
    assert "out holds a.png, b.png, c.jpg and 2 more already" in capsys.readouterr().err


def test_rows_of_other_pictures_stay_in_the_table(words: list[str], photos: Path, tmp_path: Path) -> None:
    for name in ("a.png", "b.png", "a.png"):
        assert main([*words[:2], f"source={photos / name}", words[3]]) == 0
    assert [row["file"] for row in rows(tmp_path / "out")] == ["b.png", "a.png"]
    (tmp_path / "out" / "b.png").unlink()
    assert main(words) == 0
    assert [row["file"] for row in rows(tmp_path / "out")] == [*NAMES]


# Where a process ends, as Python to run in it first; `at` numbers the pictures from 1.
AT = """
import signal
def end(number, at, seen=[0]):
    seen[0] += 1
    if seen[0] == at:
        os.kill(os.getpid(), number)
"""
IN_NETWORK = """
from csrgan.systems.base import System
def restore(*all, plain=System.restore):
    end({number}, 3)
    return plain(*all)
System.restore = restore
"""
BEFORE_RENAME = """
from csrgan import files
def settle(part, file, plain=files.settle):
    if file.suffix in (".png", ".jpg"):
        end({number}, 3)
    plain(part, file)
files.settle = settle
"""
BEFORE_ROW = """
from csrgan import files
def settle(part, file, plain=files.settle):
    plain(part, file)
    if file.suffix in (".png", ".jpg"):
        end({number}, 3)
files.settle = settle
"""
IN_PICTURE = """
from pathlib import Path
from csrgan.config.build import build
from csrgan.data import picture
from csrgan.fault import Fault
from csrgan.files import sole
def write(path, *all, plain=picture.write, **more):
    Path(path.parent / ".01234567.part.png").write_bytes(b"half")
    end({number}, 3)
    plain(path, *all, **more)
picture.write = write
"""
ENDS = [
    (signal.SIGKILL, IN_NETWORK, 2),
    (signal.SIGKILL, BEFORE_RENAME, 2),
    (signal.SIGKILL, BEFORE_ROW, 3),
    (signal.SIGKILL, IN_PICTURE, 2),
    (signal.SIGTERM, IN_NETWORK, 2),
    (signal.SIGINT, BEFORE_RENAME, 3),
]


@pytest.fixture(scope="module")
def expected(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a run leaves that nothing stops."""
    folder = tmp_path_factory.mktemp("expected")
    for place, name in enumerate(NAMES):
        save(folder / "photos" / name, place)
    assert main(["restore", f"checkpoint={checkpoint}", f"source={folder}/photos", f"destination={folder}/out"]) == 0
    return tree(folder / "out")


@pytest.mark.parametrize(("number", "where", "done"), ENDS)
def test_a_folder_goes_on_where_it_was_stopped_or_killed(
    number: int,
    where: str,
    done: int,
    server: Commands,
    words: list[str],
    expected: dict[str, bytes],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, said = server.run(*words, before=AT + where.format(number=int(number)))
    killed = number == signal.SIGKILL
    assert status == (-9 if killed else 128 + number)
    if not killed:
        assert f"stopped: {done} of 5 pictures are restored in {tmp_path}/out; the same command goes on." in said
    if number != signal.SIGKILL or where != BEFORE_ROW:
        assert [row["file"] for row in rows(tmp_path / "out")] == [*NAMES[:done]]
    assert not {file.name for file in picture.find(tmp_path / "out")} - {"a.png", "b.png", "c.jpg"}
    if killed:  # the disk keeps half of what was written last
        for name in (".csrgan/record.jsonl", "parameters.csv"):
            with (tmp_path / "out" / name).open("ab") as stream:
                stream.write(b'{"files": {"c' if name.endswith("l") else b"c.jpg,0.1")
    assert main(words) == 0
    assert f"{done} of 5 pictures were restored before, and stay" in capsys.readouterr().out
    assert tree(tmp_path / "out") == expected
    assert {file.name for file in (tmp_path / "out" / ".csrgan").iterdir()} <= {"record.jsonl", ".lock"}


def test_what_is_done_is_not_done_again_unless_something_differs(
    words: list[str], photos: Path, tmp_path: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def again(*more: str) -> tuple[str, set[str]]:
        before = {file: file.stat().st_ino for file in (tmp_path / "out").rglob("*.*g")}
        assert main([*words, *more]) == 0
        return capsys.readouterr().out, {
            file.name for file, node in before.items() if file.is_file() and file.stat().st_ino != node
        }

    again()
    told, changed = again()
    assert "5 of 5 pictures were restored before, and stay" in told
    assert not changed
    save(photos / "b.png", 8)
    assert again()[1] == {"b.png"}
    (tmp_path / "out" / "a.png").unlink()
    assert "4 of 5 pictures" in again()[0]
    held = torch.load(checkpoint, weights_only=True)
    other = {name: weight + 1e-3 if weight.is_floating_point() else weight for name, weight in held["state_dict"].items()}
    torch.save(held | {"state_dict": other}, tmp_path / "other.ckpt")
    told, changed = again(f"checkpoint={tmp_path}/other.ckpt")
    assert "before" not in told
    assert changed == {Path(name).name for name in NAMES}


def test_two_runs_do_not_share_a_folder(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with sole(tmp_path / "out" / ".csrgan", "it"):
        assert main(words) == 2
    assert "is in use by another run" in capsys.readouterr().err


def test_one_bad_picture_does_not_end_the_others(
    words: list[str], photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Formats that cannot hold S, found before the network is asked; a file that cannot be written; memory; a network's NaN."""
    save(photos / "long.webp", shape=(1, 16383))
    save(photos / "long.jpg", shape=(1, 65500))
    save(photos / "nan.png", shape=(9, 9))
    save(photos / "large.png", shape=(8, 8))
    save(photos / "full.png", shape=(7, 7))
    seen = []
    plain, write = System.restore, picture.write

    def restored(self: System, low: torch.Tensor) -> object:
        seen.append(tuple(low.shape[-2:]))
        if low.shape[-2:] == (16, 16):
            torch.empty(2**62, dtype=torch.uint8)
        return plain(self, low * (torch.inf if low.shape[-2:] == (18, 18) else 1))

    def limited(path: Path, image: torch.Tensor, **more: object) -> None:
        """The system refuses this file, as where a quota ends."""
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        if image.shape[-1] == 14:
            resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
        try:
            write(path, image, **more)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    monkeypatch.setattr(System, "restore", restored)
    monkeypatch.setattr(picture, "write", limited)
    assert main([*words, "enlarge=2"]) == 1
    out, err = capfd.readouterr()
    assert "5 restored, 5 skipped" in out
    for name, why in {
        "long.webp": "would be 32766 px long, and a .webp file takes 16383: lower enlarge, or give it as PNG.",
        "long.jpg": "would be 131000 px long, and a .jpg file takes 65500: lower enlarge, or give it as PNG.",
        "nan.png": "what the network makes of it is not finite, and no picture.",
        "large.png": "of 8x8 px needs more memory than there is: a smaller picture, a lower enlarge or device=cpu may help.",
        "full.png": "cannot be written: File too large.",
    }.items():
        (line,) = (line for line in err.split("\n") if name in line)
        assert why in line
        assert line.startswith("csrgan restore: skipped: ")
        assert not (tmp_path / "out" / name).exists()
    assert "Traceback" not in err
    assert max(map(max, seen)) < 100
    assert [row["file"] for row in rows(tmp_path / "out")] == [*NAMES]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_network_that_is_not_finite_makes_no_picture(value: float, words: list[str], tmp_path: Path, checkpoint: Path) -> None:
    held = torch.load(checkpoint, weights_only=True)
    bad = {name: torch.full_like(weight, value) if name.endswith("bias") else weight for name, weight in held["state_dict"].items()}
    torch.save(held | {"state_dict": bad}, tmp_path / "bad.ckpt")
    assert main([*words, f"checkpoint={tmp_path}/bad.ckpt"]) == 1
    assert not list((tmp_path / "out").iterdir())
    assert main([*words[:2], f"checkpoint={tmp_path}/bad.ckpt", f"source={tmp_path}/photos/a.png", words[3]]) == 2


def test_a_full_disk_ends_the_run_and_it_goes_on_when_there_is_room(
    server: Commands, words: list[str], expected: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Writing is refused as a full disk refuses it, from the third picture on."""
    full = """
import errno
from csrgan.config.build import build
from csrgan.data import picture
from csrgan.fault import Fault
from csrgan.files import sole
def write(path, image, plain=picture.write, seen=[0], **more):
    seen[0] += 1
    if seen[0] == 3:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))
    plain(path, image, **more)
picture.write = write
"""
    status, said = server.run(*words, before=full)
    assert status == 2
    assert "out: the disk is full. 2 of 5 pictures are restored; make room, and the same command goes on." in said
    assert main(words) == 0
    assert tree(tmp_path / "out") == expected


def test_names_are_no_formulas_and_stay_in_their_line(checkpoint: Path, tmp_path: Path) -> None:
    for name in ("=1+1.png", "+a.png", "-a.png", "@a.png", "\ta.png", "a\nb.png", "a=1.png"):
        save(tmp_path / "odd" / name)
    assert main(["restore", f"checkpoint={checkpoint}", f"source={tmp_path}/odd", f"destination={tmp_path}/out"]) == 0
    told = {row["file"] for row in rows(tmp_path / "out")}
    assert told == {"'=1+1.png", "'+a.png", "'-a.png", "'@a.png", "\\x09a.png", "a\\x0ab.png", "a=1.png"}
    assert len((tmp_path / "out" / "parameters.csv").read_text().split("\n")) == 9


@pytest.mark.parametrize(
    ("name", "degradation", "factor", "said"),
    [
        ("csrgan", "readme", 8.0, "enlarge=8 makes S 8 times as large, and the model was trained for scales of 1 to 3"),
        ("csrgan", "readme", 3.0, ""),
        ("csrgan", "readme", 0.5, ""),
        (
            "srgan",
            "bicubic_x4",
            2.0,
            "enlarge=2, and the network's own 4, makes S 8 times as large, and the model was trained for scales of 4",
        ),
        ("srgan", "bicubic_x4", 0.5, "the network's own 4, makes S 2 times as large"),
        ("srgan", "bicubic_x4", 1.0, ""),
    ],
)
def test_what_the_model_was_not_trained_for_is_said(name: str, degradation: str, factor: float, said: str) -> None:
    words = [f"degradation={degradation}"] if degradation != "readme" else []
    system, _ = made(name, *words)
    told = " ".join(_unlike(system, factor))
    assert said in told
    assert bool(said) == bool(told)
    untrained = Degraded(degradation=build(composed(*words)["degradation"], "degradation"))
    assert not list(_unlike(untrained, factor))


def test_the_record_is_plain_and_names_no_place_of_the_machine(words: list[str], tmp_path: Path) -> None:
    assert main(words) == 0
    record = (tmp_path / "out" / ".csrgan" / "record.jsonl").read_text()
    assert str(tmp_path) not in record
    assert {name for line in record.splitlines() for name in json.loads(line)["files"]} == {*NAMES}


def test_what_is_left_out_of_a_folder_is_told(words: list[str], photos: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Further pages and frames, files of other kinds; a folder that a link leads to is restored, and once."""
    pages = [Image.new("RGB", (20, 16), colour) for colour in ("red", "green", "blue")]
    pages[0].save(photos / "pages.tif", save_all=True, append_images=pages[1:])
    pages[0].save(photos / "moving.gif", save_all=True, append_images=pages[1:])
    (photos / "raw.nef").write_bytes(b"raw")
    save(photos.parent / "elsewhere" / "z.png", 9)
    (photos / "linked").symlink_to(photos.parent / "elsewhere")
    (photos / "deeper" / "back").symlink_to(photos)
    assert main(words) == 0
    told = capfd.readouterr().out
    assert "left out: 1 .gif, 1 .nef, 2 further pages or frames of 1 pictures, of which the first is read" in told
    assert f"{len(NAMES) + 2} restored, 0 skipped" in told
    assert (photos.parent / "out" / "linked" / "z.png").is_file()
